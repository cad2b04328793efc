"""Ctrl-C while a service is being asked: the first asks to stop, the second stops at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def first_interrupt(stop: Callable[[], None]) -> Iterator[None]:
    """Call ``stop`` at the first SIGINT; a second one raises KeyboardInterrupt.

    Elsewhere than in the main thread signals do not arrive, and nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop()

    earlier = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, earlier)
