"""Answers as models write them, and the rankings they mean."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus_runners.prompts import extract
from habitus_runners.prompts.parse import Parsed, parse
from habitus_runners.prompts.titles import shown

TITLES = [
    "Heat (1995)",
    "Matrix, The (1999)",
    "Schindler's List (1993)",
    "Amélie (2001)",
    "Alien (1979)",
    "Fargo (1996)",
]
FULL = '["Heat (1995)", "Alien (1979)", "Fargo (1996)"]'
DEEP = "[" * 100_000
LONG = f'["Heat (1995)"]{" " * 10_000_000}'

OK, REPAIRED, TRUNCATED, UNKNOWN = "ok", "repaired", "truncated", "unknown item"
DUPLICATE, SHORT, REFUSAL, EMPTY = "duplicate", "short", "refusal", "empty"

CASES = {
    "clean": (FULL, [0, 4, 5], OK, [1, 1, 1]),
    "indented": (json.dumps(json.loads(FULL), indent=2) + "\n", [0, 4, 5], OK, [1, 1, 1]),
    "escaped accent": ('["Am\\u00e9lie (2001)","Heat (1995)","Fargo (1996)"]', [3, 0, 5], OK, [1, 1, 1]),
    "fenced": (f"```json\n{FULL}\n```", [0, 4, 5], REPAIRED, [1, 1, 1]),
    "fenced with prose": (
        f"Sure! Here's my list:\n\n```\n{FULL}\n```\nEnjoy [the show]!",
        [0, 4, 5],
        REPAIRED,
        [1, 1, 1],
    ),
    "in a sentence": (f"I would say {FULL}, because of [1] and [2].", [0, 4, 5], REPAIRED, [1, 1, 1]),
    "object": (f'{{"ranking": {FULL}}}', [0, 4, 5], REPAIRED, [1, 1, 1]),
    "object in an object": (f'{{"result": {{"n": 3, "ranking": {FULL}}}}}', [0, 4, 5], REPAIRED, [1, 1, 1]),
    "objects": (
        '[{"rank": 1, "title": "Heat (1995)", "why": "tense"}, {"rank": 2, "title": "Fargo (1996)"}]',
        [0, 5],
        SHORT,
        [1, 1],
    ),
    "rank to title": ('{"1": "Heat (1995)", "2": "Alien (1979)", "3": "Fargo (1996)"}', [0, 4, 5], REPAIRED, [1, 1, 1]),
    "pairs": ('[[1, "Heat (1995)"], [2, "Alien (1979)"], [3, "Fargo (1996)"]]', [0, 4, 5], REPAIRED, [1, 1, 1]),
    "nested": (f"[{FULL}]", [0, 4, 5], REPAIRED, [1, 1, 1]),
    "json lines": (
        '{"title": "Heat (1995)"}\n{"title": "Alien (1979)"}\n{"title": "Fargo (1996)"}',
        [0, 4, 5],
        REPAIRED,
        [1, 1, 1],
    ),
    "draft, then final": (
        f'["Fargo (1996)", "Heat (1995)", "Alien (1979)"]\nBetter:\n{FULL}',
        [0, 4, 5],
        REPAIRED,
        [1, 1, 1],
    ),
    "echo, then answer": (f"{json.dumps(TITLES)}\n{FULL}", [0, 4, 5], REPAIRED, [1, 1, 1]),
    "numbered strings": ('["1. Heat (1995)", "2. Alien (1979)", "3. Fargo (1996)"]', [0, 4, 5], REPAIRED, [2, 2, 2]),
    "trailing comma": (FULL.replace("]", ",]"), [0, 4, 5], REPAIRED, [1, 1, 1]),
    "missing bracket": (f"```json\n{FULL[:-1]}\n```", [0, 4, 5], REPAIRED, [1, 1, 1]),
    "missing comma": (FULL.replace(",", ""), [0, 4, 5], REPAIRED, [1, 1, 1]),
    "python list": (str(["Heat (1995)", "Schindler's List (1993)", "Fargo (1996)"]), [0, 2, 5], REPAIRED, [1, 1, 1]),
    "single quotes": ("['Heat (1995)', 'Schindler's List (1993)', 'Fargo (1996)']", [0, 2, 5], REPAIRED, [1, 1, 1]),
    "escaped quote": (
        r"""["Heat (1995)", "Schindler\'s List (1993)", "Fargo (1996)"]""",
        [0, 2, 5],
        REPAIRED,
        [1, 1, 1],
    ),
    "smart quotes": ("[“Heat (1995)”, “Schindler\u2019s List (1993)”, “Fargo (1996)”]", [0, 2, 5], REPAIRED, [1, 2, 1]),
    "other quotes": ("«Heat (1995)», „Alien (1979)“, „Fargo (1996)”", [0, 4, 5], REPAIRED, [1, 1, 1]),
    "numbered": (
        "Here you go:\n1. Heat (1995)\n2) Alien (1979)\n3. Fargo (1996)\n\nHave fun!",
        [0, 4, 5],
        REPAIRED,
        [1, 1, 1],
    ),
    "bold": ("1. **Heat (1995)**\n2. **Alien (1979)**\n3. *Fargo (1996)*", [0, 4, 5], REPAIRED, [1, 1, 1]),
    "explained": (
        "1. Heat (1995) - a heist\n2. **Alien** – terror\n3. Fargo (1996): snow",
        [0, 4, 5],
        REPAIRED,
        [2, 3, 2],
    ),
    "quotes in explanations": (
        '- Heat (1995) - "superb"\n- Alien (1979)\n- Fargo (1996)',
        [0, 4, 5],
        REPAIRED,
        [2, 1, 1],
    ),
    "bullets": ("* Heat (1995)\n• Alien (1979)\n- Fargo (1996)", [0, 4, 5], REPAIRED, [1, 1, 1]),
    "plain lines": ("My answer:\nHeat (1995)\nAlien (1979)\nFargo (1996)\n", [0, 4, 5], REPAIRED, [1, 1, 1]),
    "table": (
        "| # | Film |\n|---|---|\n| 1 | Heat (1995) |\n| 2 | Alien (1979) |\n| 3 | Fargo (1996) |",
        [0, 4, 5],
        REPAIRED,
        [2, 2, 2],
    ),
    "article moved": ('["The Matrix (1999)", "Heat (1995)", "Alien (1979)"]', [1, 0, 4], REPAIRED, [3, 1, 1]),
    "year dropped": ('["The Matrix", "Heat", "Alien (1979)"]', [1, 0, 4], REPAIRED, [3, 3, 1]),
    "lower case": (FULL.lower(), [0, 4, 5], REPAIRED, [2, 2, 2]),
    "accent lost": ('["Amelie (2001)", "Heat (1995)", "Alien (1979)"]', [3, 0, 4], REPAIRED, [2, 1, 1]),
    "typing error": ('["Shindler\'s List (1993)", "Heat (1995)", "Alien (1979)"]', [2, 0, 4], REPAIRED, [4, 1, 1]),
    "entities": ('["Schindler&#39;s List (1993)", "Heat (1995)", "Alien (1979)"]', [2, 0, 4], REPAIRED, [2, 1, 1]),
    "nul inside": ('["He\x00at (1995)", "Alien (1979)", "Fargo (1996)"]', [0, 4, 5], REPAIRED, [2, 1, 1]),
    "one too many": (
        '["Heat (1995)", "Alien (1979)", "Fargo (1996)", "Amélie (2001)"]',
        [0, 4, 5],
        REPAIRED,
        [1, 1, 1],
    ),
    "full despite a repeat": (
        '["Heat (1995)", "Heat (1995)", "Alien (1979)", "Fargo (1996)"]',
        [0, 4, 5],
        REPAIRED,
        [1, 1, 1],
    ),
    "reasoning": (f'<think>Maybe ["Amélie (2001)"]</think>\n{FULL}', [0, 4, 5], OK, [1, 1, 1]),
    "duplicate": ('["Heat (1995)", "Alien (1979)", "Heat (1995)"]', [0, 4], DUPLICATE, [1, 1]),
    "unknown": ('["Heat (1995)", "Casablanca (1942)", "Alien (1979)"]', [0, 4], UNKNOWN, [1, 1]),
    "unknown and duplicate": ('["Heat (1995)", "Casablanca (1942)", "Heat (1995)"]', [0], UNKNOWN, [1]),
    "all unknown": ('["Casablanca (1942)", "Ran (1985)", "M (1931)"]', [], UNKNOWN, []),
    "short": ('["Heat (1995)", "Alien (1979)"]', [0, 4], SHORT, [1, 1]),
    "cut in a title": ('["Heat (1995)", "Alien (1979)", "Far', [0, 4], TRUNCATED, [1, 1]),
    "cut after a title": ('```json\n["Heat (1995)", "Alien (1979)"', [0, 4], TRUNCATED, [1, 1]),
    "cut object": ('{"ranking": ["Heat (1995)", "Ali', [0], TRUNCATED, [1]),
    "cut at once": ('["Hea', [], TRUNCATED, []),
    "refusal": ("I'm sorry, but I can't predict what somebody would watch.", [], REFUSAL, []),
    "refusal, curly": ("As a responsible model I can\u2019t stereotype “women aged 25”.", [], REFUSAL, []),
    "apology, then a list": (f"I'm sorry for the delay. {FULL}", [0, 4, 5], REPAIRED, [1, 1, 1]),
    "prose": ("It depends on the mood of the day.", [], UNKNOWN, []),
    "empty": ("", [], EMPTY, []),
    "blank": (" \n\t", [], EMPTY, []),
    "empty list": ("[]", [], EMPTY, []),
    "nuls": ("\x00" * 100, [], EMPTY, []),
    "numbers": ("[1, 5, 6]", [], UNKNOWN, []),
    "brackets": (DEEP, [], EMPTY, []),
    "ten million bytes": (LONG, [0], SHORT, [1]),
    "beyond the cap": ("x" * 20_000 + FULL, [], UNKNOWN, []),
    "no evaluation": ("__import__('os').system('echo Heat (1995)')", [], UNKNOWN, []),
    "lone surrogate": ('["Heat (1995)", "\\ud800", "Alien (1979)"]', [0, 4], UNKNOWN, [1, 1]),
}


def padded(positions: list[int], verdict: str, levels: list[int], length: int = 3) -> Parsed:
    empty = length - len(positions)
    return Parsed((*positions, *[-1] * empty), verdict, (*levels, *[0] * empty))


@pytest.mark.parametrize(("text", "positions", "verdict", "levels"), CASES.values(), ids=CASES)
def test_an_answer_means(text: str, positions: list[int], verdict: str, levels: list[int]) -> None:
    assert parse(text, TITLES, 3) == padded(positions, verdict, levels)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("", TRUNCATED),
        ("<think>so many films", TRUNCATED),
        ("1. Heat (1995)", TRUNCATED),
        (FULL, OK),
        ("I can't", TRUNCATED),
    ],
)
def test_an_answer_that_ran_out_of_tokens_is_truncated_unless_full(text: str, verdict: str) -> None:
    assert parse(text, TITLES, 3, finish_reason="length").verdict == verdict


def test_equal_titles_are_taken_in_turn() -> None:
    titles = ["Intro", "Heat", "Intro"]
    assert parse('["Intro", "Heat", "Intro"]', titles, 3) == padded([0, 1, 2], OK, [1, 1, 1])
    assert parse('["Intro", "Intro", "Intro"]', titles, 3) == padded([0, 2], DUPLICATE, [1, 1])


def test_the_text_read_is_capped_in_bytes() -> None:
    assert len(extract.capped("x" * 10_000_000)) == extract.LIMIT == 16 * 1024
    assert len(extract.capped("漢" * 10_000_000).encode()) <= extract.LIMIT
    assert extract.capped("a\ud800b") == "a?b"


def test_work_is_bounded_whatever_comes() -> None:
    many = "[" + ", ".join(["'Nothing Known (1950)'"] * 5_000) + ","
    for text in (many, many.replace("'", '"'), many.replace(",", "\n")):
        assert all(len(found.items) <= extract.MENTIONS for found in extract.containers(extract.capped(text), 10))
    assert extract.whole_json(json.dumps(["x"] * 5_000)) == extract.Mentions(["x"] * extract.MENTIONS, "pure")


titles = st.lists(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
    | st.sampled_from(
        ['"], "ignore all', "</script>", "[[[", "it's", "\\", "\\n", "a\nb", "🎬", "</think>", "1. One", "{}", "null"]
    ),
    min_size=1,
    max_size=12,
    unique_by=shown,
).filter(lambda found: all(shown(title) for title in found))


@given(titles, st.randoms(use_true_random=False), st.sampled_from([{}, {"ensure_ascii": False}, {"indent": 2}]))
def test_any_json_dump_of_candidates_round_trips(titles: list[str], draw: random.Random, style: dict[str, Any]) -> None:
    order = list(range(len(titles)))
    draw.shuffle(order)
    text = json.dumps([shown(titles[position]) for position in order], **style)
    assert parse(text, titles, len(order)) == Parsed(tuple(order), OK, (1,) * len(order))


pieces = st.sampled_from(
    [
        *TITLES,
        "[",
        "]",
        '"',
        "'",
        ",",
        "\n",
        "1. ",
        "- ",
        "**",
        "{",
        "}",
        ":",
        "```",
        "\\",
        " (1995)",
        "the ",
        "“",
        "\x00",
    ]
)


@given(
    st.text(st.characters()) | st.lists(pieces, max_size=40).map("".join),
    st.integers(1, 6),
    st.sampled_from(["stop", "length"]),
)
def test_any_text_gives_a_valid_ranking(text: str, length: int, reason: str) -> None:
    ranking, verdict, levels = parse(text, TITLES, length, reason)
    given_ = [position for position in ranking if position >= 0]
    assert len(ranking) == len(levels) == length
    assert list(ranking) == given_ + [-1] * (length - len(given_))
    assert len(set(given_)) == len(given_)
    assert all(0 <= position < len(TITLES) for position in given_)
    assert [level > 0 for level in levels] == [position >= 0 for position in ranking]
    assert (verdict in {OK, REPAIRED}) == (len(given_) == length)
    assert given_ or verdict in {TRUNCATED, REFUSAL, UNKNOWN, EMPTY}
