"""Which model is better, and is it sure? Every pair of models on the tasks that all of them answered.

In each task the target's entropy is the same for all models, so the difference of two cross-entropies is that of their
gaps. Tasks about the same proxy share people and words, so signs are flipped, and resamples drawn, cluster by cluster
(method, section 6). A decided order is about further proxies like these; the users are those of the data.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from habitus.permutation import sign_flips
from habitus.resampling import multiplicities
from habitus.scoring import MIN_GAP
from habitus_runners.paired import Paired
from habitus_runners.significance import DETECTABLE, SIGNIFICANCE, holm, p_text
from habitus_runners.tables import BIT

Floats = NDArray[np.float64]

# With so many flips p goes down to 1e-5, and passes Holm's correction over hundreds of pairs.
FLIPS, RESAMPLES = 99_999, 2_000
TIE = 1e-9  # nats

_AT_ONCE = 256  # resamples as real numbers, for products with totals


class Model(NamedTuple):
    """One model on the compared tasks: means in bits; ``kind``: its name without its parameter."""

    name: str
    cross_entropy: float
    gap: float
    skill: float
    kind: str


class Pair(NamedTuple):
    """Two models, the one with the lower cross-entropy first.

    ``difference`` is the mean CE of the first less that of the second in bits, never above 0; ``skill`` the first's
    skill less the second's; ``low`` and ``high`` the ends of 95 % intervals, NaN where there is one cluster.
    ``adjusted`` is p after Holm's correction over all pairs. A task is won where the first has the lower CE.
    ``detectable``: the smallest true difference in bits that so many tasks would have shown in 80 of 100 such studies
    at two-sided 5 %, before Holm's correction; NaN where there are fewer than six clusters.
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    skill: float
    skill_low: float
    skill_high: float
    p: float
    adjusted: float
    wins: int
    ties: int
    losses: int
    detectable: float

    @property
    def decided(self) -> bool:
        """Whether chance alone would decide any of the pairs so in fewer than 5 of 100 studies."""
        return self.adjusted < SIGNIFICANCE


class Comparison(NamedTuple):
    """``models`` best first, ``pairs`` in their order.

    ``lacking`` names the models for which ``left_out`` tasks could not be compared; ``flips`` sign patterns were looked
    at, ``exact``: all there are.
    """

    models: tuple[Model, ...]
    pairs: tuple[Pair, ...]
    tasks: int
    clusters: int
    lacking: tuple[str, ...]
    left_out: int
    flips: int
    exact: bool

    @property
    def neighbours(self) -> tuple[Pair, ...]:
        """The pairs of models that are next to each other in the ranking."""
        following = {(a.name, b.name) for a, b in zip(self.models, self.models[1:], strict=False)}
        return tuple(pair for pair in self.pairs if (pair.first, pair.second) in following)


def compare(scored: Paired, *, seed: int, flips: int = FLIPS, resamples: int = RESAMPLES) -> Comparison:
    """Compare all pairs of models.

    Args:
        scored: two models or more.
        seed: of signs and resamples.
        flips: sign patterns drawn, if there are not fewer.
        resamples: of clusters, for intervals.
    """
    means = scored.cross_entropy.mean(axis=1)
    order = sorted(range(len(means)), key=lambda model: (means[model], scored.labels[model]))
    scored = scored._replace(
        labels=tuple(scored.labels[model] for model in order),
        models=tuple(scored.models[model] for model in order),
        cross_entropy=scored.cross_entropy[order],
    )
    sums = _sums(scored)
    tested = sign_flips(sums.cross_entropy, resamples=flips, seed=seed)
    places = list(combinations(range(len(order)), 2))
    p_values = [float(tested.p_value[place]) for place in places]
    return Comparison(
        models=tuple(_models(scored, sums)),
        pairs=tuple(_pairs(scored, sums, places, p_values, _resampled(sums, resamples, seed))),
        tasks=len(scored.cluster),
        clusters=len(sums.tasks),
        lacking=scored.lacking,
        left_out=scored.left_out,
        flips=tested.flips,
        exact=tested.exact,
    )


class _Sums(NamedTuple):
    """Sums over the tasks of each cluster, in nats.

    (models, clusters) of CE, and what is ``lost``, CE - best; (clusters,) how many ``tasks``, and what ``room`` there
    is, chance - best. Lost and room are of the tasks that skill counts.
    """

    cross_entropy: Floats
    lost: Floats
    tasks: Floats
    room: Floats

    def means(self, times: Floats) -> "_Means":
        """Of resamples in which each cluster comes ``times`` (resamples, clusters)."""
        room = times @ self.room
        mean = times @ self.cross_entropy.T / (times @ self.tasks)[:, None]
        shares = np.divide(times @ self.lost.T, room[:, None], out=np.full(mean.shape, np.nan), where=room[:, None] > 0)
        return _Means(mean / BIT, 1 - shares)


class _Means(NamedTuple):
    """(resamples, models) mean cross-entropy in bits, and skill, NaN where no task counts."""

    cross_entropy: Floats
    skill: Floats


def _sums(scored: Paired) -> _Sums:
    counts = scored.chance - scored.best >= MIN_GAP
    lost = np.where(counts, scored.cross_entropy - scored.best, 0)

    def summed(values: Floats) -> Floats:
        return np.bincount(scored.cluster, values).astype(np.float64)

    return _Sums(
        cross_entropy=np.array([summed(row) for row in scored.cross_entropy]),
        lost=np.array([summed(row) for row in lost]),
        tasks=summed(np.ones(len(scored.cluster))),
        room=summed(np.where(counts, scored.chance - scored.best, 0)),
    )


