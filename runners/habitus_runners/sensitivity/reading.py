"""What one way of scoring says of each model: the figures that conclusions are drawn from. Entropies in bits."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import habitus
from habitus import curves
from habitus.scoring import MIN_GAP
from habitus_runners import comparison, paired
from habitus_runners.errors import HabitusError
from habitus_runners.results import GRID, skill_trend, smoothed
from habitus_runners.settings import Curve, Settings
from habitus_runners.tables import BIT
from habitus_runners.targets import TaskScores

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Kept = NDArray[np.bool_]

_SEVERAL = 2


class Scored(NamedTuple):
    """Rankings of the models ``names``: (rankings,) number of the ``model``, row of the ``task``; and their scores."""

    tasks: pa.Table
    names: tuple[str, ...]
    model: Integers
    task: Integers
    scores: TaskScores


class Turn(NamedTuple):
    """Where the curve turns, NaN unless the outcome is "value", and its mean height; two lines' p and slopes."""

    outcome: str
    place: float
    height: float
    two_lines: float
    slopes: tuple[float, float]


class Trend(NamedTuple):
    """How skill changes per bit of entropy, and the p of no change."""

    slope: float
    p: float


class Part(NamedTuple):
    """Skill on some tasks, and its standard error over tasks; NaN where no task counts."""

    skill: float
    error: float


class Order(NamedTuple):
    """The mean cross-entropy of one model less that of another, and its p after Holm's correction."""

    difference: float
    p: float


class Reading(NamedTuple):
    """Per model, and for ``orders`` per pair of models, in both orders; what is undefined is NaN or missing."""

    tasks: int
    skill: Mapping[str, float]
    by_setup: Mapping[str, Mapping[str, Part]]
    turns: Mapping[str, Turn]
    trends: Mapping[str, Trend]
    orders: Mapping[tuple[str, str], Order]


class _Points(NamedTuple):
    """One model's tasks, in nats; none is missing."""

    setup: NDArray[np.str_]
    entropy: Floats
    best: Floats
    chance: Floats
    worst: Floats
    cross_entropy: Floats
    valid: NDArray[np.int32]


Orders = Mapping[tuple[str, str], Order]


def read(
    scored: Scored,
    settings: Settings,
    rivals: Sequence[str],
    kept: Kept | None = None,
    orders: Orders | None = None,
) -> Reading:
    """The figures of all models.

    Args:
        scored: by these settings.
        settings: whose fill, curve and seed count.
        rivals: models of which each pair is compared.
        kept: (tasks,) which tasks count; default all.
        orders: where they are known, of the same cross-entropies.
    """
    if kept is not None:
        counts = kept[scored.task]
        scores = scored.scores
        scored = scored._replace(
            model=scored.model[counts],
            task=scored.task[counts],
            scores=scores._replace(cross_entropy=scores.cross_entropy[counts], valid=scores.valid[counts]),
        )
    points = dict(_by_model(scored))
    answering = [name for name in rivals if name in points and len(points[name].entropy)]
    entropy = scored.scores.entropy[scored.task]
    known = entropy[~np.isnan(entropy)]
    support = (float(known.min()), float(known.max())) if len(known) else (math.nan, math.nan)
    setups = sorted({str(setup) for of_model in points.values() for setup in np.unique(of_model.setup)})
    return Reading(
        tasks=len(np.unique(scored.task)),
        skill={name: _skill(of_model) for name, of_model in points.items()},
        by_setup={
            name: {setup: _part(of_model, of_model.setup == setup) for setup in setups}
            for name, of_model in points.items()
        },
        turns={name: _turn(of_model, support, settings.curve) for name, of_model in points.items()},
        trends={name: _trend(of_model) for name, of_model in points.items()},
        orders=_orders(scored, settings, answering) if orders is None else orders,
    )


def _by_model(scored: Scored) -> Iterator[tuple[str, _Points]]:
    setup = np.asarray(scored.tasks["setup"].cast(pa.string()).to_pylist())
    for code, name in enumerate(scored.names):
        rows = (scored.model == code) & ~np.isnan(scored.scores.cross_entropy)
        task, scores = scored.task[rows], scored.scores
        yield (
            name,
            _Points(
                setup=setup[task],
                entropy=scores.entropy[task],
                best=scores.best[task],
                chance=scores.chance[task],
                worst=scores.worst[task],
                cross_entropy=scores.cross_entropy[rows],
                valid=scores.valid[rows],
            ),
        )


def _skill(points: _Points, chosen: Kept | None = None) -> float:
    kept = slice(None) if chosen is None else chosen
    names = ("best", "chance", "worst", "cross_entropy", "valid")
    best, *others = (getattr(points, name)[kept] for name in names)
    return habitus.skill(habitus.Scores(best, **dict(zip(names[1:], others, strict=True)))).value


def _part(points: _Points, chosen: Kept) -> Part:
    """1 - s is the ratio of summed losses to summed room: its error is that of the residual loss - (1 - s) room."""
    skill = _skill(points, chosen)
    lost, room = points.cross_entropy - points.best, points.chance - points.best
    counts = chosen & (room >= MIN_GAP)
    residual = (lost - (1 - skill) * room)[counts]
    total = float(room[counts].sum())
    return Part(skill, math.sqrt(float(residual @ residual)) / total if total > 0 else math.nan)


def _turn(points: _Points, support: tuple[float, float], curve: Curve) -> Turn:
    """As the results table says it: a smooth turns only where two lines say so too."""
    x, y = points.entropy, points.cross_entropy
    if not len(x):
        return Turn("undefined", math.nan, math.nan, math.nan, (math.nan, math.nan))
    smooth = smoothed(x, y, support, curve.fraction)
    tested = smooth.lines.p, (smooth.lines.left.slope, smooth.lines.right.slope)
    if curve.kind == "polynomial":
        drawn = curves.curve(x, y, support=support, **curve.polynomial)
        height = _mean(drawn.at(np.linspace(*drawn.domain, GRID)))
        return Turn(drawn.outcome, drawn.inversion / BIT, height, *tested)
    return Turn(smooth.outcome, smooth.x / BIT, _mean(smooth.heights), *tested)


def _mean(heights: Floats) -> float:
    """Of what is known, in bits."""
    known = heights[~np.isnan(heights)]
    return float(known.mean()) / BIT if len(known) else math.nan


def _trend(points: _Points) -> Trend:
    found = skill_trend(points.entropy, points.cross_entropy, points.best, points.chance)
    return Trend(found.slope * BIT, found.p)


def _orders(scored: Scored, settings: Settings, rivals: Sequence[str]) -> dict[tuple[str, str], Order]:
    """As `habitus compare` finds them, on the tasks that all rivals with any score answered."""
    if len(rivals) < _SEVERAL:
        return {}
    ids = scored.tasks["task_id"].take(scored.task)
    per_task = {name: getattr(scored.scores, name)[scored.task] for name in ("entropy", "best", "chance")}
    table = pa.table(
        {
            "task_id": ids,
            "model": pa.DictionaryArray.from_arrays(scored.model, list(scored.names)),
            "fill": [settings.fill] * len(scored.task),
            **per_task,
            "cross_entropy": scored.scores.cross_entropy,
        }
    )
    try:
        shared = paired.paired([paired.Run("run", scored.tasks, table, settings)], rivals)
    except HabitusError:  # no task that all answered: no order is known
        return {}
    found = comparison.compare(shared, seed=settings.seed, resamples=1)
    there = {(pair.first, pair.second): Order(pair.difference, pair.adjusted) for pair in found.pairs}
    back = {(second, first): Order(-order.difference, order.p) for (first, second), order in there.items()}
    return there | back
