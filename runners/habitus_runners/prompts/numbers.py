"""Answers by number: the candidates were numbered from 1, and the answer names numbers (the method ``numbers``).

Asked for is ``{"ranking": [3, 1, 2]}`` alone. Levels: 1 a JSON integer; 2 a number in other dress ("3", "#3.", 3.0, no
JSON). An answer that names as many candidates by title is read by title, with the levels of match.Candidates.
"""

import re
from functools import partial

from pydantic_core import from_json

from habitus_runners.prompts.extract import MENTIONS, Mentions, capped, json_list
from habitus_runners.prompts.match import EXACT, FOLDED, NONE, Candidates, Match
from habitus_runners.prompts.parse import Parsed, chosen_from, parse_for, verdict_of
from habitus_runners.prompts.readings import MENTION, unmarked

PARSER = "numbers-1"

_WRITTEN = re.compile(r"\s*#?\s*(\d{1,4})\s*[.)]?\s*")
_PAIR = 2
_DIGITS = re.compile(r"(?<![\d.])\d{1,4}(?![\d.]*\d)")

Number = tuple[int, int]
"""A number and the level at which it was written; 0 and NONE for what is no number."""


def parse_numbers(text: str, candidates: Candidates, length: int, finish_reason: str = "stop") -> Parsed:
    """The ranking that one answer gives of numbered candidates; with the verdicts of parse.Parsed.

    >>> parse_numbers('{"ranking": [3, 1]}', Candidates(["Heat (1995)", "Alien (1979)", "Fargo (1996)"]), 2)
    Parsed(ranking=(2, 0), verdict='ok', levels=(1, 1))
    """
    answer = capped(text)
    mentions = _asked_for(answer) or _somewhere(answer, length)
    chosen = chosen_from(mentions.items, partial(_numbered, candidates.count), length)
    pure = mentions.kind == "pure"
    if len(chosen.positions) < length or not pure:
        # A title may hold a list of numbers: where the answer names as many titles, it is read by title.
        titles = parse_for(text, candidates, length, finish_reason)
        if sum(map(bool, titles.levels)) >= len(chosen.positions) + pure:
            return titles._replace(verdict="repaired") if titles.verdict == "ok" else titles
    return verdict_of(mentions, chosen, length, answer, finish_reason)


def parse_numbers_strictly(text: str, candidates: Candidates, length: int, finish_reason: str = "stop") -> Parsed:
    """Numbers count only as JSON integers, in an answer that is the object asked for and nothing else.

    >>> parse_numbers_strictly('{"ranking": [3, "1"]}', Candidates(["Heat (1995)", "Alien (1979)", "Fargo (1996)"]), 2)
    Parsed(ranking=(2, -1), verdict='unknown item', levels=(1, 0))
    """
    answer = capped(text)
    mentions = _asked_for(answer) or Mentions([], "lines")
    exact = [(number, level if level == EXACT else NONE) for number, level in mentions.items]
    chosen = chosen_from(exact, partial(_numbered, candidates.count), length)
    return verdict_of(mentions, chosen, length, answer, finish_reason)


def _asked_for(text: str) -> Mentions[Number] | None:
    """The numbers, if the answer is the object that was asked for and nothing else."""
    try:
        value = from_json(text)
    except ValueError:
        return None
    if not isinstance(value, dict) or list(value) != ["ranking"] or not isinstance(value["ranking"], list):
        return None
    entries = value["ranking"][:MENTIONS]
    nested = any(isinstance(entry, list | dict) for entry in entries)
    return None if nested else Mentions([_number(entry) for entry in entries], "pure")


def _somewhere(text: str, length: int) -> Mentions[Number]:
    """A JSON list of numbers in the answer; else all numbers of an answer without a letter, as in ``3 > 1 > 2``."""
    found = json_list(text, length, _numbers)
    if not found:
        return Mentions([] if any(map(str.isalpha, text)) else _bare(text), "lines")
    # The end of a list that was cut may be the first digit of two.
    return found._replace(items=found.items[:-1]) if found.cut and text.rstrip()[-1:].isdigit() else found


def _numbers(entries: list[object]) -> list[Number]:
    """The entries of a list in which at least one is a number; of pairs of rank and number, the numbers."""
    pairs = [entry for entry in entries if isinstance(entry, list) and len(entry) == _PAIR]
    if [rank for rank, _ in pairs] == [*range(1, len(entries) + 1)]:
        entries = [number for _, number in pairs]
    found = [_number(entry) for entry in entries]
    return found if any(level for _, level in found) else []


def _number(entry: object) -> Number:
    if isinstance(entry, str):
        written = _WRITTEN.fullmatch(entry)
        return (int(written[1]), FOLDED) if written else (0, NONE)
    if isinstance(entry, int) and not isinstance(entry, bool):
        return entry, EXACT
    return (int(entry), FOLDED) if isinstance(entry, float) and entry.is_integer() else (0, NONE)


def _bare(text: str) -> list[Number]:
    """On each line the numbers after its list marker; the marker's own number if no other follows."""
    lines = [(unmarked(line) or line) if len(line) <= MENTION else line for line in text.splitlines()]
    found = [number for line in lines for number in _DIGITS.findall(line)]
    return [(int(number), FOLDED) for number in found[:MENTIONS]]


def _numbered(count: int, number: Number) -> Match:
    position, level = number[0] - 1, number[1]
    return Match((position,), level) if level and 0 <= position < count else Match((), NONE)
