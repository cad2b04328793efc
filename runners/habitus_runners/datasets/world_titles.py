"""Films that exist nowhere: readable, unique, and as awkward as real ones. Words and their combination only."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import cycle, zip_longest
from typing import NamedTuple

import numpy as np

from habitus_runners.errors import HabitusError

FIRST_YEAR = 1941
YEARS = 60
REMAKE_EVERY = 20

_GENRES = ("Drama", "Comedy", "Thriller", "Romance", "Adventure", "Documentary", "Musical", "Science fiction")
_NOUNS = (
    "Harbour Lantern Winter Orchard Café Bridge Telescope Garden Mirror Ferry Carnival Ledger Lighthouse Quarry"
    " Sparrow Tunnel Violin Meadow Compass Attic Clockmaker Glacier Kitchen Postman Riverbank Saddle Tailor Umbrella"
    " Vineyard Wardrobe Fiancée Beekeeper Canal Drummer Elevator Fountain Gardener Horizon Island Juggler"
)
_ADJECTIVES = (
    "Silent Crimson Borrowed Distant Paper Hollow Golden Restless Forgotten Narrow Gentle Broken Wandering Electric"
    " Naïve Midnight Salted Velvet Stubborn Upstairs Second Patient Frozen Lucky"
)
_NAMES = "Zoë Bjørn Martha O'Malley Anton Ingrid Lucía Tobias Clara Yusuf Odile Hanna"
_PLACES = "Málaga Königsberg Besançon Tromsø Lisbon Dunmore Aleppo Valparaíso Ghent Kyoto"


class Film(NamedTuple):
    """What is known of a film."""

    title: str
    year: int
    genre: str


def films(count: int, rng: np.random.Generator) -> list[Film]:
    """``count`` films with unique titles such as ``Harbour, The (1984)``; every 20th repeats the title before it.

    Raises:
        HabitusError: there are not that many titles.
    """
    stems = _stems(rng)
    most = len(stems) * YEARS // 2
    if count > most:
        raise HabitusError(f"world items: expected at most {most}, got {count}")
    first = rng.integers(YEARS, size=len(stems)).tolist()
    base = dict(zip(stems, first, strict=True))
    genres = rng.integers(len(_GENRES), size=count).tolist()
    seen: Counter[str] = Counter()
    made = []
    for stem, genre in zip(_with_remakes(stems, count), genres, strict=True):
        year = FIRST_YEAR + (base[stem] + 17 * seen[stem]) % YEARS  # 17 and 60 share no factor: 60 different years
        seen[stem] += 1
        made.append(Film(f"{stem} ({year})", year, _GENRES[genre]))
    return made


def _with_remakes(stems: list[str], count: int) -> Iterator[str]:
    source = cycle(stems)
    stem = ""
    for number in range(count):
        stem = stem if number % REMAKE_EVERY == REMAKE_EVERY - 1 else next(source)
        yield stem


def _stems(rng: np.random.Generator) -> list[str]:
    nouns = _NOUNS.split()
    patterns: tuple[Iterable[str], ...] = (
        (f"{noun}, {article}" for noun in nouns for article in ("An" if noun[0] in "AEIOU" else "A", "The")),
        (f"{adjective} {noun}" for adjective in _ADJECTIVES.split() for noun in nouns),
        (f"{name}'s {noun}" for name in _NAMES.split() for noun in nouns),
        (f"{noun} of {place}, The" for noun in nouns for place in _PLACES.split()),
    )
    shuffled = [rng.permutation(list(pattern)).tolist() for pattern in patterns]
    return [stem for stems in zip_longest(*shuffled) for stem in stems if stem is not None]
