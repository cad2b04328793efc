"""Whole tasks per second, from logs of three shapes, however they are held, beside SciPy and pandas: one thread.

Rounds alternate between all of them, so that a busy machine slows each alike; medians of the processor's time of one
run are compared, as multiples of SciPy's. `HABITUS_BENCH_LARGE=1` adds 10^8 interactions.
"""

import time
from collections.abc import Callable

import numpy as np
import pytest
from benchmarks import timing
from benchmarks.sampled import SHAPES, Log, Run, by_engine, by_pandas, by_scipy, held_as, synthetic
from benchmarks.timing import Contestant
from pytest_benchmark.fixture import BenchmarkFixture

ROUNDS = 5
SECONDS = 0.3  # per competitor and round

COMPETITORS: dict[str, Callable[[Log, int], Run]] = {
    "habitus": by_engine,
    "habitus, bitmaps": held_as("bitmaps"),
    "habitus, probes": held_as("probes"),
    "habitus, counters": held_as("counters"),
    "scipy": by_scipy,
    "pandas": by_pandas,
}


@pytest.fixture(scope="module", params=SHAPES)
def log(request: pytest.FixtureRequest) -> Log:
    return synthetic(SHAPES[request.param])


def _seconds(run: Run) -> float:
    start = time.thread_time()
    run()
    return time.thread_time() - start


def _draws(prepare: Callable[[Log, int], Run], log: Log) -> int:
    """So many that a round takes long enough to be measured, and not much longer."""
    draws = 1
    while (took := _seconds(prepare(log, draws))) < SECONDS / 4 and draws < 20_000:
        draws *= 4
    return max(1, min(20_000, round(draws * SECONDS / took)))


def bench_tasks(log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    small = log.indexed.bitmap_bytes < 1 << 30
    chosen = {
        name: prepare for name, prepare in COMPETITORS.items() if small or name not in {"pandas", "habitus, bitmaps"}
    }
    sizes = {name: prepare(log, 5)() for name, prepare in chosen.items()}
    for name, size in sizes.items():
        np.testing.assert_array_equal(size, sizes["scipy"], name)
    draws = {name: _draws(prepare, log) for name, prepare in chosen.items()}
    jobs = {name: Contestant(prepare(log, draws[name]), draws[name]) for name, prepare in chosen.items()}
    costs = timing.in_turn(jobs, ROUNDS)
    with capsys.disabled():
        print(f"\n{log.shape.users:,} users, {log.shape.items:,} items, {len(log.indexed.user_items):,} pairs")
        for name, cost in costs.items():
            ratio = costs["scipy"].processor / cost.processor
            print(f"{name:20}{1e9 / cost.processor:12,.0f} tasks/s {ratio:8.1f} x scipy")


def bench_two_threads(log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    draws = 4 * _draws(by_engine, log)
    jobs = {str(threads): Contestant(by_engine(log, draws, threads=threads), draws, threads) for threads in (1, 2)}
    costs = timing.in_turn(jobs, ROUNDS)
    with capsys.disabled():
        print(f"\ntwo threads: {costs['1'].clock / costs['2'].clock:.2f} x one")


def bench_five_thousand_tasks(benchmark: BenchmarkFixture) -> None:
    run = by_engine(synthetic(SHAPES["movielens-1m"]), 5_000)
    assert len(benchmark.pedantic(run, rounds=5, warmup_rounds=1)) == 5_000
