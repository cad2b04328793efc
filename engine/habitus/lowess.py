"""Locally weighted lines (Cleveland 1979, doi 10.1080/01621459.1979.10481038) through the points of several models.

The models share windows and kernel weights wherever the same points are known; a resample is a row of weights.
"""

import math

import numpy as np
from numpy.typing import NDArray

from habitus.resampling import Reals, patterns

# Doubles between arrays of scratch. LLVM adds up in another order where an array that is written begins within some 256
# bytes of one that is read, so that the last bit would depend on where memory happened to be free.
_GAP = 128


class Smoother:
    """Lines around every place of an ascending grid; see ``curves.lowess`` for what they are."""

    def __init__(self, grid: Reals, fraction: float, *, whole: bool) -> None:
        if not 0 < fraction <= 1:
            raise ValueError(f"fraction: expected a number in (0, 1], got {fraction}")
        self._grid = np.ascontiguousarray(grid)
        self._fraction = fraction
        self._whole = whole

    def __call__(self, x: Reals, y: Reals, weights: Reals) -> Reals:
        """The smooths (rows, models, grid) of y (models, points), NaN = missing, for weights (rows, points)."""
        out = np.empty((len(weights), len(y), len(self._grid)))
        missing = np.isnan(y) | np.isnan(x)
        pattern = patterns(missing)
        for number in range(pattern.max() + 1):
            models = np.flatnonzero(pattern == number)
            known = np.flatnonzero(~missing[models[0]])
            out[:, models] = self._of_known(x, y[models], known[np.argsort(x[known], kind="stable")], weights)
        return out

    def _of_known(self, x: Reals, y: Reals, order: NDArray[np.int64], weights: Reals) -> Reals:
        from habitus.kernels import lowess as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

        out = np.full((len(weights), len(y), len(self._grid)), math.nan)
        points = len(order)
        apart = np.empty((5, points + 2 + _GAP))[:, : points + 2]
        scratch = (*apart, np.empty((len(y), points + 1)))
        across, up = x[order], np.ascontiguousarray(y[:, order])
        kernels.smooths(across, up, order, weights, self._grid, self._fraction, self._whole, scratch, out)
        return out
