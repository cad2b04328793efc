"""Tests of an inversion, spelled out with statsmodels: joint designs, where the engine has closed forms."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import statsmodels.api as sm
from numpy.typing import NDArray

from tests.reference import lowess

Reals = NDArray[np.float64]


class Tested(NamedTuple):
    """Break (or centre), slopes and errors of left and right (or of skill and its trend)."""

    place: float
    slopes: tuple[float, float]
    errors: tuple[float, float]


def two_lines(x: Reals, y: Reals, fraction: float, clusters: Sequence[int] | None = None) -> Tested:
    """Simonsohn's Robin Hood procedure on sorted points without ties in doubt."""
    low, high = np.quantile(x, 0.1), np.quantile(x, 0.9)
    grid = np.linspace(low, high, 200)
    smooth = np.array([lowess.smooth(x.tolist(), y.tolist(), place, fraction) for place in grid])
    middle = [value for value in x if low <= value <= high]
    heights = np.interp(middle, grid, smooth)
    lowest = int(np.argmin(heights))
    error = smooth_error(x, y, middle[lowest], fraction)
    flat = [value for value, height in zip(middle, heights, strict=True) if height <= heights[lowest] + error]
    first = interrupted(x, y, float(np.median(flat)), clusters)
    z = [abs(slope / error) for slope, error in zip(first.slopes, first.errors, strict=True)]
    return interrupted(x, y, float(np.quantile(flat, z[1] / (z[0] + z[1]))), clusters)


def interrupted(x: Reals, y: Reals, place: float, clusters: Sequence[int] | None = None) -> Tested:
    """One regression: an intercept and a slope on either side."""
    left = (x <= place).astype(float)
    design = np.column_stack([left, 1 - left, left * x, (1 - left) * x])
    fitted = _robust(sm.OLS(y, design), clusters)
    return Tested(place, tuple(fitted.params[2:]), tuple(fitted.bse[2:]))


def smooth_error(x: Reals, y: Reals, place: float, fraction: float) -> float:
    """Of the local line at its own place, by the sandwich."""
    away = np.abs(x - place)
    radius = np.sort(away)[max(2, int(fraction * len(x) + 1e-10)) - 1]
    weights = np.where(away < radius, (1 - np.minimum(away / radius, 1) ** 3) ** 3, 0)
    fitted = sm.WLS(y, sm.add_constant(x), weights).fit(cov_type="HC0")
    return math.sqrt(np.array([1, place]) @ fitted.cov_params() @ np.array([1, place]))


def trend(gap: Reals, loss: Reals, x: Reals, clusters: Sequence[int] | None = None) -> Tested:
    """The regression loss = (1 - a) gap - b gap (x - m), weights 1 / gap."""
    center = np.average(x, weights=gap)
    design = np.column_stack([gap, -gap * (x - center)])
    fitted = _robust(sm.WLS(loss, design, 1 / gap), clusters)
    return Tested(center, (1 - fitted.params[0], fitted.params[1]), tuple(fitted.bse))


def _robust(model: sm.OLS, clusters: Sequence[int] | None) -> object:
    if clusters is None:
        return model.fit(cov_type="HC3")
    return model.fit(cov_type="cluster", cov_kwds={"groups": np.asarray(clusters)})
