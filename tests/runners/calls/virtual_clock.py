"""An event loop in which nobody waits: when nothing is ready, the clock is set forward to what comes next."""

import asyncio


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its time starts at 0 and passes only while everything sleeps. For code that waits for no thread and no socket."""

    def __init__(self):
        super().__init__()
        self.now = 0.0
        select = self._selector.select

        def skip(timeout):
            self.now += (timeout or 0.0) + 1e-6  # a clock that stands still may wake a sleeper for ever
            return select(0)

        self._selector.select = skip

    def time(self):
        """Seconds since the loop was made."""
        return self.now


def run(coroutine):
    """As asyncio.run, in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)
