"""What tasks are drawn from: the sparse matrix, the inventory, and the cells of each proxy level."""

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from habitus import interactions
from habitus_runners.datasets.dataset import Dataset, Finding, Level
from habitus_runners.errors import HabitusError
from habitus_runners.settings import Settings


class Material(NamedTuple):
    """What tasks are drawn from: the interactions that count, their values in the same order, and the inventory."""

    log: interactions.Interactions
    values: NDArray[np.float32]
    inventory: NDArray[np.int64]


class Cells(NamedTuple):
    """The cells of a level: their attribute values, and each user's cell (-1: an attribute is unknown)."""

    level: Level
    values: list[dict[str, str]]
    of_user: NDArray[np.int32]


def material(dataset: Dataset, settings: Settings) -> Material:
    """The sparse user-item matrix and the inventory that the settings ask for.

    Raises:
        HabitusError: fewer items are left than the candidates and the longest history need.
    """
    counted = dataset.interactions.filter(pl.col("value") >= settings.min_rating).sort("user", "item")
    log = interactions.index(counted["user"], counted["item"], (dataset.users.height, dataset.items.height))
    least = {"catalogue": 0, "kept": 1}.get(str(settings.inventory), settings.inventory)
    inventory = np.flatnonzero(log.popularity >= int(least))
    needed = settings.candidates.K + max(settings.history.lengths)
    if len(inventory) < needed:
        raise HabitusError(
            f"{dataset.name}: expected at least {needed} items (candidates.K and the longest history), got"
            f" {len(inventory)}; lower candidates.K, history.lengths or min_rating"
        )
    return Material(log, counted["value"].to_numpy(), inventory)


def peculiarities(dataset: Dataset, settings: Settings) -> tuple[Finding, ...]:
    """What a study leaves out of a sound data set, or cannot tell apart in it: counted and named."""
    low = dataset.interactions.filter(pl.col("value") < settings.min_rating)
    titles = dataset.items["title"]
    shared = titles.filter(titles.is_duplicated())
    findings = []
    if low.height:
        first = low.row(0, named=True)
        example = f"user {dataset.users['user_id'][first['user']]}, {titles[first['item']]}: {first['value']:g}"
        findings.append(Finding(f"value below min_rating = {settings.min_rating:g}, not used", low.height, example))
    if len(shared):
        findings.append(Finding("title of several items, which no answer can tell apart", len(shared), shared[0]))
    return tuple(findings)


def cells(dataset: Dataset, level: Level) -> Cells:
    """The cells of a level, in the order of their values."""
    names = list(level.attributes)
    if not names:
        return Cells(level, [{}], np.zeros(dataset.users.height, np.int32))
    values = dataset.users.select(names).drop_nulls().unique().sort(names)
    numbered = values.with_row_index("cell")
    cell = dataset.users.select(names).join(numbered, on=names, how="left", maintain_order="left")["cell"]
    return Cells(level, values.to_dicts(), cell.cast(pl.Int32).fill_null(-1).to_numpy())
