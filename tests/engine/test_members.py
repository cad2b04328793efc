"""Sums over users, halves and half-samples of them: against sets and fractions; laws of the draws; threads; errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from scipy import stats
from tests.reference import members as reference

from habitus.members import Halves, Members, Sums, effective_counts, half_samples, halves, subsample

# As plain Python (NUMBA_DISABLE_JIT=1) the kernels' generator warns that its 64-bit words wrap.
pytestmark = pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")

ALL_USERS = 40


@st.composite
def groups(draw: st.DrawFn, *, most: int = 12) -> Members:
    """A few groups of few users, over few candidates or more than a word of them; many users did nothing."""
    candidates = draw(st.sampled_from([1, 7, 8, 9, 63, 64, 65, 130]))
    sizes = draw(st.lists(st.integers(0, most), min_size=0, max_size=4))
    before, after = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = before + sum(sizes) + after
    known = rng.random((rows, candidates)) < draw(st.sampled_from([0.02, 0.2, 0.9]))
    known[rng.random(rows) < draw(st.sampled_from([0, 0.3, 0.9]))] = False
    # Bits beyond the last candidate are there to be ignored.
    padded = np.hstack([known, rng.random((rows, -candidates % 8)) < 0.5])
    start = before + np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    users = rng.integers(0, ALL_USERS, rows).astype(np.int32)
    return Members(start, users, np.packbits(padded, axis=1, bitorder="little"), candidates)


def synthetic(tasks: int = 300, candidates: int = 50) -> Members:
    rng = np.random.default_rng(0)
    start = np.concatenate(([0], np.cumsum(rng.integers(0, 60, tasks)))).astype(np.int64)
    known = rng.random((start[-1], candidates)) < 0.08
    users = rng.integers(0, ALL_USERS, start[-1]).astype(np.int32)
    return Members(start, users, np.packbits(known, axis=1, bitorder="little"), candidates)


def as_sets(given: Members, task: int) -> list[set[int]]:
    rows = given.incidence[given.start[task] : given.start[task + 1]]
    return [reference.known(row.tobytes(), given.candidates) for row in rows]


def assert_sums(found: Sums, task: int, expected: reference.Sums) -> None:
    assert_allclose(found.total[task], [float(share) for share in expected.total], rtol=1e-13)
    assert (found.users[task], found.active[task], found.incidences[task]) == expected[1:4]
    assert_allclose(found.squares[task], float(expected.squares), rtol=1e-13)


def assert_same(found: tuple[NDArray[np.generic], ...], expected: tuple[NDArray[np.generic], ...]) -> None:
    for one, other in zip(found, expected, strict=True):
        assert_array_equal(one, other)


def one_group(*rows: set[int], candidates: int = 8) -> Members:
    known = np.array([[i in row for i in range(candidates)] for row in rows], np.bool_).reshape(-1, candidates)
    users = np.arange(len(rows), dtype=np.int32)
    return Members(np.array([0, len(rows)]), users, np.packbits(known, axis=1, bitorder="little"), candidates)


@given(groups(), st.booleans(), st.integers(0, 2**32))
def test_subsample_twin(given: Members, per_user: bool, seed: int) -> None:  # noqa: FBT001
    kept = np.random.default_rng(seed).random(ALL_USERS) < 0.5
    found = subsample(given, kept, per_user=per_user)
    assert found.total.shape == (len(given.start) - 1, given.candidates)
    for task in range(len(given.start) - 1):
        users = given.users[given.start[task] : given.start[task + 1]]
        rows = [row for row, user in zip(as_sets(given, task), users, strict=True) if kept[user]]
        assert_sums(found, task, reference.sums(rows, given.candidates, per_user=per_user))


@given(groups(), st.booleans(), st.integers(0, 2**64 - 20), st.integers(0, 2**64 - 1))
def test_halves_twin(given: Members, per_user: bool, seed: int, split: int) -> None:  # noqa: FBT001
    seeds = seed + np.arange(len(given.start) - 1, dtype=np.uint64)
    found = halves(given, seeds, split, per_user=per_user)
    for task in range(len(seeds)):
        rows = as_sets(given, task)
        drawn = reference.halves(rows, int(seeds[task]), split)
        if drawn is None:
            assert found.redrawn[task] == -1
            for half in (found.first, found.second):
                assert np.isnan(half.total[task]).all()
                assert np.isnan(half.squares[task])
                assert (half.users[task], half.active[task], half.incidences[task]) == (0, 0, 0)
            continue
        in_second, redrawn = drawn
        assert found.redrawn[task] == redrawn
        for side, half in enumerate((found.first, found.second)):
            own = [row for row, second in zip(rows, in_second, strict=True) if second == side]
            assert_sums(half, task, reference.sums(own, given.candidates, per_user=per_user))


@given(groups(most=30), st.integers(0, 2**63), st.integers(0, 50))
def test_halves_add_up_to_the_group(given: Members, seed: int, split: int) -> None:
    seeds = np.full(len(given.start) - 1, seed, np.uint64)
    found, whole = halves(given, seeds, split), subsample(given, np.ones(ALL_USERS, np.bool_))
    there = found.redrawn >= 0
    for name in ("total", "users", "active", "incidences"):
        both = getattr(found.first, name) + getattr(found.second, name)
        assert_array_equal(both[there], getattr(whole, name)[there])
    assert_allclose((found.first.squares + found.second.squares)[there], whole.squares[there], rtol=1e-12)
    assert (np.abs(found.first.users - found.second.users) <= 1).all()
    assert (found.first.active[there] > 0).all()
    assert (found.second.active[there] > 0).all()
    assert_array_equal(there, whole.active >= 2)


def in_first(users: int, seeds: int) -> NDArray[np.bool_]:
    """(seeds, users): user i alone knows candidate i, so that the totals say who is where."""
    rows = np.packbits(np.eye(users, dtype=np.bool_), axis=1, bitorder="little")
    start = users * np.arange(seeds + 1, dtype=np.int64)
    many = Members(start, np.tile(np.arange(users, dtype=np.int32), seeds), np.tile(rows, (seeds, 1)), users)
    drawn = halves(many, np.arange(seeds), 3)
    assert_array_equal(drawn.first.total + drawn.second.total, 1)
    return np.asarray(drawn.first.total == 1)


@pytest.mark.parametrize("users", [5, 6])
def test_every_half_is_equally_likely(users: int) -> None:
    first = in_first(users, 6000)
    of_each = np.bincount(first @ (1 << np.arange(users)), minlength=1 << users)
    sizes = np.array([subset.bit_count() for subset in range(1 << users)])
    possible = (sizes == users // 2) | (sizes == -(-users // 2))
    assert not of_each[~possible].any()
    assert stats.chisquare(of_each[possible]).pvalue > 1e-4


def test_each_user_is_in_the_first_half_half_of_the_time() -> None:
    seeds = 1200
    first = in_first(31, seeds)
    z = (first.sum(axis=0) - seeds / 2) / np.sqrt(seeds / 4)
    assert stats.chi2.sf((z**2).sum(), 31) > 1e-4
    sizes = first.sum(axis=1)
    assert set(sizes.tolist()) == {15, 16}
    assert stats.binomtest(int((sizes == 16).sum()), seeds).pvalue > 1e-4


def test_splits_are_independent() -> None:
    given = synthetic(50)
    seeds = np.arange(50)
    expected = subsample(given, np.ones(ALL_USERS, np.bool_)).total / 2
    halved = halves(given, seeds, 0).redrawn >= 0
    drawn = np.stack([(halves(given, seeds, split).first.total - expected)[halved].ravel() for split in range(12)])
    correlation = np.corrcoef(drawn)[~np.eye(12, dtype=np.bool_)]
    assert np.abs(correlation).max() < 5 / np.sqrt((expected[halved] > 0).sum())


def test_a_task_is_halved_by_its_own_seed_and_the_split() -> None:
    given = synthetic()
    seeds = np.random.default_rng(1).integers(0, 2**63, len(given.start) - 1)
    found = halves(given, seeds, 4)
    alone = halves(given._replace(start=given.start[7:9]), seeds[7:8], 4)
    assert_same(alone.first, tuple(field[7:8] for field in found.first))
    assert_same(alone.second, tuple(field[7:8] for field in found.second))
    assert (halves(given, seeds, 5).first.total[7] != found.first.total[7]).any()
    assert (halves(given, seeds + 1, 4).first.total[7] != found.first.total[7]).any()


def test_a_half_without_candidates_is_drawn_again() -> None:
    pair_among_many = one_group({1}, {2}, *[set[int]()] * 6)
    redrawn = [int(halves(pair_among_many, [seed], 0).redrawn[0]) for seed in range(400)]
    # Both in one half: 3/7 of the draws, so that a geometric number of them is thrown away.
    assert stats.ttest_1samp(redrawn, (3 / 7) / (4 / 7)).pvalue > 1e-4
    assert max(redrawn) > 2


@pytest.mark.parametrize("rows", [[], [{1}], [{1, 2}, set(), set()]])
def test_one_active_user_has_no_halves(rows: list[set[int]]) -> None:
    found = halves(one_group(*rows), [9], 0)
    assert found.redrawn.tolist() == [-1]
    assert np.isnan(found.first.total).all()


@pytest.mark.parametrize("per_user", [False, True])
@pytest.mark.parametrize("threads", [2, 5])
def test_threads_do_not_change_a_bit(per_user: bool, threads: int) -> None:  # noqa: FBT001
    given, kept = synthetic(150), np.arange(ALL_USERS) % 3 > 0
    seeds = np.arange(len(given.start) - 1)
    one = subsample(given, kept, per_user=per_user, threads=1)
    assert_same(subsample(given, kept, per_user=per_user, threads=threads), one)

    def flat(drawn: Halves) -> tuple[NDArray[np.generic], ...]:
        return (*drawn.first, *drawn.second, drawn.redrawn)

    assert_same(
        flat(halves(given, seeds, 2, per_user=per_user, threads=threads)),
        flat(halves(given, seeds, 2, per_user=per_user, threads=1)),
    )


def test_arrays_come_in_any_layout() -> None:
    given, kept = synthetic(20), np.ones(2 * ALL_USERS, np.bool_)
    strided = Members(
        given.start.astype(np.int32),
        np.repeat(given.users, 2)[::2].astype(np.int64),
        np.asfortranarray(given.incidence),
        given.candidates,
    )
    assert_same(subsample(strided, kept[::2]), subsample(given, kept[::2]))


@given(st.integers(0, 2**64 - 1), st.integers(0, 90))
def test_half_samples_twin(seed: int, users: int) -> None:
    found = half_samples(users, 3, seed=seed)
    assert found.dtype == np.bool_
    assert found.tolist() == [reference.half_sample(users, seed, resample) for resample in range(3)]


@given(st.integers(0, 2**64 - 1), st.integers(0, 300), st.integers(0, 40))
def test_a_half_sample_is_half_of_the_users(seed: int, users: int, resamples: int) -> None:
    assert_array_equal(half_samples(users, resamples, seed=seed).sum(axis=1), np.full(resamples, users // 2))


def test_more_half_samples_begin_with_the_same() -> None:
    assert_array_equal(half_samples(99, 70, seed=4)[:20], half_samples(99, 20, seed=4))
    assert (half_samples(99, 2, seed=4) != half_samples(99, 2, seed=5)).any()


def test_half_samples_vary_as_much_as_the_mean() -> None:
    values = np.random.default_rng(0).normal(size=60)
    means = np.array([values[kept].mean() for kept in half_samples(60, 2000, seed=1)])
    assert_allclose(means.var(), values.var(ddof=1) / 60, rtol=0.13)  # four standard errors
    assert abs(means.mean() - values.mean()) < 4 * means.std() / np.sqrt(2000)


@given(groups())
def test_effective_counts_twin(given: Members) -> None:
    everyone = np.ones(ALL_USERS, np.bool_)
    found = effective_counts(subsample(given, everyone, per_user=True), per_user=True)
    for task in range(len(found)):
        expected = reference.effective_counts(as_sets(given, task), given.candidates)
        assert_allclose(found[task], [float(count) for count in expected], rtol=1e-9, atol=1e-12)
    counts = subsample(given, everyone)
    assert_array_equal(effective_counts(counts, per_user=False), counts.total)


@given(groups())
def test_effective_counts_are_no_fewer_than_users_and_no_more_than_incidences(given: Members) -> None:
    sums = subsample(given, np.ones(ALL_USERS, np.bool_), per_user=True)
    total = effective_counts(sums, per_user=True).sum(axis=1)
    several = sums.active > 1
    assert (total[several] >= sums.active[several] - 1e-9).all()
    assert (total[several] <= sums.incidences[several] + 1e-9).all()
    assert_allclose(total[~several], sums.active[~several])


def test_users_with_one_candidate_each_are_independent_draws() -> None:
    rows = [{int(i)} for i in np.random.default_rng(0).integers(0, 8, 50)]
    sums = subsample(one_group(*rows), np.ones(50, np.bool_), per_user=True)
    assert_allclose(effective_counts(sums, per_user=True), sums.total)


def test_effective_counts_of_nothing_stay_missing() -> None:
    found = halves(one_group({1}, candidates=4), [0], 0, per_user=True)
    assert np.isnan(effective_counts(found.first, per_user=True)).all()


MEMBERS = one_group({1}, {2})


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: halves(MEMBERS, [0.5], 0), TypeError, "seed: expected integers, got float64"),
        (lambda: halves(MEMBERS, [1, 2], 0), ValueError, r"seed: expected shape \(1,\), one per task, got \(2,\)"),
        (lambda: halves(MEMBERS, [-1], 0), ValueError, "seed: expected integers >= 0, got -1"),
        (lambda: halves(MEMBERS, [1], -1), ValueError, r"split: expected an integer in \[0, 2\*\*64\), got -1"),
        (lambda: subsample(MEMBERS, [0, 1]), TypeError, "kept: expected bool, got int64"),
        (lambda: subsample(MEMBERS, [[True, True]]), ValueError, r"1-d array, got shape \(1, 2\)"),
        (lambda: subsample(MEMBERS, [True]), ValueError, "a place for every user, got 1 for users 0 to 1"),
        (
            lambda: subsample(MEMBERS._replace(users=np.array([0, -3])), [True]),
            ValueError,
            "a place for every user, got 1 for users -3 to 0",
        ),
        (lambda: halves(MEMBERS._replace(candidates=0), [1], 0), ValueError, "at least one candidate, got 0"),
        (
            lambda: halves(MEMBERS._replace(candidates=9), [1], 0),
            ValueError,
            r"incidence: expected shape \(2, 2\), a row of 9 bits per user, got \(2, 1\)",
        ),
        (
            lambda: halves(MEMBERS._replace(incidence=np.zeros((2, 1), np.bool_)), [1], 0),
            TypeError,
            r"incidence: expected bytes \(uint8\), got bool",
        ),
        (lambda: halves(MEMBERS._replace(start=np.array([0, 3])), [1], 0), ValueError, "from >= 0 to <= 2"),
        (lambda: halves(MEMBERS._replace(start=np.array([2, 1])), [1], 0), ValueError, "start: expected row numbers"),
        (lambda: halves(MEMBERS._replace(start=np.array([-1, 1])), [1], 0), ValueError, "start: expected row numbers"),
        (lambda: halves(MEMBERS._replace(start=np.array([0.0, 1])), [1], 0), TypeError, "start: expected integers"),
        (lambda: halves(MEMBERS, [1], 0, threads=0), ValueError, "threads: expected at least 1, got 0"),
        (lambda: half_samples(-1, 2, seed=0), ValueError, "users and resamples >= 0, got -1 and 2"),
        (lambda: half_samples(1, 2, seed=-1), ValueError, r"seed: expected an integer in \[0, 2\*\*64\), got -1"),
    ],
)
def test_errors(call: object, error: type[Exception], message: str) -> None:
    assert callable(call)
    with pytest.raises(error, match=message):
        call()


def test_no_tasks_have_no_sums() -> None:
    none = MEMBERS._replace(start=np.zeros(1, np.int64))
    assert halves(none, np.zeros(0, np.uint64), 0).first.total.shape == (0, 8)
    assert subsample(none, [True, True]).total.shape == (0, 8)
    assert effective_counts(subsample(none, [True, True]), per_user=True).shape == (0, 8)


def test_the_largest_number_of_candidates() -> None:
    given = synthetic(5, candidates=1024)
    found = subsample(given, np.ones(ALL_USERS, np.bool_))
    bits = np.unpackbits(given.incidence, axis=1, bitorder="little")
    for task in range(5):
        assert_array_equal(found.total[task], bits[given.start[task] : given.start[task + 1]].sum(axis=0))
