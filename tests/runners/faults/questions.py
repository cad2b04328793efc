"""Questions for the fault server, and clients that ask them as a runner does: with no retries of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import openai

TITLES = tuple(f"Film {number} ({1950 + number})" for number in range(20))
KEY = "sk-canary-0123456789"


def prompt(n: int = 3, titles: tuple[str, ...] = TITLES) -> str:
    listing = "\n".join(f'"{title}"' for title in titles)
    return f"Reply with one JSON array of exactly {n} strings and nothing else.\n\nCandidates:\n{listing}\n"


def question(n: int = 3, **options: Any) -> dict[str, Any]:
    return {"model": "fault-1", "messages": [{"role": "user", "content": prompt(n)}], **options}


@contextmanager
def client(url: str, **options: Any) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=url, api_key=KEY, max_retries=0, **options) as made:
        yield made


def asynchronous(url: str, **options: Any) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=url, api_key=KEY, max_retries=0, **options)
