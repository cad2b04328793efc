"""MovieLens-1M: the official files to a Dataset, with the users that the method keeps (section 2)."""

from pathlib import Path

import polars as pl

from habitus_runners.datasets import archive, reading
from habitus_runners.datasets.dataset import MOVIES, Dataset, Level
from habitus_runners.datasets.download import Remote, fetch
from habitus_runners.datasets.reading import Findings, Kept, Layout
from habitus_runners.progress import Progress, silent
from habitus_runners.settings import Positive, Section

NAME = "ml-1m"
ZIP = Remote("https://files.grouplens.org/datasets/movielens/ml-1m.zip", "c4d9eecfca2ab87c1945afe126590906", 5_917_549)
NOTICE = (
    "MovieLens-1M: research use with acknowledgement; no redistribution, no commercial use without permission of"
    " GroupLens, no endorsement implied. Cite F. M. Harper and J. A. Konstan (2015), The MovieLens Datasets: History"
    " and Context, ACM TiiS 5(4), 19, doi 10.1145/2827872."
)

RATINGS = Layout("ratings.dat", "::", ("user", "item", "rating", "time"))
USERS = Layout("users.dat", "::", ("user", "gender", "age", "occupation", "zip"))
FILMS = Layout("movies.dat", "::", ("item", "title", "genres"))

GENDERS = {"M": "male", "F": "female"}
AGES = {
    "1": "under 18",
    "18": "18-24",
    "25": "25-34",
    "35": "35-44",
    "45": "45-49",
    "50": "50-55",
    "56": "56+",
}
OTHER = "other"
OCCUPATIONS = {
    "0": OTHER,
    "1": "academic/educator",
    "2": "artist",
    "3": "clerical/admin",
    "4": "college/grad student",
    "5": "customer service",
    "6": "doctor/health care",
    "7": "executive/managerial",
    "8": "farmer",
    "9": "homemaker",
    "10": "K-12 student",
    "11": "lawyer",
    "12": "programmer",
    "13": "retired",
    "14": "sales/marketing",
    "15": "scientist",
    "16": "self-employed",
    "17": "technician/engineer",
    "18": "tradesman/craftsman",
    "19": "unemployed",
    "20": "writer",
}
CODES = {"age": AGES, "gender": GENDERS, "occupation": OCCUPATIONS}
ATTRIBUTES = tuple(CODES)
LEVELS = (Level("none"), *(Level(name, (name,)) for name in ATTRIBUTES), Level(" x ".join(ATTRIBUTES), ATTRIBUTES))
STARS = (1, 5)


class Options(Section):
    """What a caller may set."""

    min_users_per_group: Positive


def load(source: Path | None = None, *, progress: Progress = silent, min_users_per_group: int = 30) -> Dataset:
    """The data set from a local zip or folder, or downloaded.

    Args:
        source: ``ml-1m.zip``, or a folder with its files; None: download.
        progress: told how far it is.
        min_users_per_group: smaller (age x gender x occupation) groups are left out. Default 30: gives the 51 groups of
            the paper's Table 1.

    Raises:
        HabitusError: no source, a broken one, an option out of its range, or no user left.
    """
    smallest = reading.options(Options, NAME, min_users_per_group=min_users_per_group).min_users_per_group
    findings = Findings()
    place = source or fetch(ZIP, progress)
    if place.is_file():
        archive.compare(place.name, ZIP.md5, archive.md5(place), findings)
    users, films, rows = (_table(place, layout, findings, progress) for layout in (USERS, FILMS, RATINGS))
    everyone, catalogue = _users(users, findings), _films(films, findings)
    ratings = _ratings(rows, everyone["user_id"], catalogue["item_id"], findings)
    kept = reading.restricted(everyone, ratings, _in_large_group(everyone, smallest))
    if kept.interactions.is_empty():
        reading.nothing_left(f"ratings by users in groups of at least {smallest}", NAME, findings)
    return Dataset(
        name=NAME,
        domain=MOVIES,
        users=kept.users,
        items=catalogue,
        interactions=kept.interactions,
        levels=LEVELS,
        labels={name: name.capitalize() for name in ATTRIBUTES},
        findings=findings.found(),
        facts={
            "users in users.dat": everyone.height,
            "films in movies.dat": catalogue.height,
            "ratings in ratings.dat": ratings.height,
            "users of occupation other": int((everyone["occupation"] == OTHER).sum()),
            **_facts(kept),
        },
        notice=NOTICE,
    )


def _facts(kept: Kept) -> dict[str, int]:
    return {
        "groups": kept.users.select(ATTRIBUTES).n_unique(),
        **{f"{name}s": kept.users[name].n_unique() for name in ATTRIBUTES},
        "users": kept.users.height,
        "ratings": kept.interactions.height,
        "rated films": kept.interactions["item"].n_unique(),
    }


def _table(place: Path, layout: Layout, findings: Findings, progress: Progress) -> pl.DataFrame:
    data = archive.content(place, layout.file)
    progress(f"read {layout.file}", len(data), len(data))
    text = reading.decoded(data, layout.file, "latin-1", findings)
    return reading.fields(reading.lines(text), layout, findings)


def _users(rows: pl.DataFrame, findings: Findings) -> pl.DataFrame:
    """Every user with his attributes in words; null where the code is unknown."""
    rows = findings.distinct(rows, ["user"], "duplicate user", USERS.file)
    words = rows.with_columns(
        pl.col(name).replace_strict(codes, default=None, return_dtype=pl.String) for name, codes in CODES.items()
    )
    for name in ATTRIBUTES:
        findings.mark(words, pl.col(name).is_null(), f"unknown {name} code", USERS.file)
    return words.select(pl.col("user").alias("user_id"), *ATTRIBUTES)


def _films(rows: pl.DataFrame, findings: Findings) -> pl.DataFrame:
    rows = findings.distinct(rows, ["item"], "duplicate item", FILMS.file)
    rows = reading.cleaned(rows, "title", FILMS.file, findings)
    rows = findings.drop(rows, pl.col("title") == "", "empty title", FILMS.file)
    # "Badkonake Sefid ) (1995)": a space the paper's prompts do not have.
    title = pl.col("title").str.replace_all(r"\s+\)", ")")
    return rows.select(pl.col("item").alias("item_id"), title, "genres")


def _ratings(rows: pl.DataFrame, users: pl.Series, films: pl.Series, findings: Findings) -> pl.DataFrame:
    value = pl.col("rating").cast(pl.Float32, strict=False).alias("value")
    rows = findings.drop(rows.with_columns(value), ~pl.col("value").is_between(*STARS), "rating not 1-5", RATINGS.file)
    rows = reading.numbered(rows, "user", users, RATINGS.file, findings)
    rows = reading.numbered(rows, "item", films, RATINGS.file, findings)
    return findings.distinct(rows, ["user", "item"], "duplicate (user, item) pair, first kept", RATINGS.file)


def _in_large_group(users: pl.DataFrame, smallest: int) -> pl.Series:
    named = pl.all_horizontal(pl.col(ATTRIBUTES).is_not_null()) & (pl.col("occupation") != OTHER)
    return users.select((named & (pl.len().over(ATTRIBUTES) >= smallest)).fill_null(value=False)).to_series()
