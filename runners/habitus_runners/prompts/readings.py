"""Which parts of one line or string may be the title: without list markers, emphasis and explanations."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

_MARKER = re.compile(r"(?:[-*+•‣▪◦·>#]+\s+)?(?:#?\d{1,3}[.)](?!\d)\s*)?")
_EMPHASIS = re.compile(r"(\*\*|__|[*_`])(.+?)\1")
# A colon ends a title only after its year: "Heat (1995): a heist", but "Star Wars: Episode IV".
_SEPARATOR = re.compile(r"\s[-–—|]\s|(?<=[)\]])\s?:\s")
_CUTS = 8

MENTION = 400


class Reading(NamedTuple):
    """A part of a mention that may be the title. ``whole``: its end is marked, not guessed."""

    text: str
    whole: bool


def unmarked(line: str) -> str:
    """``line`` without its bullet or number, and without the emphasis around all of it."""
    line = line.strip()
    found = _MARKER.match(line)
    line = line[found.end() :] if found else line
    while line[1:-1] and line[0] == line[-1] and line[0] in "*_`":
        line = line[1:-1].strip()
    return line


def readings(mention: str) -> Iterator[Reading]:
    """The whole; without markers; the first emphasised part; table cells; what precedes a separator, longest first."""
    yield Reading(mention, whole=True)
    line = unmarked(mention)
    if line != mention:
        yield Reading(line, whole=True)
    emphasised = _EMPHASIS.search(line)
    if emphasised:
        yield Reading(emphasised[2], whole=True)
    if line.startswith("|"):
        for cell in line.split("|")[1 : 1 + _CUTS]:
            yield Reading(unmarked(cell), whole=True)
    ends = [separator.start() for separator in islice(_SEPARATOR.finditer(line), _CUTS)]
    for end in reversed(ends):
        yield Reading(unmarked(line[:end]), whole=False)
