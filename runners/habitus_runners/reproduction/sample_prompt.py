"""The paper's one published prompt, replayed on the ratings: which rule drew its candidates?"""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from habitus import interactions, sampling
from habitus_runners.datasets.dataset import Dataset
from habitus_runners.errors import HabitusError
from habitus_runners.settings import Settings
from habitus_runners.tasks.material import material

Integers = NDArray[np.int64]

REPLAYS = 1000


class Replay(NamedTuple):
    """The published prompt on the ratings: its group, and how often each of its candidates was rated by it.

    ``zeros``: candidates nobody in the group rated; the same (replays,) had they been drawn as Algorithm 1 is printed,
    from the whole inventory, or as habitus draws them.
    """

    group_size: int
    counts: Integers
    history_among_candidates: int
    zeros_literal: Integers
    zeros_inventory: Integers
    zeros_half: Integers

    @property
    def zeros(self) -> int:
        """Candidates nobody in the group rated."""
        return int((self.counts == 0).sum())


def replay(example: Path, dataset: Dataset, settings: Settings, *, min_rating: float = 1) -> Replay:
    """Replay the published prompt: who knows 60 % of its history, and which of its candidates they rated.

    Args:
        example: JSON with ``gender`` (M or F), ``age``, ``occupation``, and the titles ``history`` and ``candidates``.
        dataset: MovieLens-1M.
        settings: of a run; its ``min_rating`` is replaced.
        min_rating: the least rating that counts as having interacted.

    Raises:
        HabitusError: a title of the example is not in the data set.
    """
    facts = json.loads(example.read_text(encoding="utf-8"))
    rows = {title: row for row, title in enumerate(dataset.items["title"].to_list())}
    missing = [title for title in (*facts["history"], *facts["candidates"]) if title not in rows]
    if missing:
        raise HabitusError(f"{example}: expected titles of {dataset.name}, got {missing[0]!r}")
    history = np.array([[rows[title] for title in facts["history"]]], np.int32)
    candidates = np.array([[rows[title] for title in facts["candidates"]]], np.int32)
    source = material(dataset, settings.changed({"min_rating": min_rating}))
    wanted = {"gender": {"M": "male", "F": "female"}[facts["gender"]], "age": facts["age"]}
    wanted["occupation"] = facts["occupation"]
    in_cell = dataset.users.select(pl.all_horizontal(pl.col(key) == value for key, value in wanted.items())).to_series()
    cell = np.where(in_cell.to_numpy(), 0, -1)
    group = sampling.groups(source.log, cell, [0], history, settings.history.needed(history.shape[1]))
    return Replay(
        int(group.size[0]),
        sampling.counts(source.log, group, candidates).counts[0].astype(np.int64),
        len(set(history.ravel().tolist()) & set(candidates.ravel().tolist())),
        _zeros(source.log, group, history, source.inventory, "literal"),
        _zeros(source.log, group, history, source.inventory, "inventory"),
        _zeros(source.log, group, history, source.inventory, "half"),
    )


def _zeros(
    log: interactions.Interactions,
    group: sampling.Groups,
    history: NDArray[np.int32],
    inventory: Integers,
    rule: sampling.Rule,
) -> Integers:
    """(replays,) candidates without a count, had they been drawn by another rule."""
    again = group.take(np.zeros(REPLAYS, np.int64))
    repeated = np.repeat(history, REPLAYS, axis=0)
    drawn, _ = sampling.candidates(log, again, repeated, sampling.seeds(0, np.arange(REPLAYS)), inventory, rule=rule)
    return np.asarray((sampling.counts(log, again, drawn).counts == 0).sum(axis=1), np.int64)
