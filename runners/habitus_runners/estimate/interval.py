"""A quantity that is known within bounds."""

from collections.abc import Iterable
from typing import NamedTuple


class Interval(NamedTuple):
    """The least and the most that is expected, and what is likeliest between them."""

    low: float
    middle: float
    high: float

    def plus(self, other: "Interval") -> "Interval":
        """Both together, at worst and at best.

        >>> Interval(1, 2, 3).plus(Interval(10, 10, 20))
        Interval(low=11, middle=12, high=23)
        """
        return Interval(*(a + b for a, b in zip(self, other, strict=True)))

    def times(self, factor: float) -> "Interval":
        """So many of it, or a share of it; ``factor`` >= 0."""
        return Interval(*(factor * bound for bound in self))


def exactly(value: float) -> Interval:
    """A quantity that is known."""
    return Interval(value, value, value)


def hull(intervals: Iterable[Interval]) -> Interval:
    """The least interval that holds all; its middle is the mean of theirs."""
    lows, middles, highs = zip(*intervals, strict=True)
    return Interval(min(lows), sum(middles) / len(middles), max(highs))
