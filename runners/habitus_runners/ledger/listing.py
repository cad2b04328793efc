"""Looking at the ledger, sealing it and thinning it out: what `habitus ledger` shows and does."""

import hashlib
import io
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from habitus_runners.errors import HabitusError
from habitus_runners.ledger import batches, sendings
from habitus_runners.ledger.records import Question, Reply
from habitus_runners.ledger.rows import ANSWERS, Values, questions, unsealed
from habitus_runners.ledger.runners import alone
from habitus_runners.ledger.schema import connect, explained
from habitus_runners.ledger.store import Ledger
from habitus_runners.storage import atomic

_ROWS_AT_ONCE = 10_000

_SUMS = """SELECT source, model, method, revision, count(answers.question), sum(tokens_in), sum(tokens_out), sum(cost),
    substr(min(answered_at), 1, 10), substr(max(answered_at), 1, 10)
FROM sources JOIN questions USING (source) LEFT JOIN answers USING (question)
GROUP BY source ORDER BY model, method, max(answered_at)"""
_FAILURES = """SELECT source, count(*) FROM failures JOIN sendings USING (sending) JOIN questions USING (question)
GROUP BY source"""
_PROMPTS = """SELECT answer_id, model, revision, method, prompts.text, sample, hash, answered_at
FROM questions JOIN answers USING (question) JOIN sources USING (source) JOIN prompts ON hash = prompt"""
_QUESTIONS = """SELECT answer_id, model, revision, method, text, sample, hash
FROM questions JOIN sources USING (source) JOIN prompts ON hash = prompt"""

_CHOSEN = f"""FROM questions JOIN sources USING (source) LEFT JOIN answers USING (question)
WHERE (:model IS NULL OR model = :model) AND question NOT IN ({batches.HELD}) AND (:before IS NULL OR :before >
    coalesce(answered_at, (SELECT max(sent_at) FROM sendings WHERE sendings.question = questions.question), '9'))"""  # noqa: S608 - our own text alone
_COUNTED = f"""SELECT count(answers.question), count(*) - count(answers.question), coalesce(sum(tokens_in), 0),
    coalesce(sum(tokens_out), 0), coalesce(sum(cost), 0.0) {_CHOSEN}"""
_REMOVALS = (
    "DELETE FROM failures WHERE sending IN (SELECT sending FROM sendings JOIN gone USING (question))",
    "DELETE FROM answers WHERE question IN (SELECT question FROM gone)",
    "DELETE FROM sendings WHERE question IN (SELECT question FROM gone)",
    "DELETE FROM batch_questions WHERE question IN (SELECT question FROM gone)",
    "DELETE FROM questions WHERE question IN (SELECT question FROM gone)",
    "DELETE FROM prompts WHERE hash NOT IN (SELECT prompt FROM questions)",
    "DELETE FROM sources WHERE source NOT IN (SELECT source FROM questions)",
    "DELETE FROM batch_steps WHERE batch NOT IN (SELECT batch FROM batch_questions)",
    "DELETE FROM batches WHERE batch NOT IN (SELECT batch FROM batch_questions)",
)


class Line(NamedTuple):
    """What the ledger holds of one model, asked in one way; days in UTC."""

    model: str
    method: str
    revision: str
    answers: int
    tokens_in: int | None
    tokens_out: int | None
    dollars: float | None
    first: str | None
    last: str | None
    failures: int
    repeats: int
    open_batches: int


class Record(NamedTuple):
    """One answer with its question, and when it was kept."""

    question: Question
    reply: Reply
    kept: str


class Pruned(NamedTuple):
    """What was removed, and what it had cost in USD; ``unanswered`` are questions that had no answer."""

    answers: int
    unanswered: int
    tokens_in: int
    tokens_out: int
    dollars: float


def summary(ledger: Ledger) -> list[Line]:
    """One line per model, method and revision."""
    queries = (_FAILURES, sendings.REPEATS, batches.OPEN)
    counts = [dict[int, int](ledger.rows(query)) for query in queries]
    return [Line(*row, *(count.get(source, 0) for count in counts)) for source, *row in ledger.rows(_SUMS)]


def show(ledger: Ledger, prefix: str) -> Record:
    """The one answer whose id begins so.

    Raises:
        HabitusError: there is none, or more than one, or it is damaged.
    """
    starts = "substr(answer_id, 1, ?) = ? ORDER BY answer_id LIMIT 2"
    found = list(_records(ledger, starts, len(prefix), prefix))
    if len(found) != 1:
        came = "more than one" if found else "none"
        raise HabitusError(f"{ledger.path}: expected one answer whose id begins with {prefix!r}, found {came}")
    return found[0]


