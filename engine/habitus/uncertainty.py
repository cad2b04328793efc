"""How sure a curve and its turning point are: the same computed again on resampled tasks (method, sections 5 and 6).

All models see the same resamples, so that differences between them are paired. A resample depends on the seed and its
own number alone: more resamples, other models or other threads do not change it.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from habitus import arguments, curves, resampling
from habitus.lowess import Smoother
from habitus.resampling import Points, Reals, Sample
from habitus.threads import over_chunks

_GRID = 200
_CHUNK = 64
# Bins summed side by side; from so many tasks on, 16 bits no longer hold a count.
_LANES, _MANY = 32, 1 << 16

# Sums of resamples first, ..., last - 1 in bins: how many tasks (resamples, patterns, bins), and of what y
# (resamples, models, bins).
_Sums = Callable[[int, int], tuple[Reals, Reals]]


class Bootstrap(NamedTuple):
    """Curves of resampled tasks: resample r, model m.

    Attributes:
        turning_point: (resamples, models) float64 in the unit of x, NaN unless the outcome is "value".
        outcome: (resamples, models) uint8, places in ``habitus.curves.OUTCOMES``.
        grid: (grid,) float64, x of ``fitted``.
        fitted: (resamples, models, grid) float64, NaN outside the range of the resample's own curve. A band is
            ``numpy.nanquantile(fitted, [0.025, 0.975], axis=0)``.
    """

    turning_point: Reals
    outcome: NDArray[np.uint8]
    grid: Reals
    fitted: Reals


def bootstrap_curves(  # noqa: PLR0913 - how to resample, and every key of a curve
    entropy: ArrayLike,
    cross_entropies: ArrayLike,
    *,
    resamples: int | None = None,
    seed: int | None = None,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    bins: int = 200,
    window: int = 30,
    degree: int = 4,
    support: tuple[float, float] | None = None,
    grid: ArrayLike | None = None,
    threads: int | None = None,
) -> Bootstrap:
    """``curves.curve`` of every resample of the tasks and every model.

    Args:
        entropy: (tasks,) x; or (resamples, tasks) where the points move too, as when users are resampled.
        cross_entropies: (models, tasks) or (resamples, models, tasks), NaN = missing: left out for that model.
        resamples: default what the other arguments say, else 1000.
        seed: in [0, 2**64); draws tasks with replacement (``resampling.multiplicities``). Either this or weights.
        weights: (resamples, tasks) numbers >= 0, how often each task counts: half samples, a delete-d jackknife, or
            ones where only the points move.
        clusters: see ``resampling.multiplicities``.
        bins: see ``curves.curve``.
        window: see ``curves.curve``.
        degree: see ``curves.curve``.
        support: see ``curves.bin_means``. Default: the range of all x where any model is known. The same in every
            resample, so that all have the same bins.
        grid: where the fits are wanted. Default: nowhere.
        threads: default one per core; the results do not depend on it.

    Returns:
        Each resample as ``curves.curve(numpy.repeat(x, times), numpy.repeat(y, times), support=support)``, to rounding.

    Raises:
        TypeError: clusters are not integers, or weights are not real.
        ValueError: a shape or number is not as said, or not exactly one of seed and weights is given.

    Example:
        >>> x = np.linspace(3, 6, 5000)
        >>> drawn = bootstrap_curves(x, [x + (x - 4.5) ** 2], resamples=100, seed=0)
        >>> drawn.turning_point.mean().round(2)
        np.float64(4.0)
    """
    points = resampling.points(entropy, cross_entropies)
    sample = resampling.sample(points, resamples, seed, weights, clusters)
    for name, given, least in (("bins", bins, 1), ("window", window, 1), ("degree", degree, 0)):
        if given < least:
            raise ValueError(f"{name}: expected at least {least}, got {given}")
    places = np.empty(0) if grid is None else _grid(grid)
    order, pattern = _patterns(points.y)
    held = _Bins(bins, window, degree, *_support(points, support), pattern)
    moved = points._replace(y=np.ascontiguousarray(points.y[:, order]))
    fast = sample.simple and points.x.shape[1] < _MANY
    sums = _sums_of_drawn(moved, sample, held) if fast else _sums_of_weighted(moved, sample, held)
    turning_point, outcome, fitted = _empty(sample.resamples, len(order), len(places))

    def work(first: int, last: int) -> None:
        parts = (array[first:last] for array in (turning_point, outcome, fitted))
        _turns(*sums(first, last), held, held.scaled(places), *parts)

    over_chunks(work, sample.resamples, _CHUNK, threads)
    back = np.argsort(order)
    turning_point = held.low + turning_point[:, back] * held.width
    return Bootstrap(turning_point, outcome[:, back], places, fitted[:, back])


def bootstrap_lowess(  # noqa: PLR0913 - how to resample, and every key of a smooth
    entropy: ArrayLike,
    cross_entropies: ArrayLike,
    *,
    resamples: int | None = None,
    seed: int | None = None,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    fraction: float = 0.2,
    grid: ArrayLike | None = None,
    threads: int | None = None,
) -> Bootstrap:
    """``curves.lowess`` and ``curves.turning_points`` of every resample of the tasks and every model.

    Args:
        entropy: see ``bootstrap_curves``.
        cross_entropies: see ``bootstrap_curves``.
        resamples: see ``bootstrap_curves``.
        seed: see ``bootstrap_curves``.
        weights: see ``bootstrap_curves``; whether they are whole numbers is asked of all of them together.
        clusters: see ``resampling.multiplicities``.
        fraction: see ``curves.lowess``.
        grid: (grid,) ascending x. Default: 200 from the lowest to the highest x where any model is known.
        threads: default one per core; the results do not depend on it.

    Raises:
        TypeError: clusters are not integers, or weights are not real.
        ValueError: a shape or number is not as said, or not exactly one of seed and weights is given.

    Example:
        >>> x = np.linspace(3, 6, 500)
        >>> drawn = bootstrap_lowess(x, [(x - 4.5) ** 2], resamples=20, seed=0)
        >>> drawn.turning_point.mean().round(1)
        np.float64(4.5)
    """
    points = resampling.points(entropy, cross_entropies)
    sample = resampling.sample(points, resamples, seed, weights, clusters)
    places = np.linspace(*_support(points, None), _GRID) if grid is None else _grid(grid)
    smooth = Smoother(places, fraction, whole=sample.whole)
    turning_point, outcome, fitted = _empty(sample.resamples, points.y.shape[1], len(places))

    def work(first: int, last: int) -> None:
        rows = sample.rows(first, last)
        if len(points.x) == len(points.y) == 1:
            fitted[first:last] = smooth(points.x[0], points.y[0], rows)
        else:
            for r, row in enumerate(rows, start=first):
                x, y = (moving[min(r, len(moving) - 1)] for moving in points)
                fitted[r] = smooth(x, y, row[None])[0]
        turning_point[first:last], outcome[first:last] = curves.turning_points(places, fitted[first:last])

    over_chunks(work, sample.resamples, _CHUNK, threads)
    return Bootstrap(turning_point, outcome, places, fitted)


def _empty(resamples: int, models: int, grid: int) -> tuple[Reals, NDArray[np.uint8], Reals]:
    shape = (resamples, models)
    return np.empty(shape), np.empty(shape, np.uint8), np.empty((*shape, grid))


class _Bins(NamedTuple):
    """What is computed; ``pattern[m]`` numbers the models' sets of missing points, ascending."""

    bins: int
    window: int
    degree: int
    low: float
    high: float
    pattern: NDArray[np.int64]

    @property
    def width(self) -> float:
        """Of a bin, in the unit of x."""
        return (self.high - self.low) / self.bins

    def scaled(self, x: Reals) -> Reals:
        """Places in bins, as the kernels have them."""
        return (x - self.low) / self.width if self.width > 0 else np.full(len(x), np.nan)


