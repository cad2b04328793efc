"""The answers of a study become its rankings table: every answer is read against its own task's candidates."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from habitus_runners.errors import HabitusError
from habitus_runners.prompts.match import Candidates
from habitus_runners.prompts.parse import PARSER, Parsed, parse_for
from habitus_runners.tables import rankings_schema


def rankings(answers: pa.Table, tasks: pa.Table, titles: Sequence[str], length: int) -> pa.Table:
    """One row per answer, in the order of ``answers``. A row with an error is a request that failed: it is left out.

    Args:
        answers: tables.answers_schema.
        tasks: the tasks they answer, tables.tasks_schema.
        titles: the title of every item of the data set; ``tasks.candidates`` are row numbers in it.
        length: N.

    Returns:
        tables.rankings_schema(length).

    Raises:
        HabitusError: an answer to a task that is not in ``tasks``.
    """
    answers = answers.filter(pc.is_null(answers["error"]))
    rows = _task_rows(answers["task_id"], tasks["task_id"])
    parsed = _parsed(answers, rows, tasks["candidates"].to_pylist(), titles, length)
    schema = rankings_schema(length)
    columns = {
        "answer_id": answers["answer_id"],
        "task_id": answers["task_id"],
        "model": answers["model"],
        "parser": pa.array([PARSER] * len(parsed), pa.string()).dictionary_encode(),
        "ranking": _slots([row.ranking for row in parsed], np.int16, length),
        "verdict": pa.array([row.verdict for row in parsed], pa.string()).dictionary_encode(),
        "match_levels": _slots([row.levels for row in parsed], np.int8, length),
    }
    return pa.table(columns, schema=schema)


def _task_rows(answered: pa.ChunkedArray, known: pa.ChunkedArray) -> NDArray[np.int64]:
    rows = pc.index_in(answered, known)
    if rows.null_count:
        missing = answered.filter(pc.is_null(rows))[0].as_py()
        raise HabitusError(f"answers: expected answers to the {len(known)} tasks given, got one to task {missing}")
    return np.asarray(rows, dtype=np.int64)


def _parsed(
    answers: pa.Table, rows: NDArray[np.int64], candidates: list[list[int]], titles: Sequence[str], length: int
) -> list[Parsed]:
    texts, reasons = answers["text"].to_pylist(), answers["finish_reason"].to_pylist()
    parsed: dict[int, Parsed] = {}
    row, index = -1, Candidates(())
    # Task by task, so that one index at a time serves all answers to it: those of all tasks would fill the memory.
    for answer in np.argsort(rows, kind="stable").tolist():
        if rows[answer] != row:
            row = int(rows[answer])
            index = Candidates([titles[item] for item in candidates[row]])
        parsed[answer] = parse_for(texts[answer] or "", index, length, reasons[answer] or "stop")
    return [parsed[answer] for answer in range(len(rows))]


def _slots(values: list[tuple[int, ...]], kind: type[np.integer[Any]], length: int) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(np.array(values, kind).ravel()), length)
