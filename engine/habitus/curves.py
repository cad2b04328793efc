"""From points (entropy, cross-entropy) to a curve, its turning point and its area (method, section 5, preset `paper`).

Missing points are NaN and are left out; a curve that cannot be drawn has the outcome "undefined", never a number.
"""

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import ArrayLike, NDArray

from habitus import arguments
from habitus.aggregation import summed
from habitus.lowess import Smoother
from habitus.threads import over_chunks

Outcome = Literal["value", "none", "censored", "undefined"]
OUTCOMES: tuple[Outcome, ...] = ("value", "none", "censored", "undefined")

# On the scaled interval [-1, 1]: a double root of f' comes out of the eigenvalues as two, about 1e-8 apart; a leading
# coefficient that is rounding error makes them lose the other roots; and a slope that small against f is rounding too.
_SAME_ROOT = 1e-6
_ROUNDING = 1e-12
_BLOCK, _CHUNK = 1 << 10, 1 << 16
# Heights on a grid, so that one can be lower than both its neighbours.
_FEWEST = 3


class Bins(NamedTuple):
    """The bins that hold a point, left to right: the middle of each, the mean of its y, how many points."""

    center: NDArray[np.float64]
    mean: NDArray[np.float64]
    count: NDArray[np.int64]  # type: ignore[assignment]  # hides tuple.count, which nobody needs here


class Fit(NamedTuple):
    """f(x) = sum_j coefficients[j] u**j with u from -1 to 1 as x goes through ``domain``, the range of the data."""

    coefficients: NDArray[np.float64]
    domain: tuple[float, float]

    def at(self, x: ArrayLike) -> NDArray[np.float64]:
        """f(x), NaN outside the domain: a polynomial says nothing there."""
        points = np.asarray(x, dtype=np.float64)
        if not len(self.coefficients):
            return np.full(points.shape, math.nan)
        inside = (points >= self.domain[0]) & (points <= self.domain[1])
        return np.where(inside, self._polynomial()(points), math.nan)

    def integral(self, low: float, high: float) -> float:
        """Integral of f over [low, high]."""
        antiderivative = self._polynomial().integ()
        return float(antiderivative(high) - antiderivative(low))

    def _polynomial(self) -> Polynomial:
        return Polynomial(self.coefficients, domain=self.domain)


class TurningPoint(NamedTuple):
    """Where a fit turns upwards for good, NaN unless ``outcome`` is "value"."""

    x: float
    outcome: Outcome


class TurningPoints(NamedTuple):
    """Several: where, NaN unless the outcome is "value"; and the outcome's place in ``OUTCOMES``."""

    x: NDArray[np.float64]
    outcome: NDArray[np.uint8]


