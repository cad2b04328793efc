"""Entropy and cross-entropy per ranking of 10 out of 50; bench_lanes.py has what sizes, models, empty slots change."""

from typing import Any

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


def bench_real_valued_targets(benchmark: BenchmarkFixture) -> None:
    counts, rankings = synthetic(20_000)
    target = (counts + ALPHA) / (counts + ALPHA).sum(axis=1, keepdims=True)
    timed(benchmark, 20_000, habitus.score_values, target, target, rankings, threads=1)
