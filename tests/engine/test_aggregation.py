"""Means and variances by group against exact fractions; threads, and pieces."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from tests.reference import aggregation as reference

from habitus import aggregation
from habitus.aggregation import group_means, group_variances

values = st.one_of(st.floats(-1e6, 1e6, allow_subnormal=False), st.just(math.nan))
pairs = st.lists(st.tuples(st.integers(0, 5), values), max_size=60)


@given(pairs, st.sampled_from([np.int8, np.uint16, np.int32, np.uint32, np.int64, np.uint64]), st.integers(0, 2))
def test_twin(rows: list[tuple[int, float]], kind: type[np.integer], ddof: int) -> None:
    group, numbers = np.array([row[0] for row in rows], kind), [row[1] for row in rows]
    mean, count, variance = zip(*reference.moments(group.tolist(), numbers, 7, ddof), strict=True)
    found = group_variances(group, numbers, groups=7, ddof=ddof)
    assert_allclose(found.mean, mean, rtol=1e-12, atol=1e-9)
    assert_array_equal(found.count, count)
    assert_allclose(found.variance, variance, rtol=1e-9, atol=1e-9)
    assert [field.tolist() for field in group_means(group, numbers, groups=7)] == [
        pytest.approx(found.mean.tolist(), nan_ok=True, rel=0, abs=0),
        found.count.tolist(),
    ]


def test_a_large_mean_takes_no_digits_from_the_variance() -> None:
    found = group_variances(np.zeros(4, np.int64), 1e9 + np.array([4.0, 7.0, 13.0, 16.0]))
    assert found.variance[0] == 30.0


def test_sums_are_exact_where_the_numbers_are() -> None:
    rng = np.random.default_rng(0)
    group, numbers = rng.integers(0, 9, 400_000), rng.integers(-1000, 1000, 400_000)
    found = group_means(group, numbers)
    assert_array_equal(found.count, np.bincount(group))
    assert_array_equal(found.mean, np.bincount(group, weights=numbers) / np.bincount(group))


@pytest.mark.parametrize("groups", [3, 20_000])
def test_threads_do_not_change_a_bit(groups: int) -> None:
    rng = np.random.default_rng(0)
    group, numbers = rng.integers(0, groups, 330_000), rng.normal(size=330_000)
    one, many = (group_variances(group, numbers, threads=threads) for threads in (1, 5))
    for a, b in zip(one, many, strict=True):
        assert_array_equal(a, b)


def test_a_constant_has_no_variance() -> None:
    assert_array_equal(group_variances([0, 0, 0, 1], [0.1] * 4, ddof=0).variance, [0, 0])


def test_nothing_is_no_group() -> None:
    assert [len(field) for field in group_variances([], [])] == [0, 0, 0]
    assert np.isnan(group_means([], [], groups=2).mean).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: group_means([0.5], [1]), TypeError, "group: expected integers, got float64"),
        (lambda: group_means([0, 1], [1]), ValueError, r"as many groups as values, got shapes \(2,\) and \(1,\)"),
        (lambda: group_means([0, -1], [1, 2]), ValueError, r"group: expected integers in \[0, 1\), got -1"),
        (lambda: group_means([0, 4], [1, 2], groups=4), ValueError, r"in \[0, 4\), got 4"),
        (lambda: group_means([0], [math.inf]), ValueError, "values: expected finite numbers"),
    ],
)
def test_errors(call: object, error: type[Exception], message: str) -> None:
    assert callable(call)
    with pytest.raises(error, match=message):
        call()


def test_pieces_are_added_in_order() -> None:
    added: list[tuple[int, int]] = []
    aggregation.summed(lambda part, _: added.append((part.start, part.stop)), 300_000, 5, 1)
    assert added == [(0, 131_072), (131_072, 262_144), (262_144, 300_000)]
