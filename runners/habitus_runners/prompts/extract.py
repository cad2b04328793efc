"""Where in an answer the list is: JSON, else quoted strings, else lines. Bounded and linear; evaluates nothing."""

import json
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Generic, Literal, NamedTuple, TypeVar

from pydantic_core import from_json

from habitus_runners.prompts.readings import MENTION, unmarked

LIMIT = 16 * 1024
MENTIONS = 1024  # as many as a task can have candidates
STARTS = 64

_DECODER = json.JSONDecoder(strict=False)
_OPEN = re.compile(r"[\[{]")
_TITLE_KEYS = ("title", "name", "item", "film", "movie", "track", "song", "album", "artist")
# Each kind of quote runs to its closing twin on the same line, at most 400 characters on. An apostrophe closes only
# before a comma, a bracket or the end of the line ('Schindler's List'), and opens only where no word goes before it.
_QUOTED = re.compile(
    "(?=[\"“„«'\u2018])"  # one look instead of five tries at every letter
    r'(?:"((?:[^"\\\n]|\\.){0,400}+)"|“([^”\n]{0,400}+)”|„([^“”\n]{0,400}+)[“”]|«([^»\n]{0,400}+)»'
    r"|(?<!\w)['\u2018]((?:[^'\u2019\\\n]|\\.|['\u2019](?!\s?(?:[,\]}]|$))){0,400})['\u2019])",
    re.MULTILINE,
)
_ESCAPE = re.compile(r"\\(.)")
_BULLET = re.compile(r"\s*(?:[-*+•‣▪◦·>#]+\s|#?\d{1,3}[.)](?!\d)|\|)")


Item = TypeVar("Item")


class Mentions(NamedTuple, Generic[Item]):
    """What an answer lists, in its order.

    Args:
        items: titles or numbers, at most MENTIONS.
        kind: ``pure`` if the answer is the JSON asked for and nothing else, ``json`` if some is anywhere in it.
        cut: the JSON list ends without its bracket.
    """

    items: list[Item]
    kind: Literal["pure", "json", "quotes", "lines"]
    cut: bool = False


def capped(text: str) -> str:
    """The answer after its reasoning, at most LIMIT bytes of it as UTF-8."""
    spoken = _spoken(text)
    return spoken[:LIMIT].encode("utf-8", "replace")[:LIMIT].decode("utf-8", "ignore")


def _spoken(text: str) -> str:
    if text.startswith(("[", "{")):
        return text
    _, closed, answer = text.rpartition("</think>")
    if closed:
        return answer
    return "" if text[:LIMIT].lstrip().startswith("<think>") else text


def whole_json(text: str) -> Mentions[str] | None:
    """The list, if the answer is nothing else: the common case, and the fast one."""
    try:
        value = from_json(text)
    except ValueError:
        return None
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        return None
    return Mentions(value[:MENTIONS], "pure")


def containers(text: str, length: int) -> Iterator[Mentions[str]]:
    """The lists an answer may be read as, the most trustworthy first; lazily, as most answers need only the first."""
    found = json_list(text, length, _strings)
    if found:
        yield found
    yield Mentions(list(islice(_quotes(text), MENTIONS)), "quotes")
    yield Mentions(list(islice(_lines(text), MENTIONS)), "lines")


def json_list(text: str, length: int, entries: Callable[[list[object]], list[Item]]) -> Mentions[Item] | None:
    """The JSON list in ``text``: the last with exactly ``length`` entries (a draft may go before), else the longest."""
    found = list(_json_lists(text, entries))
    asked = [mentions for mentions in found if len(mentions.items) == length]
    return asked[-1] if asked else max(found, key=lambda mentions: len(mentions.items), default=None)


def _json_lists(text: str, entries: Callable[[list[object]], list[Item]]) -> Iterator[Mentions[Item]]:
    """Every JSON value with a list in which ``entries`` finds any, from at most STARTS opening brackets."""
    position = 0
    for _ in range(STARTS):
        start = _OPEN.search(text, position)
        if not start:
            return
        value, position, cut = _value(text, start.start())
        # Into the value, not on through its text: a title may hold a list.
        lists = list(_lists_within(value, entries))
        for items in lists or ([[]] if cut else []):
            yield Mentions(items[:MENTIONS], "json", cut)
        position = max(position, start.end())


def _lists_within(value: object, entries: Callable[[list[object]], list[Item]]) -> Iterator[list[Item]]:
    """The outermost lists in which ``entries`` finds any, in order, from at most STARTS lists and objects."""
    waiting = [value]
    for _ in range(STARTS):
        if not waiting:
            return
        outer = waiting.pop()
        inner = _inner_list(outer)
        items = entries(inner)
        if items:
            yield items
        else:
            within = inner or (outer.values() if isinstance(outer, dict) else ())
            waiting += [part for part in reversed([*within]) if isinstance(part, list | dict)]


def _value(text: str, start: int) -> tuple[object, int, bool]:
    """The JSON value at ``start``, where it ends, and whether the text ended before it did."""
    try:
        return *_DECODER.raw_decode(text, start), False
    except (ValueError, RecursionError):
        pass
    try:
        return from_json(text[start:]), len(text), False
    except ValueError as error:
        # allow_partial forgives wrong syntax too: ["a" "b"] would be cut to its first title.
        if not str(error).startswith("EOF"):
            return None, start, False
    return from_json(text[start:], allow_partial=True), len(text), True


def _inner_list(value: object) -> list[object]:
    """The list itself, an object's only list, or the values of an object whose keys are ranks; else empty."""
    while True:
        if isinstance(value, dict):
            lists = [entry for entry in value.values() if isinstance(entry, list)]
            if not lists and value and all(key.isdecimal() for key in value):
                return list(value.values())
            value = lists[0] if len(lists) == 1 else None
        elif isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
            value = value[0]
        else:
            return value if isinstance(value, list) else []


def _strings(values: list[object]) -> list[str]:
    titles = map(_title, values)
    return [title for title in titles if title is not None]


def _title(entry: object) -> str | None:
    """The title in one entry of a list: itself, an object's title field or first string, a row's first string."""
    if isinstance(entry, str):
        return entry
    if isinstance(entry, dict):
        named = {key.lower(): value for key, value in entry.items()}
        entry = [*(named.get(key) for key in _TITLE_KEYS), *entry.values()]
    strings = (value for value in entry if isinstance(value, str)) if isinstance(entry, list) else iter(())
    return next(strings, None)


def _quotes(text: str) -> Iterator[str]:
    for found in _QUOTED.finditer(text):
        inside = found[found.lastindex or 0]
        if inside:
            yield _ESCAPE.sub(r"\1", inside)


def _lines(text: str) -> Iterator[str]:
    """Lines with a bullet or a number; without any, all lines that hold a letter or digit and announce nothing."""
    lines = [line for line in text.splitlines() if line and not line.isspace()]
    listed = [line for line in lines if _BULLET.match(line)]
    for line in listed or [line for line in lines if not line.rstrip().endswith(":")]:
        item = unmarked(line[:MENTION]).rstrip(",;")
        if any(letter.isalnum() for letter in item):
            yield item
