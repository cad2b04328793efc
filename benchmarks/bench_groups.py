"""Finding groups, with their users, in a MovieLens-1M-shaped log: however it is held, on one thread."""

from typing import get_args

import numpy as np
import pytest
from benchmarks.sampled import SHAPES, histories, synthetic
from pytest_benchmark.fixture import BenchmarkFixture

from habitus import groups, interactions

DRAWS = 2_000


@pytest.mark.parametrize("representation", get_args(interactions.Representation))
def bench_groups(benchmark: BenchmarkFixture, representation: interactions.Representation) -> None:
    log = synthetic(SHAPES["movielens-1m"])
    held, cells, history = log.indexed.held_as(representation), np.zeros(DRAWS), histories(log, DRAWS)
    arguments = (held, np.zeros(log.shape.users), cells, history, log.shape.needed)
    found = benchmark.pedantic(groups.groups, arguments, {"threads": 1}, rounds=5, warmup_rounds=1)
    assert len(found.size) == DRAWS
