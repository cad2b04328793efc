"""Two million members of 5,000 groups, 5 of 50 candidates each: ns a member, one thread.

`python -m benchmarks.bench_members` prints ratios to NumPy, which unpacks the bits and adds them, from one run.
"""

import functools
from collections.abc import Callable

import numpy as np
import pytest
from benchmarks import timing
from benchmarks.timing import Contestant
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from habitus.members import Members, half_samples, halves, subsample

TASKS, MEMBERS, K, KNOWN, USERS = 5_000, 2_000_000, 50, 5, 6_040
RESAMPLES, ROUNDS = 1000, 5
Reals = NDArray[np.float64]


@functools.cache
def synthetic(candidates: int = K) -> Members:
    rng = np.random.default_rng(0)
    start = np.concatenate(([0], np.sort(rng.integers(0, MEMBERS, TASKS - 1)), [MEMBERS])).astype(np.int64)
    share = 1 / np.arange(1, candidates + 1) ** 0.8
    share *= KNOWN / share.sum()
    bits = [
        np.packbits(rng.random((10_000, candidates), np.float32) < share, axis=1, bitorder="little")
        for _ in range(MEMBERS // 10_000)
    ]
    return Members(start, rng.integers(0, USERS, MEMBERS).astype(np.int32), np.concatenate(bits), candidates)


def with_numpy(members: Members, kept: NDArray[np.bool_], *, per_user: bool) -> Reals:
    total = np.zeros((len(members.start) - 1, members.candidates))
    for task in range(len(total)):
        rows = slice(members.start[task], members.start[task + 1])
        known = np.unpackbits(members.incidence[rows][kept[members.users[rows]]], axis=1, bitorder="little")
        known = known[:, : members.candidates]
        sums = known.sum(axis=1, keepdims=True)
        total[task] = (known / np.maximum(sums, 1)).sum(axis=0) if per_user else known.sum(axis=0, dtype=np.int64)
    return total


def contests(*, per_user: bool) -> dict[str, Callable[[], Reals]]:
    members, kept = synthetic(), half_samples(USERS, 1, seed=0)[0]
    seeds, everyone = np.arange(TASKS), np.ones(USERS, np.bool_)
    return {
        "subsample of half": lambda: subsample(members, kept, per_user=per_user, threads=1).total,
        "subsample of all": lambda: subsample(members, everyone, per_user=per_user, threads=1).total,
        "halves": lambda: halves(members, seeds, 0, per_user=per_user, threads=1).first.total,
        "numpy, subsample of half": lambda: with_numpy(members, kept, per_user=per_user),
    }


def agree(contest: dict[str, Callable[[], Reals]]) -> None:
    np.testing.assert_allclose(contest["subsample of half"](), contest["numpy, subsample of half"](), rtol=1e-9)


@pytest.mark.parametrize("per_user", [False, True], ids=["incidence", "per user"])
@pytest.mark.parametrize("name", ["subsample of half", "subsample of all", "halves"])
def bench_sums(benchmark: BenchmarkFixture, name: str, per_user: bool) -> None:  # noqa: FBT001 - a parameter
    contest = contests(per_user=per_user)
    agree(contest)
    benchmark.pedantic(contest[name], rounds=5, warmup_rounds=1)
    benchmark.extra_info["ns_per_member"] = round(benchmark.stats.stats.median / MEMBERS * 1e9, 1)


@pytest.mark.parametrize("candidates", [200, 1000])
def bench_many_candidates(benchmark: BenchmarkFixture, candidates: int) -> None:
    members, kept = synthetic(candidates), np.ones(USERS, np.bool_)
    benchmark.pedantic(subsample, (members, kept), {"threads": 1}, rounds=3, warmup_rounds=1)
    benchmark.extra_info["ns_per_member"] = round(benchmark.stats.stats.median / MEMBERS * 1e9, 1)


def with_permutations() -> NDArray[np.bool_]:
    rng, out = np.random.default_rng(0), np.zeros((RESAMPLES, USERS), np.bool_)
    for row in out:
        row[rng.permutation(USERS)[: USERS // 2]] = True
    return out


def with_habitus() -> NDArray[np.bool_]:
    return half_samples(USERS, RESAMPLES, seed=0)


@pytest.mark.parametrize("draw", [with_habitus, with_permutations])
def bench_half_samples(benchmark: BenchmarkFixture, draw: Callable[[], NDArray[np.bool_]]) -> None:
    assert (draw().sum(axis=1) == USERS // 2).all()
    benchmark.pedantic(draw, rounds=5, warmup_rounds=1)


def main() -> None:
    for per_user in (False, True):
        contest = contests(per_user=per_user)
        agree(contest)
        jobs = {name: Contestant(run, MEMBERS) for name, run in contest.items()}
        costs = timing.in_turn(jobs, ROUNDS)
        print(f"{MEMBERS:,} members, K = {K}, {'each user the same' if per_user else 'incidence'}")
        for name, cost in costs.items():
            print(f"  {name:26}{cost.processor:8.1f} ns {cost.processor / costs['halves'].processor:8.2f} x")


if __name__ == "__main__":
    timing.one_core()
    main()
