"""Answers that mean harm: always read, in bounded work, as a ranking. Times: benchmarks/bench_hostile.py."""

import json
import os
import sys

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from rapidfuzz import process
from tests.fuzz.laws import CANDIDATES, TITLES, check
from tests.fuzz.parser import spelt
from tests.fuzz.vocabulary import FAMILIES, WORDS

from habitus_runners.prompts import extract, fold, match
from habitus_runners.prompts.match import Candidates
from habitus_runners.prompts.rankings import parse_answer
from habitus_runners.prompts.readings import MENTION

EXAMPLES = int(os.environ.get("HABITUS_EXAMPLES", "200"))
TEN_MB = 10_000_000

words = st.lists(st.sampled_from(WORDS), max_size=60).map("".join)
almost_json = st.recursive(
    st.sampled_from(TITLES) | st.integers() | st.none() | st.booleans() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(words, inner, max_size=4),
    max_leaves=20,
).map(json.dumps)
spoilt = st.builds(
    lambda text, place, word, length: (text[: place % (len(text) + 1)] + word + text[place % (len(text) + 1) :])[
        :length
    ],
    almost_json,
    st.integers(0, 10_000),
    st.sampled_from(WORDS) | st.just(""),
    st.integers(0, 20_000),
)
oddities = st.text(
    st.characters(codec=None) | st.sampled_from("\x00\ud800\udc00\u202e\u200b\ufdfa\u0130ß\u0345\U000e0041")
)
repeated = st.builds(lambda text, times: text * times, words | oddities, st.integers(0, 3_000)).map(
    lambda text: text[:50_000]
)
told = st.builds(
    lambda before, answer, after: f"{before}{answer}{after}",
    st.sampled_from(["", "<think>", "<think>so</think>", "```json\n", "> ", "# Answer\n\n", "I'm sorry. "]),
    almost_json | words | repeated,
    st.sampled_from(["", "</think>", "\n```", "\n\nEnjoy!"]),
)


@effort(max_examples=EXAMPLES)
@given(
    words | almost_json | spoilt | oddities | repeated | told, st.integers(1, 10), st.sampled_from(["stop", "length"])
)
def test_whatever_comes_is_a_valid_ranking(text: str, length: int, reason: str) -> None:
    check(text, length, reason)


@pytest.mark.parametrize("unit", FAMILIES.values(), ids=FAMILIES)
def test_ten_million_letters_are_read_as_their_first_16_kib(unit: str) -> None:
    long = unit * (TEN_MB // len(unit))
    check(long, 10, "stop")
    if "think>" not in unit:
        assert parse_answer("text", long, CANDIDATES, 10) == parse_answer("text", extract.capped(long), CANDIDATES, 10)
    assert len(extract.capped(long).encode()) <= extract.LIMIT == 16 * 1024


@pytest.mark.parametrize("unit", FAMILIES.values(), ids=FAMILIES)
def test_the_work_is_bounded(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mentions and fuzzy comparisons per answer: the two that a bad rule would let grow as the square of the length."""
    compared, found = [], []
    monkeypatch.setattr(match, "process", _Counting(compared))
    index = Candidates(TITLES)
    find = index.find
    monkeypatch.setattr(index, "find", lambda mention: found.append(len(mention[:MENTION])) or find(mention))
    for method in ("text", "numbers"):
        compared.clear()
        found.clear()
        parse_answer(method, unit * (TEN_MB // len(unit)), index, 10)
        readings = 3  # as JSON, as quotes, as lines
        assert len(found) <= readings * extract.MENTIONS
        # A mention's whole, the same without its mark, what is emphasised in it, and its cells hold each letter once.
        assert sum(compared) <= readings * 4 * extract.LIMIT
        assert max(compared, default=0) <= fold.LONGEST


@pytest.mark.parametrize("unit", [*FAMILIES.values(), "[" * 200 + "t", '{"a":[' * 20 + "x ", "['a' "])
@pytest.mark.parametrize("method", ["text", "numbers"])
def test_twice_the_text_takes_about_twice_the_steps(method: str, unit: str) -> None:
    once, twice = (_calls(method, unit * (size // len(unit))) for size in (2_500, 5_000))
    assert twice <= 2.5 * once + 1_000
    assert twice <= 150_000


def _calls(method: str, text: str) -> int:
    """How many functions are called, Python's and C's, to read an answer that nothing is known of."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    fold.forms.cache_clear()
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        parse_answer(method, text, CANDIDATES, 10)
    finally:
        sys.setprofile(before)
    return calls


def test_the_fuzzer_s_bytes_are_words_or_letters() -> None:
    assert spelt(bytes(range(len(WORDS)))) == "".join(WORDS)
    assert spelt(b"\xe9") == "é"


class _Counting:
    """Rapidfuzz's ``process``, with the lengths of what was compared."""

    def __init__(self, compared: list[int]) -> None:
        self._compared = compared

    def extract(self, query: str, *given: object, **named: object) -> object:
        self._compared.append(len(query))
        return process.extract(query, *given, **named)


def test_forms_of_a_letter_that_becomes_eighteen_are_cut() -> None:
    assert all(len(form) <= fold.LONGEST for form in fold.forms("\ufdfa" * MENTION)[:3])


@pytest.mark.parametrize(
    "title", ["\u0130stanbul (1999)", "Stra\u00dfe", "\ufb03nity", "\u1e9eu\u0345 abc", "\ufdfa", "\u2167 Samurai"]
)
def test_letters_that_change_their_number_match_themselves_in_either_case(title: str) -> None:
    for spelling in (title, title.upper(), title.casefold(), f"1. {title}"):
        assert Candidates([title, "Heat (1995)"]).find(spelling).positions == [0], spelling


@pytest.mark.parametrize("hidden", ["\x00", "\u200b", "\u202e", "\ufeff", "\\ud800", "\U000e0041", "\x1b"])
def test_characters_that_hide_are_not_part_of_a_title(hidden: str) -> None:
    text = f'["He{hidden}at (1995)", "Intro{hidden}"]'
    assert parse_answer("text", text, CANDIDATES, 2)[:2] == ((0, 5), "repaired")


def test_a_lone_surrogate_that_utf_8_cannot_hold_is_read_as_it_would_be_stored() -> None:
    for text in ('["Heat (1995)"]\ud800', '["Heat \ud800(1995)"]', "- \udfff\ud800Heat (1995)"):
        stored = text.encode("utf-8", "replace").decode()
        assert parse_answer("text", text, CANDIDATES, 1) == parse_answer("text", stored, CANDIDATES, 1)
