"""What the server saw and what it answered, told to other threads and to files."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

LOG_ROUTE = "GET /faults/log"


@dataclass(slots=True)
class Call:
    """One call. ``status`` is None until a status line is sent; ``finished`` says that all of the script was played."""

    number: int
    route: str
    key: str
    attempt: int
    came_s: float
    behaviour: str = ""
    status: int | None = None
    finished: bool = False
    early_s: float = 0.0


@dataclass
class Log:
    """Counts and calls since the server began. Every method may be called from any thread."""

    calls: list[Call] = field(default_factory=list)
    paid: Counter[str] = field(default_factory=Counter)
    generated: Counter[str] = field(default_factory=Counter)
    keys: set[str] = field(default_factory=set)
    broken: list[Exception] = field(default_factory=list)
    most_open: int = 0
    _open: Counter[str] = field(default_factory=Counter)
    _by_route: Counter[str] = field(default_factory=Counter)
    _attempts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _not_before: dict[tuple[str, str], float] = field(default_factory=dict)
    _answers: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def begin(self, route: str, key: str) -> Call:
        """Note that a call came; its number counts those of its route."""
        with self._lock:
            now = time.monotonic()
            early = max(0.0, self._not_before.pop((route, key), now) - now)
            call = Call(self._by_route[route], route, key, self._attempts[route, key], now, early_s=early)
            self._by_route[route] += 1
            self._attempts[route, key] += 1
            self.calls.append(call)
            self._open[route] += 1
            self.most_open = max(self.most_open, self._open[route])
            return call

    def answered(self) -> int:
        """How many answers were generated."""
        return self._answers

    def generate(self, key: str) -> None:
        """Note that the model worked for a question, whether or not the client will see the answer."""
        with self._lock:
            self.generated[key] += 1
            self._answers += 1

    def pay(self, key: str, times: int = 1) -> None:
        """Note that a whole usable answer went out; -1 takes it back."""
        with self._lock:
            self.paid[key] += times

    def paid_now(self) -> Counter[str]:
        """A copy of what was paid, without questions of which nothing was."""
        with self._lock:
            return +self.paid

    def generated_now(self) -> Counter[str]:
        """A copy of what was generated."""
        with self._lock:
            return self.generated.copy()

    def wait_asked(self, call: Call, seconds: float) -> None:
        """Note that the client was told to stay away from this question for so long."""
        with self._lock:
            self._not_before[call.route, call.key] = time.monotonic() + seconds

    def end(self, call: Call, *, finished: bool) -> None:
        """Note that nothing more will be sent for a call."""
        with self._lock:
            call.finished = finished
            self._open[call.route] -= 1

    def open_calls(self, route: str) -> int:
        """How many calls of a route are being answered now."""
        return self._open[route]

    def summary(self) -> dict[str, Any]:
        """All counts as JSON can say them."""
        with self._lock:
            paid = {key: times for key, times in self.paid.items() if times}
            return {
                "calls": len(self.calls),
                "routes": dict(self._by_route),
                "statuses": dict(Counter(str(call.status) for call in self.calls)),
                "behaviours": dict(Counter(call.behaviour for call in self.calls)),
                "most_open": self.most_open,
                "early": sum(call.early_s > 0 for call in self.calls),
                "generated": sum(self.generated.values()),
                "paid_answers": sum(paid.values()),
                "paid_again": sum(times - 1 for times in paid.values()),
                "paid": paid,
            }
