"""A user's own tables, described by a CONFIG.toml, to a Dataset. The file's keys are in tabular_config.py."""

from pathlib import Path

import numpy as np
import polars as pl

from habitus_runners.datasets import reading, table_file
from habitus_runners.datasets.dataset import Dataset, Domain, Level
from habitus_runners.datasets.reading import Findings
from habitus_runners.datasets.table_file import Grid
from habitus_runners.datasets.tabular_config import Attribute, Config, Matrix, Pairs, Users, overrides, parse
from habitus_runners.errors import HabitusError
from habitus_runners.progress import Progress, silent

__all__ = ["load", "overrides"]


def load(config: Path, *, source: Path | None = None, progress: Progress = silent) -> Dataset:
    """The data set that ``config`` describes.

    Args:
        config: a CONFIG.toml.
        source: the folder its paths are relative to; None: its own.
        progress: told how many tables are read.

    Raises:
        HabitusError: a wrong key, a missing file or column, another encoding, or nothing left.
    """
    said, folder, findings = parse(config), source or config.parent, Findings()
    if not folder.is_dir():
        raise HabitusError(f"{folder}: expected the folder of the tables, got none; check --source")
    stage = f"read {said.data.name}"
    progress(stage, 0, 3)
    pairs = _pairs(said, folder, findings)
    progress(stage, 1, 3)
    everyone = _users(said, folder, pairs, findings)
    progress(stage, 2, 3)
    items = _items(said, folder, pairs, findings)
    file = str(said.interactions.path)
    pairs = reading.numbered(pairs, "user", everyone["user_id"], file, findings)
    pairs = reading.numbered(pairs, "item", items["item_id"], file, findings)
    progress(stage, 3, 3)
    active = pl.int_range(everyone.height, dtype=pl.Int32, eager=True).is_in(pairs["user"].unique().implode())
    kept = reading.restricted(everyone, pairs, _in_large_cells(everyone, active, said))
    if kept.interactions.is_empty():
        reading.nothing_left("interactions of known users with known items", said.data.name, findings)
    return Dataset(
        name=said.data.name,
        domain=Domain(said.words.domain, said.words.item, said.words.items, said.words.do, said.words.did),
        users=kept.users,
        items=items,
        interactions=kept.interactions,
        levels=(Level("none"), *(Level(name, of) for name, of in said.proxies.levels.items() if name != "none")),
        labels=_labels(said),
        findings=findings.found(),
        facts={
            "known users": everyone.height,
            "known users without interactions": int((~active).sum()),
            "interactions of known users": pairs.height,
            "users": kept.users.height,
            "items": items.height,
            "interactions": kept.interactions.height,
            "items interacted with": kept.interactions["item"].n_unique(),
        },
        notice=said.data.notice,
    )


def _labels(said: Config) -> dict[str, str]:
    attributes = said.users.attributes if said.users else {}
    return {name: attribute.label or name.capitalize() for name, attribute in attributes.items()}


def _pairs(said: Config, folder: Path, findings: Findings) -> pl.DataFrame:
    """Place, user, item, value: the ids as strings, one row per pair."""
    table, file = said.interactions, str(said.interactions.path)
    if isinstance(table, Matrix):
        rows = _melted(table, table_file.read_matrix(table, folder, table.id, said.data.max_cells, findings))
    else:
        columns = {"user": table.user, "item": table.item} | ({"value": table.value} if table.value else {})
        frame = table_file.read(table, folder, columns, said.data.max_cells, findings)
        value = pl.col("value") if table.value else pl.lit(1)
        rows = frame.with_columns(value=value.cast(pl.Float32, strict=False))
    for name in ("user", "item"):
        rows = findings.drop(rows, pl.col(name).fill_null("") == "", f"no {name}", file)
    rows = findings.drop(rows, ~pl.col("value").is_finite(), "value that is no number", file)
    if isinstance(table, Pairs) and table.duplicates == "sum":
        pairs = rows.group_by("user", "item", maintain_order=True)
        return pairs.agg(pl.exclude("value").first(), pl.col("value").sum())
    return findings.distinct(rows, ["user", "item"], "duplicate (user, item) pair, first kept", file)


