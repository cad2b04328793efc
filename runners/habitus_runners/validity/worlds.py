"""The worlds that properties are looked at in: how many, how large, and what a model answers in them."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from habitus_runners import columns, models, tasks
from habitus_runners.datasets import world
from habitus_runners.model import Request
from habitus_runners.models.draws import Draws
from habitus_runners.models.evidence import Evidence
from habitus_runners.models.ranker import Ranker
from habitus_runners.models.services import TEXT
from habitus_runners.prompts.rankings import rankings
from habitus_runners.settings import Settings, settings
from habitus_runners.targets import Scorer

Floats = NDArray[np.float64]
Lists = NDArray[np.int16]

_SEEDS_APART = 1_000_000


class Size(NamedTuple):
    """How much is looked at.

    ``worlds``: of properties that need many, V5 and V8; ``few``: of the others; ``pairs`` of models in V6; ``redraws``
    of histories in V7; ``pooled`` tasks of a world that V5 takes for the truth; ``users`` and ``items`` of a world;
    ``cap`` tasks per level and length of history; ``people`` from whom the honest oracle learns.
    """

    worlds: int
    few: int
    pairs: int
    redraws: int
    pooled: int
    users: int = 1000
    items: int = 200
    cap: int = 40
    people: int = 20_000

    @property
    def planted(self) -> tuple[int, int]:
        """In how many worlds inversions are planted, and with how many sets of people in each."""
        worlds = max(1, self.worlds // 100)
        return worlds, self.worlds // worlds

    @classmethod
    def of(cls, worlds: int) -> Self:
        """With so many worlds where many are needed."""
        return cls(worlds, max(4, worlds // 10), max(400, 2 * worlds), max(200, worlds), 2_000 * worlds)


QUICK = Size(worlds=8, few=3, pairs=40, redraws=40, pooled=5000, users=500, items=120, cap=9, people=4000)
DEFAULT, LEAST = Size.of(40), 12


@dataclass(frozen=True, eq=False)
class Study:
    """Tasks of a world. Its settings' seed is that of the world."""

    dataset: world.World
    settings: Settings
    tasks: pa.Table
    members: pa.Table
    _parsed: dict[str, Lists] = field(default_factory=dict, init=False)

    @cached_property
    def evidence(self) -> Evidence:
        """What models may look at."""
        return Evidence(self.dataset, self.tasks, self.members, self.settings)

    @cached_property
    def scorer(self) -> Scorer:
        """What their lists are scored by."""
        return Scorer(self.tasks, self.members, self.settings)

    @cached_property
    def truth(self) -> Floats:
        """(tasks, K) the true target of each group."""
        groups, kind = self.evidence.groups, self.settings.target.kind
        return self.dataset.truth(groups.start, groups.values, self.evidence.candidates, kind=kind)

    @property
    def rows(self) -> NDArray[np.int64]:
        """(tasks,) their numbers."""
        return np.arange(self.tasks.num_rows)

    @property
    def setups(self) -> NDArray[np.str_]:
        """(tasks,) their setups."""
        return np.array(self.tasks["setup"].to_pylist(), dtype=np.str_)

    def with_settings(self, **changes: object) -> "Study":
        """The same tasks, scored otherwise (``users__split=0``)."""
        wanted = self.settings.changed({key.replace("__", "."): value for key, value in changes.items()})
        return Study(self.dataset, wanted, self.tasks, self.members)

    def listed(self, preferences: Floats) -> Lists:
        """(tasks, N) the candidates that come first, best first."""
        first = np.argsort(-preferences, axis=1, kind="stable")[:, : self.settings.candidates.N]
        return first.astype(np.int16)

    def model(self, name: str, seed: int | None = None) -> Ranker:
        """A simulated model; ``seed``: of its draws, by default the study's."""
        (asker,) = models.askers([name], [], self.dataset)
        made = models.create(asker, self.evidence)
        if not isinstance(made, Ranker):
            raise TypeError(f"expected a simulated model, got {name}")
        return made if seed is None else replace(made, seed=seed)

    def answered(self, name: str) -> pa.Table:
        """The rankings table of a model: it writes answers, and they are parsed."""
        ids = self.evidence.task_ids
        requests = [Request(row, task, "") for row, task in enumerate(ids)]
        table = pa.table(
            {
                "answer_id": ids,
                "task_id": ids,
                "model": pa.array([name] * len(ids)).dictionary_encode(),
                "method": [TEXT] * len(ids),
                "text": [answer.text for answer in self.model(name).answers(requests)],
                "finish_reason": ["stop"] * len(ids),
                "error": pa.nulls(len(ids), pa.string()),
            }
        )
        titles = self.dataset.items["title"].to_list()
        return rankings(table, self.tasks, titles, self.settings.candidates.N)

    def lists(self, name: str) -> Lists:
        """(tasks, N) what the parser made of a model's answers, -1 where there is nothing."""
        if name not in self._parsed:
            self._parsed[name] = columns.fixed(self.answered(name)["ranking"])
        return self._parsed[name]

    def preferred(self, name: str, seed: int) -> Lists:
        """(tasks, N) what a model with other draws would list; nothing is written and parsed, which takes longer."""
        ranker = self.model(name, seed)
        draws = Draws(self.evidence.task_ids, ranker.name, seed)
        ties = draws.uniform("ties", self.evidence.candidates.shape[1])
        order = np.lexsort((ties, -ranker.preferences(self.evidence, draws)), axis=1)
        return order[:, : self.settings.candidates.N].astype(np.int16)


@dataclass
class Worlds:
    """Makes studies, and keeps those that several properties look at."""

    size: Size
    seed: int = 0
    _kept: dict[tuple[int, str], Study] = field(default_factory=dict)

    def number(self, world: int) -> int:
        """The seed of a world."""
        return self.seed * _SEEDS_APART + world

    def few(self, preset: str) -> list[Study]:
        """The worlds that most properties share, with the tasks of a preset."""
        for number in range(self.size.few):
            if (number, preset) not in self._kept:
                self._kept[number, preset] = self.study(number, preset)
        return [self._kept[number, preset] for number in range(self.size.few)]

    def study(
        self,
        number: int,
        preset: str = "paper",
        *,
        rho: float = 0.3,
        people: int | None = None,
        **changes: Any,  # noqa: ANN401 - values of settings
    ) -> Study:
        """A world with tasks of its own.

        Args:
            number: of the world.
            preset: of its settings.
            rho: how much attributes mean.
            people: seed of other people and tasks in this world.
            changes: of the settings, as in ``users__split=0``.
        """
        seed = self.number(number)
        dataset = world.load(seed=seed, people=people, users=self.size.users, items=self.size.items, rho=rho)
        # Preset sound renders every draw under three setups.
        cap = self.size.cap if preset == "paper" else -(-self.size.cap // 3)
        usual = {"draws.cap": cap, "draws.count": cap, "candidates.sets": 1, "history.lengths": [0, 1, 3, 5]}
        given = {key.replace("__", "."): value for key, value in changes.items()}
        wanted = settings(preset, {"seed": seed if people is None else people, "data": {"rho": rho}, **usual, **given})
        made = tasks.generate(dataset, wanted)
        return Study(dataset, wanted, made.tasks, made.members)
