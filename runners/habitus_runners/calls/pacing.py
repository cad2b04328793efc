"""How many calls at once, and how many a minute: found out from the service while it answers."""

import asyncio
import re
from collections import deque
from collections.abc import Mapping

from aiolimiter import AsyncLimiter

from habitus_runners.calls.outcomes import LONGEST_WAIT_S

_AT_FIRST = 8
_EARLY_GROWTH = 0.5
_MINUTE_S = 60.0
_BURSTS = 20
"""A budget is spent in twentieths: the first minute, which begins with a burst, exceeds it by 5 % at most."""
_LEARNT = 0.1
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s|d)")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Concurrency:
    """Slots for calls: half as many when the service is crowded, a few more while it is not.

    It begins with 8 and grows by half per round trip until the service first complains, from then on by one. It halves
    at most once per round trip: complaints about calls that left before the last halving are about the same crowd.

    Args:
        most: slots, never more.
    """

    def __init__(self, most: int) -> None:
        self.limit = float(min(_AT_FIRST, most))
        self.in_use = 0
        self._most = most
        self._halved_at: float | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> None:
        if self.in_use < int(self.limit) and not self._waiting:
            self.in_use += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    def answered(self) -> None:
        """A call succeeded. Only when all slots were needed does that say anything about more."""
        if self.in_use >= int(self.limit):
            growth = _EARLY_GROWTH if self._halved_at is None else 1 / self.limit
            self.limit = min(self.limit + growth, float(self._most))
            self._admit()

    def crowded(self, left_at: float) -> None:
        """A call that left at this time (of the loop's clock) was told that there are too many."""
        if self._halved_at is None or left_at >= self._halved_at:
            self.limit = max(self.limit / 2, 1.0)
            self._halved_at = asyncio.get_running_loop().time()

    def _leave(self) -> None:
        self.in_use -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self.in_use < int(self.limit):
            turn = self._waiting.popleft()
            if not turn.done():
                self.in_use += 1
                turn.set_result(None)


class Budgets:
    """Requests and tokens per minute: of the settings, else of the service's ``x-ratelimit-*`` headers.

    Args:
        rpm: requests per minute; None to take the service's word.
        tpm: tokens per minute, of prompts and answers together; None to take the service's word.
    """

    def __init__(self, rpm: int | None = None, tpm: int | None = None) -> None:
        self._budgets = {"requests": _Budget(rpm), "tokens": _Budget(tpm)}
        self._share = 1.0
        self._open_at = 0.0

    async def take(self, tokens: int) -> None:
        """Wait until a call may leave that needs so many tokens at the worst."""
        while (pause := self._open_at - asyncio.get_running_loop().time()) > 0:  # noqa: ASYNC110 - a response may close it anew meanwhile
            await asyncio.sleep(pause)
        await self._budgets["requests"].take(1.0)
        await self._budgets["tokens"].take(tokens * self._share)

    def learn(self, worst: int, tokens: int | None) -> None:
        """A call that could have needed ``worst`` tokens needed so many: later ones are counted accordingly."""
        if tokens is not None and worst:
            self._share += _LEARNT * (min(tokens / worst, 1.0) - self._share)

    def observe(self, headers: Mapping[str, str]) -> None:
        """Read what a response says about limits: how much, how much is left, and when there is more."""
        for what, budget in self._budgets.items():
            limit = headers.get(f"x-ratelimit-limit-{what}")
            if limit is None:
                continue
            budget.told(limit)
            if headers.get(f"x-ratelimit-remaining-{what}", "").strip() == "0":
                reset = seconds(headers.get(f"x-ratelimit-reset-{what}", ""))
                self._open_at = max(self._open_at, asyncio.get_running_loop().time() + min(reset, LONGEST_WAIT_S))


class _Budget:
    """So much a minute, or no limit as long as none is known."""

    def __init__(self, per_minute: int | None) -> None:
        self._fixed = per_minute is not None
        self._said = ""
        self._limiter = _limiter(per_minute) if per_minute else None

    async def take(self, amount: float) -> None:
        """Wait for an amount. A larger one than the limiter holds is taken in pieces: it would refuse the whole."""
        while self._limiter is not None and amount > 0:
            piece = min(amount, self._limiter.max_rate)
            await self._limiter.acquire(piece)
            amount -= piece

    def told(self, limit: str) -> None:
        """The service named a limit."""
        if self._fixed or limit == self._said:
            return
        self._said = limit
        per_minute = int(limit[:12]) if limit[:12].isdecimal() else 0
        self._limiter = _limiter(per_minute) if per_minute else None


def seconds(duration: str) -> float:
    """A duration as services write them; 0 if it is none.

    >>> seconds("6m0s"), seconds("20ms"), seconds("1.5"), seconds("soon")
    (360.0, 0.02, 1.5, 0.0)
    """
    parts = _DURATION.findall(duration[:40])
    if parts:
        return sum(float(number) * _UNIT_S[unit] for number, unit in parts)
    return float(duration) if duration[:40].replace(".", "", 1).isdecimal() else 0.0


def _limiter(per_minute: int) -> AsyncLimiter:
    burst = max(per_minute / _BURSTS, 1.0)
    return AsyncLimiter(burst, _MINUTE_S * burst / per_minute)
