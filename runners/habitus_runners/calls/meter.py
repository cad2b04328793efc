"""What is known while questions are being asked: how many, how fast, for how much, and what went wrong."""

import time
from collections import deque

from habitus_runners.progress import Progress

_EVERY_S = 0.25
_WINDOW_S = 30.0
_TOO_MANY = 429


class Meter:
    """Counts for one model, told to ``progress`` at most four times a second.

    Args:
        stage: what the model is called.
        total: questions.
        progress: told how far it is.
    """

    def __init__(self, stage: str, total: int, progress: Progress) -> None:
        self.answered = 0
        self.unanswerable = 0
        self.too_many = 0
        self.retries = 0
        self.unreadable = 0
        self.dollars: float | None = None
        self._stage, self._total, self._progress = stage, total, progress
        self._said_at = self._began = time.monotonic()
        self._recent: deque[tuple[float, int]] = deque([(self._began, 0)])

    @property
    def left(self) -> int:
        """Questions that have neither an answer nor an error that stays."""
        return self._total - self.answered - self.unanswerable

    def answer(self, cost: float | None, *, readable: bool) -> None:
        """A question was answered."""
        self.answered += 1
        self.unreadable += not readable
        if cost is not None:
            self.dollars = (self.dollars or 0.0) + cost
        self._tell()

    def error(self) -> None:
        """A question has no answer, and is not asked again."""
        self.unanswerable += 1
        self._tell()

    def failure(self, status: int | None, *, again: bool) -> None:
        """A call failed; ``again`` if there will be another."""
        self.too_many += status == _TOO_MANY
        self.retries += again
        self._tell()

    def tell(self) -> None:
        """Report now, as at the end."""
        self._progress(self._stage, self.answered + self.unanswerable, self._total, self.note())

    def note(self) -> str:
        """Everything but the count, in one line."""
        rate = self._rate()
        parts = [f"{rate:.3g}/s"]
        if self.left and rate:
            parts.append(f"{_clock(self.left / rate)} left")
        if self.dollars is not None:
            parts.append(f"${self.dollars:.4f}")
        counts = {
            "429s": self.too_many,
            "retries": self.retries,
            "failed": self.unanswerable,
            "unreadable": self.unreadable,
        }
        return ", ".join(parts + [f"{count} {what}" for what, count in counts.items() if count])

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._said_at >= _EVERY_S:
            self._said_at = now
            self._recent.append((now, self.answered))
            while now - self._recent[0][0] > _WINDOW_S:
                self._recent.popleft()
            self.tell()

    def _rate(self) -> float:
        """Answers per second over the last half minute."""
        then, answered = self._recent[0]
        return (self.answered - answered) / max(time.monotonic() - then, 1e-3)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
