"""Money that one command may spend, over all models it asks."""

import threading


class Purse:
    """Counts dollars; refuses what could pass the limit. Safe between threads.

    Args:
        limit: dollars, None for no limit.

    >>> purse = Purse(1.0)
    >>> purse.reserve(0.75), purse.reserve(0.5)
    (True, False)
    >>> purse.settle(0.75, 0.25)
    >>> purse.reserve(0.5), purse.spent
    (True, 0.25)
    """

    def __init__(self, limit: float | None = None) -> None:
        self.limit = limit
        self.spent = 0.0
        self._reserved = 0.0
        self._lock = threading.Lock()

    def reserve(self, worst: float) -> bool:
        """Set dollars aside for a call that may cost so much; False if that could pass the limit."""
        with self._lock:
            if self.limit is not None and self.spent + self._reserved + worst > self.limit:
                return False
            self._reserved += worst
            return True

    def settle(self, worst: float, actual: float) -> None:
        """Give back what was set aside, and count what the call cost."""
        with self._lock:
            self._reserved = max(self._reserved - worst, 0.0)
            self.spent += actual
