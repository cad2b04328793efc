"""Which candidate a mention names, and how surely. It never guesses: what fits two titles fits none."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from rapidfuzz import fuzz, process

from habitus_runners.prompts.fold import Forms, forms
from habitus_runners.prompts.readings import MENTION, Reading, readings
from habitus_runners.prompts.titles import shown

NONE, EXACT, FOLDED, MOVED, FUZZY = range(5)
MIN_RATIO = 90.0
MIN_FUZZY = 8


class Match(NamedTuple):
    """Positions of the candidates with the title that was named (several only if titles are equal), and the level."""

    positions: Sequence[int]
    level: int


_NO_MATCH = Match((), NONE)

Table = dict[str, list[int]]


class Candidates:
    """The titles of one task, ready for look-ups. Everything beyond exact look-ups is built when first needed.

    Levels, each only where exactly one title fits: 1 as shown in the prompt; 2 equal when folded, first with accents,
    then without; 3 equal with the article in front and the year dropped, unless both have a year and it differs; 4 bare
    forms (see fold.Forms) with a ratio >= 0.9, the same rule for years and the same numbers, from MIN_FUZZY characters.
    """

    def __init__(self, titles: Sequence[str]) -> None:
        self.count = len(titles)
        as_shown: Table = {}
        as_stored: Table = {}
        for position, title in enumerate(titles):
            positions = as_stored[title] = as_shown.setdefault(shown(title), [])
            positions.append(position)
        self._titles = list(as_shown)
        self._exact = {title: Match(positions, EXACT) for title, positions in (as_stored | as_shown).items()}

    def literal(self, mention: str) -> Match:
        """The candidate whose title is ``mention``, letter by letter, or none."""
        return self._exact.get(mention, _NO_MATCH)

    def find(self, mention: str) -> Match:
        """The candidate that ``mention`` names, or none. A part of a mention matches at level 2 or above."""
        match = self._exact.get(mention)
        if match:
            return match
        wholes: dict[Forms, None] = {}
        for reading in readings(mention[:MENTION]):
            loose = self._loose(reading)
            if loose:
                return loose
            if reading.whole:
                wholes[forms(reading.text)] = None
        return next(filter(None, map(self._fuzzy, wholes)), _NO_MATCH)

    def _loose(self, reading: Reading) -> Match | None:
        form = forms(reading.text)
        same_text = self.literal(reading.text).positions or self._folded.get(form.folded) or self._plain.get(form.plain)
        if same_text:
            return Match(same_text, FOLDED)
        # "Alien - Resurrection" cut at its dash must not become "Alien (1979)": a guessed end needs the year.
        if not (reading.whole or form.year):
            return None
        same = [i for i in self._bare.get(form.bare, ()) if _years_agree(form, self._forms[i])]
        return self._of(same[0], MOVED) if len(same) == 1 else None

    def _fuzzy(self, form: Forms) -> Match | None:
        if len(form.bare) < MIN_FUZZY:
            return None
        near = process.extract(form.bare, self._bare_forms, scorer=fuzz.ratio, score_cutoff=MIN_RATIO, limit=None)
        alike = [i for _, _, i in near if _same_work(form, self._forms[i])]
        return self._of(alike[0], FUZZY) if len(alike) == 1 else None

    def _of(self, title: int, level: int) -> Match:
        return Match(self._exact[self._titles[title]].positions, level)

    @cached_property
    def _forms(self) -> list[Forms]:
        return [forms(title) for title in self._titles]

    @cached_property
    def _bare_forms(self) -> list[str]:
        return [form.bare for form in self._forms]

    @cached_property
    def _folded(self) -> Mapping[str, Sequence[int]]:
        return self._unique(lambda form: form.folded)

    @cached_property
    def _plain(self) -> Mapping[str, Sequence[int]]:
        return self._unique(lambda form: form.plain)

    @cached_property
    def _bare(self) -> Table:
        """Bare form -> indices into the titles."""
        table: Table = {}
        for index, bare in enumerate(self._bare_forms):
            table.setdefault(bare, []).append(index)
        table.pop("", None)
        return table

    def _unique(self, key: Callable[[Forms], str]) -> Mapping[str, Sequence[int]]:
        """Form -> positions, without the forms that two different titles share and without the empty one."""
        table: dict[str, Sequence[int]] = {}
        for title, form in zip(self._titles, self._forms, strict=True):
            table[key(form)] = () if key(form) in table else self._exact[title].positions
        table.pop("", None)
        return table


def _years_agree(one: Forms, other: Forms) -> bool:
    return not (one.year and other.year) or one.year == other.year


def _same_work(one: Forms, other: Forms) -> bool:
    return _years_agree(one, other) and one.numbers == other.numbers
