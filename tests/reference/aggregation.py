"""Means and variances by group in exact fractions."""

import math
from collections.abc import Sequence
from fractions import Fraction


def moments(group: Sequence[int], values: Sequence[float], groups: int, ddof: int) -> list[tuple[float, int, float]]:
    """Mean, count and variance of each group; NaN = missing."""
    found = []
    for number in range(groups):
        held = [Fraction(v) for g, v in zip(group, values, strict=True) if g == number and not math.isnan(v)]
        mean = sum(held, Fraction(0)) / len(held) if held else Fraction(0)
        squares = sum(((value - mean) ** 2 for value in held), Fraction(0))
        variance = float(squares / (len(held) - ddof)) if len(held) > ddof else math.nan
        found.append((float(mean) if held else math.nan, len(held), variance))
    return found
