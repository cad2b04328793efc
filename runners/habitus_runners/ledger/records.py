"""What the ledger holds, as its callers see it."""

from collections.abc import Sequence
from typing import NamedTuple


class Question(NamedTuple):
    """What is asked; ``answer_id`` is the hash of all of it (``model.answer_id``)."""

    answer_id: str
    model: str
    revision: str
    method: str
    prompt: str
    sample: int


class Reply(NamedTuple):
    """What came back. ``cost`` in USD; ``served``: the model and fingerprint that the service says it used."""

    text: str
    finish_reason: str
    tokens_in: int | None
    tokens_out: int | None
    cost: float | None
    latency_s: float | None
    token_logprobs: Sequence[tuple[str, float]] | None = None
    served: str | None = None


class Sending(NamedTuple):
    """A call that is about to leave, on record before it does."""

    number: int


class Elsewhere(NamedTuple):
    """Another living runner is asking this; its answer will appear."""

    runner: str


class Batch(NamedTuple):
    """An order for answers that come later. ``local`` is our own id, written before the service is called."""

    local: str
    endpoint: str
    model: str
    state: str
    file_id: str | None
    batch_id: str | None
    questions: int
    created: str
    detail: str | None
