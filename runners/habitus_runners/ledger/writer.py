"""The one thread that writes: what waits goes into one transaction, so that many answers cost one fsync."""

import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from habitus_runners.errors import HabitusError
from habitus_runners.ledger.schema import explained

_AT_ONCE = 1000
_GATHERING_S = 0.001
_SHARED = (sqlite3.OperationalError, UnicodeDecodeError)


class _Write(NamedTuple):
    """What is to be done with the connection, and who waits for it."""

    do: Callable[[sqlite3.Connection], Any]
    done: "Future[Any]"


class _Refused(Exception):  # noqa: N818 - carries another error
    """One write of a group is at fault by itself."""

    def __init__(self, at: int, error: Exception) -> None:
        super().__init__(at)
        self.at, self.error = at, error


class Writer:
    """Writes of any thread, in the order in which they came; each future is done when its write is on disk.

    Args:
        path: of the ledger, for messages.
        connection: to write with; closed at the end.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._queue: SimpleQueue[_Write | None] = SimpleQueue()
        self._ended: HabitusError | None = None
        self._thread = threading.Thread(target=self._run, name="habitus-ledger", daemon=True)
        self._thread.start()

    def put(self, do: Callable[[sqlite3.Connection], Any]) -> "Future[Any]":
        """Have ``do`` done in a transaction, perhaps more than once: it changes nothing but the database.

        The future cannot be cancelled: an answer that was paid for is written, whoever still waits for it. It raises
        HabitusError if the file cannot be written, or nobody writes any more.
        """
        write = _Write(do, Future())
        write.done.set_running_or_notify_cancel()
        self._queue.put(write)
        if self._ended:  # looked at after queueing: the thread looks at the queue after saying that it has ended
            self._refuse(self._ended)
        return write.done

    def close(self) -> None:
        """Finish what waits, and stop."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        group: list[_Write] = []
        why = "expected an open ledger, got a closed one"
        try:
            last = False
            while not last:
                group, last = self._group(gather=len(group) > 1)
                self._settle(group)
        except BaseException as error:  # noqa: BLE001 - whatever it is, who waits must hear of it
            why = f"writing ended: {type(error).__name__}: {error}; `habitus resume` goes on"
        finally:
            self._ended = HabitusError(f"{self._path}: {why}")
            for write in group:
                if not write.done.done():
                    write.done.set_exception(self._ended)
            self._refuse(self._ended)
            self._connection.close()

    def _group(self, *, gather: bool) -> tuple[list[_Write], bool]:
        """What waits, and whether it is the last. Where many write at once, a moment's patience saves most fsyncs."""
        group: list[_Write] = []
        write = self._queue.get()
        if gather and write:
            time.sleep(_GATHERING_S)
        with suppress(Empty):
            while write is not None:
                group.append(write)
                if len(group) == _AT_ONCE:
                    break
                write = self._queue.get_nowait()
        return group, write is None

    def _settle(self, group: list[_Write]) -> None:
        """Commit a group; a write that is at fault by itself does not keep the others from the disk."""
        while group:
            try:
                with explained(self._path):
                    results = self._committed(group)
            except _Refused as refused:
                group.pop(refused.at).done.set_exception(refused.error)
            except HabitusError as error:
                for write in group:
                    write.done.set_exception(error)
                return
            else:
                for write, result in zip(group, results, strict=True):
                    write.done.set_result(result)
                return

    def _committed(self, group: list[_Write]) -> list[Any]:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            results = [self._result(at, write) for at, write in enumerate(group)]
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # SQLite has rolled back by itself when the disk is full
                connection.execute("ROLLBACK")
            raise
        return results

    def _result(self, at: int, write: _Write) -> Any:  # noqa: ANN401 - whatever ``do`` returns
        try:
            return write.do(self._connection)
        except Exception as error:
            if isinstance(error, _SHARED) or type(error) is sqlite3.DatabaseError:
                raise  # disk full, file damaged: all share it
            raise _Refused(at, error) from error

    def _refuse(self, error: HabitusError) -> None:
        with suppress(Empty):
            while True:
                write = self._queue.get_nowait()
                if write:
                    write.done.set_exception(error)
