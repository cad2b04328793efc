"""Is there an inversion at all? Tests that ask before its place is reported (method, sections 5 and 8).

A U in (entropy, cross-entropy) is not enough: the attainable gap shrinks as H grows, so that a model of constant skill
turns as well. ``two_lines`` finds the U, ``trend`` says whether skill itself falls with the entropy.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from habitus import arguments, curves
from habitus.resampling import Reals

SIGNIFICANCE = 0.05

_INNER = (0.1, 0.9)  # quantiles of x between which the break is looked for
_GRID = 200
# A slope, its robust error and a residual need three points; a point of leverage 1 has no residual.
_FEWEST = 3
_ROUNDING, _NOISE = 1e-10, 1e-12


class Line(NamedTuple):
    """``slope`` of y per unit of x through ``points`` points, its robust standard error, z and two-sided normal p.

    NaN where points or their places are too few.
    """

    slope: float
    error: float
    z: float
    p: float
    points: int


class TwoLines(NamedTuple):
    """The lines left (x <= break) and right of ``break_x``; ``exists``: the left falls and the right rises."""

    break_x: float
    left: Line
    right: Line
    exists: bool

    @property
    def p(self) -> float:
        """The larger p of a falling left and a rising right line: one whose slope has the other sign has p = 1."""
        parts = [line.p if sign * line.z > 0 else 1.0 for sign, line in ((-1, self.left), (1, self.right))]
        known = not (math.isnan(self.left.p) or math.isnan(self.right.p))
        return max(parts) if known else math.nan


class Trend(NamedTuple):
    """``skill`` at ``center``, the mean x, and ``slope``: skill per unit of x, with its robust error, z and p.

    NaN where tasks or their places are too few.
    """

    skill: float
    center: float
    slope: float
    error: float
    z: float
    p: float
    tasks: int


class _Points(NamedTuple):
    """Known points, ascending in x, and the number of each one's cluster."""

    x: Reals
    y: Reals
    cluster: NDArray[np.int64] | None


def two_lines(x: ArrayLike, y: ArrayLike, *, fraction: float = 0.2, clusters: ArrayLike | None = None) -> TwoLines:
    """Does y first fall and then rise with x? Two lines of least squares, tested one by one.

    Simonsohn (2018), doi 10.1177/2515245918805755: an interrupted regression whose break is set by the "Robin Hood"
    algorithm. Of a smooth of the points the lowest place within the middle 80 % of x is found; the flat region are the
    middle points whose smooth is no more than one standard error above it; of a first regression with the break at the
    region's median the z of both slopes are taken; the break is the quantile |z right| / (|z left| + |z right|) of the
    region, so that the weaker line is given more points. The smooth here is ``curves.lowess`` where his is a
    penalised spline, and p is normal where his is of t.

    Args:
        x: (points,) numbers, NaN = missing.
        y: (points,) numbers, NaN = missing.
        fraction: of the points in a window of the smooth; see ``curves.lowess``.
        clusters: (points,) integers: points of a cluster are not independent. Default: HC3 (MacKinnon & White 1985,
            doi 10.1016/0304-4076(85)90158-7). Otherwise errors are clustered, with the factor of small samples
            G / (G - 1) (n - 1) / (n - 4) of both lines together.

    Returns:
        ``exists`` is False wherever a number is NaN.

    Raises:
        TypeError: clusters are not integers.
        ValueError: lengths differ, a number is infinite, or the fraction is not in (0, 1].

    Example:
        >>> x = np.linspace(-1, 1, 201)
        >>> y = np.abs(x) + 0.1 * np.cos(50 * x)
        >>> tested = two_lines(x, y)
        >>> tested.exists, round(tested.left.slope, 1), round(tested.right.slope, 1)
        (True, -1.0, 1.0)
    """
    points = _known(x, y, clusters)
    flat = _flat(points, fraction)
    if not len(flat):
        nothing = Line(math.nan, math.nan, math.nan, math.nan, 0)
        return TwoLines(math.nan, nothing, nothing, exists=False)
    left, right = _lines(points, float(np.median(flat)))
    strength = abs(left.z) + abs(right.z)
    share = abs(right.z) / strength if strength > 0 else 0.5
    if math.isnan(share):
        return TwoLines(float(np.median(flat)), left, right, exists=False)
    break_x = float(np.quantile(flat, share))
    left, right = _lines(points, break_x)
    tested = TwoLines(break_x, left, right, exists=False)
    return tested._replace(exists=tested.p < SIGNIFICANCE)


