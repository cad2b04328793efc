"""What every data set becomes: users with attributes, items with titles, who interacted with what.

A loader returns a Dataset and nothing downstream knows where it came from. Rows are numbered: user ``u`` is row ``u``
of ``users``, item ``i`` is row ``i`` of ``items``.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl


@dataclass(frozen=True)
class Domain:
    """The words a prompt uses for this kind of behaviour. ``name`` chooses the template."""

    name: str
    item: str
    items: str
    do: str
    did: str


MOVIES = Domain("movies", item="film", items="films", do="watch", did="watched")
MUSIC = Domain("music", item="track", items="tracks", do="listen to", did="listened to")


@dataclass(frozen=True)
class Level:
    """A proxy level: the attributes that a cell fixes. ``none`` fixes no attribute."""

    name: str
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """Something in the input that was not as it should be, counted and named; never silently dropped."""

    kind: str
    count: int
    example: str


@dataclass(frozen=True)
class Dataset:
    """A log of behaviour, ready for sampling.

    Args:
        name: as the command line knows it.
        domain: words for prompts.
        users: column ``user_id`` (string), then one string column per attribute; null = unknown.
        items: columns ``item_id`` and ``title`` (strings); further columns are kept for models.
        interactions: ``user`` and ``item`` (int32 row numbers), ``value`` (float32: a rating, plays); one row per pair.
        levels: the proxy levels, ``none`` first.
        labels: attribute -> the word a prompt puts before its value ("occupation" -> "Occupation").
        findings: what was wrong in the input.
        facts: counts a reader checks, in order ("users" -> 3727).
        notice: licence and citation, shown to the user.
    """

    name: str
    domain: Domain
    users: pl.DataFrame
    items: pl.DataFrame
    interactions: pl.DataFrame
    levels: tuple[Level, ...]
    labels: Mapping[str, str]
    findings: tuple[Finding, ...] = ()
    facts: Mapping[str, int] = field(default_factory=dict)
    notice: str = ""

    @cached_property
    def fingerprint(self) -> str:
        """Hash of every user, item and interaction: the same rows give the same one, whatever the file or library."""
        digest = hashlib.blake2b(digest_size=16)
        for frame in (self.users, self.items):
            for column in frame.iter_columns():
                digest.update(json.dumps([column.name, column.to_list()], default=str).encode())
        for name, kind in (("user", "<i4"), ("item", "<i4"), ("value", "<f4")):
            digest.update(self.interactions.sort("user", "item")[name].to_numpy().astype(kind).tobytes())
        return digest.hexdigest()

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that any level uses, in the order of ``labels``."""
        used = {attribute for level in self.levels for attribute in level.attributes}
        return tuple(attribute for attribute in self.labels if attribute in used)
