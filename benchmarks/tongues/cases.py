"""What every tongue is asked: the golden vectors, and calls that must be refused in one line."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

import habitus
from habitus.scoring import FILLS

GOLDEN = Path(__file__).parents[2] / "tests" / "golden" / "scores.parquet"
COLUMNS = {"chance": "cross_entropy", "optimistic": "optimistic", "worst": "filled_worst"}
WIDEST = 1e-12


class Case(NamedTuple):
    """A task and a ranking of it; ``alpha`` NaN is the default."""

    counts: list[int]
    ranking: list[int]
    fill: str = "chance"
    alpha: float = math.nan

    def line(self) -> str:
        """For a program."""
        numbers = [len(self.counts), len(self.ranking), *self.counts, *self.ranking]
        return " ".join(["score", self.fill, repr(self.alpha), *map(str, numbers)])


class Answer(NamedTuple):
    """Entropy, chance, worst, cross-entropy and valid; or what was said instead."""

    values: tuple[float, ...]
    said: str = ""


class Golden(NamedTuple):
    """How far a tongue is from the golden vectors, in nats, and how often it has another bit than the engine."""

    vectors: int
    farthest: float
    other_bits: int


# Positive counts, distinct candidates that exist, a pseudo-count above 0, a fill that is known: what if not?
BAD = (
    Case([1, -2], [0]),
    Case([0, 0], [0]),
    Case([1, 2], [1, 1]),
    Case([1, 2], [2]),
    Case([1, 2], [-2]),
    Case([1, 2], [32767]),
    Case([1, 2], [0, 1, -1]),
    Case([1, 2], [0], alpha=0.0),
    Case([1, 2], [0], alpha=-1.0),
    Case([1, 2], [0], alpha=math.inf),
    Case([1, 2], [0], fill="best"),
    Case([1, 2], []),
)


def golden() -> Iterator[tuple[Case, tuple[float, ...]]]:
    """Each vector under three fills, and the numbers of the independent implementation."""
    for row in pq.read_table(GOLDEN).to_pylist():
        for fill, column in COLUMNS.items():
            expected = (row["entropy"], row["chance"], row["worst"], row[column])
            yield Case(row["counts"], row["ranking"], fill, row["alpha"]), expected


def of_engine(case: Case) -> tuple[float, ...]:
    """The engine's own bits."""
    alpha = None if math.isnan(case.alpha) else case.alpha
    fill = FILLS[FILLS.index(case.fill)]  # type: ignore[arg-type]  # it is one of them
    return tuple(float(field[0]) for field in habitus.score([case.counts], [case.ranking], alpha=alpha, fill=fill))


def same_bits(ours: tuple[float, ...], theirs: tuple[float, ...]) -> bool:
    """NaN is equal to NaN."""
    return bool(np.array_equal(np.array(ours), np.array(theirs), equal_nan=True))


def rankings(rows: int) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
    """What is timed: 10 of 50, dense counts."""
    from benchmarks.competitors import synthetic  # noqa: PLC0415 - it imports every competitor

    return synthetic(rows)


def last_cross_entropy(counts: NDArray[np.int32], lists: NDArray[np.int16]) -> float:
    """The engine's, of the last ranking of a table."""
    return float(habitus.score(counts, lists, threads=1).cross_entropy[-1])