def trend(gap: ArrayLike, loss: ArrayLike, x: ArrayLike, *, clusters: ArrayLike | None = None) -> Trend:
    """Does skill depend on x? What a (H, CE) curve cannot tell, since a constant skill inverts as well.

    A model of skill s loses E[CE - best] = (1 - s) (chance - best) in a task, at every H. Here s = a + b (x - m), m the
    mean of x weighted by the gap. Least squares with weights 1 / gap, without an intercept, have the solution

        a = 1 - sum loss / sum gap,    b = -sum loss (x - m) / sum gap (x - m)**2,

    so that a is skill as it is reported. Errors are robust: HC3, or clustered as in ``two_lines`` with n - 2.

    Args:
        gap: (tasks,) chance - best; a task where it is not > 0 or NaN is left out.
        loss: (tasks,) CE - best, NaN = missing.
        x: (tasks,) entropy, in any unit; NaN = missing.
        clusters: (tasks,) integers; see ``two_lines``.

    Returns:
        A slope that is significant and > 0 is a model that loses its skill where entropy is low.

    Raises:
        TypeError: clusters are not integers.
        ValueError: lengths differ, or a number is infinite.

    Example:
        >>> x = np.linspace(3, 6, 301)
        >>> lost = (1 - 0.5) * (6.2 - x) * (1 + 0.1 * np.cos(50 * x))
        >>> tested = trend(6.2 - x, lost, x)
        >>> round(tested.skill, 2), tested.p > 0.05
        (0.5, True)
    """
    attainable = arguments.points("gap", gap)
    across, lost = arguments.points("x", x), arguments.points("loss", loss)
    if not len(attainable) == len(across) == len(lost):
        raise ValueError(f"expected as many gap as loss and x, got {len(attainable)}, {len(lost)} and {len(across)}")
    points = _known(across, np.where(attainable > 0, lost, math.nan), clusters)
    kept = _order(across, np.where(attainable > 0, lost, math.nan))
    weight = attainable[kept]
    if len(kept) < _FEWEST or points.x[0] == points.x[-1]:
        return Trend(math.nan, math.nan, math.nan, math.nan, math.nan, math.nan, len(kept))
    center = float(weight @ points.x / weight.sum())
    skill = 1 - float(points.y.sum() / weight.sum())
    away = points.x - center
    spread = float(weight @ away**2)
    slope = -float(points.y @ away) / spread
    residual = _rounded(points.y - weight * (1 - skill - slope * away), points.y)
    leverage = weight * (1 / weight.sum() + away**2 / spread)
    if points.cluster is None:
        error = _hc3(away / spread, residual, leverage)
    else:
        error = _clustered(away / spread * residual, points.cluster) * _small(points.cluster, 2)
    return Trend(skill, center, slope, error, *_significance(slope, error), len(kept))


def _known(x: ArrayLike, y: ArrayLike, clusters: ArrayLike | None) -> _Points:
    across, up = arguments.points("x", x), arguments.points("y", y)
    if len(across) != len(up):
        raise ValueError(f"expected as many x as y, got {len(across)} and {len(up)}")
    kept = _order(across, up)
    if clusters is None:
        return _Points(across[kept], up[kept], None)
    codes = np.asarray(clusters)
    if codes.size and not np.issubdtype(codes.dtype, np.integer):
        raise TypeError(f"clusters: expected integers, got {codes.dtype}")
    if codes.shape != across.shape:
        raise ValueError(f"clusters: expected shape {across.shape}, got {codes.shape}")
    return _Points(across[kept], up[kept], np.unique(codes[kept], return_inverse=True)[1])


def _order(x: Reals, y: Reals) -> NDArray[np.int64]:
    known = np.flatnonzero(~(np.isnan(x) | np.isnan(y)))
    return known[np.argsort(x[known], kind="stable")]


