"""The ledger: answers that were paid for, under the hash of everything that could change them, in one SQLite file.

What is sent is on record before it leaves, what comes is on disk before it counts. Any number of processes may use one
ledger on one machine; of those that ask the same question, one sends it.
"""

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from platformdirs import user_data_path

from habitus_runners.errors import HabitusError
from habitus_runners.ledger import batches, sendings
from habitus_runners.ledger.records import Batch, Elsewhere, Question, Reply, Sending
from habitus_runners.ledger.rows import ANSWERS, Values, questions, sealed, unsealed
from habitus_runners.ledger.runners import Runner, alone
from habitus_runners.ledger.schema import connect, explained, prepare
from habitus_runners.ledger.writer import Writer

if TYPE_CHECKING:
    from concurrent.futures import Future

PLACE = "HABITUS_LEDGER"
_AT_ONCE = 1000


def default_path() -> Path:
    """Where the ledger is unless told otherwise: the environment's HABITUS_LEDGER, else the user's data folder."""
    named = os.environ.get(PLACE)
    return Path(named) if named else user_data_path("habitus") / "ledger.sqlite"


class Ledger:
    """An open ledger; close it, or use it as a context manager. Every method may be called from any thread.

    Args:
        path: of the file, made if it is not there; only its owner may read it.

    Attributes:
        path: of the file, absolute, symbolic links resolved: whoever opens it has the same.
        runner: this process among the ledger's users.

    Raises:
        HabitusError: it cannot be written, is damaged, not a ledger or of a newer version.
    """

    def __init__(self, path: Path) -> None:
        with explained(path):
            self.path = path.resolve()
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with alone(self.path):
                connection = _opened(self.path)
                try:
                    self.runner = Runner(self.path)
                    self.runner.others()  # sweeps away what the dead left
                except BaseException:
                    connection.close()
                    raise
        self._writer = Writer(self.path, connection)
        self._readers = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Finish what was begun, and let go of the file."""
        self._closed = True
        while self._open:  # before the writer: the last to close clears the log away, and readers cannot
            self._open.pop().close()
        self._writer.close()
        self.runner.close()

    def known(self, answer_ids: Iterable[str]) -> dict[str, Reply]:
        """The answers that are there, by id.

        Raises:
            HabitusError: the file was damaged.
        """
        query = f"{ANSWERS} WHERE answer_id IN (SELECT value FROM json_each(?))"  # noqa: S608 - our own text alone
        rows = self.rows(query, json.dumps(list(answer_ids)))
        return dict(unsealed(row, self.path) for row in rows)

    def send(self, question: Question, *, batch: str | None = None) -> "Future[Sending | Reply | Elsewhere]":
        """Ask for leave to send a question: the answer if it is there, who is sending it, or a sending on record.

        Args:
            question: to be sent.
            batch: local id of the order that it is part of, to be on record.
        """
        return self._writer.put(lambda connection: sendings.send(connection, question, self.runner, batch, self.path))

    def answered(self, sending: Sending, question: Question, reply: Reply) -> "Future[None]":
        """Keep an answer. It is on disk when the future is done."""
        values = sealed(question, reply)
        return self._writer.put(lambda connection: sendings.answered(connection, sending, question.answer_id, values))

    def failed(self, sending: Sending, outcome: str, detail: str, *, paid: Literal["no", "unknown"]) -> "Future[None]":
        """Note how a sending ended without an answer, and whether it may have been charged for."""
        return self._writer.put(lambda connection: sendings.failed(connection, sending, outcome, detail, paid))

    def keep(self, pairs: Sequence[tuple[Question, Reply]]) -> None:
        """Keep answers that came without sendings; they are on disk afterwards."""
        self.keep_soon(pairs).result()

    def keep_soon(self, pairs: Sequence[tuple[Question, Reply]]) -> "Future[None]":
        """The same without waiting."""
        rows = [(question, sealed(question, reply)) for question, reply in pairs]
        return self._writer.put(lambda connection: sendings.keep(connection, rows))

    def repeats(self, answer_ids: Iterable[str] | None = None) -> int:
        """How many sendings may have been paid for although an earlier one to the same question may have been too."""
        if answer_ids is None:
            rows = self.rows(sendings.REPEATS)
        else:
            rows = self.rows(sendings.REPEATS_AMONG, json.dumps(list(answer_ids)))
        return sum(count for _, count in rows)

    def open_batch(self, endpoint: str, model: str, questions: Sequence[Question]) -> str:
        """Put an order for answers on record before it is made; its local id."""
        return str(self.write(lambda connection: batches.open_batch(connection, endpoint, model, questions)))

    def batch_step(
        self,
        local: str,
        state: str,
        *,
        file_id: str | None = None,
        batch_id: str | None = None,
        detail: str | None = None,
    ) -> None:
        """Note how far an order is: ``batches.STATES``."""
        self.write(lambda connection: batches.step(connection, local, state, (file_id, batch_id, detail)))

    def batches(self, *, unfinished: bool = True) -> list[Batch]:
        """The orders, oldest first; with ``unfinished`` those alone whose answers are still to be fetched."""
        return batches.listed(self.rows(batches.UNFINISHED if unfinished else batches.ALL))

    def batch_questions(self, local: str) -> list[Question]:
        """What an order asks."""
        return list(questions(self.rows(batches.QUESTIONS, local), self.path))

    def in_batch(self, answer_ids: Iterable[str]) -> dict[str, str]:
        """Which unfinished order holds which of these questions."""
        return dict(self.rows(batches.HOLDING, json.dumps(list(answer_ids))))

    def rows(self, query: str, *values: object) -> list[Values]:
        """What a query finds, on this thread's own connection.

        Raises:
            HabitusError: the file was damaged.
        """
        return list(self.each(query, *values))

    def each(self, query: str, *values: object) -> Iterator[Values]:
        """The same, row by row.

        Raises:
            HabitusError: the file was damaged.
        """
        if self._closed:
            raise HabitusError(f"{self.path}: expected an open ledger, got a closed one")
        with explained(self.path):
            if not hasattr(self._readers, "connection"):
                self._readers.connection = connect(self.path, write=False)
                self._open.append(self._readers.connection)
            cursor = self._readers.connection.execute(query, values)
            while some := cursor.fetchmany(_AT_ONCE):
                yield from some

    def write(self, do: Callable[[sqlite3.Connection], Any]) -> Any:  # noqa: ANN401 - whatever ``do`` returns
        """Have something written, and wait until it is on disk."""
        return self._writer.put(do).result()


def _opened(path: Path) -> sqlite3.Connection:
    """The connection to write with, of a file that is there and that nobody but its owner can read."""
    # A file that is there is never opened beside SQLite: closing it would drop the locks of this process's connections.
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    elif path.stat().st_mode & 0o077:
        path.chmod(0o600)
    connection = connect(path, write=True)
    try:
        prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection
