"""A curve of weighted points in exact fractions: bins, rolling means, least squares; its turning points by search."""

from collections.abc import Sequence
from fractions import Fraction

from tests.reference.curves import least_squares


def smoothed(
    points: Sequence[tuple[float, float, float]], bins: int, window: int, low: float, high: float
) -> tuple[list[Fraction], list[Fraction]]:
    """Rolling means of the bins that hold weight, from points (x, y, weight)."""
    total, weight = [Fraction(0)] * bins, [Fraction(0)] * bins
    for across, up, held in points:
        place = min(int((across - low) / (high - low) * bins), bins - 1)
        total[place] += Fraction(held) * Fraction(up)
        weight[place] += Fraction(held)
    places = [place for place in range(bins) if weight[place]]
    width = (Fraction(high) - Fraction(low)) / bins
    x = [Fraction(low) + (place + Fraction(1, 2)) * width for place in places]
    y = [total[place] / weight[place] for place in places]
    windows = range(len(places) - window + 1)
    return [sum(x[n : n + window]) / window for n in windows], [sum(y[n : n + window]) / window for n in windows]


def turns(x: Sequence[Fraction], y: Sequence[Fraction], degree: int, steps: int = 2000) -> list[tuple[float, float]]:
    """Intervals within the range of x over which the slope of the fit changes from falling to rising."""
    fitted = least_squares(x, y, degree)
    low, high = min(x), max(x)
    places = [low + (high - low) * n / steps for n in range(steps + 1)]
    slopes = [sum(power * c * place ** (power - 1) for power, c in enumerate(fitted) if power) for place in places]
    return [(float(places[n]), float(places[n + 1])) for n in range(steps) if slopes[n] < 0 and slopes[n + 1] > 0]
