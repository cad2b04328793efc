"""Last.fm-1K: the official profile and log of plays to a Dataset. The log is read in batches, never whole."""

import hashlib
from pathlib import Path
from typing import Literal, NamedTuple

import polars as pl

from habitus_runners.datasets import archive, reading
from habitus_runners.datasets.countries import CONTINENT, REGIONS
from habitus_runners.datasets.dataset import MUSIC, Dataset, Domain, Level
from habitus_runners.datasets.reading import Findings, Kept, Layout
from habitus_runners.errors import HabitusError
from habitus_runners.progress import Progress, silent
from habitus_runners.settings import Positive, Section

NAME = "lastfm-1k"
PAGE = "http://ocelma.net/MusicRecommendationDataset/lastfm-1K.html"
NOTICE = (
    "Last.fm-1K: non-commercial use, with permission of Last.fm. Cite O. Celma (2010), Music Recommendation and"
    f" Discovery in the Long Tail, Springer; {PAGE}."
)
EVENTS = Layout(
    "userid-timestamp-artid-artname-traid-traname.tsv",
    "\t",
    ("user", "time", "artist_id", "artist", "track_id", "track"),
)
PROFILE = Layout("userid-profile.tsv", "\t", ("user_id", "gender", "age", "country", "registered"))
MD5 = {EVENTS.file: "64747b21563e3d2aa95751e0ddc46b68", PROFILE.file: "c53608b6b445db201098c1489ea497df"}
GENDERS = {"m": "male", "f": "female"}
ATTRIBUTES = ("country", "continent", "gender")
LEVELS = (
    Level("none"),
    *(Level(name, (name,)) for name in ATTRIBUTES),
    Level("gender x continent", ("gender", "continent")),
)
ARTISTS = Domain("music", item="artist", items="artists", do="listen to", did="listened to")
# Partial counts are merged when this many rows have piled up: bounds memory, does not change the result.
PILE = 4_000_000


class Options(Section):
    """What a caller may set."""

    items: Literal["tracks", "artists"]
    min_plays: Positive
    min_listeners: Positive
    min_users_per_country: Positive


def load(
    source: Path | None = None,
    *,
    progress: Progress = silent,
    items: str = "tracks",
    min_plays: int = 5000,
    min_listeners: int = 20,
    min_users_per_country: int = 1,
) -> Dataset:
    """The data set from the official archive, or a folder with its two files.

    A track is its artist's name and its own, because track ids are often empty; both stand in its ``item_id``, with a
    tab between. A play without a name does not count.

    Args:
        source: ``lastfm-dataset-1K.tar.gz``, or a folder.
        progress: told how many bytes of the log are read.
        items: "tracks" or "artists".
        min_plays: least plays of a user. Default 5000: the paper's.
        min_listeners: of an item, among the kept users. Default 20: draws from a million tracks find no groups.
        min_users_per_country: users of smaller ones are left out. Default 1: no rule is published.

    Raises:
        HabitusError: no source, a broken one, an option out of its range, or no user left.
    """
    limits = {"min_plays": min_plays, "min_listeners": min_listeners, "min_users_per_country": min_users_per_country}
    chosen = reading.options(Options, NAME, items=items, **limits)
    if source is None:
        raise HabitusError(
            f"{NAME}: expected --source with lastfm-dataset-1K.tar.gz or its folder, got none; get it from {PAGE}"
        )
    findings = Findings()
    profile = _profile(source, findings)
    log = _read_log(source, profile["user_id"], chosen.items, findings, progress)
    keep = _kept_users(profile, log.plays, chosen)
    counts = _heard_by(log.plays, keep, chosen, findings)
    catalogue = _items(counts, chosen.items)
    numbers = catalogue.select("key", pl.int_range(pl.len(), dtype=pl.Int32).alias("item"))
    kept = reading.restricted(profile, counts.join(numbers, on="key"), keep)
    return Dataset(
        name=NAME,
        domain=MUSIC if chosen.items == "tracks" else ARTISTS,
        users=kept.users,
        items=catalogue.drop("key"),
        interactions=kept.interactions,
        levels=LEVELS,
        labels={name: name.capitalize() for name in ATTRIBUTES},
        findings=findings.found(),
        facts={
            "lines of the log": log.lines,
            "plays counted": int(log.plays["value"].sum()),
            "users in the profile": profile.height,
            f"{items} played": log.plays["key"].n_unique(),
            f"users with {min_plays} plays": int(_active(profile, log.plays, min_plays).sum()),
            **_facts(kept),
            items: catalogue.height,
        },
        notice=NOTICE,
    )


def _facts(kept: Kept) -> dict[str, int]:
    return {
        "users": kept.users.height,
        "countries": kept.users["country"].n_unique(),
        "continents": kept.users["continent"].n_unique(),
        "users of known gender": kept.users.height - kept.users["gender"].null_count(),
        "user-item pairs": kept.interactions.height,
        "plays of kept items": int(kept.interactions["value"].sum()),
    }


