"""A bar: what is done to every system, what is counted, and how it is said."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.reliability.systems import System

Found = Mapping[str, Any]


class Size(NamedTuple):
    """How much is measured.

    Attributes:
        kills: of Habitus.
        peer_kills: of every other system, whose start takes ten times as long.
        questions: of a run; a multiple of five.
        answers: over which the processor's time is taken.
        rounds: of whatever is timed.
        patience_s: how long a command may go on that does not end by itself.
    """

    kills: int = 200
    peer_kills: int = 6
    questions: int = 300
    answers: int = 1000
    rounds: int = 3
    patience_s: float = 60


Measure = Callable[[Sequence[System], Path, Size], Mapping[str, Found]]


class Bar(NamedTuple):
    """``number`` and ``wanted`` as the project's list of bars has them."""

    number: str
    what: str
    wanted: str
    measure: Measure
    say: Callable[[Found], str]


def of_each(one: Callable[[System, Path, Size], Found]) -> Measure:
    """A measure that takes the systems one after the other, each in a folder of its own."""

    def measure(systems: Sequence[System], folder: Path, size: Size) -> Mapping[str, Found]:
        return {system.name: one(system, folder / f"system-{number}", size) for number, system in enumerate(systems)}

    return measure
