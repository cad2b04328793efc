"""The rankings table: every answer against its own task's candidates."""

import json
from typing import Any

import pyarrow as pa
import pytest

from habitus_runners.errors import HabitusError
from habitus_runners.prompts.parse import PARSER, parse
from habitus_runners.prompts.rankings import PARSERS, rankings
from habitus_runners.tables import answers_schema, rankings_schema, tasks_schema

TITLES = [f"Invented {number} ({1950 + number})" for number in range(9)]
TASKS = {"a": [4, 2, 0, 8], "b": [1, 3, 5, 7], "c": [8, 7, 6, 5]}
N = 2


def tasks() -> pa.Table:
    rows = [{"task_id": task, "candidates": items, "counts": [0] * 4} for task, items in TASKS.items()]
    return _table(rows, tasks_schema(4, ()))


def answers(*rows: dict[str, Any]) -> pa.Table:
    numbered = [{"answer_id": f"answer {number}", "model": "m", **row} for number, row in enumerate(rows)]
    return _table(numbered, answers_schema())


def _table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([dict.fromkeys(schema.names) | row for row in rows], schema)


ROWS: list[dict[str, Any]] = [
    {"task_id": "b", "text": json.dumps([TITLES[7], TITLES[1]]), "finish_reason": "stop"},
    {"task_id": "a", "text": f"1. {TITLES[8].lower()}\n2. {TITLES[7]}", "finish_reason": "stop"},
    {"task_id": "c", "text": None, "error": "timeout"},
    {"task_id": "c", "text": f'["{TITLES[7]}", "Inv', "finish_reason": "length"},
    {"task_id": "a", "text": json.dumps([TITLES[4], TITLES[0]])},
    {"task_id": "c", "text": None, "finish_reason": "stop"},
]


def test_every_answer_is_read_against_its_own_task() -> None:
    table = rankings(answers(*ROWS), tasks(), TITLES, N)
    assert table.schema.equals(rankings_schema(N), check_metadata=True)
    assert table["answer_id"].to_pylist() == [f"answer {number}" for number in (0, 1, 3, 4, 5)]
    assert table["task_id"].to_pylist() == ["b", "a", "c", "a", "c"]
    assert table["ranking"].to_pylist() == [[3, 0], [3, -1], [1, -1], [0, 2], [-1, -1]]
    assert table["verdict"].to_pylist() == ["ok", "unknown item", "truncated", "ok", "empty"]
    assert table["match_levels"].to_pylist() == [[1, 1], [2, 0], [1, 0], [1, 1], [0, 0]]
    assert set(table["parser"].to_pylist()) == {PARSER}


def test_chunks_change_nothing_and_each_row_is_its_own_parse() -> None:
    whole = answers(*ROWS)
    split = pa.concat_tables([whole.slice(0, 1), whole.slice(1, 3), whole.slice(4)])
    chunked = pa.concat_tables([tasks().slice(0, 2), tasks().slice(2)])
    assert rankings(split, chunked, TITLES, N).equals(rankings(whole, tasks(), TITLES, N))
    for row, table in zip(ROWS[:2], rankings(whole, tasks(), TITLES, N).to_pylist(), strict=False):
        expected = parse(str(row["text"]), [TITLES[item] for item in TASKS[str(row["task_id"])]], N)
        assert (tuple(table["ranking"]), table["verdict"], tuple(table["match_levels"])) == expected


def test_no_answers_give_an_empty_table() -> None:
    table = rankings(answers(), tasks(), TITLES, N)
    assert table.num_rows == 0
    assert table.schema.equals(rankings_schema(N))


def test_an_answer_to_another_study_s_task_is_refused() -> None:
    with pytest.raises(HabitusError, match="3 tasks given, got one to task z"):
        rankings(answers(*ROWS, {"task_id": "z", "text": "[]"}), tasks(), TITLES, N)


NUMBERED: list[dict[str, Any]] = [
    {"task_id": "b", "text": '{"ranking": [4, 1]}', "method": "numbers"},
    {"task_id": "b", "text": '{"ranking": [4, 1]}', "method": "text"},
    {"task_id": "b", "text": json.dumps([TITLES[7], TITLES[1]]), "method": "choice"},
    {"task_id": "b", "text": json.dumps([TITLES[7], TITLES[1]]), "method": "numbers"},
    {"task_id": "b", "text": json.dumps([TITLES[7].upper(), TITLES[1]]), "method": "logprobs"},
]


def test_each_method_has_its_reader() -> None:
    table = rankings(answers(*NUMBERED), tasks(), TITLES, N)
    assert table["ranking"].to_pylist() == [[3, 0], [-1, -1], [3, 0], [3, 0], [3, 0]]
    assert table["verdict"].to_pylist() == ["ok", "unknown item", "ok", "repaired", "repaired"]
    assert table["parser"].to_pylist() == ["numbers-1", PARSER, PARSER, "numbers-1", PARSER]


def test_answers_are_read_again_by_another_parser() -> None:
    table = rankings(answers(*NUMBERED), tasks(), TITLES, N, parser="strict")
    assert table["ranking"].to_pylist() == [[3, 0], [-1, -1], [3, 0], [-1, -1], [0, -1]]
    assert table["verdict"].to_pylist() == ["ok", "empty", "ok", "empty", "unknown item"]
    assert set(table["parser"].to_pylist()) == {"strict-titles-1", "strict-numbers-1"}


def test_an_unknown_parser_is_refused() -> None:
    with pytest.raises(HabitusError, match="expected titles or strict, got 'lenient'"):
        rankings(answers(*NUMBERED), tasks(), TITLES, N, parser="lenient")


def test_every_reader_has_its_own_name() -> None:
    versions = [reader.version for parser in PARSERS.values() for reader in parser]
    assert len(set(versions)) == len(versions)


def test_text_that_is_not_utf_8_is_read_all_the_same() -> None:
    table = answers({"task_id": "b", "text": ""}, {"task_id": "b", "text": None})
    texts = pa.array([b"\xff\xed\xa0\x80" + json.dumps([TITLES[7], TITLES[1]]).encode() + b"\xc3", None])
    table = table.set_column(table.schema.get_field_index("text"), "text", texts.view(pa.string()))
    assert rankings(table, tasks(), TITLES, N)["ranking"].to_pylist() == [[3, 0], [-1, -1]]
