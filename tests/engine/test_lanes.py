"""Scores 32 and 16 tasks at a time against their twin, the loops of kernels/scoring.py, at every edge of the lanes."""

import math
from typing import Any

import numpy as np
import pytest
from benchmarks.competitors import synthetic
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

import habitus
from habitus import lanes
from habitus.kernels import vectors
from habitus.scoring import FILLS

pytestmark = pytest.mark.skipif(not lanes.hold(2), reason="NUMBA_DISABLE_JIT=1: there are no vectors to test")

TOP = 32767
close = {"rtol": 0, "atol": 1e-12}
EDGES = [1, 2, 3, 7, 16, 17, 31, 32, 33, 50, 63, 64, 65, 100, 127, 128, 129, 160, 257, 1024]


def twin(monkeypatch: pytest.MonkeyPatch, *arguments: Any, **options: Any) -> habitus.Scores:
    with monkeypatch.context() as patch:
        patch.setattr(lanes, "MOST_CANDIDATES", 0)
        return habitus.score(*arguments, **options)


def agree(scores: habitus.Scores, expected: habitus.Scores) -> None:
    for found, wanted in zip(scores, expected, strict=True):
        assert_allclose(found, wanted, **close)


def random_lists(rows: int, candidates: int, length: int, seed: int = 0) -> NDArray[np.int16]:
    rng = np.random.default_rng(seed)
    return rng.permuted(np.tile(np.arange(candidates, dtype=np.int16), (rows, 1)), axis=1)[:, :length]


