"""The smallest difference in skill that so many tasks can show, before any model was asked."""

import math
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from habitus.scoring import MIN_GAP
from habitus_runners.settings import Settings
from habitus_runners.significance import DETECTABLE
from habitus_runners.targets import Scorer

Floats = NDArray[np.float64]

TYPICAL, OTHERS = 0.5, (0.2, 0.8)

_CELLS = 1_000_000  # drawn at once, and at least in all: the standard error is then known to about 1 %


class Detectable(NamedTuple):
    """``typical``: between models of skill 0.5, ``worst``: of skill 0.2, 0.5 or 0.8; from ``tasks`` that count.

    ``clusters`` says how many values of the proxies the tasks have: real models may differ by value, and then those
    count, not the tasks. NaN where no task counts.
    """

    typical: float
    worst: float
    tasks: int
    clusters: int


def detectable(tasks: pa.Table, members: pa.Table, settings: Settings) -> Detectable:
    """Smallest difference in skill that a paired two-sided test at 5 % finds with power 80 %.

    Both models are of the same skill s: in each task perfect with probability s, else random (method, section 8), each
    by itself. With r[t] the CE - best of a random list in task t and g[t] = chance - best its mean, one model's has
    the variance v[t] = (1 - s) E r[t]^2 - (1 - s)^2 g[t]^2, and the difference of two skills, a ratio of sums,

        SE = sqrt(2 sum_t v[t]) / sum_t g[t],    detectable = (z(1 - 0.05 / 2) + z(0.80)) SE.

    E r^2 is the mean of random lists, drawn with the settings' seed. Tasks below skill's least gap are left out.

    Args:
        tasks: the tasks table.
        members: the members table.
        settings: of the study.
    """
    gap, square = _moments(tasks, members, settings)
    counts = gap >= MIN_GAP
    kept = tasks.filter(pa.array(counts))
    at = {skill: DETECTABLE * standard_error(gap[counts], square[counts], skill) for skill in (TYPICAL, *OTHERS)}
    shown = zip(kept["level"].to_pylist(), kept["value"].to_pylist(), strict=True)
    clusters = {(level, str(value)) for level, value in shown}
    return Detectable(at[TYPICAL], max(at.values()), kept.num_rows, len(clusters))


def standard_error(gap: Floats, square: Floats, skill: float) -> float:
    """Of the difference in skill of two models of the same ``skill``; NaN without tasks.

    Args:
        gap: (tasks,) chance - best, nats.
        square: (tasks,) mean square of a random list's CE - best, nats^2.
        skill: how often either is perfect.
    """
    failing = 1 - skill
    variance = failing * square - (failing * gap) ** 2
    return math.sqrt(2 * float(variance.sum())) / float(gap.sum()) if len(gap) else math.nan


def _moments(tasks: pa.Table, members: pa.Table, settings: Settings) -> tuple[Floats, Floats]:
    """Gap and mean square of each task."""
    rows, candidates = tasks.num_rows, tasks.schema.field("candidates").type.list_size
    draws = math.ceil(_CELLS / (rows * candidates))
    size = max(1, _CELLS // candidates)
    rng = np.random.default_rng(settings.seed)
    firsts = range(0, rows * draws, size)
    shapes = ((min(size, rows * draws - first), candidates) for first in firsts)
    lists = [np.argsort(rng.random(shape, dtype=np.float32))[:, : settings.candidates.N] for shape in shapes]
    scorer = Scorer(tasks, members, settings)
    scores = scorer.score(np.concatenate(lists).astype(np.int16), np.repeat(np.arange(rows), draws))
    above = scores.cross_entropy.reshape(-1, draws) - scores.best[:, None]
    return scores.chance - scores.best, np.asarray((above**2).mean(axis=1))
