"""Answers as rows of the ledger, each with a seal: a flipped bit is found when the answer is read.

The seal is a hash of question and reply. SQLite itself notices damage to its own structure alone.
"""

import json
import math
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from habitus_runners.errors import HabitusError
from habitus_runners.ledger.records import Question, Reply

Values = tuple[Any, ...]

ANSWERS = """SELECT answer_id, model, revision, method, questions.prompt, sample, answers.text, finish_reason,
    tokens_in, tokens_out, cost, latency_s, token_logprobs, served, seal
FROM questions JOIN answers USING (question) JOIN sources USING (source)"""
"""As ``unsealed`` reads them."""

_ASKED = 6


class Unsealed(NamedTuple):
    """A row of ``ANSWERS`` whose seal was whole."""

    answer_id: str
    reply: Reply


def now() -> str:
    """This second, in UTC, as every table notes it: such texts sort by time."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def prompt_hash(prompt: str) -> bytes:
    """What a prompt is known by."""
    return blake2b(prompt.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def stored(text: str) -> str | bytes:
    """A text as SQLite takes it: services can send lone surrogates, which UTF-8 cannot write."""
    return text.encode("utf-8", "surrogatepass") if _odd(text) else text


def loaded(value: str | bytes) -> str:
    """A text as it was before it was stored."""
    return value.decode("utf-8", "surrogatepass") if isinstance(value, bytes) else value


def sealed(question: Question, reply: Reply) -> Values:
    """The columns of a reply, from ``text`` to ``seal``."""
    logprobs = reply.token_logprobs
    values = (
        reply.text,
        reply.finish_reason,
        _whole(reply.tokens_in),
        _whole(reply.tokens_out),
        _number(reply.cost),
        _number(reply.latency_s),
        None if logprobs is None else json.dumps([[token, float(value)] for token, value in logprobs]),
        reply.served,
    )
    asked = (*question[:4], prompt_hash(question.prompt), question.sample)
    texts = (None if value is None else stored(value) for value in (reply.text, reply.finish_reason, reply.served))
    text, finish_reason, served = texts
    return (text, finish_reason, *values[2:7], served, _seal(asked, values))


def unsealed(row: Values, path: Path) -> Unsealed:
    """The reply in a row of ``ANSWERS``.

    Raises:
        HabitusError: it is not what was written.
    """
    asked, seal = row[:_ASKED], row[-1]
    text, finish_reason, *numbers, logprobs, served = row[_ASKED:-1]
    try:
        served = None if served is None else loaded(served)
        values = (loaded(text), loaded(finish_reason), *numbers, logprobs, served)
        whole = _seal(asked, values) == seal
    except (TypeError, ValueError, AttributeError):  # a flipped bit can change a value's type
        whole = False
    if not whole:
        raise HabitusError(f"{path}: expected the answer {row[0]} as it was written, got a damaged one; restore it")
    pairs = None if logprobs is None else [(token, value) for token, value in json.loads(logprobs)]
    tokens_in, tokens_out, cost, latency_s = numbers
    reply = Reply(values[0], values[1], tokens_in, tokens_out, cost, latency_s, pairs, served)
    return Unsealed(row[0], reply)


def questions(rows: Sequence[Values], path: Path) -> Iterator[Question]:
    """Questions from their columns, the prompt's hash last.

    Raises:
        HabitusError: a prompt is not what was written.
    """
    for answer_id, model, revision, method, text, sample, known_by in rows:
        try:
            prompt = loaded(text)
            whole = prompt_hash(prompt) == known_by
        except (TypeError, ValueError, AttributeError):
            whole = False
        if not whole:
            raise HabitusError(f"{path}: expected the prompt of {answer_id} as it was written, got a damaged one")
        yield Question(answer_id, model, revision, method, prompt, sample)


def found(connection: sqlite3.Connection, answer_id: str, path: Path) -> Reply | None:
    """The answer of that id."""
    row = connection.execute(f"{ANSWERS} WHERE answer_id = ?", [answer_id]).fetchone()
    return None if row is None else unsealed(row, path).reply


def _odd(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _number(value: float | None) -> float | None:
    """As SQLite keeps it, which has neither NaN nor -0.0."""
    return None if value is None or math.isnan(value) else float(value) + 0.0


def _whole(value: int | None) -> int | None:
    return None if value is None else int(value)


def _seal(asked: Values, values: Values) -> bytes:
    answer_id, model, revision, method, prompt, sample = asked
    # ASCII, so that lone surrogates can be hashed too.
    text = json.dumps([answer_id, model, revision, method, prompt.hex(), sample, *values])
    return blake2b(text.encode("ascii"), digest_size=8).digest()
