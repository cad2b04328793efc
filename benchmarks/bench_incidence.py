"""Counting candidates, with a row of bits per user, in a MovieLens-1M-shaped log: however it is held, on one thread."""

from typing import get_args

import numpy as np
import pytest
from benchmarks.sampled import SHAPES, histories, synthetic
from pytest_benchmark.fixture import BenchmarkFixture

from habitus import groups, incidence, interactions

DRAWS, K = 2_000, 50


@pytest.mark.parametrize("representation", get_args(interactions.Representation))
def bench_counts(benchmark: BenchmarkFixture, representation: interactions.Representation) -> None:
    log = synthetic(SHAPES["movielens-1m"])
    held = log.indexed.held_as(representation)
    group = groups.groups(held, np.zeros(log.shape.users), np.zeros(DRAWS), histories(log, DRAWS), log.shape.needed)
    rng = np.random.default_rng(0)
    items = np.array([rng.choice(log.shape.items, K, replace=False) for _ in range(DRAWS)], np.int32)
    counted = benchmark.pedantic(incidence.counts, (held, group, items), {"threads": 1}, rounds=5, warmup_rounds=1)
    assert len(counted.incidence) == len(group.users)