def _melted(table: Matrix, grid: Grid) -> pl.DataFrame:
    """The cells that are not 0, as pairs."""
    cells = grid.cells.to_numpy()
    row, column = np.nonzero(cells)
    down = grid.ids.gather(row)
    across = pl.Series(grid.cells.columns, dtype=pl.String).gather(column)
    user, item = (across, down) if table.rows == "items" else (down, across)
    pairs = pl.DataFrame({"user": user, "item": item, "value": cells[row, column]})
    return grid.places.select(pl.all().gather(row)).with_columns(pairs.to_struct("text")).hstack(pairs)


def _users(said: Config, folder: Path, pairs: pl.DataFrame, findings: Findings) -> pl.DataFrame:
    if said.users is None:
        return pairs.select(pl.col("user").unique(maintain_order=True).alias("user_id"))
    table, file = said.users, str(said.users.path)
    given = {f"given {name}": attribute.column for name, attribute in table.attributes.items()}
    rows = table_file.read(table, folder, {"user_id": table.id, **given}, said.data.max_cells, findings)
    rows = findings.drop(rows, pl.col("user_id").fill_null("") == "", "no user", file)
    rows = findings.distinct(rows, ["user_id"], "duplicate user, first kept", file)
    return _attributes(rows, table, findings)


def _attributes(rows: pl.DataFrame, table: Users, findings: Findings) -> pl.DataFrame:
    file = str(table.path)
    columns = [pl.col("user_id")]
    for name, attribute in table.attributes.items():
        given = pl.col(f"given {name}").str.strip_chars().replace("", None)
        findings.mark(rows, given.is_null(), f"user without {name}", file)
        if attribute.bins:
            unread = given.is_not_null() & ~given.cast(pl.Float64, strict=False).is_finite()
            findings.mark(rows, unread, f"{name} that is no number", file)
        columns.append(_words(given, attribute).alias(name))
    return rows.select(columns)


def _words(given: pl.Expr, attribute: Attribute) -> pl.Expr:
    """A column's values as a prompt says them; null = unknown."""
    if attribute.bins:
        number = given.cast(pl.Float64, strict=False)
        band = pl.when(number.is_finite()).then(pl.sum_horizontal(number >= edge for edge in attribute.bins))
        given = band.replace_strict(dict(enumerate(attribute.bands)), default=None, return_dtype=pl.String)
    return given.replace(attribute.values) if attribute.values else given


def _items(said: Config, folder: Path, pairs: pl.DataFrame, findings: Findings) -> pl.DataFrame:
    if said.items is None:
        ids = pairs.unique("item", keep="first", maintain_order=True).drop("user", "value").rename({"item": "item_id"})
        rows, file = ids.with_columns(title="item_id"), str(said.interactions.path)
    else:
        table, file = said.items, str(said.items.path)
        columns = {"item_id": table.id, "title": table.title}
        rows = table_file.read(table, folder, columns, said.data.max_cells, findings)
        rows = rows.with_columns(pl.col("title").fill_null(""))
        rows = findings.drop(rows, pl.col("item_id").fill_null("") == "", "no item", file)
        rows = findings.distinct(rows, ["item_id"], "duplicate item, first kept", file)
    rows = reading.cleaned(rows, "title", file, findings)
    untitled = findings.mark(rows, pl.col("title") == "", "empty title, id taken", file)
    title = pl.when(untitled).then("item_id").otherwise("title")
    return rows.select("item_id", title.alias("title"))


def _in_large_cells(users: pl.DataFrame, active: pl.Series, said: Config) -> pl.Series:
    """Active users, less those in too small a cell of a level; who is in no cell of it (an unknown attribute) stays."""
    keep = users.select(active.alias("keep")).to_series()
    for level, least in said.proxies.min_users.items():
        attributes = said.proxies.levels[level]
        kept = users.with_columns(keep=keep)
        known = pl.all_horizontal(pl.lit(value=True), *(pl.col(name).is_not_null() for name in attributes))
        size = pl.col("keep").sum().over(attributes) if attributes else pl.col("keep").sum()
        keep = kept.select(pl.col("keep") & (~known | (size >= least))).to_series()
    return keep
