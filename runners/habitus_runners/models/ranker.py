"""A model made of preferences and a writer. It reads a request's task, not its prompt; its answer is text like any."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from numpy.typing import NDArray

from habitus_runners.errors import HabitusError
from habitus_runners.model import Answer, Request
from habitus_runners.models.draws import Draws
from habitus_runners.models.evidence import Evidence
from habitus_runners.models.writing import Writer

Preferences = Callable[[Evidence, Draws], NDArray[np.float64]]


@dataclass(frozen=True)
class Ranker:
    """Lists the N candidates it prefers; equal preferences in a random order that belongs to the task.

    Args:
        name: with its parameter, as in ``mixture:0.5``.
        evidence: of the study.
        seed: of its draws.
        preferences: (tasks, K) scores, higher = listed earlier.
        write: ordered titles to text.
    """

    name: str
    evidence: Evidence
    seed: int
    preferences: Preferences
    write: Writer

    @cached_property
    def revision(self) -> str:
        """Hash of everything that could change an answer: version, name, seed, data set and the study's design."""
        parts = [_version(), self.name, self.seed, self.evidence.dataset.fingerprint, self.evidence.settings.design()]
        return blake2b(json.dumps(parts, sort_keys=True, default=str).encode(), digest_size=8).hexdigest()

    def answers(self, requests: Sequence[Request]) -> Iterator[Answer]:
        """One answer per request, in order.

        Raises:
            HabitusError: a request is of another study.
        """
        for request in requests:
            if not 0 <= request.row < len(self._task_ids) or self._task_ids[request.row] != request.task_id:
                raise HabitusError(
                    f"{self.name}: expected a task of this study, got {request.task_id} as {request.row}"
                )
            yield Answer(request.task_id, self.write([self._titles[item] for item in self._lists[request.row]]))

    @cached_property
    def _lists(self) -> list[list[int]]:
        """The first N items of each task's order."""
        candidates = self.evidence.candidates
        draws = Draws(self._task_ids, self.name, self.seed)
        ties = draws.uniform("ties", candidates.shape[1])
        order = np.lexsort((ties, -self.preferences(self.evidence, draws)), axis=1)
        first = order[:, : self.evidence.settings.candidates.N]
        lists: list[list[int]] = np.take_along_axis(candidates, first, axis=1).tolist()
        return lists

    @cached_property
    def _titles(self) -> list[str]:
        return self.evidence.dataset.items["title"].to_list()

    @cached_property
    def _task_ids(self) -> list[str]:
        return self.evidence.task_ids


def _version() -> str:
    try:
        return version("habitus")
    except PackageNotFoundError:
        return "uninstalled"