def random_counts(tasks: int, candidates: int, seed: int = 0) -> NDArray[np.int32]:
    """Zeros and ties are the rule, and some tasks hold large counts."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.gamma(0.3, 8, (tasks, candidates))).astype(np.int32)
    counts[rng.random(tasks) < 0.2] *= 200
    counts[np.arange(tasks), rng.integers(0, candidates, tasks)] += 1
    return np.minimum(counts, TOP - candidates)


@pytest.mark.parametrize("size", range(1, 129))
def test_the_network_sorts(size: int) -> None:
    rng = np.random.default_rng(size)
    ones = rng.random((200, size)) < rng.random((200, 1))  # it sorts all numbers if it sorts all zeros and ones
    rows = np.concatenate([ones, rng.permuted(np.tile(np.arange(size), (50, 1)), axis=1), np.tri(size)])
    ordered = vectors.in_order(list(rows.T), lambda a, b: (np.maximum(a, b), np.minimum(a, b)))
    assert_array_equal(np.transpose(ordered), -np.sort(-rows, axis=1))


@pytest.mark.parametrize("size", [1, 2, 3, 50, 64, 129, 200, 256, 257])
def test_the_table_sorts(size: int) -> None:
    ones = np.random.default_rng(size).random((300, size)) < np.linspace(0, 1, 300)[:, None]
    rows = np.concatenate([ones, np.tri(size), np.tri(size)[:, ::-1]])
    expected = -np.sort(-rows, axis=1)
    for i, j in lanes._network(size).reshape(-1, 2):
        assert 0 <= i < j < size
        rows[:, [i, j]] = np.stack([rows[:, [i, j]].max(axis=1), rows[:, [i, j]].min(axis=1)], axis=1)
    assert_array_equal(rows, expected)


@given(st.data())
def test_where_a_random_list_leaves_the_others(data: st.DataObject) -> None:
    K = data.draw(st.integers(1, 40))
    N = data.draw(st.integers(1, K))
    share, start, slot = lanes._band(K, N)
    found = np.zeros((K + K % 2, K))
    for j in range(len(slot)):
        for offset, pair in enumerate(share.reshape(-1, 2)[start[j] : start[j + 1]]):
            found[[2 * j, 2 * j + 1], slot[j] + offset] = pair
    expected = np.zeros_like(found)
    for i in range(K):
        for x in range(max(0, N + i - K + 1), min(N, i) + 1):
            chance = math.comb(i, x) * math.comb(K - 1 - i, N - x) / math.comb(K - 1, N)
            expected[i, N + i - x] = (1 - N / K) * chance
    assert_allclose(found, expected, rtol=1e-13, atol=0)


def test_the_network_is_as_small_as_batchers() -> None:
    exchanged = []

    def exchange(i: int, j: int) -> tuple[int, int]:
        exchanged.append((i, j))
        return i, j

    vectors.in_order(list(range(50)), exchange)
    assert len(exchanged) == 395


@pytest.mark.parametrize("candidates", EDGES)
def test_twin(candidates: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for length in {1, (candidates + 1) // 3, candidates} - {0}:
        counts, lists = random_counts(75, candidates), random_lists(75, candidates, length)
        for alpha in (None, 1e-6, 3.0):
            scores = habitus.score(counts, lists, alpha=alpha)
            assert (scores.valid == length).all()
            agree(scores, twin(monkeypatch, counts, lists, alpha=alpha))


@pytest.mark.parametrize("tasks", [1, 31, 32, 33, 64, 95])
def test_any_number_of_tasks(tasks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    counts, lists = random_counts(tasks, 50), random_lists(tasks, 50, 10)
    agree(habitus.score(counts, lists), twin(monkeypatch, counts, lists))


def test_extreme_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = np.zeros((11, 50), np.int64)
    counts[0] = 1
    counts[1] = TOP  # the largest count that fits into a narrow lane
    counts[2, 7] = 1
    counts[3, 7] = TOP
    counts[4, 7] = TOP + 1  # the smallest that does not
    counts[5, 7] = 2**31 - 1  # the largest that fits into a wide one
    counts[6] = 2**31 - 1
    counts[7, 7] = 2**31  # the smallest that does not
    counts[8, 7] = 2**32 + 1
    counts[9] = 2**40
    counts[10] = np.arange(50)
    lists = random_lists(11, 50, 10)
    for alpha in (None, 1e-12, 1e6):
        agree(habitus.score(counts, lists, alpha=alpha), twin(monkeypatch, counts, lists, alpha=alpha))


@pytest.mark.parametrize("candidates", [1, 15, 17, 50, 150])
def test_counts_too_large_for_a_narrow_lane(candidates: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(candidates)
    counts = random_counts(50, candidates).astype(np.int64)
    counts[::2] *= rng.integers(1, 1 << 16, (25, candidates))
    counts[::2, 0] = 1 << 20
    for length in {1, (candidates + 1) // 3, candidates} - {0}:
        lists = random_lists(50, candidates, length)
        agree(habitus.score(counts, lists), twin(monkeypatch, counts, lists))
        lists[::3, rng.integers(length)] = -1
        agree(habitus.score(counts, lists), twin(monkeypatch, counts, lists))


def test_few_tasks_are_left_to_the_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    """That the lanes did the work, which the other tests compare with the twin's."""
    counts, lists = random_counts(64, 50).astype(np.int64), random_lists(64, 50, 10)
    counts[::2, 0], lists[1::3, 4], seen = 1 << 20, -1, []
    monkeypatch.setattr("habitus.scoring._score_rest", lambda _request, own, rankings: seen.append((own, rankings)))
    habitus.score(counts, lists)
    assert not seen
    counts[5, 0] = 1 << 40
    habitus.score(counts, lists)
    assert [[part.tolist() for part in piece] for piece in seen] == [[[5], [5]]]