def _resampled(sums: _Sums, resamples: int, seed: int) -> _Means:
    """Resamples of clusters, the same for all models; NaN where there is one cluster and so none other to draw."""
    clusters = len(sums.tasks)
    if clusters == 1:
        nowhere = np.full((1, len(sums.cross_entropy)), np.nan)
        return _Means(nowhere, nowhere)
    times = multiplicities(resamples, clusters, seed=seed)
    parts = [sums.means(times[first : first + _AT_ONCE].astype(np.float64)) for first in range(0, resamples, _AT_ONCE)]
    return _Means(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _models(scored: Paired, sums: _Sums) -> Iterator[Model]:
    means = sums.means(np.ones((1, len(sums.tasks))))
    gaps = (scored.cross_entropy - scored.best).mean(axis=1) / BIT
    figures = zip(means.cross_entropy[0], gaps, means.skill[0], strict=True)
    for label, model, (ce, gap, skill) in zip(scored.labels, scored.models, figures, strict=True):
        yield Model(label, float(ce), float(gap), float(skill), model.partition(":")[0])


def _pairs(
    scored: Paired, sums: _Sums, places: Sequence[tuple[int, int]], p_values: Sequence[float], resampled: _Means
) -> Iterator[Pair]:
    means = sums.means(np.ones((1, len(sums.tasks))))
    for (a, b), p, adjusted in zip(places, p_values, holm(p_values), strict=True):
        by_task = scored.cross_entropy[a] - scored.cross_entropy[b]
        difference, skill = (float(column[0, a] - column[0, b]) for column in means)
        yield Pair(
            *(scored.labels[a], scored.labels[b]),
            *(difference, *_interval(resampled.cross_entropy[:, a] - resampled.cross_entropy[:, b])),
            *(skill, *_interval(resampled.skill[:, a] - resampled.skill[:, b])),
            *(p, adjusted),
            wins=int((by_task < -TIE).sum()),
            ties=int((np.abs(by_task) <= TIE).sum()),
            losses=int((by_task > TIE).sum()),
            detectable=detectable(sums.cross_entropy[a] - sums.cross_entropy[b], sums.tasks) / BIT,
        )


def _interval(values: Floats) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    if not len(known):
        return math.nan, math.nan
    low, high = np.quantile(known, [SIGNIFICANCE / 2, 1 - SIGNIFICANCE / 2])
    return float(low), float(high)


def detectable(differences: Floats, tasks: Floats) -> float:
    """The smallest mean difference that a two-sided test at 5 % finds with power 80 %, in the differences' unit.

    With D[c] the summed difference of cluster c, n[c] its tasks and d = sum D / sum n, the clustered standard error is

        SE = sqrt(C / (C - 1) sum_c (D[c] - n[c] d)^2) / sum n,    detectable = (z(1 - 0.05 / 2) + z(0.80)) SE.

    Args:
        differences: (clusters,) D.
        tasks: (clusters,) n.

    Returns:
        NaN of so few clusters that no pattern of signs is rarer than 5 %.
    """
    clusters = len(tasks)
    if 2 / 2**clusters >= SIGNIFICANCE:
        return math.nan
    residual = differences - tasks * differences.sum() / tasks.sum()
    error = math.sqrt(clusters / (clusters - 1) * float(residual @ residual)) / float(tasks.sum())
    return DETECTABLE * error


def sentence(pair: Pair, tasks: int) -> str:
    """Whether the order of two models is decided."""
    order = f"{pair.first} before {pair.second}: this order is"
    if pair.ties == tasks:
        return f"{order} none, their scores are the same on all {tasks:,} tasks."
    found = f"{bits(-pair.difference)} bits, {p_text(pair.adjusted)}"
    if pair.decided:
        return f"{order} decided by {tasks:,} tasks ({found})."
    alone = f", {p_text(pair.p)} were it the only pair" if pair.p < SIGNIFICANCE else ""
    return f"{order} not decided by {tasks:,} tasks ({found}{alone}): {_could(pair.detectable)}."


def verdict(comparison: Comparison) -> str:
    """Whether the whole ranking is decided, in one sentence."""
    neighbours, tasks = comparison.neighbours, f"{comparison.tasks:,} tasks"
    open_ones = [pair for pair in neighbours if not pair.decided]
    if not open_ones:
        return f"The order of the {len(comparison.models)} models is decided by {tasks}."
    are = "is" if len(open_ones) == 1 else "are"
    told = f"{len(open_ones)} of {len(neighbours)} pairs of neighbours {are} not told apart, and "
    able = (told if len(neighbours) > 1 else "") + _could(max(pair.detectable for pair in open_ones))
    return f"The order of the {len(comparison.models)} models is not decided by {tasks}: {able}."


def _could(detectable_bits: float) -> str:
    if math.isnan(detectable_bits):
        return "they are about too few proxies to show any difference"
    return f"the smallest difference they could have shown is {bits(detectable_bits)} bits"


def bits(value: float) -> str:
    """Three digits behind the point, more where fewer than two of them would count: 0.123, 0.0012."""
    places = 3 if value == 0 or not math.isfinite(value) else min(max(3, 1 - math.floor(math.log10(abs(value)))), 9)
    return f"{value:.{places}f}"
