"""The meaningful-proxy test: does what a prompt tells about people lower the entropy of what they do?

Saha & Choudhury (2025), section 3.2; method, section 6. A task's group is set against random groups of its size on the
same candidates. A random group is the image of the group under a permutation of users, the same for all tasks, so that
a slice is tested as one although its tasks share users.

- Who may take whose place: where a cell is shown (setups A and C) users of whom the same attributes are known, since
  only they could be in its place; in setup B everyone. The history itself is not among the candidates.
- ``size``: any of them. Where taste is popularity alone, histories come out as *raising* entropy by a bit: who knows
  one is active, and the active spread over more items. Alone it says nothing about a history.
- ``activity``: only users who know about as many items outside the history.
- Where attributes are labels (setup C) every permutation is as likely as none, and p is uniform: exact, if candidates
  do not depend on the group (``candidates.rule`` quintiles or inventory). Rules ``half`` and ``literal`` take items
  that the group never touched: its entropy is then low by construction, whatever the proxy. For histories the p of a
  slice is approximate: an item of one task's history is a candidate of another's.
- Of ``events`` it is tested which candidates they did, not how often.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from habitus import proxies, sampling
from habitus_runners.columns import by_owner, fixed, ragged
from habitus_runners.datasets.dataset import Dataset
from habitus_runners.progress import Progress, silent
from habitus_runners.settings import Settings
from habitus_runners.tables import POOLED
from habitus_runners.tasks.material import material

LEVEL = 0.05
"""A task whose p is at most this counts towards ``share``."""

PEERS = 4
"""How many users, next to each other in activity, may take each other's places.