def _flat(points: _Points, fraction: float) -> Reals:
    """The middle points whose smooth is within one standard error of its lowest place; none if there is no smooth."""
    x = points.x
    if len(x) < 2 * _FEWEST or x[0] == x[-1]:
        return np.empty(0)
    low, high = np.quantile(x, _INNER)
    middle: Reals = x[(x >= low) & (x <= high)]
    grid = np.linspace(low, high, _GRID) if low < high else np.empty(0)
    smooth = curves.lowess(x, points.y, grid, fraction=fraction)
    known = ~np.isnan(smooth)
    if known.sum() < _FEWEST:
        return np.empty(0)
    heights = np.interp(middle, grid[known], smooth[known])
    lowest = heights.argmin()
    return np.asarray(middle[heights <= heights[lowest] + _smooth_error(points, float(middle[lowest]), fraction)])


def _smooth_error(points: _Points, place: float, fraction: float) -> float:
    """Robust standard error of ``curves.lowess`` at one place: the local line is linear in y."""
    away = np.abs(points.x - place)
    nearest = min(max(2, int(fraction * len(away) + _ROUNDING)), len(away))
    radius = np.partition(away, nearest - 1)[nearest - 1]
    if radius == 0:
        return 0.0
    kernel = np.clip(1 - (away / radius) ** 3, 0, None) ** 3
    center = kernel @ points.x / kernel.sum()
    spread = kernel @ (points.x - center) ** 2
    if not spread > 0:
        return 0.0
    shares = kernel * (1 / kernel.sum() + (place - center) * (points.x - center) / spread)
    slope = kernel @ ((points.x - center) * points.y) / spread
    residual = points.y - kernel @ points.y / kernel.sum() - slope * (points.x - center)
    return float(np.sqrt(shares**2 @ residual**2))


def _lines(points: _Points, break_x: float) -> tuple[Line, Line]:
    """Both sides have an intercept of their own, so that the interrupted regression is two regressions."""
    left = points.x <= break_x
    return _line(points, left), _line(points, ~left)


def _line(points: _Points, side: NDArray[np.bool_]) -> Line:
    x, y = points.x[side], points.y[side]
    if len(x) < _FEWEST or x[0] == x[-1]:
        return Line(math.nan, math.nan, math.nan, math.nan, len(x))
    away = x - x.mean()
    spread = float(away @ away)
    slope = float(away @ y) / spread
    residual = _rounded(y - y.mean() - slope * away, y)
    if points.cluster is None:
        error = _hc3(away / spread, residual, 1 / len(x) + away**2 / spread)
    else:
        error = _clustered(away / spread * residual, points.cluster[side]) * _small(points.cluster, 4)
    return Line(slope, error, *_significance(slope, error), len(x))


def _rounded(residual: Reals, y: Reals) -> Reals:
    """Zero where residuals are rounding error alone, whose ratios would pass for numbers."""
    return residual if np.abs(residual).max() > _NOISE * np.abs(y).max() else np.zeros_like(residual)


def _hc3(influence: Reals, residual: Reals, leverage: Reals) -> float:
    """sqrt(sum (influence residual / (1 - leverage))**2), NaN if a point decides alone."""
    free = 1 - leverage
    if free.min() <= _ROUNDING:
        return math.nan
    return float(np.sqrt(((influence * residual / free) ** 2).sum()))


def _clustered(scores: Reals, cluster: NDArray[np.int64]) -> float:
    return float(np.sqrt((np.bincount(cluster, scores) ** 2).sum()))


def _small(cluster: NDArray[np.int64], parameters: int) -> float:
    """The square root of G / (G - 1) (n - 1) / (n - parameters); NaN with one cluster, which says nothing."""
    groups, points = int(cluster.max()) + 1, len(cluster)
    if groups < 2 or points <= parameters:  # noqa: PLR2004 - one cluster has no spread
        return math.nan
    return math.sqrt(groups / (groups - 1) * (points - 1) / (points - parameters))


def _significance(slope: float, error: float) -> tuple[float, float]:
    """The z and its two-sided normal p; NaN where nothing varies, so that nothing can be tested."""
    if not error > 0:
        return math.nan, math.nan
    z = slope / error
    return z, math.erfc(abs(z) / math.sqrt(2))