def export(ledger: Ledger, path: Path, model: str | None = None) -> str:
    """Seal the answers, of one model or of all, into a Parquet file that only its owner may read; its SHA-256.

    Raises:
        HabitusError: it cannot be written, or an answer is damaged.
    """
    records = _records(ledger, "?1 IS NULL OR model = ?1 ORDER BY model, answer_id", model)
    with atomic(path) as file:
        hashed = _Hashed(file)
        with pq.ParquetWriter(hashed, _SCHEMA, compression="zstd") as writer:
            while some := list(islice(records, _ROWS_AT_ONCE)):
                writer.write_table(pa.Table.from_pylist([_plain(record) for record in some], _SCHEMA))
    return hashed.digest.hexdigest()


def prune(ledger: Ledger, model: str | None = None, before: str | None = None, *, dry_run: bool = False) -> Pruned:
    """Remove answers that were paid for, with their questions and all that is known of their sendings.

    What is in a batch whose answers are still to come stays.

    Args:
        ledger: that nobody else has open.
        model: of one model alone.
        before: kept, or sent in vain, before this day, as in 2026-01-31, alone.
        dry_run: only count.

    Raises:
        HabitusError: another runner has the ledger, or ``before`` is no day.
    """
    values = {"model": model, "before": _day(before)}
    with explained(ledger.path), alone(ledger.path):
        others = [] if dry_run else ledger.runner.others()
        if others:
            raise HabitusError(
                f"{ledger.path}: expected nobody else at work in it, found {', '.join(others)}; wait for them"
            )
        with closing(connect(ledger.path, write=not dry_run)) as connection:
            return _pruned(connection, values, dry_run=dry_run)


def damage(ledger: Ledger) -> list[str]:
    """What is wrong with the file, one line each: its structure; answers and prompts that are not what was written."""
    found: list[str] = []
    try:
        found += [str(said) for (said,) in ledger.rows("PRAGMA integrity_check") if said != "ok"]
        orphans = ledger.rows("PRAGMA foreign_key_check")
        found += [f"{table}: row {row} belongs to nothing in {parent}" for table, row, parent, _ in orphans]
        found += _changed(ledger, ANSWERS, lambda row: unsealed(row, ledger.path))
        found += _changed(ledger, _QUESTIONS, lambda row: list(questions([row], ledger.path)))
    except HabitusError as error:
        found.append(str(error))
    return found


def _changed(ledger: Ledger, query: str, check: Callable[[Values], object]) -> Iterator[str]:
    for row in ledger.each(query):
        try:
            check(row)
        except HabitusError as error:
            yield str(error)


def _pruned(connection: sqlite3.Connection, values: dict[str, str | None], *, dry_run: bool) -> Pruned:
    pruned = Pruned(*connection.execute(_COUNTED, values).fetchone())
    if not dry_run:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"CREATE TEMP TABLE gone AS SELECT question {_CHOSEN}", values)
        for statement in _REMOVALS:
            connection.execute(statement)
        connection.execute("DROP TABLE gone")
        connection.execute("COMMIT")
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return pruned


def _records(ledger: Ledger, chosen: str, *values: object) -> Iterator[Record]:
    """The answers that are chosen, with their questions. Two queries: one reads seals, the other prompts."""
    prompts = ledger.each(f"{_PROMPTS} WHERE {chosen}", *values)
    answers = ledger.each(f"{ANSWERS} WHERE {chosen}", *values)
    for asked, row in zip(prompts, answers, strict=True):
        (question,) = questions([asked[:-1]], ledger.path)
        yield Record(question, unsealed(row, ledger.path).reply, asked[-1])


class _Hashed(io.RawIOBase):
    """A file that hashes what is written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:  # noqa: ANN401 - whatever has a buffer
        self.digest.update(content)
        return self._file.write(content)

    def tell(self) -> int:
        return self._file.tell()


_SCHEMA = pa.schema(
    {
        "answer_id": pa.string(), "model": pa.string(), "revision": pa.string(), "method": pa.string(),
        "prompt": pa.string(), "sample": pa.int64(), "text": pa.string(),
        "token_logprobs": pa.list_(pa.struct([("token", pa.string()), ("logprob", pa.float64())])),
        "finish_reason": pa.string(), "tokens_in": pa.int64(), "tokens_out": pa.int64(), "cost": pa.float64(),
        "latency_s": pa.float64(), "served": pa.string(), "answered_at": pa.string(),
    },
    metadata={"unit.cost": "USD", "unit.latency_s": "seconds", "unit.token_logprobs": "nats"},
)  # fmt: skip


def _plain(record: Record) -> dict[str, Any]:
    """As Arrow takes it, which has no lone surrogates: they are written as escapes."""
    logprobs = record.reply.token_logprobs
    pairs = None if logprobs is None else [{"token": _utf8(token), "logprob": value} for token, value in logprobs]
    values = {**record.question._asdict(), **record.reply._asdict(), "answered_at": record.kept}
    texts = {name: _utf8(value) for name, value in values.items() if isinstance(value, str)}
    return {**values, **texts, "token_logprobs": pairs}


def _utf8(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _day(day: str | None) -> str | None:
    try:
        return None if day is None else date.fromisoformat(day).isoformat()
    except ValueError:
        raise HabitusError(f"--before: expected a day such as 2026-01-31, got {day!r}") from None