Those who know a history are the most active of any stratum, and the more items they know the higher their entropy. In
worlds of 2,000 users whose taste is popularity alone, histories lower entropy by 0 bits; 2, 4, 10, 20 and 40 peers
find -0.0000, -0.0001, -0.0009, -0.0026 and -0.0073, and any user -1.41. Where taste counts (beta = 2), 0.019, 0.025,
0.027, 0.027 and 0.026: of two peers a group often holds both.
"""

_SLICES = ("setup", "level", "history")
_SHOWN = (("A", "C"), ("B",))  # a cell, none; setup N has everyone for a group
_ROUNDING = 1e-12


class Matched(NamedTuple):
    """A slice against random groups of one kind.

    ``difference``: mean entropy of random groups less that of the groups, nats: > 0 where the proxy tells something.
    ``p``: of a mean entropy as low as this without a proxy's meaning, one-sided. ``share`` of the tasks whose own p is
    at most 0.05: 0.05 without a meaning.
    """

    difference: float
    p: float
    share: float


class ProxyTest(NamedTuple):
    """One slice of the tasks; ``all`` in level or history pools over it. ``entropy``: mean of its groups, nats."""

    setup: str
    level: str
    history: str
    tasks: int
    entropy: float
    size: Matched
    activity: Matched


def proxy_tests(
    dataset: Dataset,
    tasks: pa.Table,
    members: pa.Table,
    settings: Settings,
    *,
    resamples: int = 199,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress = silent,
) -> list[ProxyTest]:
    """Test the proxies of every setup; of its levels; of their history lengths. Setup N shows no proxy.

    Args:
        dataset: what the tasks were drawn from.
        tasks: the tasks table.
        members: the members table, of the same tasks.
        settings: of the run; ``target.kind`` and ``target.alpha`` say what the entropy is of.
        resamples: random permutations; the least p is 1 / (resamples + 1).
        seed: of the permutations.
        threads: default one per core.
        progress: told when the setups that show a cell are done, and those that show none.

    Raises:
        HabitusError: a member of no task, or a data set too small for the settings.
        ValueError: users or items of the tables are not in the data set.
    """
    log = material(dataset, settings).log
    group = _groups(tasks, members)
    about = pl.DataFrame(
        {
            "setup": tasks["setup"].cast(pa.string()),
            "level": tasks["level"].cast(pa.string()),
            "history": tasks["history"].combine_chunks().value_lengths().cast(pa.string()),
        }
    ).with_row_index("row")
    found: list[ProxyTest] = []
    for done, setups in enumerate(_SHOWN, start=1):
        part = about.filter(pl.col("setup").is_in(setups))
        if part.height:
            rows = part["row"].cast(pl.Int64).to_numpy()
            pool = _known(dataset) if "C" in setups else np.zeros(log.users, np.int64)
            by_activity = proxies.ByActivity(pool, _histories(tasks, rows))
            entropies = [
                proxies.permuted_entropies(
                    log,
                    group.take(rows),
                    fixed(tasks["candidates"])[rows],
                    _with_identity(proxies.permutations(strata, resamples=resamples, seed=seed, threads=threads)),
                    order=order,
                    per_user=settings.target.kind == "user_mean",
                    alpha=settings.target.alpha,
                    threads=threads,
                )
                for strata, order in ((pool, None), (_peers(pool), by_activity))
            ]
            found += _slices(part.drop("row").with_row_index("row"), *entropies)
        progress("proxies", done, len(_SHOWN))
    return sorted(found, key=lambda row: row.setup)


def _with_identity(images: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.vstack([np.arange(images.shape[1], dtype=np.int32), images])


def _groups(tasks: pa.Table, members: pa.Table) -> sampling.Groups:
    start, order = by_owner(members["task_id"], tasks["task_id"])
    return sampling.Groups(start, members["user"].to_numpy()[order])


def _known(dataset: Dataset) -> NDArray[np.int64]:
    """(users,) a number for each set of attributes that are known of a user."""
    known = dataset.users.select(pl.col(name).is_not_null() for name in dataset.attributes).to_numpy()
    return np.asarray(known @ (1 << np.arange(known.shape[1])), np.int64)


def _histories(tasks: pa.Table, rows: NDArray[np.int64]) -> NDArray[np.int32]:
    """(rows, longest) the histories of some tasks, -1 after their end."""
    history = ragged(tasks["history"])
    padded = np.full((tasks.num_rows, int(history.size.max(initial=0))), -1, np.int32)
    padded[history.row, np.arange(len(history.values)) - history.start[history.row]] = history.values
    return padded[rows]


def _peers(pool: NDArray[np.int64]) -> NDArray[np.int64]:
    """(users,) the stratum of each place in an order by pool and activity: so many neighbours of a pool."""
    size = np.unique(pool, return_counts=True)[1]
    strata = [np.arange(users) * max(1, users // PEERS) // users for users in size]
    return np.concatenate([number + len(pool) * place for place, number in enumerate(strata)])


def _slices(about: pl.DataFrame, *entropies: NDArray[np.float64]) -> Iterator[ProxyTest]:
    """``entropies``: (tasks, 1 + resamples), the groups' own first, size-matched and activity-matched."""
    for depth in range(1, len(_SLICES) + 1):
        for values, part in about.group_by(_SLICES[:depth], maintain_order=True):
            rows = part["row"].cast(pl.Int64).to_numpy()
            named = dict.fromkeys(_SLICES, POOLED) | dict(zip(_SLICES, map(str, values), strict=False))
            matched = [_matched(found[rows]) for found in entropies]
            yield ProxyTest(
                **named,
                tasks=len(rows),
                entropy=float(entropies[0][rows, 0].mean()),
                size=matched[0],
                activity=matched[1],
            )


def _matched(entropies: NDArray[np.float64]) -> Matched:
    """An image that touches no candidate has no entropy: it says nothing, and counts as its task's mean."""
    relative = np.nan_to_num(entropies - np.nanmean(entropies, axis=1, keepdims=True))
    mean = relative.mean(axis=0)
    return Matched(float(mean[1:].mean() - mean[0]), float(_p(mean)), float((_p(relative) <= LEVEL).mean()))


def _p(entropies: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., 1 + resamples) -> (...): the share of all that are no higher than the first, which is among them."""
    return np.asarray((entropies <= entropies[..., :1] + _ROUNDING).mean(axis=-1))
