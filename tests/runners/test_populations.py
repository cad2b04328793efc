"""The population of half of the users: against sets of users and items, and what nobody knows counts half."""

import numpy as np
import pyarrow as pa
import pytest
from tests.runners import ranked

from habitus import members
from habitus_runners import columns, populations
from habitus_runners.populations import Population

REPLICATES = 6


def halves(everyone: pa.Table) -> np.ndarray:
    return members.half_samples(max(everyone["user"].to_pylist()) + 1, REPLICATES, seed=1)


def naive(tasks: pa.Table, everyone: pa.Table, kept: np.ndarray) -> list[list[float]]:
    """By task and candidate, from (user, item) pairs."""
    asked = dict(zip(tasks["task_id"].to_pylist(), tasks["candidates"].to_pylist(), strict=True))
    pairs = {
        (row["user"], item)
        for row in everyone.to_pylist()
        for place, item in enumerate(asked[row["task_id"]])
        if row["incidence"][place // 8] >> place % 8 & 1
    }
    return [
        [
            sum(kept[user] for user, of in pairs if of == item) + (people - sum(of == item for _, of in pairs)) / 2
            for item, people in zip(row["candidates"], row["population"], strict=True)
        ]
        for row in tasks.to_pylist()
    ]


@pytest.mark.parametrize("kind", ["incidence", "user_mean"])
def test_it_is_the_users_who_are_kept_and_half_of_those_nobody_knows(kind: str) -> None:
    made = ranked.study(kind)
    tasks, kept = made.tasks.slice(0, 5), halves(made.members)
    mine = np.isin(made.members["task_id"].cast(pa.string()).to_pylist(), tasks["task_id"].to_pylist())
    everyone = made.members.filter(pa.array(mine))
    found = populations.halved(tasks, everyone, kept)
    for replicate in range(REPLICATES):
        counted = naive(tasks, everyone, kept[replicate])
        assert found.counts[replicate][found.items] == pytest.approx(np.array(counted))


def test_a_half_and_the_other_are_everybody() -> None:
    made = ranked.study("user_mean")
    kept = halves(made.members)
    one, other = (populations.halved(made.tasks, made.members, part) for part in (kept, ~kept))
    whole = columns.fixed(made.tasks["population"])
    assert (one.counts + other.counts)[:, one.items] == pytest.approx(
        np.broadcast_to(whole, (REPLICATES, *whole.shape))
    )


def test_probabilities_are_positive_and_sum_to_1() -> None:
    shares = Population(np.array([[3, 0, 1]], np.float32), np.array([[0, 1], [2, 0]])).of(0)
    assert shares == pytest.approx(np.array([[3.5 / 4, 0.5 / 4], [1.5 / 5, 3.5 / 5]]))