class Curve(NamedTuple):
    """Smoothed points, the polynomial through them (see ``Fit``), and the inversion point in the unit of x."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    domain: tuple[float, float]
    inversion: float
    outcome: Outcome

    @property
    def fit(self) -> Fit:
        """The polynomial alone."""
        return Fit(self.coefficients, self.domain)

    def at(self, x: ArrayLike) -> NDArray[np.float64]:
        """The polynomial at x, NaN outside the range of the data."""
        return self.fit.at(x)


def bin_means(
    x: ArrayLike,
    y: ArrayLike,
    *,
    bins: int = 200,
    support: tuple[float, float] | None = None,
    threads: int | None = None,
) -> Bins:
    """Mean y in bins of equal width; empty bins are dropped.

    Args:
        x: (points,) numbers, NaN = missing.
        y: (points,) numbers, NaN = missing.
        bins: how many over the support.
        support: left and right end, both included; points outside are left out. Default: the range of x where y is
            known. Pass the pooled range of all models, so that their bins are the same.
        threads: default one per core; the results do not depend on it.

    Raises:
        ValueError: x and y differ in length or are infinite, bins < 1, or the support is not an interval.

    Example:
        >>> bin_means([0, 1, 4], [1, 3, 5], bins=2).mean
        array([2., 5.])
    """
    from habitus.kernels import curves as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    across, up = arguments.points("x", x), arguments.points("y", y)
    if len(across) != len(up):
        raise ValueError(f"expected as many x as y, got {len(across)} and {len(up)}")
    if bins < 1:
        raise ValueError(f"bins: expected at least 1, got {bins}")
    low, high = _range(across, up) if support is None else support
    if not (low <= high or (support is None and math.isnan(low))):
        raise ValueError(f"support: expected (low, high) with low <= high, got {support}")

    def add(part: slice, sums: NDArray[np.float64]) -> None:
        kernels.bin_sums(across[part], up[part], float(low), float(high), np.empty(_BLOCK, np.int32), sums)

    total, count = summed(add, len(across), bins, threads).T
    filled = np.flatnonzero(count)
    center = low + (filled + 0.5) * ((high - low) / bins)
    return Bins(center.astype(np.float64), total[filled] / count[filled], count[filled].astype(np.int64))


def rolling_mean(values: ArrayLike, window: int, *, threads: int | None = None) -> NDArray[np.float64]:
    """Means of complete windows. Average x by the same window and each mean stands at its window's centre.

    Trailing windows, the default of pandas, move the turning point by +0.12 to +0.24 bits (method, section 5).

    Args:
        values: (n,) numbers.
        window: how many values each mean is of, >= 1; the time does not depend on it.
        threads: default one per core; the results do not depend on it.

    Returns:
        (n - window + 1,), empty if there are fewer values than a window.

    Raises:
        ValueError: values are not 1-d, or window < 1.

    Example:
        >>> rolling_mean([1, 2, 6], 2)
        array([1.5, 4. ])
    """
    from habitus.kernels import curves as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    array = arguments.points("values", values)
    if window < 1:
        raise ValueError(f"window: expected at least 1, got {window}")
    out = np.empty(max(0, len(array) - window + 1))
    # Whole windows, so that the kernel's blocks are the same however the threads share them.
    chunk = window * -(-_CHUNK // window)
    over_chunks(
        lambda first, last: kernels.rolling_mean(array[first : last + window - 1], out[first:last]),
        len(out),
        chunk,
        threads,
    )
    return out


def fit(x: ArrayLike, y: ArrayLike, degree: int = 4) -> Fit:
    """Least-squares polynomial, computed on x scaled to [-1, 1].

    Args:
        x: (points,) numbers, at least degree + 1 distinct ones.
        y: (points,) numbers.
        degree: of the polynomial, >= 0.

    Raises:
        ValueError: lengths differ, a point is NaN, or there are too few distinct x.
    """
    across, up = arguments.points("x", x), arguments.points("y", y)
    if np.isnan(across).any() or np.isnan(up).any():
        raise ValueError("fit: expected known points, got NaN; leave these out")
    distinct = len(np.unique(across))
    if len(across) != len(up) or distinct <= degree:
        raise ValueError(
            f"expected as many x as y and more than {degree} distinct x for degree {degree}, "
            f"got {len(across)} x ({distinct} distinct) and {len(up)} y"
        )
    fitted = Polynomial.fit(across, up, degree)
    return Fit(np.asarray(fitted.coef, dtype=np.float64), (float(fitted.domain[0]), float(fitted.domain[1])))


def turning_point(fitted: Fit) -> TurningPoint:
    """The local minimum of largest x strictly inside the domain: where f' changes from falling to rising.

    Never f'' = 0, which lies 3/4 of a bit away (method, section 5). "censored": no minimum, but f still falls at the
    upper end, so that the turn, if there is one, lies beyond the data. "none": neither.
    """
    if not len(fitted.coefficients):
        return TurningPoint(math.nan, "undefined")
    slope = Polynomial(fitted.coefficients).deriv()
    steepest = np.abs(slope.coef).max()
    if steepest <= _ROUNDING * np.abs(fitted.coefficients).max():
        return TurningPoint(math.nan, "none")
    slope = slope.trim(_ROUNDING * steepest)
    roots = np.sort(slope.roots().real)  # a complex pair is no change of sign, so its real part does no harm
    inside = roots[np.abs(roots) < 1 - _SAME_ROOT]
    inside = inside[np.diff(inside, prepend=-2) > _SAME_ROOT]
    between = np.concatenate(([-1.0], inside, [1.0]))
    rising = slope((between[1:] + between[:-1]) / 2) > 0
    minima = inside[~rising[:-1] & rising[1:]]
    if len(minima):
        low, high = fitted.domain
        return TurningPoint(float(low + (minima[-1] + 1) / 2 * (high - low)), "value")
    return TurningPoint(math.nan, "none" if rising[-1] else "censored")


def curve(
    entropy: ArrayLike,
    cross_entropy: ArrayLike,
    *,
    bins: int = 200,
    window: int = 30,
    degree: int = 4,
    support: tuple[float, float] | None = None,
) -> Curve:
    """The curve of one model: bin, smooth x and y together, fit, find the turning point.

    Args:
        entropy: (points,) x, any one unit.
        cross_entropy: (points,) y, in the same unit; NaN = dropped.
        bins: how many over the support.
        window: non-empty bins per rolling mean.
        degree: of the polynomial.
        support: see ``bin_means``.

    Returns:
        Outcome "undefined", empty arrays and NaN with fewer than window + degree non-empty bins.

    Raises:
        ValueError: as ``bin_means`` and ``rolling_mean``.
    """
    binned = bin_means(entropy, cross_entropy, bins=bins, support=support)
    x, y = rolling_mean(binned.center, window), rolling_mean(binned.mean, window)
    if len(x) <= degree:
        nothing = np.empty(0)
        return Curve(nothing, nothing, nothing, (math.nan, math.nan), math.nan, "undefined")
    fitted = fit(x, y, degree)
    turn = turning_point(fitted)
    return Curve(x, y, *fitted, turn.x, turn.outcome)


def lowess(
    x: ArrayLike, y: ArrayLike, grid: ArrayLike, *, fraction: float = 0.2, weights: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Smooth of raw points: at each place of the grid, a line through the nearest points (preset ``sound``).

    The window around g holds the nearest points whose weights sum to at least ``fraction`` of the total, rounded down
    if all weights are whole numbers, and then at least 2; its radius r is the distance to the farthest. The line is of
    least squares with weights w (1 - (|x - g| / r)**3)**3. No robustness iterations: the mean cross-entropy is what is
    estimated, and they would move it towards a median. Whole weights equal points that are repeated; without weights it
    is ``statsmodels.nonparametric.lowess(y, x, frac=fraction, it=0, xvals=grid)``.

    Args:
        x: (points,) numbers, NaN = missing.
        y: (points,) numbers, NaN = missing.
        grid: (grid,) x of the results, in any order.
        fraction: of the points, in (0, 1].
        weights: (points,) numbers >= 0. Default: 1 each.

    Returns:
        (grid,), NaN outside the range of the points, and where a window has no width or those of its points that weigh
        anything stand at one place: no line is determined there.

    Raises:
        ValueError: lengths differ, a number is infinite, a weight is negative or NaN, or the fraction is not in (0, 1].

    Example:
        >>> lowess([0, 1, 2, 3, 4], [1, 3, 5, 7, 9], [0.5, 2.5, 4.5], fraction=0.8)
        array([ 2.,  6., nan])
    """
    across, up, places = arguments.points("x", x), arguments.points("y", y), arguments.points("grid", grid)
    held = np.ones(len(across)) if weights is None else arguments.points("weights", weights)
    if not len(across) == len(up) == len(held):
        raise ValueError(f"expected as many x as y and weights, got {len(across)}, {len(up)} and {len(held)}")
    if not (held >= 0).all():
        raise ValueError(f"weights: expected numbers >= 0, got {held[~(held >= 0)][0]} at {(~(held >= 0)).argmax()}")
    order = np.argsort(places)
    smooth = np.empty(len(places))
    smooth[order] = Smoother(places[order], fraction, whole=not (held % 1).any())(across, up[None], held[None])[0, 0]
    return smooth


