"""Requests and completions as they go over the wire: what is asked by each method, and what came back, however odd."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import jiter

from habitus_runners.calls.outcomes import UNREADABLE, Failure
from habitus_runners.ledger import Reply
from habitus_runners.models.openai_api import keys
from habitus_runners.models.openai_api.client import Endpoint
from habitus_runners.settings import Ask

if TYPE_CHECKING:
    from habitus_runners.prices import Price

PATH = "/chat/completions"
TEXT = "text"
NUMBERS = "numbers"
LONGEST_TEXT = 64 << 10


class Wire(NamedTuple):
    """How one model is asked by one method: all that its requests have in common.

    Args:
        model: as the service knows it.
        method: ``text`` or ``numbers``.
        length: N, of the list that is asked for.
        ask: temperature, seed, number of tokens and what else is sent.
        endpoint: of the service.
    """

    model: str
    method: str
    length: int
    ask: Ask
    endpoint: Endpoint

    def name(self, kind: str) -> str:
        """The model's name in reports: its spec, and the method if it is not text."""
        spec = f"{kind}:{self.model}"
        return spec if self.method == TEXT else f"{spec} [{self.method}]"

    def ready(self) -> None:
        """Look for the key.

        Raises:
            HabitusError: there is none.
        """
        keys.api_key(self.endpoint.url)

    def revision(self) -> str:
        """Canonical JSON of everything beside the prompt that can change an answer."""
        ask = self.ask.model_dump(mode="json", exclude={"base_url", "samples"})
        parts = {"endpoint": self.endpoint.url, "method": self.method, "length": self.length, **ask}
        return keys.without_keys(json.dumps(parts, sort_keys=True))

    def body(self, prompt: str, sample: int, candidates: int) -> dict[str, Any]:
        """The body of a chat completion's request.

        Args:
            prompt: the one user message.
            sample: counts from 0; changes the seed.
            candidates: K, how many the prompt shows.
        """
        ask = self.ask
        body: dict[str, Any] = {"model": self.model, "messages": [{"role": "user", "content": prompt}]}
        if ask.temperature is not None:
            body["temperature"] = ask.temperature
        if ask.seed is not None:
            body["seed"] = ask.seed + sample
        newer = keys.official(self.endpoint.host)
        body["max_completion_tokens" if newer else "max_tokens"] = ask.max_tokens
        if ask.logprobs:
            body["logprobs"] = True
        if self.method == NUMBERS:
            body["response_format"] = _ranking_of_numbers(candidates, self.length)
        return body | ask.extra


def parsed(content: bytes) -> Any:  # noqa: ANN401 - JSON is anything
    """A body as JSON.

    Raises:
        Failure: it is not JSON.
    """
    try:
        return jiter.from_json(content, cache_mode="keys")
    except ValueError:
        pass
    try:
        return json.loads(content.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        start = keys.redacted(content[:200].decode("utf-8", "replace"))
        raise Failure(f"expected JSON, got {start!r}", 200, UNREADABLE) from None


def reply(
    completion: object,
    price: "Price | None" = None,
    latency_s: float | None = None,
    *,
    logprobs: bool = False,
    batch: bool = False,
) -> Reply:
    """What a completion says.

    Args:
        completion: decoded JSON; anything at all.
        price: of the model, if it is known.
        latency_s: seconds until it was there.
        logprobs: whether log-probabilities were asked for.
        batch: whether it was part of a batch, which costs less.

    Raises:
        Failure: there is no message in it.
    """
    choice = _first(_get(completion, "choices"))
    message = _get(choice, "message")
    if not isinstance(message, Mapping):
        problem = _get(_get(completion, "error"), "message")
        said = problem if isinstance(problem, str) else repr(completion)
        raise Failure(keys.redacted(f"expected a completion with choices, got {said[:200]}"), 200, UNREADABLE)
    text, reason = _storable(_text(message.get("content"))), _get(choice, "finish_reason")
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal and not text:
        text, reason = _storable(refusal), "refusal"
    usage = _get(completion, "usage")
    tokens_in, tokens_out = _count(_get(usage, "prompt_tokens")), _count(_get(usage, "completion_tokens"))
    cached = _count(_get(_get(usage, "prompt_tokens_details"), "cached_tokens")) or 0
    cost = None
    if price is not None and tokens_in is not None and tokens_out is not None:
        cost = price.cost(tokens_in, tokens_out, cached, batch=batch)
    served = " ".join(part for key in ("model", "system_fingerprint") if isinstance(part := _get(completion, key), str))
    return Reply(
        text=keys.without_keys(text),
        finish_reason=_storable(reason)[:40] if isinstance(reason, str) and reason else "stop",
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cost=cost,
        latency_s=latency_s,
        token_logprobs=_token_logprobs(choice) if logprobs else None,
        served=keys.without_keys(_storable(served)[:200]) or None,
    )


def _ranking_of_numbers(candidates: int, length: int) -> dict[str, Any]:
    numbers = {"type": "integer", "enum": list(range(1, candidates + 1))}
    schema = {
        "type": "object",
        "properties": {"ranking": {"type": "array", "items": numbers, "minItems": length, "maxItems": length}},
        "required": ["ranking"],
        "additionalProperties": False,
    }
    return {"type": "json_schema", "json_schema": {"name": "ranking", "strict": True, "schema": schema}}


def _get(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, Mapping) else None


def _first(values: object) -> object:
    return values[0] if isinstance(values, list) and values else None


def _text(content: object) -> str:
    """A message's text: a string, or parts of which some are text."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(text for part in parts if isinstance(text := _get(part, "text"), str))


def _storable(text: str) -> str:
    """64 KiB of a text, without the lone surrogates that UTF-8 cannot write: the end of one that thinks aloud."""
    if len(text) > LONGEST_TEXT and "</think>" in text:
        text = text[-LONGEST_TEXT // 4 :]  # a character has four bytes at most
    return text[:LONGEST_TEXT].encode("utf-8", "replace")[:LONGEST_TEXT].decode("utf-8", "ignore")


def _count(number: object) -> int | None:
    return number if isinstance(number, int) and number is not True and 0 <= number < 2**31 else None


def _token_logprobs(choice: object) -> Sequence[tuple[str, float]] | None:
    content = _get(_get(choice, "logprobs"), "content")
    pairs = []
    for entry in content if isinstance(content, list) else ():
        token, logprob = _get(entry, "token"), _get(entry, "logprob")
        if not isinstance(token, str) or not isinstance(logprob, int | float) or not math.isfinite(logprob):
            return None
        pairs.append((_storable(token), float(logprob)))
    return pairs or None
