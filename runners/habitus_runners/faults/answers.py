"""Chat completions made from the prompt alone: the same question gets the same answer, today and after a restart."""

import hashlib
import json
import math
import random
import re
import time
from collections.abc import Callable
from typing import Any

from habitus_runners.faults.asked import Body, fraction

_WANTED = re.compile(r"exactly (\d+)")
_CANDIDATE = re.compile(r'(?:\d+\. )?(".*")')
_DEFAULT_WANTED = 10
_CHARACTERS_PER_TOKEN = 4

Answerer = Callable[[Body, str, int], str]


def prompt_of(body: Body) -> str:
    """All text of the request's messages, one after another."""
    texts = []
    for message in body.get("messages") or []:
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, str):
            texts.append(content)
        elif isinstance(content, list):
            texts += [part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)]
    return "\n".join(texts)


def candidates_of(prompt: str) -> list[str]:
    r"""The candidates of a prompt, each still as the JSON string that stands there.

    >>> candidates_of('Candidates:\n1. "Fargo"\n2. "Heat \\"1995\\""\n')
    ['"Fargo"', '"Heat \\"1995\\""']
    """
    found = []
    for line in prompt.rpartition("Candidates:\n")[2].split("\n"):
        match = _CANDIDATE.fullmatch(line.strip())
        if match:
            found.append(match[1])
    return found


def answer_text(body: Body, key: str, seed: int) -> str:
    """A ranking of the prompt's candidates, drawn by a hash of seed and question.

    As many as the prompt asks for ("exactly N"; 10 if it does not say): their numbers as ``{"ranking": [...]}`` where
    the request has a JSON schema, otherwise their titles as a JSON list.
    """
    prompt = prompt_of(body)
    titles = candidates_of(prompt)
    wanted = _WANTED.search(prompt)
    n = min(int(wanted[1]) if wanted else _DEFAULT_WANTED, len(titles))
    draw = random.Random(f"{seed}:{key}")  # noqa: S311 - a fixed draw, not a secret
    chosen = draw.sample(range(len(titles)), n)
    response_format = body.get("response_format")
    if isinstance(response_format, dict) and response_format.get("type") == "json_schema":
        return json.dumps({"ranking": [position + 1 for position in chosen]})
    return "[" + ", ".join(titles[position] for position in chosen) + "]"


def tokens(text: str) -> int:
    """Tokens by the simplest rule: one for every four characters, the last one not always full."""
    return math.ceil(len(text) / _CHARACTERS_PER_TOKEN)


def completion(body: Body, key: str, seed: int, answer: Answerer = answer_text) -> Body:
    """The chat.completion object that answers ``body`` with the text that ``answer`` makes."""
    text = answer(body, key, seed)
    count = body.get("n") if isinstance(body.get("n"), int) else 1
    choices = [_choice(position, text, body) for position in range(count or 1)]
    tokens_in, tokens_out = tokens(prompt_of(body)), tokens(text) * len(choices)
    return {
        "id": "chatcmpl-" + hashlib.sha256(f"{seed}:{key}".encode()).hexdigest()[:24],
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body.get("model", "unknown"),
        "choices": choices,
        "usage": {
            "prompt_tokens": tokens_in,
            "completion_tokens": tokens_out,
            "total_tokens": tokens_in + tokens_out,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        },
        "system_fingerprint": "fp_faults",
        "service_tier": "default",
    }


def _choice(position: int, text: str, body: Body) -> Body:
    message = {"role": "assistant", "content": text, "refusal": None}
    logprobs = _logprobs(text, int(body.get("top_logprobs") or 0)) if body.get("logprobs") else None
    return {"index": position, "message": message, "logprobs": logprobs, "finish_reason": "stop"}


def _logprobs(text: str, alternatives: int) -> dict[str, Any]:
    pieces = [text[at : at + _CHARACTERS_PER_TOKEN] for at in range(0, len(text), _CHARACTERS_PER_TOKEN)]
    content = []
    for place, piece in enumerate(pieces):
        likely = _token(piece, -fraction(f"{place}:{piece}"))
        others = [_token(f"{piece[::-1]}{rank}", likely["logprob"] - rank) for rank in range(1, alternatives)]
        content.append({**likely, "top_logprobs": [likely, *others][:alternatives]})
    return {"content": content, "refusal": None}


def _token(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}
