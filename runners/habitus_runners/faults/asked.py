"""What a behaviour is told about a call, and the script of bytes, waits and cuts that it writes for it."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, Protocol

from habitus_runners.faults.http11 import Reply

Body = dict[str, Any]
Edit = Callable[[Body], None]

# Nothing here changes what a model answers; two requests that differ in these alone are one question.
_BESIDE_THE_QUESTION = frozenset(
    ("metadata", "prompt_cache_key", "safety_identifier", "service_tier", "store", "stream_options", "user")
)


class End(Enum):
    """What is done with the connection in place of an orderly reply."""

    RESET = "reset"  # a TCP reset: the client sees "connection reset by peer"
    CLOSE = "close"  # an orderly end, too early
    HANG = "hang"  # nothing more, until the client gives up


class Script(NamedTuple):
    """What goes out on the connection: bytes to send, seconds to wait, or an end, in order.

    ``status`` is the one sent, None if none is. ``usable`` says that the client gets the whole of a good answer once
    all steps are done. ``retry_after_s`` is how long the client was told to wait.
    """

    steps: tuple[bytes | float | End, ...]
    status: int | None = None
    usable: bool = False
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One call, as a plan and a behaviour see it.

    Attributes:
        number: how many calls came before it.
        route: method and path below the base URL, such as "POST /chat/completions"; ids are written as "{id}".
        key: ``question_key`` of its body.
        attempt: how many calls of the same route and key came before it.
        answered: usable answers that the server has given so far, of all calls.
        body: the JSON that came; empty where none did.
        headers: with names in lower case.
        seed: the server's.
        carry_out: does what was asked and returns the service's orderly reply; an edit may change an answer before it
            is written. What is done stays done, whatever the client gets to see of it.
    """

    number: int
    route: str
    key: str
    attempt: int
    answered: int
    body: Body
    headers: Mapping[str, str]
    seed: int
    carry_out: Callable[[Edit | None], Reply]

    def draw(self) -> float:
        """A number in [0, 1) of this attempt, the same whatever the order in which calls come."""
        return fraction(f"{self.seed}:{self.route}:{self.key}:{self.attempt}")


class Behaviour(Protocol):
    """What the server does with a call."""

    def script(self, asked: Asked) -> Script:
        """The bytes, waits and cuts in answer to this call."""


def fraction(text: str) -> float:
    """A number in [0, 1), spread evenly over texts."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7]) / 2**56


def question_key(body: Mapping[str, Any]) -> str:
    """SHA-256 of what a request asks: model, messages and all that steers sampling, in one order of keys.

    >>> question_key({"model": "m", "seed": 1, "user": "me"}) == question_key({"seed": 1, "model": "m"})
    True
    """
    asked = {name: value for name, value in body.items() if name not in _BESIDE_THE_QUESTION}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
