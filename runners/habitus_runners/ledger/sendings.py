"""What is written when a question is sent, answered or fails. Everything runs within a transaction of the writer."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from habitus_runners.errors import HabitusError
from habitus_runners.ledger.records import Elsewhere, Question, Reply, Sending
from habitus_runners.ledger.rows import Values, found, now, prompt_hash, stored
from habitus_runners.ledger.runners import Runner

_ASKED = """INSERT INTO questions (answer_id, source, prompt, sample)
SELECT ?, source, ?, ? FROM sources WHERE model = ? AND revision = ? AND method = ?"""
_IN_FLIGHT = """SELECT runner FROM sendings LEFT JOIN failures USING (sending)
WHERE question = ? AND failures.sending IS NULL"""
_SENT = "INSERT INTO sendings (question, runner, batch, sent_at) VALUES (?, ?, ?, ?)"
_ANSWERED = "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_FAILED = "INSERT OR IGNORE INTO failures VALUES (?, ?, ?, ?, ?)"
_DOUBTFUL = """
WITH unclear AS (
    SELECT question, min(sending) AS first FROM sendings LEFT JOIN failures USING (sending)
    WHERE coalesce(paid, 'unknown') = 'unknown' GROUP BY question)
SELECT source, count(*) FROM sendings JOIN unclear USING (question) JOIN questions USING (question)
LEFT JOIN failures USING (sending)
WHERE sending > first AND coalesce(paid, 'unknown') = 'unknown'
"""
REPEATS = f"{_DOUBTFUL} GROUP BY source"
"""By source, the sendings that may have been paid for after an earlier one that may have been, to the same question.

One may have been if nothing is known of its end, or it failed in a way that leaves it open.
"""
REPEATS_AMONG = f"{_DOUBTFUL} AND answer_id IN (SELECT value FROM json_each(?)) GROUP BY source"  # noqa: S608 - our own text alone


def note(connection: sqlite3.Connection, question: Question) -> int:
    """Put a question on record, once; its number."""
    number = _number(connection, question.answer_id)
    if number is not None:
        return number
    known_by = prompt_hash(question.prompt)
    connection.execute("INSERT OR IGNORE INTO prompts VALUES (?, ?)", (known_by, stored(question.prompt)))
    source = (question.model, question.revision, question.method)
    row = (question.answer_id, known_by, question.sample, *source)
    made = connection.execute(_ASKED, row)
    if not made.rowcount:
        connection.execute("INSERT INTO sources (model, revision, method) VALUES (?, ?, ?)", source)
        made = connection.execute(_ASKED, row)
    return _last(made)


def send(
    connection: sqlite3.Connection, question: Question, runner: Runner, batch: str | None, path: Path
) -> Sending | Reply | Elsewhere:
    """Leave to send a question; or its answer, or who is sending it."""
    number = _number(connection, question.answer_id)
    if number is None:
        number = note(connection, question)
    else:
        reply = found(connection, question.answer_id, path)
        if reply is not None:
            return reply
        for (name,) in connection.execute(_IN_FLIGHT, [number]).fetchall():
            if runner.lives(name):
                return Elsewhere(name)
    return Sending(_last(connection.execute(_SENT, (number, runner.name, batch, now()))))


def answered(connection: sqlite3.Connection, sending: Sending, answer_id: str, values: Values) -> None:
    """Keep what a sending brought. Of two answers the first stays; the other is on record as a failure."""
    number = _of(connection, sending, answer_id)
    made = connection.execute(_ANSWERED, (number, sending.number, *values, now()))
    if not made.rowcount:
        failed(connection, sending, "superseded", "an answer had come meanwhile", "unknown")


def failed(connection: sqlite3.Connection, sending: Sending, outcome: str, detail: str, paid: str) -> None:
    """Note how a sending ended without an answer."""
    connection.execute(_FAILED, (sending.number, stored(outcome), stored(detail), paid, now()))


def keep(connection: sqlite3.Connection, pairs: Iterable[tuple[Question, Values]]) -> None:
    """Keep answers that came without sendings; of two to one question the first stays."""
    for question, values in pairs:
        connection.execute(_ANSWERED, (note(connection, question), None, *values, now()))


def _number(connection: sqlite3.Connection, answer_id: str) -> int | None:
    row = connection.execute("SELECT question FROM questions WHERE answer_id = ?", [answer_id]).fetchone()
    return None if row is None else int(row[0])


def _of(connection: sqlite3.Connection, sending: Sending, answer_id: str) -> int:
    """The number of the question that was sent, which must be the one that is answered."""
    asked = "SELECT question, answer_id FROM sendings JOIN questions USING (question) WHERE sending = ?"
    row = connection.execute(asked, [sending.number]).fetchone()
    if row is None or row[1] != answer_id:
        raise HabitusError(f"ledger: expected the answer to what was sent as {sending.number}, got one to {answer_id}")
    return int(row[0])


def _last(cursor: sqlite3.Cursor) -> int:
    if cursor.lastrowid is None:
        raise HabitusError("ledger: expected a new row, got none")
    return cursor.lastrowid
