"""Orders for answers that come later: what is written about them, step by step."""

import sqlite3
import uuid
from collections.abc import Sequence

from habitus_runners.errors import HabitusError
from habitus_runners.ledger.records import Batch, Question
from habitus_runners.ledger.rows import Values, loaded, now, stored
from habitus_runners.ledger.sendings import note

STATES = ("opened", "uploaded", "submitted", "ended", "collected", "lost")
_UNFINISHED = "batch NOT IN (SELECT batch FROM batch_steps WHERE state IN ('collected', 'lost'))"
_STEPS = """SELECT local, endpoint, model, created,
    (SELECT count(*) FROM batch_questions WHERE batch_questions.batch = batches.batch),
    state, file_id, batch_id, detail
FROM batches JOIN batch_steps USING (batch)"""
ALL = f"{_STEPS} ORDER BY batch, step"
UNFINISHED = f"{_STEPS} WHERE {_UNFINISHED} ORDER BY batch, step"
HELD = f"SELECT question FROM batch_questions WHERE {_UNFINISHED}"  # noqa: S608 - our own text alone
OPEN = f"""SELECT source, count(DISTINCT batch) FROM batch_questions JOIN questions USING (question)
WHERE {_UNFINISHED} GROUP BY source"""  # noqa: S608 - our own text alone
QUESTIONS = """SELECT answer_id, sources.model, revision, method, text, sample, hash
FROM batches JOIN batch_questions USING (batch) JOIN questions USING (question) JOIN sources USING (source)
JOIN prompts ON hash = prompt
WHERE local = ? ORDER BY question"""
HOLDING = f"""SELECT answer_id, local FROM questions JOIN batch_questions USING (question) JOIN batches USING (batch)
WHERE answer_id IN (SELECT value FROM json_each(?)) AND {_UNFINISHED}
ORDER BY batch"""  # noqa: S608 - our own text alone


def open_batch(connection: sqlite3.Connection, endpoint: str, model: str, questions: Sequence[Question]) -> str:
    """Put an order on record; its local id."""
    local = uuid.uuid4().hex
    made = connection.execute(
        "INSERT INTO batches (local, endpoint, model, created) VALUES (?, ?, ?, ?)", (local, endpoint, model, now())
    )
    batch = made.lastrowid
    for question in questions:
        connection.execute("INSERT OR IGNORE INTO batch_questions VALUES (?, ?)", (batch, note(connection, question)))
    step(connection, local, "opened", (None, None, None))
    return local


def step(
    connection: sqlite3.Connection, local: str, state: str, about: tuple[str | None, str | None, str | None]
) -> None:
    """Note how far an order is; ``about``: the service's ids of its file and of itself, and a detail.

    Raises:
        ValueError: there is no such state.
        HabitusError: there is no such order.
    """
    if state not in STATES:
        raise ValueError(f"expected one of {', '.join(STATES)}, got {state!r}")
    file_id, batch_id, detail = about
    made = connection.execute(
        """INSERT INTO batch_steps (batch, state, file_id, batch_id, detail, at)
        SELECT batch, ?, ?, ?, ?, ? FROM batches WHERE local = ?""",
        (state, file_id, batch_id, None if detail is None else stored(detail), now(), local),
    )
    if not made.rowcount:
        raise HabitusError(f"ledger: expected the id of an order, got {local!r}")


def listed(rows: Sequence[Values]) -> list[Batch]:
    """One record per order, of its steps: the last state, and what was said last of everything else."""
    batches: dict[str, Batch] = {}
    for local, endpoint, model, created, count, state, file_id, batch_id, detail in rows:
        before = batches.get(local)
        batch = Batch(local, endpoint, model, state, file_id, batch_id, count, created, detail and loaded(detail))
        if before:
            unsaid = [name for name in ("file_id", "batch_id", "detail") if getattr(batch, name) is None]
            batch = batch._replace(**{name: getattr(before, name) for name in unsaid})
        batches[local] = batch
    return list(batches.values())
