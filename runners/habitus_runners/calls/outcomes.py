"""What became of a call that brought no answer, and what to do about it: the table of statuses."""

import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Literal, NamedTuple

Action = Literal["fatal", "quota", "retry"]
Paid = Literal["no", "unknown"]

LONGEST_WAIT_S = 600.0
"""What a service may ask us to wait before one retry. More is a mistake, or a limit that does not heal in a run."""
QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
TOO_LONG, UNREADABLE = "answer_too_long", "unreadable"
_MOST_TRIES = {TOO_LONG: 2, UNREADABLE: 5}
"""An answer that came and cannot be read has probably been paid for."""
_HEALING = frozenset({408, 409, 425, 429})
"""Client errors that pass; every other one stays."""
_REFUSED = frozenset({401, 403, 404})
_REDIRECT, _SERVER_ERROR, _UNAVAILABLE = 300, 500, 503
_PAYMENT_REQUIRED = 402
_DETAIL_CHARACTERS = 500


class Failure(Exception):  # noqa: N818 - it is what came of a call, and is kept as such
    """A call without an answer.

    Args:
        message: in the service's words, without any key.
        status: of HTTP; None if no response came.
        code: of the service, as in ``insufficient_quota``; or ours: ``timeout``, ``connection``, ``unreadable``.
        headers: of the response, in any case.
    """

    def __init__(
        self,
        message: str,
        status: int | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = " ".join(message[:_DETAIL_CHARACTERS].split())
        self.status = status
        self.code = code
        self.headers = {name.lower(): value for name, value in (headers or {}).items()}

    @property
    def name(self) -> str:
        """The outcome in a word or two, as in ``429 rate_limit_exceeded``."""
        return " ".join(str(part) for part in (self.status, self.code) if part is not None) or "failure"

    @property
    def most_tries(self) -> float:
        """How often a question may meet this failure before it is given up."""
        return _MOST_TRIES.get(self.code or "", math.inf)

    def __str__(self) -> str:
        """Outcome and message in one line."""
        return f"{self.name}: {self.message}"


class Verdict(NamedTuple):
    """What follows from a failure.

    ``fatal``: the same request never succeeds. ``quota``: no request does, until somebody pays. ``retry``: after
    ``after_s`` seconds, or after a pause of our own choosing. ``paid``: whether the call can have cost anything.
    """

    action: Action
    after_s: float | None = None
    paid: Paid = "no"


def judge(failure: Failure, now: float | None = None) -> Verdict:
    """What to do about a failure.

    Args:
        failure: of one call.
        now: seconds since the epoch, from which a date in Retry-After counts. Default: the clock's.

    >>> judge(Failure("slow down", 429, headers={"Retry-After": "2"}))
    Verdict(action='retry', after_s=2.0, paid='no')
    >>> judge(Failure("no money", 429, "insufficient_quota")).action
    'quota'
    """
    status = failure.status
    if status == _PAYMENT_REQUIRED or failure.code in QUOTA_CODES:
        return Verdict("quota")
    client_error = status is not None and _REDIRECT <= status < _SERVER_ERROR
    paid: Paid = "no" if client_error or status == _UNAVAILABLE else "unknown"
    told = failure.headers.get("x-should-retry", "").strip().lower()
    lasting = client_error and status not in _HEALING and (told != "true" or status in _REFUSED)
    if lasting or told == "false":
        return Verdict("fatal", None, paid)
    return Verdict("retry", _after_s(failure.headers, time.time() if now is None else now), paid)


def _after_s(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait, as told by ``retry-after-ms`` or ``Retry-After`` (RFC 9110, 10.2.3: seconds or a date)."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return _bounded(milliseconds / 1000)
    told = headers.get("retry-after")
    seconds = _number(told)
    if seconds is not None:
        return _bounded(seconds)
    try:
        return _bounded(parsedate_to_datetime(told or "").timestamp() - now)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _bounded(seconds: float) -> float | None:
    return min(max(seconds, 0.0), LONGEST_WAIT_S) if math.isfinite(seconds) else None
