"""What lanes cost: more candidates, more models, wider integers, dense counts, large counts, empty slots."""

import numpy as np
import pytest
from benchmarks.bench_scoring import timed
from benchmarks.competitors import synthetic
from pytest_benchmark.fixture import BenchmarkFixture

import habitus
from habitus.scoring import FILLS, Fill

RANKINGS = 200_000


@pytest.mark.parametrize("candidates", [8, 32, 64, 128, 129, 1024])
def bench_candidates(benchmark: BenchmarkFixture, candidates: int) -> None:
    rankings = min(RANKINGS, 10_000_000 // candidates)
    timed(benchmark, rankings, habitus.score, *synthetic(rankings, candidates, 5), threads=1)


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.int32, np.int64])
def bench_integer_types(benchmark: BenchmarkFixture, kind: type[np.signedinteger]) -> None:
    counts, rankings = synthetic(RANKINGS)
    timed(benchmark, RANKINGS, habitus.score, counts.clip(0, 127).astype(kind), rankings.astype(kind), threads=1)


@pytest.mark.parametrize("order", ["by task", "by model"])
def bench_ten_models(benchmark: BenchmarkFixture, order: str) -> None:
    counts, rankings = synthetic(RANKINGS)
    task = np.arange(RANKINGS) // 10 if order == "by task" else np.arange(RANKINGS) % (RANKINGS // 10)
    timed(benchmark, RANKINGS, habitus.score, counts[: RANKINGS // 10], rankings, task=task, threads=1)


def bench_dense_counts(benchmark: BenchmarkFixture) -> None:
    counts, rankings = synthetic(RANKINGS)
    timed(benchmark, RANKINGS, habitus.score, counts + np.arange(1, 51, dtype=np.int32), rankings, threads=1)


def bench_counts_too_large_for_a_narrow_lane(benchmark: BenchmarkFixture) -> None:
    counts, rankings = synthetic(RANKINGS)
    counts[::10, 0] = 100_000
    timed(benchmark, RANKINGS, habitus.score, counts, rankings, threads=1)


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("empty", [1, 5])
def bench_empty_slots(benchmark: BenchmarkFixture, empty: int, fill: Fill) -> None:
    counts, rankings = synthetic(RANKINGS)
    rankings[:, -empty:] = -1
    timed(benchmark, RANKINGS, habitus.score, counts, rankings, fill=fill, threads=1)
