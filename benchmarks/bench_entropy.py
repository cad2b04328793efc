"""Plug-in entropy per task, K = 50, against NumPy."""

import numpy as np
import pytest
from benchmarks.competitors import synthetic
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

import habitus


def with_numpy(counts: NDArray[np.int32]) -> NDArray[np.float64]:
    smoothed = counts + 1 / counts.shape[1]
    p = smoothed / smoothed.sum(axis=1, keepdims=True)
    return -(p * np.log(p)).sum(axis=1)


@pytest.mark.parametrize("estimate", [habitus.entropy.plug_in, with_numpy], ids=["habitus", "numpy"])
def bench_plug_in(benchmark: BenchmarkFixture, estimate: object) -> None:
    counts, _ = synthetic(200_000)
    assert callable(estimate)
    np.testing.assert_allclose(estimate(counts[:100]), with_numpy(counts[:100]), rtol=0, atol=1e-12)
    benchmark.pedantic(estimate, (counts,), rounds=5, warmup_rounds=1)
    benchmark.extra_info["ns_per_task"] = round(benchmark.stats.stats.median / len(counts) * 1e9)
