"""What a model is to habitus: something that reads a prompt and writes an answer. Nothing else may pass between."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol


class Request(NamedTuple):
    """One prompt to be answered. ``row`` is the task's row in the tasks table; a real model does not look at it."""

    row: int
    task_id: str
    prompt: str


class Answer(NamedTuple):
    """A model's text for one request, as it came."""

    task_id: str
    text: str
    finish_reason: str = "stop"
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None
    latency_s: float | None = None
    error: str | None = None


class Model(Protocol):
    """A source of answers. ``revision`` changes whenever the same request could be answered otherwise."""

    @property
    def name(self) -> str:
        """As the command line and the report know it."""

    @property
    def revision(self) -> str:
        """Version, fingerprint or seed: part of every answer's identity."""

    def answers(self, requests: Sequence[Request]) -> Iterator[Answer]:
        """One answer per request, in order."""
