"""Waiting in an event loop for a writer thread, with one wake-up for all that it finished together."""

import asyncio
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


class Durable:
    """Turns the ledger's futures into the loop's.

    ``asyncio.wrap_future`` wakes the loop through its pipe for each of them; a commit ends many at once.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ended: deque[tuple[Future[Any], asyncio.Future[Any]]] = deque()
        self._woken = False

    def wait(self, future: Future[T]) -> asyncio.Future[T]:
        """The result of ``future``, to be awaited."""
        waiter: asyncio.Future[T] = self._loop.create_future()
        future.add_done_callback(partial(self._end, waiter))
        return waiter

    def _end(self, waiter: asyncio.Future[T], future: Future[T]) -> None:
        # In the writer's thread. Appended before the flag is read, and the flag is lowered before the queue is emptied:
        # whatever finds the flag up is emptied with the rest.
        self._ended.append((future, waiter))
        if not self._woken:
            self._woken = True
            with suppress(RuntimeError):  # the loop was closed by a second Ctrl-C
                self._loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        self._woken = False
        while self._ended:
            future, waiter = self._ended.popleft()
            if waiter.done():
                continue
            error = future.exception()
            if error is None:
                waiter.set_result(future.result())
            else:
                waiter.set_exception(error)