class _Layout(NamedTuple):
    """Where the tasks lie so that 32 bins are summed side by side (``kernels.uncertainty.drawn_sums``).

    Attributes:
        place: (tasks,) uint32 cell of each task; the last cell is for tasks in no bin.
        start: (groups + 1,) int64 first cell of each group of 32 slots.
        bin_of_slot: (32 * groups,) int64.
    """

    place: NDArray[np.uint32]
    start: NDArray[np.int64]
    bin_of_slot: NDArray[np.int64]


def _layout(bin_of_task: NDArray[np.int32], bins: int) -> _Layout:
    """A bin takes a slot; one with more than twice the mean number of tasks takes several, so that few cells are empty.

    Slots that are about as deep stand together.
    """
    inside = np.flatnonzero(bin_of_task >= 0)
    by_bin = inside[np.argsort(bin_of_task[inside], kind="stable")]
    size = np.bincount(bin_of_task[inside], minlength=bins)
    deepest = max(8, 2 * -(-len(inside) // bins))
    slots = -(-size // deepest)
    bin_of_slot = np.repeat(np.arange(bins), slots)
    first_slot, first_task = np.cumsum(slots) - slots, np.cumsum(size) - size
    depth = np.minimum(deepest, size[bin_of_slot] - deepest * (np.arange(len(bin_of_slot)) - first_slot[bin_of_slot]))
    order = np.argsort(-depth, kind="stable")
    groups = -(-len(order) // _LANES)
    start = np.concatenate(([0], np.cumsum(depth[order[::_LANES]] * _LANES)))
    rank = np.arange(len(by_bin)) - first_task[bin_of_task[by_bin]]
    lane = np.argsort(order)[first_slot[bin_of_task[by_bin]] + rank // deepest]
    place = np.full(len(bin_of_task), start[-1], np.uint32)
    place[by_bin] = start[lane // _LANES] + rank % deepest * _LANES + lane % _LANES
    padded = np.zeros(groups * _LANES, np.int64)
    padded[: len(order)] = bin_of_slot[order]
    return _Layout(place, start, padded)


def _sums_of_drawn(points: Points, sample: Sample, held: _Bins) -> _Sums:
    """Drawn tasks, points that stay: the fast way."""
    from habitus.kernels import uncertainty as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    layout = _layout(_bins_of(points.x, held)[0], held.bins)
    cells, patterns = int(layout.start[-1]) + 1, int(held.pattern[-1]) + 1
    y = points.y[0]
    known, values = np.zeros((patterns, cells), np.uint8), np.zeros((len(y), cells))
    known[:, layout.place] = np.where(np.isnan(y[np.searchsorted(held.pattern, np.arange(patterns))]), 0, 255)
    values[:, layout.place] = np.nan_to_num(y)

    def sums(first: int, last: int) -> tuple[Reals, Reals]:
        times = resampling.drawn(sample.seed, first, last, layout.place, cells)
        slots, (count, total) = len(layout.bin_of_slot), _no_sums(last - first, held)
        scratch = np.empty(slots, np.uint16), np.empty(slots)
        kernels.drawn_sums(times, *layout[1:], known, values, *scratch, count, total)
        return count, total

    return sums


def _sums_of_weighted(points: Points, sample: Sample, held: _Bins) -> _Sums:
    """Any weights, points that may move."""
    from habitus.kernels import uncertainty as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    def part(array: Reals, first: int, last: int) -> Reals:
        return array if len(array) == 1 else array[first:last]

    def sums(first: int, last: int) -> tuple[Reals, Reals]:
        count, total = _no_sums(last - first, held)
        bin_of_task = _bins_of(part(points.x, first, last), held)
        y = part(points.y, first, last)
        kernels.weighted_sums(sample.rows(first, last), bin_of_task, y, held.pattern, count, total)
        return count, total

    return sums


def _turns(count: Reals, total: Reals, held: _Bins, grid: Reals, *out: NDArray[np.generic]) -> None:
    """Fit the bins and write a part of the results."""
    from habitus.kernels import uncertainty as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    size, bins = held.degree + 1, held.bins
    scratch = (
        np.empty(bins, np.int64),
        *(np.empty(bins) for _ in range(3)),
        *(np.empty(size) for _ in range(2)),
        np.empty((size, bins)),
        np.empty((size, size)),
        np.empty((size + 1, size)),
    )
    kernels.turns(count, total, held.pattern, held.window, grid, scratch, *out)


def _no_sums(resamples: int, held: _Bins) -> tuple[Reals, Reals]:
    patterns, models = int(held.pattern[-1]) + 1, len(held.pattern)
    return np.zeros((resamples, patterns, held.bins)), np.zeros((resamples, models, held.bins))


def _bins_of(x: Reals, held: _Bins) -> NDArray[np.int32]:
    """The bin of each x as ``curves.bin_means`` puts it, -1 outside the support."""
    inside = (x >= held.low) & (x <= held.high)
    scaled = np.zeros(x.shape)
    if held.high > held.low:
        np.divide(x - held.low, held.high - held.low, out=scaled, where=inside)
    return np.where(inside, np.minimum((scaled * held.bins).astype(np.int32), held.bins - 1), np.int32(-1))


def _patterns(y: Reals) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Models ordered so that those with the same missing points stand together, and the number of each one's set."""
    pattern = resampling.patterns(np.isnan(y).swapaxes(0, 1))
    order = np.argsort(pattern, kind="stable")
    return order, pattern[order]


def _support(points: Points, support: tuple[float, float] | None) -> tuple[float, float]:
    if support is None:
        x = np.where(np.isnan(points.y).all(axis=1), np.nan, points.x)
        known = x[~np.isnan(x)]
        return (float(known.min()), float(known.max())) if len(known) else (np.nan, np.nan)
    if not support[0] <= support[1]:
        raise ValueError(f"support: expected (low, high) with low <= high, got {support}")
    return float(support[0]), float(support[1])


def _grid(values: ArrayLike) -> Reals:
    grid = arguments.points("grid", values)
    if not (np.diff(grid) > 0).all():
        raise ValueError("grid: expected ascending x")
    return grid
