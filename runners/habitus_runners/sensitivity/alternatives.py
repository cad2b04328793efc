"""What could have been chosen otherwise: the alternatives of the method's sections 3 to 5 that need no new answer."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from habitus_runners.scores import FILLS
from habitus_runners.settings import Settings

Kept = NDArray[np.bool_]

ALPHA, CURVE, HALF = "pseudo-count", "curve", "half of the tasks"
ALPHAS = (1e-6, 0.01, 0.1, 0.5, 1.0, 2.0)
ESTIMATORS = ("plug-in", "miller-madow", "grassberger", "chao-shen", "james-stein", "dirichlet", "nsb")
SPLITS = 10
LEAST_USERS = (6, 10, 20)
_WINDOWS, _BINS, _DEGREES, _FRACTIONS = (10, 20, 30, 50), (100, 200, 400), (3, 4, 5, 6), (0.1, 0.2, 0.4)


class Alternative(NamedTuple):
    """One other choice.

    ``changes`` are settings; ``halves`` numbers other halves of the same users; ``tasks`` (tasks,) says which tasks
    count, with the scores that they have among all. ``family`` groups alternatives of one choice.
    """

    family: str
    name: str
    changes: Mapping[str, Any] = MappingProxyType({})
    halves: int = 0
    tasks: Kept | None = None

    def of(self, settings: Settings) -> Settings:
        """The settings with this choice."""
        return settings.changed(self.changes)


def alternatives(settings: Settings, tasks: pa.Table, *, faulty: bool) -> list[Alternative]:
    """Every alternative to what a run did.

    Args:
        settings: of the run.
        tasks: the tasks table.
        faulty: whether a list has an empty slot, so that its filling matters.
    """
    every = (*_of_scoring(settings, faulty=faulty), *_of_curves(settings), *_of_tasks(settings, tasks))
    return [one for one in every if one.halves or one.tasks is not None or one.of(settings) != settings]


def _of_scoring(settings: Settings, *, faulty: bool) -> Iterator[Alternative]:
    for fill in (*FILLS, "drop") if faulty else ():
        yield Alternative("empty slots", fill, {"fill": fill})
    default = 1 / settings.candidates.K
    for alpha in (default, *(alpha for alpha in ALPHAS if alpha != default)):
        own = settings.target.smoothing == "alpha" and (settings.target.alpha or default) == alpha
        if not own:
            yield Alternative(ALPHA, f"{alpha:g}", {"target.smoothing": "alpha", "target.alpha": alpha})
    yield Alternative("smoothing", "population", {"target.smoothing": "population", "target.alpha": None})
    for name in ESTIMATORS:
        yield Alternative("entropy estimator", name, {"target.estimator": name})
    for kind in ("incidence", "user_mean"):
        yield Alternative("target", kind, {"target.kind": kind})
    if settings.target.kind != "events":
        splits = settings.users.split or SPLITS
        for wanted in (0, SPLITS):
            yield Alternative("users' halves", f"{wanted} splits" if wanted else "no split", {"users.split": wanted})
        for halves, name in ((1, "other"), (2, "further")):
            yield Alternative("users' halves", f"{splits} {name} splits", {"users.split": splits}, halves)


def _of_curves(settings: Settings) -> Iterator[Alternative]:
    polynomial = {"curve.kind": "polynomial"}
    if settings.curve.kind != "polynomial":
        yield Alternative(CURVE, f"polynomial of order {settings.curve.degree}", polynomial)
    for key, values, name in (
        ("window", _WINDOWS, "window {}"),
        ("bins", _BINS, "{} bins"),
        ("degree", _DEGREES, "order {}"),
    ):
        for value in values:
            if value != getattr(settings.curve, key):
                yield Alternative(CURVE, name.format(value), {**polynomial, f"curve.{key}": value})
    for fraction in _FRACTIONS:
        changes = {"curve.kind": "lowess", "curve.fraction": fraction}
        yield Alternative(CURVE, f"LOWESS {fraction:g}", changes)


def _of_tasks(settings: Settings, tasks: pa.Table) -> Iterator[Alternative]:
    size = tasks["group_size"].to_numpy()
    for least in LEAST_USERS:
        kept = size >= least
        if kept.any() and not kept.all():
            yield Alternative("groups", f"{least} users or more", tasks=kept)
    level = np.asarray(tasks["level"].cast(pa.string()).to_pylist())
    names = list(dict.fromkeys(level.tolist()))
    for name in names if len(names) > 1 else ():
        yield Alternative("without level", name, tasks=level != name)
    first = np.zeros(len(size), np.bool_)
    rng = np.random.default_rng([settings.seed, len(size)])
    first[rng.permutation(len(size))[: len(size) // 2]] = True
    yield Alternative(HALF, "one", tasks=first)
    yield Alternative(HALF, "the other", tasks=~first)
