"""Every competitor that is timed computes the same numbers."""

import numpy as np
import pytest
from benchmarks.competitors import COMPETITORS, EVERY, absent, synthetic
from numpy.testing import assert_allclose
from numpy.typing import NDArray

SHAPES = [(50, 10), (2, 1), (7, 7), (20, 3), (128, 10)]


def cases(candidates: int, length: int) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
    """Zeros and ties are the rule; some tasks are flat, some have a single user, some hold large counts."""
    counts, rankings = synthetic(400, candidates, length, seed=candidates)
    counts[:20] = 3
    counts[20:40] = 0
    counts[20:40, candidates - 1] = 1
    counts[40:60] *= 100
    return np.minimum(counts, 30_000), rankings


@pytest.mark.parametrize(
    ("name", "shape"),
    [(name, shape) for name, one in EVERY.items() for shape in SHAPES if one.shape in {None, shape}],
)
def test_agrees_with_pandas(name: str, shape: tuple[int, int]) -> None:
    competitor = EVERY[name]
    if competitor.lacks:
        pytest.skip(competitor.lacks)
    counts, rankings = cases(*shape)
    for alpha in (1 / 50, 1.0):
        found = competitor.score(counts, rankings, alpha)
        expected = EVERY["pandas"].score(counts, rankings, alpha)
        for ours, theirs in zip(found, expected, strict=True):
            assert_allclose(ours, theirs, rtol=0, atol=1e-12)


def test_a_missing_competitor_is_listed_with_its_reason() -> None:
    assert absent("numpy", "no_such_module") == "no_such_module not installed"
    assert absent("numpy") == ""
    assert {name for name, one in EVERY.items() if one.lacks} == EVERY.keys() - COMPETITORS.keys()


def test_counts_are_dense_or_have_zeros() -> None:
    assert synthetic(1000, dense=True)[0].min() > 0
    assert 0.43 < (synthetic(1000)[0] == 0).mean() < 0.47


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_lists_are_complete(shape: tuple[int, int]) -> None:
    _, rankings = synthetic(200, *shape)
    assert all(len(set(row)) == shape[1] for row in rankings.tolist())
    assert 0 <= rankings.min() <= rankings.max() < shape[0]


def test_value_sorts_refuse_what_int16_cannot_hold() -> None:
    counts, rankings = np.full((1, 3), 32_760, np.int32), np.array([[0, 1, 2]], np.int16)
    with pytest.raises(ValueError, match="below 32765, got 40000"):
        EVERY["numpy, value sorts"].score(counts + 7_240, rankings, 1.0)
    EVERY["numpy, value sorts"].score(counts, rankings, 1.0)
