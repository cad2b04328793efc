"""What counts as significant, and how it is said. One definition for tests, power and report."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import norm

SIGNIFICANCE, POWER = 0.05, 0.80

# How many standard errors a difference must be, for a two-sided test to find it with that power.
DETECTABLE = float(norm.ppf(1 - SIGNIFICANCE / 2) + norm.ppf(POWER))
LEAST_SHOWN = 0.001


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number: the i-th smallest of m by m - i + 1, and none below a smaller one.

    Holm (1979), Scandinavian Journal of Statistics 6, 65-70. Some decision is wrong in at most 5 % of all studies.
    """
    order = np.argsort(p_values, kind="stable")
    scaled = np.asarray(p_values)[order] * np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1) if len(order) else scaled
    return [float(p) for p in adjusted]


def p_text(p: float) -> str:
    """``p = 0.012``, or ``p < 0.001``."""
    return "p < 0.001" if p < LEAST_SHOWN else f"p = {p:.3f}"
