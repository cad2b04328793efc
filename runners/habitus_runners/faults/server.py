"""The server: an event loop in a thread of its own, on a port of the loopback that the system chooses."""

import asyncio
import threading
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from habitus_runners.faults.answers import Answerer, answer_text
from habitus_runners.faults.batch_ends import BatchEnd
from habitus_runners.faults.batches import Batches
from habitus_runners.faults.behaviours import ORDERLY
from habitus_runners.faults.connection import Connection
from habitus_runners.faults.files import Files
from habitus_runners.faults.limits import UNLIMITED, Keeper, Limits
from habitus_runners.faults.log import Call, Log
from habitus_runners.faults.plans import Plans, chooser
from habitus_runners.faults.service import Service

_BACKLOG = 1024
_START_S = 10.0


class FaultServer:
    """An OpenAI-compatible service that does with every call what a plan says.

    >>> from habitus_runners.faults import Attempts, FaultServer, TooMany
    >>> with FaultServer(Attempts([TooMany(after=0.1)])) as server:
    ...     server.url.startswith("http://127.0.0.1:")
    True

    Args:
        plan: a behaviour, a sequence of them, a function of the call, or one of these per route; see plans.py.
        latency_s: seconds before every reply to a chat completion, or an interval from which they are drawn.
        seed: of all draws and answers.
        port: 0 lets the system choose.
        models: what /models lists; requests may name any.
        answer: makes the answer's text from (body, key, seed).
        limits: rates that the service keeps, and tells in its headers.
        batches: how batches end, in turn; those after the last end as it does.
    """

    def __init__(
        self,
        plan: Plans = ORDERLY,
        *,
        latency_s: float | tuple[float, float] = 0.0,
        seed: int = 0,
        port: int = 0,
        models: tuple[str, ...] = ("fault-1",),
        answer: Answerer = answer_text,
        limits: Limits = UNLIMITED,
        batches: Sequence[BatchEnd] = (),
    ) -> None:
        self.log = Log()
        shelf = Batches(Files(), self.log, batches, seed, answer, limits.enqueued_tokens)
        keeper = Keeper(limits)
        self._service = Service(chooser(plan), self.log, keeper, shelf, models=models, latency_s=latency_s)
        self._port = port
        self._opened: set[Connection] = set()
        self._ready = threading.Event()
        self._failed: OSError | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event

    @property
    def url(self) -> str:
        """The base URL that a client is given, with its /v1."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def calls(self) -> list[Call]:
        """Every call so far, as they came."""
        return list(self.log.calls)

    @property
    def paid(self) -> Counter[str]:
        """How many whole and usable answers went out, by ``question_key``. One too many was paid twice."""
        return self.log.paid_now()

    @property
    def generated(self) -> Counter[str]:
        """How many answers were made, by ``question_key``: also those of which the client saw nothing."""
        return self.log.generated_now()

    @property
    def keys(self) -> set[str]:
        """The API keys that clients sent."""
        return set(self.log.keys)

    def summary(self) -> dict[str, Any]:
        """All counts as JSON can say them; ``GET /faults/log`` answers the same."""
        return self.log.summary()

    def start(self) -> Self:
        """Begin to listen.

        Raises:
            OSError: the port is taken.
        """
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="fault server", daemon=True)
        self._thread.start()
        if not self._ready.wait(_START_S):
            raise TimeoutError(f"expected the server to listen within {_START_S} s, it does not")
        if self._failed is not None:
            self._thread.join()
            raise self._failed
        return self

    def close(self) -> None:
        """Cut every connection and wait for the thread's end. Counts can still be read."""
        if self._thread is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
        self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close.

        Raises:
            ExceptionGroup: a plan or a behaviour raised, and nothing else did.
        """
        self.close()
        if error is None and self.log.broken:
            raise ExceptionGroup("expected a plan that decides, it raised", self.log.broken)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            listener = await self._loop.create_server(self._connection, "127.0.0.1", self._port, backlog=_BACKLOG)
        except OSError as error:
            self._failed = error
            self._ready.set()
            return
        self._port = listener.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        listener.close()
        while self._opened:
            for connection in list(self._opened):
                connection.reset()
            await asyncio.sleep(0)

    def _connection(self) -> Connection:
        return Connection(self._service.respond, self.log, self._opened)
