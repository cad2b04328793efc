"""The ledger's tables, and how they are opened. Rows are added and never changed; ``prune`` alone removes some."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from habitus_runners.errors import HabitusError

VERSION = 1
BUSY_S = 60.0
_LONGEST = 200
_APPLICATION = 0x68626C67  # "hblg": what file(1) and other programs know the file by

# A sending with neither a failure nor an answer is in flight if its runner lives; if not, nobody knows how it ended.
# Text is text, except that what UTF-8 cannot write (lone surrogates) is a blob: see rows.py.
_TABLES = (
    "CREATE TABLE meta (version INTEGER NOT NULL)",
    """CREATE TABLE sources (source INTEGER PRIMARY KEY, model TEXT NOT NULL, revision TEXT NOT NULL,
        method TEXT NOT NULL, UNIQUE (model, revision, method))""",
    "CREATE TABLE prompts (hash BLOB NOT NULL UNIQUE, text NOT NULL)",
    """CREATE TABLE questions (question INTEGER PRIMARY KEY, answer_id TEXT NOT NULL UNIQUE,
        source INTEGER NOT NULL REFERENCES sources, prompt BLOB NOT NULL REFERENCES prompts (hash),
        sample INTEGER NOT NULL)""",
    """CREATE TABLE sendings (sending INTEGER PRIMARY KEY, question INTEGER NOT NULL REFERENCES questions,
        runner TEXT NOT NULL, batch TEXT, sent_at TEXT NOT NULL)""",
    "CREATE INDEX sendings_of ON sendings (question)",
    """CREATE TABLE failures (sending INTEGER PRIMARY KEY REFERENCES sendings, outcome NOT NULL, detail NOT NULL,
        paid TEXT NOT NULL CHECK (paid IN ('no', 'unknown')), failed_at TEXT NOT NULL)""",
    """CREATE TABLE answers (question INTEGER PRIMARY KEY REFERENCES questions, sending INTEGER REFERENCES sendings,
        text NOT NULL, finish_reason NOT NULL, tokens_in INTEGER, tokens_out INTEGER, cost REAL, latency_s REAL,
        token_logprobs TEXT, served, seal BLOB NOT NULL, answered_at TEXT NOT NULL)""",
    """CREATE TABLE batches (batch INTEGER PRIMARY KEY, local TEXT NOT NULL UNIQUE, endpoint TEXT NOT NULL,
        model TEXT NOT NULL, created TEXT NOT NULL)""",
    """CREATE TABLE batch_questions (batch INTEGER NOT NULL REFERENCES batches, question INTEGER NOT NULL
        REFERENCES questions, PRIMARY KEY (batch, question)) WITHOUT ROWID""",
    "CREATE INDEX batches_of ON batch_questions (question)",
    """CREATE TABLE batch_steps (step INTEGER PRIMARY KEY, batch INTEGER NOT NULL REFERENCES batches,
        state TEXT NOT NULL, file_id TEXT, batch_id TEXT, detail, at TEXT NOT NULL)""",
    "CREATE INDEX steps_of ON batch_steps (batch)",
)


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """A connection in autocommit mode; transactions are begun by hand.

    Raises:
        sqlite3.Error: the file cannot be opened, or is no database.
    """
    place = path if write else f"{path.as_uri()}?mode=ro"
    connection = sqlite3.connect(
        place, uri=not write, isolation_level=None, timeout=BUSY_S, check_same_thread=False, cached_statements=256
    )
    if write:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
        except BaseException:
            connection.close()
            raise
    return connection


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables, if there are none. Nobody else may be opening the ledger meanwhile.

    Raises:
        HabitusError: the file is another program's, or of a newer version.
        sqlite3.Error: it is damaged.
    """
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if not tables:
        connection.execute("BEGIN IMMEDIATE")
        for statement in _TABLES:
            connection.execute(statement)
        connection.execute("INSERT INTO meta VALUES (?)", [VERSION])
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute("COMMIT")
        return
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != _APPLICATION:
        raise HabitusError(f"{path}: expected a ledger, got another program's database; choose another --ledger")
    (version,) = connection.execute("SELECT max(version) FROM meta").fetchone()
    if version != VERSION:
        raise HabitusError(f"{path}: expected a ledger of version {VERSION}, got {version}; install a newer habitus")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """What SQLite or the system complains of, as one line.

    Raises:
        HabitusError: in place of sqlite3.Error and OSError; and of UnicodeDecodeError, which Python raises when SQLite
            quotes a damaged text in its complaint.
    """
    try:
        yield
    except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
        raise HabitusError(f"{path}: {_said(error)}") from error


def _said(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"cannot be used: {error.strerror or error}; make room, or choose another --ledger"
    complaint = " ".join(str(error).split())[:_LONGEST]  # it may quote a damaged text
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}:
        return f"cannot be written: {complaint}; make room, then go on with `habitus resume`"
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        return f"cannot be written: {complaint}; choose another --ledger"
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return f"another program has kept it locked for {BUSY_S:.0f} s: {complaint}"
    return f"expected a ledger, got a damaged file: {complaint}; restore it, or choose another --ledger"