def turning_points(grid: ArrayLike, heights: ArrayLike) -> TurningPoints:
    """The local minimum of largest x of curves known at places: of the parabola through the lowest and its neighbours.

    Where several neighbours are equally low, their middle. Outcomes as for ``turning_point``; "undefined" with fewer
    than three known heights, or with a gap between known ones.

    Args:
        grid: (grid,) ascending x.
        heights: (..., grid) numbers, NaN = not known.

    Returns:
        Both (...).

    Raises:
        ValueError: the grid does not ascend, or heights has another length.

    Example:
        >>> turning_points([0, 1, 2, 3], [4, 1, 0, 1]).x
        array(2.)
    """
    x, y = arguments.points("grid", grid), np.asarray(heights, dtype=np.float64)
    if y.shape[-1:] != x.shape or not (np.diff(x) > 0).all():
        raise ValueError(f"expected an ascending grid and heights (..., {len(x)}), got heights {y.shape}")
    known = ~np.isnan(y)
    runs = (known[..., 1:] > known[..., :-1]).sum(axis=-1) + known[..., :1].any(axis=-1)
    if len(x) < _FEWEST:
        return TurningPoints(np.full(y.shape[:-1], math.nan), np.full(y.shape[:-1], 3, np.uint8))
    largest = np.abs(np.where(known, y, 0)).max(axis=-1, keepdims=True)
    steps = np.diff(y)
    direction = np.where(np.abs(steps) > _ROUNDING * largest, np.sign(steps), 0)
    moved = np.maximum.accumulate(np.where(direction != 0, np.arange(len(x) - 1), -1), axis=-1)
    before = np.concatenate([np.full_like(moved[..., :1], -1), moved[..., :-1]], axis=-1)
    fell = (before >= 0) & (np.take_along_axis(direction, np.maximum(before, 0), axis=-1) < 0)
    turns = (direction > 0) & fell
    right = len(x) - 2 - turns[..., ::-1].argmax(axis=-1)
    left = np.take_along_axis(before, right[..., None], axis=-1)[..., 0] + 1
    falling = np.take_along_axis(direction, np.maximum(moved[..., -1:], 0), axis=-1)[..., 0] < 0
    undefined = (known.sum(axis=-1) < _FEWEST) | (runs != 1)
    outcome = np.select([undefined, turns.any(axis=-1), falling], [3, 0, 2], 1).astype(np.uint8)
    place = np.where(left == right, _vertex(x, y, right), (x[left] + x[right]) / 2)
    return TurningPoints(np.where(outcome == 0, place, math.nan), outcome)


def _vertex(x: NDArray[np.float64], y: NDArray[np.float64], lowest: NDArray[np.int64]) -> NDArray[np.float64]:
    """Where the parabola through a place of the grid and its neighbours is lowest."""
    middle = np.clip(lowest, 1, len(x) - 2)
    low, center, high = (np.take_along_axis(y, (middle + n)[..., None], axis=-1)[..., 0] for n in (-1, 0, 1))
    back, ahead = x[middle] - x[middle - 1], x[middle + 1] - x[middle]
    rise, fall = (high - center) / ahead, (low - center) / back
    with np.errstate(invalid="ignore", divide="ignore"):  # a straight line; its place is not asked for
        return x[middle] + (fall * ahead - rise * back) / (2 * (rise + fall))


def area(model: Curve, chance: Curve) -> float:
    """Integral of (f(x) - x) by that of (R(x) - x), f the model's fit, R that of chance, over their common support.

    0 perfect, 1 chance. NaN where a curve is undefined, they share no interval, or chance is not above the diagonal.
    """
    low, high = max(model.domain[0], chance.domain[0]), min(model.domain[1], chance.domain[1])
    if "undefined" in {model.outcome, chance.outcome} or not low < high:
        return math.nan
    diagonal = (high**2 - low**2) / 2
    attainable = chance.fit.integral(low, high) - diagonal
    return (model.fit.integral(low, high) - diagonal) / attainable if attainable > 0 else math.nan


def _range(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Of x where both are known; NaN if nowhere."""
    missing = np.isnan(y)
    known = x[~missing] if missing.any() else x
    return (float(np.fmin.reduce(known)), float(np.fmax.reduce(known))) if len(known) else (math.nan, math.nan)
