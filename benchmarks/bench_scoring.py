"""Entropy and cross-entropy per ranking, K = 50, N = 10; and what sizes, threads, models and empty slots change."""

from typing import Any

import numpy as np
import pytest
from benchmarks.competitors import EVERY, synthetic
from pytest_benchmark.fixture import BenchmarkFixture

import habitus

ALPHA = 1 / 50


def timed(benchmark: BenchmarkFixture, rankings: int, function: Any, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - any function is timed
    benchmark.pedantic(function, arguments, options, rounds=3, warmup_rounds=1)
    benchmark.extra_info["ns_per_ranking"] = round(benchmark.stats.stats.median / rankings * 1e9)


@pytest.mark.parametrize("name", EVERY)
def bench_competitors(benchmark: BenchmarkFixture, name: str) -> None:
    competitor = EVERY[name]
    if competitor.lacks:
        pytest.skip(competitor.lacks)
    counts, rankings = synthetic(competitor.rankings)
    timed(benchmark, len(rankings), competitor.prepare(counts, rankings, ALPHA))


@pytest.mark.parametrize("threads", [1, 2])
def bench_threads(benchmark: BenchmarkFixture, threads: int) -> None:
    timed(benchmark, 200_000, habitus.score, *synthetic(200_000), threads=threads)


@pytest.mark.parametrize("candidates", [20, 200, 1024])
def bench_sizes(benchmark: BenchmarkFixture, candidates: int) -> None:
    tasks = 2_000_000 // candidates
    timed(benchmark, tasks, habitus.score, *synthetic(tasks, candidates), threads=1)


def bench_ten_models_on_one_task(benchmark: BenchmarkFixture) -> None:
    counts, rankings = synthetic(200_000)
    task = np.repeat(np.arange(20_000), 10)
    timed(benchmark, 200_000, habitus.score, counts[:20_000], rankings, task=task, threads=1)


def bench_half_empty_lists(benchmark: BenchmarkFixture) -> None:
    counts, rankings = synthetic(200_000)
    rankings[:, 5:] = -1
    timed(benchmark, 200_000, habitus.score, counts, rankings, threads=1)
