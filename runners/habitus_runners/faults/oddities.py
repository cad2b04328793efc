"""Answers that arrive with status 200 and are not what was hoped for, and errors with names of their own."""

import json
from dataclasses import dataclass
from typing import Literal

from habitus_runners.faults.asked import Asked, Body, End, Script
from habitus_runners.faults.behaviours import Ok, error_reply, whole
from habitus_runners.faults.http11 import Reply

_TEXT = 10_000_000


@dataclass(frozen=True)
class Refusal(Ok):
    """The model declines: no content, and a text in the field ``refusal``."""

    def edit(self, completion: Body) -> None:
        """Put the refusal in place of the text."""
        for choice in completion["choices"]:
            choice["message"].update(content=None, refusal="I'm sorry, but I can't help with that.")


@dataclass(frozen=True)
class Ended(Ok):
    """The text stops half-way, with the finish reason that says why."""

    reason: Literal["length", "content_filter"] = "length"

    def edit(self, completion: Body) -> None:
        """Cut the text."""
        for choice in completion["choices"]:
            text = choice["message"]["content"]
            choice["message"]["content"] = text[: len(text) // 2]
            choice["finish_reason"] = self.reason


@dataclass(frozen=True)
class NullContent(Ok):
    """Neither content nor refusal."""

    def edit(self, completion: Body) -> None:
        """Take the text away."""
        for choice in completion["choices"]:
            choice["message"]["content"] = None


@dataclass(frozen=True)
class NoUsage(Ok):
    """A good answer that does not say how many tokens it took, as small servers write them."""

    def edit(self, completion: Body) -> None:
        """Take away what OpenAI alone sends."""
        for field in ("usage", "system_fingerprint", "service_tier"):
            del completion[field]


@dataclass(frozen=True)
class WrongModel(Ok):
    """A good answer from another model than the one that was asked."""

    model: str = "another-model"

    def edit(self, completion: Body) -> None:
        """Name the other model."""
        completion["model"] = self.model


@dataclass(frozen=True)
class Huge(Ok):
    """An answer of ``characters`` characters: brackets opened and never closed, the worst case of many parsers."""

    characters: int = _TEXT

    def edit(self, completion: Body) -> None:
        """Put the long text in place of the ranking."""
        for choice in completion["choices"]:
            choice["message"]["content"] = ('["a' * (self.characters // 3 + 1))[: self.characters]


@dataclass(frozen=True)
class NoChoices(Ok):
    """A completion with an empty list of choices: generated, and of no use."""

    def edit(self, completion: Body) -> None:
        """Take the choices away."""
        completion["choices"] = []

    def script(self, asked: Asked) -> Script:
        """As ``Ok``, but there is no answer in it."""
        return super().script(asked)._replace(usable=False)


@dataclass(frozen=True)
class Garbled:
    """Status 200 and a body that is no completion: ``half`` of the JSON, ``empty``, or an ``html`` page of a proxy.

    The headers agree with the body: on HTTP's own terms nothing is wrong.
    """

    body: Literal["half", "empty", "html"] = "half"
    status: int = 200

    def script(self, asked: Asked) -> Script:
        """Do what was asked and garble what is said of it."""
        reply = asked.carry_out(None)
        if self.body == "html":
            page = b"<!DOCTYPE html><html><head><title>Bad gateway</title></head><body><h1>502</h1></body></html>"
            return whole(Reply(self.status, page, content_type="text/html; charset=utf-8"))
        kept = reply.body[: len(reply.body) // 2] if self.body == "half" else b""
        return whole(Reply(self.status, kept, reply.headers))


@dataclass(frozen=True)
class Drip:
    """A good answer in ``pieces`` over ``seconds``: every read succeeds, so only a deadline for the whole ends it."""

    seconds: float = 60.0
    pieces: int = 100

    def script(self, asked: Asked) -> Script:
        """Cut the reply in pieces with waits between them."""
        script = Ok().script(asked)
        reply = b"".join(step for step in script.steps if isinstance(step, bytes))
        size = -(-len(reply) // self.pieces)
        steps: list[bytes | float | End] = []
        for at in range(0, len(reply), size):
            steps += [self.seconds / self.pieces, reply[at : at + size]]
        return script._replace(steps=tuple(steps))


@dataclass(frozen=True)
class Unauthorised:
    """401 whose message repeats the key that came, whole: more than OpenAI's own, which leaves its ends."""

    masked: bool = False

    def script(self, asked: Asked) -> Script:
        """Refuse and repeat the key."""
        key = asked.headers.get("authorization", "").removeprefix("Bearer ") or asked.headers.get("api-key", "")
        shown = f"{key[:8]}{'*' * 12}{key[-4:]}" if self.masked else key
        message = f"Incorrect API key provided: {shown}. You can find your API key in your account's settings."
        return whole(error_reply(401, message, "invalid_request_error", "invalid_api_key"))


@dataclass(frozen=True)
class NotFound:
    """404: no such model, or none that this key may use."""

    def script(self, asked: Asked) -> Script:
        """Refuse and name the model."""
        message = f"The model `{asked.body.get('model')}` does not exist or you do not have access to it."
        return whole(error_reply(404, message, "invalid_request_error", "model_not_found"))


@dataclass(frozen=True)
class BadRequest:
    """400 that repeats the request, message texts and all, as validators of small servers do."""

    code: str = "invalid_value"

    def script(self, asked: Asked) -> Script:
        """Refuse and repeat the request."""
        return whole(error_reply(400, f"Invalid request: {json.dumps(asked.body)}", "invalid_request_error", self.code))
