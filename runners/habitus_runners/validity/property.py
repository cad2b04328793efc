"""What a property of the method is, once it was looked at: its criterion, its figures, whether it holds."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest

WITHIN = 3.0
"""How many standard errors a figure may be from what it should be: beyond by chance in 3 of 1,000 cases."""


class Series(NamedTuple):
    """Points with the error of each, one standard error or the half of an interval; ``error`` may be empty."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    error: Sequence[float] = ()


class Chart(NamedTuple):
    """A small figure.

    ``points`` beside a diagonal, or a line at 0; a ``histogram`` of the p-values in x of each series; or ``intervals``
    of each world in ascending order, y their middle and ``error`` their half width, beside the truth.
    """

    kind: Literal["diagonal", "zero", "histogram", "intervals"]
    across: str
    up: str
    series: Sequence[Series]
    truth: float | None = None


class Property(NamedTuple):
    """One property. ``found`` says in words what ``figures`` say in numbers; ``remarks`` what else was seen."""

    key: str
    name: str
    criterion: str
    found: str
    holds: bool
    rests_on: str
    figures: Mapping[str, float | int | str]
    remarks: Sequence[str] = ()
    chart: Chart | None = None
    seconds: float = 0.0


class Estimate(NamedTuple):
    """A figure and its standard error."""

    value: float
    error: float

    def off(self, expected: float) -> float:
        """How many standard errors it lies above what it should be; 0 if it is that, but for rounding."""
        away = self.value - expected
        if abs(away) < 1e-12:  # noqa: PLR2004 - of figures of the order of 1
            return 0.0
        return float(np.divide(away, self.error)) if self.error > 0 else float(np.copysign(np.inf, away))

    def is_at(self, expected: float) -> bool:
        """Whether it is there within three standard errors."""
        return abs(self.off(expected)) <= WITHIN

    def __str__(self) -> str:
        return f"{self.value:.4f} ± {self.error:.4f}"


class Share(NamedTuple):
    """So many of so many, with the exact 95 % binomial interval of the share (Clopper & Pearson 1934)."""

    hits: int
    of: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share."""
        return self.hits / self.of

    def covers(self, expected: float) -> bool:
        """Whether the interval holds the share that should be."""
        return self.low <= expected <= self.high

    def __str__(self) -> str:
        return f"{self.hits} of {self.of} = {self.value:.1%} (95 % {self.low:.1%}-{self.high:.1%})"


def mean(values: ArrayLike) -> Estimate:
    """The mean of independent numbers; its error is NaN where there is one."""
    numbers = np.asarray(values, np.float64)
    error = numbers.std(ddof=1) / np.sqrt(len(numbers)) if len(numbers) > 1 else np.nan
    return Estimate(float(numbers.mean()), float(error))


def share(hits: NDArray[np.bool_]) -> Share:
    """How many are true."""
    found = binomtest(int(np.sum(hits)), len(hits)).proportion_ci()
    return Share(int(np.sum(hits)), len(hits), float(found.low), float(found.high))
