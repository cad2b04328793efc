"""Curves in plain Python: bins by a loop, least squares in exact fractions, the turning point by looking everywhere."""

import math
from collections.abc import Sequence
from fractions import Fraction


def bin_means(
    x: Sequence[float], y: Sequence[float], bins: int, low: float, high: float
) -> tuple[list[float], list[float], list[int]]:
    held: dict[int, list[float]] = {}
    for across, up in zip(x, y, strict=True):
        if low <= across <= high and not math.isnan(up):
            place = int((across - low) / (high - low) * bins) if high > low else 0
            held.setdefault(min(place, bins - 1), []).append(up)
    width = (high - low) / bins
    places = sorted(held)
    return (
        [low + (place + 0.5) * width for place in places],
        [math.fsum(held[place]) / len(held[place]) for place in places],
        [len(held[place]) for place in places],
    )


def rolling_mean(values: Sequence[float], window: int) -> list[float]:
    return [math.fsum(values[n : n + window]) / window for n in range(len(values) - window + 1)]


def least_squares(x: Sequence[float], y: Sequence[float], degree: int) -> list[Fraction]:
    """Coefficients in x itself, lowest first: the normal equations, solved without rounding."""
    across, up = [Fraction(value) for value in x], [Fraction(value) for value in y]
    size = degree + 1
    rows = [
        [sum(a ** (i + j) for a in across) for j in range(size)]
        + [sum(b * a**i for a, b in zip(across, up, strict=True))]
        for i in range(size)
    ]
    for i in range(size):
        pivot = next(j for j in range(i, size) if rows[j][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for j in range(size):
            if j != i:
                rows[j] = [a - rows[j][i] * b for a, b in zip(rows[j], rows[i], strict=True)]
    return [Fraction(row[-1]) for row in rows]


def value(coefficients: Sequence[Fraction], x: float) -> float:
    return float(sum(c * Fraction(x) ** power for power, c in enumerate(coefficients)))


def last_minimum(heights: Sequence[float]) -> int | None:
    """The last inner place that is lower than both its neighbours."""
    inner = range(len(heights) - 2, 0, -1)
    return next((n for n in inner if heights[n - 1] > heights[n] < heights[n + 1]), None)


def last_valley(heights: Sequence[float]) -> tuple[int, int] | None:
    """First and last place of the last stretch of equal heights that is lower than what stands on either side."""
    found, first = None, 0
    for n in range(1, len(heights)):
        if heights[n] != heights[n - 1]:
            if first and heights[first - 1] > heights[first] < heights[n]:
                found = (first, n - 1)
            first = n
    return found
