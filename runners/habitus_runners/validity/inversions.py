"""V5: a planted inversion lies in its interval as often as the interval says, and constant skill is no inversion."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from habitus import curves, inversion
from habitus_runners import intervals
from habitus_runners.results import skill_trend
from habitus_runners.significance import SIGNIFICANCE
from habitus_runners.tables import BIT
from habitus_runners.validity.altered import ranked
from habitus_runners.validity.property import Chart, Property, Series, Share, share
from habitus_runners.validity.worlds import DEFAULT, QUICK, Size, Study, Worlds

KINDS = {"inversion": "order 4", "lowess_inversion": "LOWESS"}
PLANTED, CONSTANT = "breakpoint:4.8", ("mixture:0.3", "mixture:0.6")
BETWEEN = (0.90, 0.98)

_POOLED_FROM = 10**6  # people whose tasks are pooled have other seeds than those of the studies
_GRID = 200
_ENOUGH = 200


class Interval(NamedTuple):
    """A figure of one study, the ends of its 95 % interval, NaN where there is none, and the truth; bits.

    ``exists``: whether two lines say that there is an inversion at all.
    """

    value: float
    low: float
    high: float
    truth: float
    exists: bool

    @property
    def covers(self) -> bool:
        """Whether the truth is inside."""
        return self.low <= self.truth <= self.high


class Coverage(NamedTuple):
    """By kind of curve: one interval per study; and how many tasks the truth of each world rests on."""

    found: dict[str, list[Interval]]
    pooled: int


def planted(worlds: Worlds) -> Property:
    """V5."""
    seen = coverage(_of_size(worlds, DEFAULT))
    constant = {name: share(np.array(p_values) < SIGNIFICANCE) for name, p_values in _constant(worlds).items()}
    known = {kind: [one for one in found if not math.isnan(one.low)] for kind, found in seen.found.items()}
    inside = {kind: share(np.array([one.covers for one in k])) for kind, k in known.items() if k}
    figures: dict[str, float | int | str] = {}
    for kind, found in seen.found.items():
        figures[f"intervals, {KINDS[kind]}"] = len(known[kind])
        figures[f"studies, {KINDS[kind]}"] = len(found)
        if kind in inside:
            figures[f"covered, {KINDS[kind]}"] = inside[kind].value
    figures |= {f"false inversions, {name}": found.value for name, found in constant.items()}
    smooth = inside.get("lowess_inversion")
    covers = smooth is not None and _covers(smooth)
    number, people = worlds.size.planted
    return Property(
        key="V5",
        name="Planted inversions",
        criterion=(
            f"the turning point (LOWESS) of {PLANTED} is in its 95 % interval in 90-98 % of the studies; of fewer than"
            f" {_ENOUGH} studies in a share not significantly outside; the truth is the same estimator on pooled"
            " tasks; the trend of constant skill is significant in 5 %, within the binomial interval"
        ),
        found="; ".join(
            [f"{KINDS[kind]}: covered {found}" for kind, found in inside.items()]
            + [f"inversion seen in {name}: {found}" for name, found in constant.items()]
        ),
        holds=covers and all(found.covers(SIGNIFICANCE) for found in constant.values()),
        rests_on=f"{number} worlds, {people} sets of people in each, truth from {seen.pooled:,} tasks per world",
        figures=figures,
        remarks=tuple(_remarks(worlds, seen)),
        chart=_chart(known["lowess_inversion"]),
    )


def _covers(found: Share) -> bool:
    ends = (found.value, found.value) if found.of >= _ENOUGH else (found.low, found.high)
    return ends[0] <= BETWEEN[1] and ends[1] >= BETWEEN[0]


def coverage(worlds: Worlds) -> Coverage:
    """Planted inversions in a few worlds whose people are drawn again and again."""
    found: dict[str, list[Interval]] = {kind: [] for kind in KINDS}
    number, people = worlds.size.planted
    pooled = 0
    for world in range(number):
        true, pooled = _truth(worlds, world)
        for draw in range(people):
            drawn = _drawn(worlds.study(world, people=draw, uncertainty__resamples=100))
            at, exists = _turns(drawn.full, drawn), _inverts(drawn.full, drawn)
            (row,) = intervals.intervals(drawn.replicates, drawn.settings, drawn=True)
            for kind in KINDS:
                low, high = (_bits(row[f"{kind}_{end}"]) for end in ("low", "high"))
                found[kind].append(Interval(at[kind], low, high, true[kind], exists))
    return Coverage(found, pooled)


def _truth(worlds: Worlds, world: int) -> tuple[dict[str, float], int]:
    """The same estimators on the tasks of many draws of people together."""
    parts: list[intervals.Points] = []
    tasks, draw = 0, _POOLED_FROM
    while tasks < worlds.size.pooled:
        drawn = _drawn(worlds.study(world, people=draw))
        parts.append(drawn.full)
        tasks, draw = tasks + drawn.tasks.num_rows, draw + 1
    together = intervals.Points(*(np.concatenate(column, axis=-1) for column in zip(*parts, strict=True)))
    return _turns(together, drawn), tasks


def _drawn(study: Study) -> intervals.Study:
    rankings = ranked(PLANTED, study.evidence.task_ids, study.preferred(PLANTED, study.settings.seed))
    return intervals.Study(study.tasks, study.members, rankings, study.settings)


def _turns(points: intervals.Points, drawn: intervals.Study) -> dict[str, float]:
    """Turning points as the results have them, in bits."""
    x, y, curve = points.entropy[0], points.cross_entropy[0, 0], drawn.settings.curve
    grid = np.linspace(x.min(), x.max(), _GRID)
    smooth = curves.turning_points(grid, curves.lowess(x, y, grid, fraction=curve.fraction))
    return {
        "inversion": curves.curve(x, y, **curve.polynomial).inversion / BIT,
        "lowess_inversion": float(smooth.x) / BIT,
    }


def _inverts(points: intervals.Points, drawn: intervals.Study) -> bool:
    fraction = drawn.settings.curve.fraction
    return inversion.two_lines(points.entropy[0], points.cross_entropy[0, 0], fraction=fraction).exists


def _of_size(worlds: Worlds, other: Size) -> Worlds:
    """The same number of worlds, each as large, and with as many tasks, as in another size."""
    return Worlds(worlds.size._replace(users=other.users, items=other.items, cap=other.cap), worlds.seed)


def _remarks(worlds: Worlds, seen: Coverage) -> Iterator[str]:
    for kind, found in seen.found.items():
        without = sum(math.isnan(one.low) for one in found)
        yield f"{KINDS[kind]}: in {without} of {len(found)} studies no interval: under 95 % of resamples turn."
    yield f"LOWESS, {_said(seen)}."
    if worlds.size.worlds >= DEFAULT.worlds:
        small = _of_size(worlds, QUICK)
        tasks = len(small.study(0).rows)
        yield f"LOWESS in studies of about {tasks} tasks instead: {_said(coverage(small))}."


def _said(seen: Coverage) -> str:
    """Coverage by whether two lines find an inversion, and the bias."""
    known = [one for one in seen.found["lowess_inversion"] if not math.isnan(one.low)]
    parts = {"where two lines find an inversion": True, "where they do not": False}
    said = [
        f"{words} {share(np.array([one.covers for one in known if one.exists == exists]))}"
        for words, exists in parts.items()
        if any(one.exists == exists for one in known)
    ]
    bias = float(np.mean([one.value - one.truth for one in known])) if known else math.nan
    return f"covered {', '.join(said)}; bias {bias:+.3f} bits"


def _constant(worlds: Worlds) -> dict[str, list[float]]:
    """By model of constant skill, one p of its trend per world."""
    found: dict[str, list[float]] = {name: [] for name in CONSTANT}
    for number in range(worlds.size.worlds):
        study = worlds.study(number)
        for name in CONSTANT:
            scores = study.scorer.score(study.preferred(name, study.settings.seed), study.rows)
            found[name].append(skill_trend(scores.entropy, scores.cross_entropy, scores.best, scores.chance).p)
    return found


def _bits(nats: float | None) -> float:
    return math.nan if nats is None else nats / BIT


def _chart(known: list[Interval]) -> Chart | None:
    """Intervals less their truth, in ascending order."""
    if not known:
        return None
    ends = np.array(sorted((one.low - one.truth, one.high - one.truth) for one in known))
    middle, half = ends.mean(axis=1), (ends[:, 1] - ends[:, 0]) / 2
    series = Series("LOWESS", list(range(1, 1 + len(known))), middle.tolist(), half.tolist())
    return Chart("intervals", "study", "interval - truth (bits)", [series])
