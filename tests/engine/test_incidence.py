"""habitus.incidence against its slow twin, however the log is held."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit
from tests.logs import drawn, logs
from tests.reference import sampling as reference

from habitus import incidence, interactions, sampling
from habitus.kernels import bitmaps, candidates, groups

# Run as plain Python (NUMBA_DISABLE_JIT=1), wrapping 64-bit products and 0 / 0 warn; compiled, they do not.
pytestmark = [pytest.mark.filterwarnings(f"ignore:{what}:RuntimeWarning") for what in ("overflow", "invalid value")]


def _tasks(log, seed, k, length=0):
    draws = drawn(log.indexed, min(length, log.indexed.items), min(length, log.indexed.items, 1), seed, draws=8)
    rng = np.random.default_rng(seed)
    rows = [rng.permutation(log.indexed.items)[:k] for _ in draws.seed]
    return draws, np.array(rows, np.int32)


@given(logs(), st.integers(0, 3), st.integers(1, 20), st.integers(0, 99))
def test_counts_and_incidence_agree_with_the_twin(log, length, k, seed):
    draws, items = _tasks(log, seed, min(k, log.indexed.items), length)
    counted = sampling.counts(log.indexed, draws.groups, items)
    alone = np.ones_like(counted.counts)
    incidence.count(log.indexed, draws.groups, items, alone, np.empty((0, 0), np.uint8))
    bits = np.unpackbits(counted.incidence, axis=1, count=items.shape[1], bitorder="little")
    for draw, row in enumerate(items.tolist()):
        users = draws.users(draw)
        assert counted.counts[draw].tolist() == alone[draw].tolist() == reference.counts(log.sets, users, row)
        own = bits[draws.groups.start[draw] : draws.groups.start[draw + 1]]
        assert own.tolist() == [[item in log.sets[user] for item in row] for user in users]


@pytest.mark.parametrize("kernel", [bitmaps, candidates, groups], ids=["bitmaps", "candidates", "groups"])
def test_bits_of_a_word_are_counted(kernel):
    ones = kernel._ones
    counted = njit(lambda word: ones(word))  # noqa: PLW0108 - the piece itself cannot be called from Python
    words = [0, 1, 2**63, 2**64 - 1, *np.random.default_rng(0).integers(0, 2**64, 300, dtype=np.uint64).tolist()]
    assert [counted(np.uint64(word)) for word in words] == [word.bit_count() for word in words]


@given(logs(), st.integers(0, 99))
def test_rows_without_candidates_count_nothing(log, seed):
    draws, items = _tasks(log, seed, 3)
    items[::2] = -1
    counted = sampling.counts(log.indexed, draws.groups, items)
    assert not counted.counts[::2].any()
    assert counted.counts[1].tolist() == reference.counts(log.sets, draws.users(1), items[1].tolist())


@given(logs(), st.integers(0, 99))
def test_user_mean_agrees_with_the_twin(log, seed):
    draws, items = _tasks(log, seed, 6)
    target = sampling.targets(log.indexed, draws.groups, items, per_user=True)
    for draw, row in enumerate(items.tolist()):
        expected = reference.user_mean(log.sets, draws.users(draw), row)
        assert np.allclose(target[draw], expected, rtol=1e-12, equal_nan=True)


@given(logs(), st.integers(0, 99))
def test_targets_without_values_are_the_counts_normalised(log, seed):
    draws, items = _tasks(log, seed, 6)
    counts = sampling.counts(log.indexed, draws.groups, items).counts.astype(float)
    total = counts.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        expected = counts / total
    assert np.allclose(sampling.targets(log.indexed, draws.groups, items), expected, rtol=1e-12, equal_nan=True)


def test_a_group_without_any_candidate_has_no_target():
    assert math.isnan(sampling.targets(_log(), _nobody(), np.array([[0, 1]], np.int32))[0, 0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sampling.counts(_log(), _nobody(), np.zeros((2, 2), np.int32)), "got 1 and 2"),
        (lambda: sampling.counts(_log(), _nobody(), np.array([[0, 2]])), r"items in \[0, 2\), got 0 to 2"),
        (lambda: sampling.targets(_log(), _nobody(), np.array([[0, 1]]), values=[1.0, 2.0]), "expected 1 values"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def _log() -> interactions.Interactions:
    return interactions.index([0], [0], (2, 2))


def _nobody() -> sampling.Groups:
    return sampling.Groups(np.zeros(2, np.int64), np.empty(0, np.int32))
