"""What a model is to habitus: something that reads a prompt and writes an answer. Nothing else may pass between."""

import json
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple, Protocol

# Built-in models whose answers are made from the target, and which therefore win or lose by construction.
SEE_THE_ANSWER = frozenset(
    {
        *("perfect", "reversed", "held-out-half", "mixture", "noisy", "breakpoint", "sampler", "verbaliser"),
        *("duplicator", "hallucinator", "memoriser", "oracle", "demography-oracle", "history-oracle"),
    }
)


class Request(NamedTuple):
    """One prompt to be answered.

    ``row`` is the task's row in the tasks table; a real model does not look at it. ``titles`` are the candidates as the
    prompt shows them, in its order, for methods that let a model choose among them. ``sample`` counts from 0.
    """

    row: int
    task_id: str
    prompt: str
    titles: tuple[str, ...] = ()
    sample: int = 0


class TokenLogprob(NamedTuple):
    """A token, or a whole candidate, and its log-probability in nats."""

    token: str
    logprob: float


class Answer(NamedTuple):
    """A model's text for one request, as it came. With an ``error`` there is no answer, and it is asked for again."""

    task_id: str
    text: str
    finish_reason: str = "stop"
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None
    latency_s: float | None = None
    error: str | None = None
    sample: int = 0
    token_logprobs: Sequence[TokenLogprob] | None = None


class Model(Protocol):
    """A source of answers. ``revision`` changes whenever the same request could be answered otherwise.

    It may have a method ``ready()``, called before any model is asked anything, which raises a HabitusError if it could
    not be asked: a key is missing, say.
    """

    @property
    def name(self) -> str:
        """As the command line and the report know it."""

    @property
    def revision(self) -> str:
        """Version, fingerprint, endpoint, sampling: part of every answer's identity. JSON if it has parts."""

    def answers(self, requests: Sequence[Request]) -> Iterator[Answer]:
        """One answer per request, as they come; ``task_id`` and ``sample`` say to which request each belongs."""


def answer_id(model: Model, request: Request, *, by_task: bool = False) -> str:
    """Hash of everything that could change the answer.

    Args:
        model: whose name and revision count.
        request: of which the prompt and the sample's number count.
        by_task: the task counts too: a simulated model looks at it, a real one is never asked the same prompt twice.
    """
    what = [model.name, model.revision, request.prompt, request.sample, *([request.task_id] if by_task else [])]
    return blake2b(json.dumps(what).encode(), digest_size=16).hexdigest()