def _profile(source: Path, findings: Findings) -> pl.DataFrame:
    """Every user with country, continent and gender; null = unknown."""
    file = PROFILE.file
    data = archive.content(source, file)
    archive.compare(file, MD5[file], hashlib.md5(data, usedforsecurity=False).hexdigest(), findings)
    rows = reading.lines(reading.decoded(data, file, "utf-8", findings))
    rows = reading.fields(rows.filter(~pl.col("text").str.starts_with("#id\t")), PROFILE, findings)
    rows = findings.distinct(rows, ["user_id"], "duplicate user", file)
    findings.mark(rows, pl.col("country") == "", "user without a country", file)
    findings.mark(rows, ~pl.col("country").is_in(["", *CONTINENT]), "country without a continent", file)
    findings.mark(rows, ~pl.col("gender").is_in(list(GENDERS)), "user of unknown gender", file)
    return rows.select(
        "user_id",
        pl.col("country").replace("", None),
        pl.col("country").replace_strict(CONTINENT, default=None, return_dtype=pl.String).alias("continent"),
        pl.col("gender").replace_strict(GENDERS, default=None, return_dtype=pl.String),
    )


class Log(NamedTuple):
    """Plays per user (row of the profile) and item (``key``), and how many lines they came from."""

    plays: pl.DataFrame
    lines: int


def _read_log(source: Path, users: pl.Series, items: str, findings: Findings, progress: Progress) -> Log:
    # A categorical holds each name once: the counts are ten bytes a row, however long the names.
    names = pl.Categorical(pl.Categories.random())
    digest = hashlib.md5(usedforsecurity=False)
    parts: list[pl.DataFrame] = []
    merged = lines = done = 0
    with archive.member(source, EVENTS.file) as (file, size):
        for batch in archive.batches(file, digest):
            rows = reading.utf8_lines(batch, EVENTS.file, lines + 1, findings)
            parts.append(_plays(_events(rows, users, items, findings), items, names))
            lines, done = lines + rows.height, done + len(batch)
            if sum(part.height for part in parts) > merged + PILE:
                parts = [_summed(parts)]
                merged = parts[0].height
            progress(f"read {EVENTS.file}", done, size)
    archive.compare(EVENTS.file, MD5[EVENTS.file], digest.hexdigest(), findings)
    return Log(_summed(parts), lines)


def _events(rows: pl.DataFrame, users: pl.Series, items: str, findings: Findings) -> pl.DataFrame:
    """The plays of a batch that can be counted: user number, artist, track."""
    file = EVENTS.file
    rows = reading.fields(rows, EVENTS, findings)
    rows = reading.numbered(rows, "user", users, file, findings)
    time = pl.col("time").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", strict=False)
    findings.mark(rows, time.is_null(), "timestamp not understood, play kept", file)
    named = ["artist", "track"] if items == "tracks" else ["artist"]
    for name in named:
        rows = reading.cleaned(rows, name, file, findings)
        rows = findings.drop(rows, pl.col(name) == "", f"{name} without a name", file)
    return rows


def _plays(events: pl.DataFrame, items: str, names: pl.Categorical) -> pl.DataFrame:
    name = pl.concat_str("artist", "track", separator="\t") if items == "tracks" else pl.col("artist")
    keyed = events.select("user", name.cast(names).alias("key"))
    return keyed.group_by("user", "key").agg(pl.len().cast(pl.UInt32).alias("value"))


def _summed(parts: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(parts).group_by("user", "key").agg(pl.col("value").sum())


def _active(profile: pl.DataFrame, plays: pl.DataFrame, least: int) -> pl.Series:
    """Which rows of the profile have ``least`` plays."""
    total = plays.group_by("user").agg(pl.col("value").sum())
    active = total.filter(pl.col("value") >= least)["user"]
    return pl.int_range(profile.height, dtype=pl.Int32, eager=True).is_in(active.implode())


def _kept_users(profile: pl.DataFrame, plays: pl.DataFrame, chosen: Options) -> pl.Series:
    """Active users of a kept region, whose country has enough of them."""
    here = _active(profile, plays, chosen.min_plays) & profile["continent"].is_in(REGIONS).fill_null(value=False)
    sizes = profile.filter(here).group_by("country").len()
    large = sizes.filter(pl.col("len") >= chosen.min_users_per_country)["country"]
    return here & profile["country"].is_in(large.implode()).fill_null(value=False)


def _heard_by(plays: pl.DataFrame, keep: pl.Series, chosen: Options, findings: Findings) -> pl.DataFrame:
    """The plays of the kept users, of items that enough of them played."""
    kept = plays.filter(keep.gather(plays["user"]))
    heard = kept.group_by("key").len().filter(pl.col("len") >= chosen.min_listeners)
    if heard.is_empty():
        wanted = f"{chosen.items} with {chosen.min_listeners} listeners of {chosen.min_plays} plays"
        reading.nothing_left(f"{wanted} in {', '.join(REGIONS)}", NAME, findings)
    return kept.join(heard.select("key"), on="key", how="semi")


def _items(counts: pl.DataFrame, items: str) -> pl.DataFrame:
    """Key, id and title of every item, sorted by id: their order does not depend on that of the log."""
    keys = counts.select(pl.col("key").unique())
    identity = keys.with_columns(pl.col("key").cast(pl.String).alias("item_id")).sort("item_id")
    title = pl.col("item_id") if items == "artists" else pl.col("item_id").str.replace("\t", " - ", literal=True)
    return identity.with_columns(title.alias("title"))
