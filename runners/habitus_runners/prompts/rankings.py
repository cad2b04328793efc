"""The answers of a study become its rankings table: every answer is read against its own task's candidates."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from habitus_runners.errors import HabitusError
from habitus_runners.prompts.match import Candidates
from habitus_runners.prompts.numbers import PARSER as NUMBERS_PARSER
from habitus_runners.prompts.numbers import parse_numbers, parse_numbers_strictly
from habitus_runners.prompts.parse import PARSER, Parsed, parse_for, parse_strictly
from habitus_runners.prompts.render import NUMBERS
from habitus_runners.tables import rankings_schema


class Reader(NamedTuple):
    """A way to read one answer, and its name and version in the rankings table."""

    version: str
    read: Callable[[str, Candidates, int, str], Parsed]


class Parser(NamedTuple):
    """How answers to prompts of the method ``numbers`` are read, and how all others, which name titles."""

    titles: Reader
    numbers: Reader

    def of(self, method: str | None) -> Reader:
        """The reader of one method's answers."""
        return self.numbers if method == NUMBERS else self.titles


DEFAULT = "titles"
PARSERS: Mapping[str, Parser] = {
    DEFAULT: Parser(Reader(PARSER, parse_for), Reader(NUMBERS_PARSER, parse_numbers)),
    "strict": Parser(Reader("strict-titles-1", parse_strictly), Reader("strict-numbers-1", parse_numbers_strictly)),
}


def parse_answer(
    method: str, text: str, candidates: Candidates, length: int, finish_reason: str = "stop", *, parser: str = DEFAULT
) -> Parsed:
    r"""The ranking that one answer gives, read as its method asks.

    Args:
        method: that the prompt was made for.
        text: as it came.
        candidates: of the task.
        length: N.
        finish_reason: ``length`` if the answer ran out of tokens.
        parser: one of PARSERS.

    Raises:
        HabitusError: an unknown parser.

    >>> candidates = Candidates(["Heat (1995)", "Alien (1979)"])
    >>> parse_answer("numbers", '{"ranking": [2, 1]}', candidates, 2).ranking
    (1, 0)
    >>> parse_answer("text", "1. Alien\n2. Heat", candidates, 2).levels
    (3, 3)
    """
    return _named(parser).of(method).read(text, candidates, length, finish_reason)


def rankings(answers: pa.Table, tasks: pa.Table, titles: Sequence[str], length: int, parser: str = DEFAULT) -> pa.Table:
    """One row per answer, in the order of ``answers``. A row with an error is a request that failed: it is left out.

    Args:
        answers: tables.answers_schema; ``method`` says how each was asked for.
        tasks: the tasks they answer, tables.tasks_schema.
        titles: the title of every item of the data set; ``tasks.candidates`` are row numbers in it.
        length: N.
        parser: one of PARSERS.

    Returns:
        tables.rankings_schema(length).

    Raises:
        HabitusError: an unknown parser, or an answer to a task that is not in ``tasks``.
    """
    named = _named(parser)
    answers = answers.filter(pc.is_null(answers["error"]))
    rows = _task_rows(answers["task_id"], tasks["task_id"])
    readers = [named.of(method) for method in answers["method"].to_pylist()]
    parsed = _parsed(answers, readers, rows, tasks["candidates"].to_pylist(), titles, length)
    schema = rankings_schema(length)
    columns = {
        "answer_id": answers["answer_id"],
        "task_id": answers["task_id"],
        "model": answers["model"],
        "parser": pa.array([reader.version for reader in readers], pa.string()).dictionary_encode(),
        "ranking": _slots([row.ranking for row in parsed], np.int16, length),
        "verdict": pa.array([row.verdict for row in parsed], pa.string()).dictionary_encode(),
        "match_levels": _slots([row.levels for row in parsed], np.int8, length),
    }
    return pa.table(columns, schema=schema)


def _named(parser: str) -> Parser:
    if parser not in PARSERS:
        raise HabitusError(f"parser: expected {' or '.join(PARSERS)}, got {parser!r}")
    return PARSERS[parser]


def _task_rows(answered: pa.ChunkedArray, known: pa.ChunkedArray) -> NDArray[np.int64]:
    rows = pc.index_in(answered, known)
    if rows.null_count:
        missing = answered.filter(pc.is_null(rows))[0].as_py()
        raise HabitusError(f"answers: expected answers to the {len(known)} tasks given, got one to task {missing}")
    return np.asarray(rows, dtype=np.int64)


def _parsed(
    answers: pa.Table,
    readers: Sequence[Reader],
    rows: NDArray[np.int64],
    candidates: Sequence[Sequence[int]],
    titles: Sequence[str],
    length: int,
) -> list[Parsed]:
    texts, reasons = _texts(answers["text"]), answers["finish_reason"].to_pylist()
    parsed: dict[int, Parsed] = {}
    row, index = -1, Candidates(())
    # Task by task, so that one index at a time serves all answers to it: those of all tasks would fill the memory.
    for answer in np.argsort(rows, kind="stable").tolist():
        if rows[answer] != row:
            row = int(rows[answer])
            index = Candidates([titles[item] for item in candidates[row]])
        parsed[answer] = readers[answer].read(texts[answer] or "", index, length, reasons[answer] or "stop")
    return [parsed[answer] for answer in range(len(rows))]


def _texts(column: pa.ChunkedArray) -> list[str | None]:
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        # Parquet and Arrow take any bytes for strings.
        written = column.cast(pa.binary()).to_pylist()
        return [text if text is None else text.decode("utf-8", "replace") for text in written]


def _slots(values: list[tuple[int, ...]], kind: type[np.integer[Any]], length: int) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(np.array(values, kind).ravel()), length)
