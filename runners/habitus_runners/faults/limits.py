"""Rate limits as OpenAI keeps and tells them: buckets that refill evenly, their state in the headers of each reply."""

import time
from dataclasses import dataclass, field
from typing import NamedTuple

from habitus_runners.faults.answers import prompt_of, tokens
from habitus_runners.faults.asked import Body, Script
from habitus_runners.faults.behaviours import error_reply, whole

_MINUTE_S = 60.0


class Limits(NamedTuple):
    """What a service allows. ``told`` sends x-ratelimit headers; ``kept`` refuses what is beyond them with 429.

    ``requests`` and ``tokens`` are per minute, None without limit; a bucket holds ``burst`` seconds' worth. ``at_once``
    calls may be open together; one more gets a 429 without Retry-After. ``enqueued_tokens`` may wait in unfinished
    batches; a batch beyond them fails its validation.
    """

    requests: int | None = None
    tokens: int | None = None
    at_once: int | None = None
    enqueued_tokens: int | None = None
    burst_s: float = _MINUTE_S
    told: bool = True
    kept: bool = True


UNLIMITED = Limits()


def duration(seconds: float) -> str:
    """A time as OpenAI writes it.

    >>> [duration(seconds) for seconds in (0.12, 1, 1.5, 360, 3723)]
    ['120ms', '1s', '1.5s', '6m0s', '1h2m3s']
    """
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    minutes, rest = divmod(round(seconds, 3), 60)
    hours, minutes = divmod(int(minutes), 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{round(rest, 3):g}s"


@dataclass
class _Bucket:
    per_minute: int
    burst_s: float
    filled: float = field(init=False)
    at: float = field(init=False)

    def __post_init__(self) -> None:
        self.filled = self.capacity
        self.at = time.monotonic()

    @property
    def capacity(self) -> float:
        return max(1.0, self.per_minute * self.burst_s / _MINUTE_S)

    def refill(self) -> None:
        now = time.monotonic()
        self.filled = min(self.capacity, self.filled + (now - self.at) * self.per_minute / _MINUTE_S)
        self.at = now

    def missing_s(self, amount: float) -> float:
        """Seconds until so much is there; 0 if it is."""
        return max(0.0, min(amount, self.capacity) - self.filled) * _MINUTE_S / self.per_minute

    def headers(self, name: str) -> list[tuple[str, str]]:
        empty_s = (self.capacity - self.filled) * _MINUTE_S / self.per_minute
        return [
            (f"x-ratelimit-limit-{name}", str(self.per_minute)),
            (f"x-ratelimit-remaining-{name}", str(max(0, int(self.filled)))),
            (f"x-ratelimit-reset-{name}", duration(max(0.0, empty_s))),
        ]


class Keeper:
    """The buckets of one server."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        sizes = {"requests": limits.requests, "tokens": limits.tokens}
        self._buckets = {name: _Bucket(size, limits.burst_s) for name, size in sizes.items() if size}

    def refusal(self, body: Body, open_calls: int) -> Script | None:
        """The 429 that this request gets, or None: then it is charged to the buckets."""
        limits = self._limits
        if limits.at_once is not None and open_calls > limits.at_once:
            message = f"expected at most {limits.at_once} calls at once, got {open_calls}"
            return whole(error_reply(429, message, "requests", "rate_limit_exceeded"))
        costs = {"requests": 1.0, "tokens": float(_tokens_asked(body))}
        for bucket in self._buckets.values():
            bucket.refill()
        missing = {name: bucket.missing_s(costs[name]) for name, bucket in self._buckets.items()}
        if limits.kept and missing and max(missing.values()) > 0:
            wait_s = max(missing.values())
            name = max(missing, key=missing.__getitem__)
            said = (("retry-after-ms", f"{wait_s * 1000:.0f}"), ("retry-after", str(int(wait_s) + 1)))
            reply = error_reply(429, f"Rate limit reached on {name} per min.", name, "rate_limit_exceeded", said)
            return whole(reply, retry_after_s=wait_s)
        for name, bucket in self._buckets.items():
            bucket.filled -= costs[name]
        return None

    def told(self, script: Script) -> Script:
        """The script with the state of the buckets in its headers."""
        lines = [line for name, bucket in self._buckets.items() for line in bucket.headers(name)]
        first = script.steps[0] if script.steps else None
        if not lines or not self._limits.told or not isinstance(first, bytes):
            return script
        status, _, rest = first.partition(b"\r\n")
        said = "".join(f"{name}: {value}\r\n" for name, value in lines).encode()
        return script._replace(steps=(status + b"\r\n" + said + rest, *script.steps[1:]))


def _tokens_asked(body: Body) -> int:
    """What a service reserves: the prompt, and the longest answer that was allowed."""
    longest = body.get("max_completion_tokens") or body.get("max_tokens") or 0
    return tokens(prompt_of(body)) + (longest if isinstance(longest, int) else 0)