def test_a_task_scores_the_same_to_the_bit_beside_any_other() -> None:
    counts, lists = random_counts(300, 30), random_lists(300, 30, 10)
    counts[::2, 12:] = (
        0  # beside others, alone and in between: blocks that end in rows of zeros, and blocks that do not
    )
    counts[::2, 0] += 1
    counts[[3, 40, 64]] = 100_000
    lists[[5, 64], 2] = -1
    together = habitus.score(counts, lists)
    for t in range(300):
        for alone, among in zip(habitus.score(counts[[t]], lists[[t]]), together, strict=True):
            assert alone[0] == among[t]


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize(("candidates", "length"), [(1, 1), (17, 6), (33, 33), (50, 10), (50, 49), (150, 20)])
def test_empty_slots(fill: Any, candidates: int, length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    counts, lists = random_counts(90, candidates), random_lists(90, candidates, length)
    full = lists.copy()
    lists[::7, length // 2 :] = -1
    lists[8] = -1
    lists[np.random.default_rng(1).random(lists.shape) < 0.1] = -1
    scores = habitus.score(counts, lists, fill=fill)
    agree(scores, twin(monkeypatch, counts, lists, fill=fill))
    assert_array_equal(scores.valid, (lists >= 0).sum(axis=1))
    complete = scores.valid == length
    whole = habitus.score(counts, full)
    assert_array_equal(scores.cross_entropy[complete], whole.cross_entropy[complete])
    for field in ("entropy", "chance", "worst"):
        assert_array_equal(getattr(scores, field), getattr(whole, field))


@pytest.mark.parametrize("kind", ["u1", "u2", "u4", "u8"])
def test_the_largest_unsigned_number_is_no_empty_slot(kind: str) -> None:
    lists = random_lists(40, 50, 10).astype(kind)
    lists[7, 3] = np.iinfo(kind).max
    with pytest.raises(ValueError, match=f"row 7 holds {np.iinfo(kind).max}"):
        habitus.score(random_counts(40, 50), lists)


@pytest.mark.parametrize("kind", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", ">i2", ">i4", ">u8"])
def test_every_integer_type_at_its_limits(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    counts, lists = random_counts(40, 50).clip(0, 127).astype(kind), random_lists(40, 50, 10)
    counts[3, 4] = np.iinfo(kind).max
    expected = twin(monkeypatch, counts.astype("u8"), lists)
    agree(habitus.score(counts, lists.astype(kind)), expected)
    agree(habitus.score(counts[::-1], lists[::-1].astype(kind)), habitus.Scores(*(field[::-1] for field in expected)))


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_many_rankings_of_a_task(threads: int, *, shuffled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    held = np.array([0, 1, 16, 17, 0, 40, 3, 500, 0] * 5)
    task = np.repeat(np.arange(45), held)
    if shuffled:
        task = np.random.default_rng(3).permutation(task)
    counts, lists = random_counts(45, 30), random_lists(len(task), 30, 7)
    counts[7] = 50_000
    lists[::11, 2] = -1
    expected = twin(monkeypatch, counts, lists, task=task)
    monkeypatch.setattr("habitus.scoring._LANE_CELLS", 30 * 10)  # several lanes of a task are in several pieces
    scores = habitus.score(counts, lists, task=task, threads=threads)
    agree(scores, expected)
    monkeypatch.setattr("habitus.scoring._LANE_CELLS", 1 << 20)
    for one, other in zip(scores, habitus.score(counts, lists, task=task, threads=1), strict=True):
        assert_array_equal(one, other)


def test_threads_cannot_change_a_bit() -> None:
    counts, lists = synthetic(30_000)
    lists[::50, 4] = -1
    whole = habitus.score(counts, lists, threads=1)
    for threads in (2, 3):
        for one, other in zip(whole, habitus.score(counts, lists, threads=threads), strict=True):
            assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("row", "message"),
    [([0, 1, 1], "row 33 lists 1 twice"), ([0, 9, 1], "row 33 holds 9"), ([0, 1, -2], "row 33 holds -2")],
)
def test_faulty_lists_are_named(row: list[int], message: str) -> None:
    counts, lists = random_counts(40, 9), random_lists(40, 9, 3)
    lists[33] = row
    with pytest.raises(ValueError, match=message):
        habitus.score(counts, lists)


def test_faulty_counts_are_named_before_large_ones() -> None:
    counts, lists = random_counts(40, 9).astype(np.int64), random_lists(40, 9, 3)
    counts[5] = 2**50
    counts[35] = 0
    with pytest.raises(ValueError, match="task 35 has none"):
        habitus.score(counts, lists)
    counts[34, 2] = -(2**32)
    with pytest.raises(ValueError, match="got -4294967296 for task 34, candidate 2"):
        habitus.score(counts, lists)


@pytest.mark.parametrize("candidates", [127, 128, 129, 200, 256, 300, 1000])
def test_slots_of_one_byte(candidates: int) -> None:
    """An empty slot in int8 is 255 without its sign, and of more than 255 candidates one has that number."""
    counts, lists = random_counts(40, candidates), random_lists(40, 100, 5).astype(np.int8)
    lists[::3, 1] = -1
    agree(habitus.score(counts, lists), habitus.score(counts, lists.astype(np.int16)))
    with pytest.raises(ValueError, match="row 7 holds -56"):
        habitus.score(counts, np.where(np.arange(40)[:, None] == 7, np.int8(-56), lists))
    unsigned = np.where(lists < 0, 90, lists).astype(np.uint8)
    unsigned[:, 1] = candidates - 1 if candidates <= 256 else 255
    unsigned[:, 0] = 0
    unsigned[:, 2:] = [1, 2, 3]
    agree(habitus.score(counts, unsigned), habitus.score(counts, unsigned.astype(np.int64)))
