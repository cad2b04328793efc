"""What the methods need of an engine, in plain values: `offline.py` gives it with vLLM, the tests with a script."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from habitus_runners.model import TokenLogprob


class Sampling(NamedTuple):
    """How one answer is to be written.

    ``choice`` and ``regex`` bind the text; writing ends with ``stop``, which stays in it. ``children`` are the tokens
    (at most MOST_CHILDREN) whose log-probability as the next token is wanted. None leaves a value to the model's own
    generation_config.json, as vLLM's server does.
    """

    max_tokens: int
    temperature: float | None = 0
    seed: int | None = None
    logprobs: bool = False
    extra: Mapping[str, Any] = {}
    choice: tuple[str, ...] = ()
    regex: str | None = None
    stop: str | None = None
    children: tuple[int, ...] = ()


MOST_CHILDREN = 128  # vllm.sampling_params.MAX_LOGPROB_TOKEN_IDS


class Said(NamedTuple):
    """What was written, behind which tokens. ``children``: token -> nats, for the first token that was written."""

    prompt_ids: Sequence[int]
    ids: Sequence[int]
    text: str
    finish_reason: str = "stop"
    tokens: Sequence[TokenLogprob] | None = None
    children: Mapping[int, float] = {}


class Refused(NamedTuple):
    """Why this one request could not be put, in one line."""

    why: str


class Engine(Protocol):
    """A model that is loaded. Both ways of asking give one outcome per question, in order."""

    def encode(self, text: str) -> Sequence[int]:
        """The tokens of a text, without any that begin or end one."""

    def chat(self, asked: Sequence[tuple[str, Sampling]]) -> list[Said | Refused]:
        """Answers to one user's message each, in the model's chat format."""

    def go_on(self, asked: Sequence[tuple[Sequence[int], Sampling]]) -> list[Said | Refused]:
        """What follows these tokens."""
