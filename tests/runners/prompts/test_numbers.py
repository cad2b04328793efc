"""Answers by number: as models write them, and as the slow twin reads them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import parsing

from habitus_runners.prompts.match import Candidates
from habitus_runners.prompts.numbers import parse_numbers, parse_numbers_strictly
from habitus_runners.prompts.parse import Parsed

TITLES = [f"Invented {letter * 4} ({1950 + place})" for place, letter in enumerate("ABCDEFGHIJKLMNOPQRST")]
INDEX = Candidates(TITLES)

CASES = {
    "as asked": ('{"ranking": [14, 3, 7]}', [13, 2, 6], "ok", [1, 1, 1]),
    "as asked, indented": ('{\n  "ranking": [\n    14,\n    3,\n    7\n  ]\n}\n', [13, 2, 6], "ok", [1, 1, 1]),
    "after reasoning": ('<think>[1, 2, 3]</think>{"ranking": [14, 3, 7]}', [13, 2, 6], "ok", [1, 1, 1]),
    "fenced": ('```json\n{"ranking": [14, 3, 7]}\n```', [13, 2, 6], "repaired", [1, 1, 1]),
    "bare list": ("[14, 3, 7]", [13, 2, 6], "repaired", [1, 1, 1]),
    "another key": ('{"answer": [14, 3, 7]}', [13, 2, 6], "repaired", [1, 1, 1]),
    "list in a list": ('{"ranking": [[14, 3, 7]]}', [13, 2, 6], "repaired", [1, 1, 1]),
    "in a sentence": ("I choose [14, 3, 7] for them.", [13, 2, 6], "repaired", [1, 1, 1]),
    "draft, then final": ('[1, 2, 3]\nBetter: {"ranking": [14, 3, 7]}', [13, 2, 6], "repaired", [1, 1, 1]),
    "strings": ('{"ranking": ["14", "#3", "7."]}', [13, 2, 6], "repaired", [2, 2, 2]),
    "floats": ('{"ranking": [14.0, 3, 7]}', [13, 2, 6], "repaired", [2, 1, 1]),
    "full-width": ('{"ranking": ["１４", "３", "٧"]}', [13, 2, 6], "repaired", [2, 2, 2]),  # noqa: RUF001 - digits of other scripts
    "rank to number": ('{"1": 14, "2": 3, "3": 7}', [13, 2, 6], "repaired", [1, 1, 1]),
    "pairs of rank and number": ("[[1, 14], [2, 3], [3, 7]]", [13, 2, 6], "repaired", [1, 1, 1]),
    "no JSON": ("14 > 3 > 7", [13, 2, 6], "repaired", [2, 2, 2]),
    "numbered numbers": ("1. 14\n2. 3\n3. 7", [13, 2, 6], "repaired", [2, 2, 2]),
    "numbers on lines": ("14\n3.\n- 7", [13, 2, 6], "repaired", [2, 2, 2]),
    "no fractions": ("14 3.5 7", [13, 6], "short", [2, 2]),
    "one too many": ('{"ranking": [14, 3, 7, 1]}', [13, 2, 6], "repaired", [1, 1, 1]),
    "full despite a repeat": ('{"ranking": [14, 14, 3, 7]}', [13, 2, 6], "repaired", [1, 1, 1]),
    "duplicate": ('{"ranking": [14, 3, 14]}', [13, 2], "duplicate", [1, 1]),
    "zero": ('{"ranking": [14, 0, 3]}', [13, 2], "unknown item", [1, 1]),
    "beyond": ('{"ranking": [14, 21, 3]}', [13, 2], "unknown item", [1, 1]),
    "negative": ('{"ranking": [14, -3, 3]}', [13, 2], "unknown item", [1, 1]),
    "no number": ('{"ranking": [14, null, true, 3]}', [13, 2], "unknown item", [1, 1]),
    "huge": (f'{{"ranking": [14, {"9" * 4000}, 1e999, 3]}}', [13, 2], "unknown item", [1, 1]),
    "short": ('{"ranking": [14, 3]}', [13, 2], "short", [1, 1]),
    "nothing": ('{"ranking": []}', [], "empty", []),
    "blank": (" \n", [], "empty", []),
    "cut": ('{"ranking": [14, 3, ', [13, 2], "truncated", [1, 1]),
    "cut, perhaps in a number": ('{"ranking": [14, 3, 1', [13, 2], "truncated", [1, 1]),
    "refusal": ("I'm sorry, but I can't predict people.", [], "refusal", []),
    "prose": ("It depends on the day.", [], "unknown item", []),
    "titles after all": (json.dumps([TITLES[13], TITLES[2], TITLES[6]]), [13, 2, 6], "repaired", [1, 1, 1]),
    "titles under the key": (json.dumps({"ranking": [TITLES[13], TITLES[2]]}), [13, 2], "short", [1, 1]),
    "numbers with titles": (
        f"14. {TITLES[13]}\n3. {TITLES[2].lower()}\n7. **{TITLES[6]}**",
        [13, 2, 6],
        "repaired",
        [1, 2, 1],
    ),
    "footnotes": (f"{TITLES[13]} [1]\n{TITLES[2]}\n{TITLES[6]}\n[1] seen", [2, 6], "unknown item", [1, 1]),
}


@pytest.mark.parametrize(("text", "positions", "verdict", "levels"), CASES.values(), ids=CASES)
def test_an_answer_means(text: str, positions: list[int], verdict: str, levels: list[int]) -> None:
    empty = 3 - len(positions)
    expected = Parsed((*positions, *[-1] * empty), verdict, (*levels, *[0] * empty))
    assert parse_numbers(text, INDEX, 3) == expected


def test_an_answer_that_ran_out_of_tokens_is_truncated_unless_full() -> None:
    assert parse_numbers('{"ranking": [14, 3]}', INDEX, 3, "length").verdict == "truncated"
    assert parse_numbers('{"ranking": [14, 3, 7]}', INDEX, 3, "length").verdict == "ok"


@pytest.mark.parametrize(
    ("text", "ranking", "verdict"),
    [
        ('{"ranking": [14, 3, 7]}', (13, 2, 6), "ok"),
        (' {"ranking":[14,3,7]}\n', (13, 2, 6), "ok"),
        ('{"ranking": [14, "3", 7]}', (13, 6, -1), "unknown item"),
        ('{"ranking": [14, 3, 7, 1]}', (13, 2, 6), "repaired"),
        ("[14, 3, 7]", (-1, -1, -1), "empty"),
        ('Sure: {"ranking": [14, 3, 7]}', (-1, -1, -1), "empty"),
        (json.dumps({"ranking": TITLES[:3]}), (-1, -1, -1), "unknown item"),
        (json.dumps(TITLES[:3]), (-1, -1, -1), "empty"),
        ("I cannot", (-1, -1, -1), "refusal"),
    ],
)
def test_the_strict_reader_takes_what_was_asked_for_alone(text: str, ranking: tuple[int, ...], verdict: str) -> None:
    assert parse_numbers_strictly(text, INDEX, 3)[:2] == (ranking, verdict)


entries = (
    st.integers(-3, 12)
    | st.integers(-3, 12).map(str)
    | st.integers(0, 12).map(lambda number: f" #{number}) ")
    | st.integers(-3, 12).map(float)
    | st.sampled_from([None, True, 2.5, 10**30, "first", "-", "", "3 of 4"])
)


@given(st.lists(entries, max_size=9), st.integers(1, 6))
def test_agrees_with_the_slow_twin(ranking: list[Any], length: int) -> None:
    candidates = Candidates(TITLES[:9])
    places, verdict, levels = parsing.ranking([parsing.number(entry, 9) for entry in ranking], length)
    assert parse_numbers(json.dumps({"ranking": ranking}), candidates, length) == (
        tuple(places),
        verdict,
        tuple(levels),
    )


@given(st.permutations(range(20)), st.integers(1, 20), st.sampled_from(["{}", "So:\n{}\n.", "```\n{}\n```"]))
def test_any_order_of_all_numbers_round_trips(order: list[int], length: int, around: str) -> None:
    text = around.format(json.dumps({"ranking": [position + 1 for position in order[:length]]}))
    read = parse_numbers(text, INDEX, length)
    assert read == (tuple(order[:length]), "ok" if around == "{}" else "repaired", (1,) * length)
