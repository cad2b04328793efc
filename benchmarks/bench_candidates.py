"""Drawing candidates by every rule from a MovieLens-1M-shaped log, on one thread, groups given."""

import numpy as np
import pytest
from benchmarks.sampled import SHAPES, histories, synthetic
from pytest_benchmark.fixture import BenchmarkFixture

from habitus import candidates, groups, sampling

DRAWS = 2_000


@pytest.mark.parametrize("rule", candidates.RULES)
def bench_candidates(benchmark: BenchmarkFixture, rule: candidates.Rule) -> None:
    log = synthetic(SHAPES["movielens-1m"])
    history, seeds = histories(log, DRAWS), sampling.seeds(0, np.arange(DRAWS))
    group = groups.groups(log.indexed, np.zeros(log.shape.users), np.zeros(DRAWS), history, log.shape.needed)
    arguments = (log.indexed, group, history, seeds, np.arange(log.shape.items))
    items, _ = benchmark.pedantic(
        candidates.candidates, arguments, {"rule": rule, "threads": 1}, rounds=5, warmup_rounds=1
    )
    assert items.shape == (DRAWS, 50)
