"""Everything a service can do with a call, well or badly. A behaviour writes a script; connection.py plays it."""

from dataclasses import dataclass
from email.utils import formatdate
from math import ceil
from time import time
from typing import Literal

from habitus_runners.faults.asked import Asked, Behaviour, Body, End, Script
from habitus_runners.faults.http11 import Reply, json_reply

_SECOND_HALF_AFTER_S = 0.02  # else the reset may overtake bytes that were sent before it


def whole(reply: Reply, *, usable: bool = False, retry_after_s: float | None = None) -> Script:
    """The script that sends a reply as it is."""
    return Script((reply.head() + reply.body,), reply.status, usable, retry_after_s)


def error_reply(
    status: int, message: str, kind: str, code: str | None = None, headers: tuple[tuple[str, str], ...] = ()
) -> Reply:
    """An error as OpenAI writes it."""
    content = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return json_reply(content, status, headers)


@dataclass(frozen=True)
class Ok:
    """An orderly answer."""

    def edit(self, completion: Body) -> None:
        """Change a chat completion before it is sent; kinds of odd answers do."""

    def script(self, asked: Asked) -> Script:
        """Do what was asked and say so."""
        reply = asked.carry_out(self.edit)
        return whole(reply, usable=reply.status == 200)  # noqa: PLR2004 - HTTP's


ORDERLY = Ok()


@dataclass(frozen=True)
class Latency:
    """Nothing for ``seconds``, then another behaviour."""

    seconds: float
    then: Behaviour = ORDERLY

    def script(self, asked: Asked) -> Script:
        """Wait, then do as the other behaviour does."""
        script = self.then.script(asked)
        return script._replace(steps=(self.seconds, *script.steps))


RetryForm = Literal["seconds", "ms", "both", "date", "past", "none", "negative", "huge", "garbage", "infinite"]


@dataclass(frozen=True)
class TooMany:
    """429, to be tried again ``after`` seconds, said in one of the forms in which services say it.

    Forms: ``seconds`` and ``date`` are RFC 9110's (a date in whole seconds, rounded up); ``ms`` is OpenAI's
    retry-after-ms; ``both`` gives ms and, rounded up, seconds; ``none`` says nothing. The rest are not to be believed:
    a date of the ``past``, a ``negative`` number, a ``huge`` one (eleven days), ``infinite``, ``garbage``.
    """

    form: RetryForm = "seconds"
    after: float = 0.05
    status: int = 429

    def script(self, asked: Asked) -> Script:
        """Refuse, with the date counted from now."""
        del asked
        message = "Rate limit reached for requests. Please try again later."
        now = time()
        date = ceil(now + self.after)
        reply = error_reply(self.status, message, "requests", "rate_limit_exceeded", self._headers(date))
        said = {"seconds": self.after, "ms": self.after, "both": self.after, "date": date - now}
        return whole(reply, retry_after_s=said.get(self.form))

    def _headers(self, date: int) -> tuple[tuple[str, str], ...]:
        seconds, ms = ("retry-after", f"{self.after:g}"), ("retry-after-ms", f"{self.after * 1000:g}")
        return {
            "seconds": (seconds,),
            "ms": (ms,),
            "both": (ms, ("retry-after", str(ceil(self.after)))),
            "date": (("retry-after", formatdate(date, usegmt=True)),),
            "past": (("retry-after", formatdate(date - 86_400, usegmt=True)),),
            "none": (),
            "negative": (("retry-after", "-5"),),
            "huge": (("retry-after", "999999"),),
            "infinite": (("retry-after", "inf"),),
            "garbage": (("retry-after", "soon; maybe"),),
        }[self.form]


@dataclass(frozen=True)
class Status:
    """An error of any status. ``should_retry`` sends x-should-retry, which OpenAI's own client obeys."""

    status: int = 500
    message: str = "The server had an error while processing your request. Sorry about that!"
    kind: str = "server_error"
    code: str | None = None
    should_retry: bool | None = None

    def script(self, asked: Asked) -> Script:
        """Refuse."""
        del asked
        said = () if self.should_retry is None else (("x-should-retry", str(self.should_retry).lower()),)
        return whole(error_reply(self.status, self.message, self.kind, self.code, said))


@dataclass(frozen=True)
class Quota:
    """Good answers until ``after`` of them are given, then a 429 that never heals: the money is used up."""

    after: int = 0

    def script(self, asked: Asked) -> Script:
        """Answer or refuse, by what the server has answered so far."""
        if asked.answered < self.after:
            return ORDERLY.script(asked)
        message = "You exceeded your current quota, please check your plan and billing details."
        return whole(error_reply(429, message, "insufficient_quota", "insufficient_quota"))


@dataclass(frozen=True)
class Reset:
    """The connection is cut.

    ``before``: and nothing was done. ``after``: what was asked is done (and billed), the client hears nothing of it.
    ``headers``: cut after the headers. ``body``: in the middle of the body. An ``orderly`` cut is an end of the stream,
    another a TCP reset.
    """

    when: Literal["before", "after", "headers", "body"] = "before"
    orderly: bool = False

    def script(self, asked: Asked) -> Script:
        """Do what was asked unless ``before``, and cut."""
        end = End.CLOSE if self.orderly else End.RESET
        if self.when == "before":
            return Script((end,))
        reply = asked.carry_out(None)
        if self.when == "after":
            return Script((end,))
        sent = reply.head() + (reply.body[: len(reply.body) // 2] if self.when == "body" else b"")
        return Script((sent, _SECOND_HALF_AFTER_S, end), reply.status)


@dataclass(frozen=True)
class Hang:
    """No byte, until the client gives up; with ``done``, what was asked is done nonetheless."""

    done: bool = False

    def script(self, asked: Asked) -> Script:
        """Leave the client waiting."""
        if self.done:
            asked.carry_out(None)
        return Script((End.HANG,))
