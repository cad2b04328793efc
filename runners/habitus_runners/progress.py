"""How a long stage says how far it is. The command line decides how it looks; the library never prints."""

from typing import Protocol


class Progress(Protocol):
    """Called as a stage advances; ``total`` is None while it is unknown, ``note`` says what else is known."""

    def __call__(self, stage: str, done: int, total: int | None = None, note: str = "") -> None:
        """Report that ``done`` of ``total`` units of ``stage`` are finished."""


def silent(stage: str, done: int, total: int | None = None, note: str = "") -> None:
    """Report nothing: the default of every function that takes a Progress."""
