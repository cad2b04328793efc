"""Tasks per second: histories, groups, candidates and counts of a MovieLens-1M-shaped log, beside SciPy and pandas."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from habitus import interactions, sampling

USERS, ITEMS, PAIRS = 6_040, 3_900, 1_000_000
LENGTH, NEEDED, K = 5, 3, 50

Log = tuple[NDArray[np.int64], NDArray[np.int64]]


@pytest.fixture(scope="module")
def log() -> Log:
    """Distinct pairs: Zipf-Mandelbrot popularity, log-normal activity."""
    rng = np.random.default_rng(0)
    popularity, activity = 1 / (np.arange(ITEMS) + 30), rng.lognormal(0, 1, USERS)
    chosen: NDArray[np.int64] = np.empty(0, np.int64)
    while len(chosen) < PAIRS:
        user = rng.choice(USERS, PAIRS, p=activity / activity.sum())
        item = rng.choice(ITEMS, PAIRS, p=popularity / popularity.sum())
        chosen = np.unique(np.concatenate([chosen, user * ITEMS + item]))
    user, item = np.divmod(rng.choice(chosen, PAIRS, replace=False), ITEMS)
    return user, item


def _histories(draws: int) -> NDArray[np.int32]:
    return sampling.histories(sampling.seeds(0, np.arange(draws)), np.arange(ITEMS), LENGTH)


def by_engine(log: Log, draws: int) -> Callable[[], NDArray[np.int64]]:
    matrix = interactions.index(*log, (USERS, ITEMS))
    seeds, inventory, cell = sampling.seeds(0, np.arange(draws)), np.arange(ITEMS), np.zeros(USERS)

    def run() -> NDArray[np.int64]:
        history = sampling.histories(seeds, inventory, LENGTH, threads=1)
        group = sampling.groups(matrix, cell, np.zeros(draws), history, NEEDED, threads=1)
        items, _ = sampling.candidates(matrix, group, history, seeds, inventory, length=K, threads=1)
        sampling.counts(matrix, group, items, threads=1)
        return group.size

    return run


def by_scipy(log: Log, draws: int) -> Callable[[], NDArray[np.int64]]:
    rows = scipy.sparse.csr_array((np.ones(PAIRS, np.int32), log), shape=(USERS, ITEMS))
    columns, histories = rows.tocsc(), _histories(draws)

    def run() -> NDArray[np.int64]:
        sizes, rng = np.empty(draws, np.int64), np.random.default_rng(0)
        for draw, history in enumerate(histories):
            group = np.flatnonzero(columns[:, history].sum(axis=1) >= NEEDED)
            counts = np.bincount(rows[group].indices, minlength=ITEMS)
            free = np.ones(ITEMS, np.bool_)
            free[history] = False
            parts = [np.flatnonzero((counts > 0) & free), np.flatnonzero((counts == 0) & free)]
            rng.shuffle(np.concatenate([rng.choice(part, min(K // 2, len(part)), replace=False) for part in parts]))
            sizes[draw] = len(group)
        return sizes

    return run


def by_pandas(log: Log, draws: int) -> Callable[[], NDArray[np.int64]]:
    frame, histories = pd.DataFrame({"user": log[0], "item": log[1]}), _histories(draws)

    def run() -> NDArray[np.int64]:
        sizes, rng = np.empty(draws, np.int64), np.random.default_rng(0)
        for draw, history in enumerate(histories):
            known = frame[frame["item"].isin(history)].groupby("user").size()
            group = known[known >= NEEDED].index
            counts = frame[frame["user"].isin(group)].groupby("item").size().drop(history, errors="ignore")
            never = np.setdiff1d(np.arange(ITEMS), np.concatenate([counts.index, history]))
            parts = [counts.index.to_numpy(), never]
            rng.shuffle(np.concatenate([rng.choice(part, min(K // 2, len(part)), replace=False) for part in parts]))
            sizes[draw] = len(group)
        return sizes

    return run


COMPETITORS = {"habitus": (by_engine, 5_000), "scipy": (by_scipy, 500), "pandas": (by_pandas, 20)}


@pytest.mark.parametrize("name", COMPETITORS)
def bench_tasks(benchmark: BenchmarkFixture, log: Log, name: str) -> None:
    prepare, draws = COMPETITORS[name]
    few = [COMPETITORS[other][0](log, 10)() for other in ("habitus", name)]
    np.testing.assert_array_equal(*few)
    benchmark.pedantic(prepare(log, draws), rounds=3, warmup_rounds=1)
    benchmark.extra_info["tasks_per_second"] = round(draws / benchmark.stats.stats.median)
