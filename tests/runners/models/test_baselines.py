"""Every baseline agrees with a slow twin that counts with Python sets."""

import math
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from tests.runners.small import N, group_of, known, study

from habitus_runners.models import baselines
from habitus_runners.models.draws import Draws


@pytest.fixture(scope="module")
def made():
    return study(seed=7)


@pytest.fixture(scope="module")
def evidence(made):
    return made.evidence


def draws(evidence, seed=0):
    return Draws(evidence.task_ids, "test", seed)


def groups(evidence):
    return [set(users.tolist()) for users in np.split(evidence.groups.values, evidence.groups.start[1:-1])]


def fans(made):
    """Item -> its users."""
    knows = known(made.dataset)
    return [set(np.flatnonzero(knows[:, item]).tolist()) for item in range(knows.shape[1])]


def test_popularity_counts_everybody(made, evidence):
    scores = baselines.popularity(evidence, draws(evidence))
    counted = Counter(made.dataset.interactions["item"].to_list())
    for row, candidates in enumerate(evidence.candidates.tolist()):
        assert scores[row].tolist() == [counted[item] for item in candidates]


def test_group_popularity_counts_the_cells_other_users(made, evidence):
    scores, of_item = baselines.group_popularity(evidence, draws(evidence)), fans(made)
    fallbacks = 0
    for row, (task, group) in enumerate(zip(made.tasks.to_pylist(), groups(evidence), strict=True)):
        cell = set(group_of(made.dataset, task["value"] if task["setup"] in "AC" else {}, [], 0).tolist())
        everybody = set(range(made.dataset.users.height))
        fallbacks += cell == group
        others = (cell if cell != group else everybody) - group
        assert scores[row].tolist() == [len(of_item[item] & others) for item in task["candidates"]]
    assert fallbacks >= 30


def test_item_knn_is_the_cosine_outside_the_group(made, evidence):
    scores, of_item = baselines.item_knn(evidence, draws(evidence)), fans(made)
    for row, (task, group) in enumerate(zip(made.tasks.to_pylist(), groups(evidence), strict=True)):
        outside = [users - group for users in of_item]
        for place, item in enumerate(task["candidates"]):
            if not task["history"]:
                assert scores[row, place] == len(outside[item])
                continue
            expected = sum(
                len(outside[item] & outside[seen]) / math.sqrt(max(len(outside[item]) * len(outside[seen]), 1))
                for seen in task["history"]
            )
            assert scores[row, place] == pytest.approx(expected)


def test_item_knn_in_pieces_is_the_same(evidence, monkeypatch):
    whole = baselines.item_knn(evidence, draws(evidence))
    monkeypatch.setattr(baselines, "_WORDS_AT_ONCE", 100)
    assert np.array_equal(baselines.item_knn(evidence, draws(evidence)), whole)


def test_perfect_and_reverse_follow_the_counts(made, evidence):
    counts = np.array(made.tasks["counts"].to_pylist())
    assert np.array_equal(baselines.perfect(evidence, draws(evidence)), counts)
    assert np.array_equal(baselines.reverse(evidence, draws(evidence)), -counts)


def test_held_out_half_is_what_half_the_group_did(made, evidence):
    scores, knows = baselines.held_out_half(evidence, draws(evidence)), known(made.dataset)
    some_are_odd = False
    for row, group in enumerate(groups(evidence)):
        if len(group) > 9:
            continue
        some_are_odd |= len(group) % 2 == 1
        incidence = knows[sorted(group)][:, evidence.candidates[row]]
        assert tuple(scores[row]) in _sums_of_halves(incidence)
    assert some_are_odd


def _sums_of_halves(incidence):
    halves = combinations(range(len(incidence)), len(incidence) // 2)
    return {tuple(incidence[list(half)].sum(axis=0).tolist()) for half in halves}


def test_held_out_half_weighs_users_alike_under_user_mean():
    made = study("user_mean", tasks=24)
    evidence = made.evidence
    scores = baselines.held_out_half(evidence, draws(evidence))
    rows = evidence.rows_per_member()
    for row in range(24):
        used = rows[evidence.groups.start[row] : evidence.groups.start[row + 1]]
        most = min(len(used) // 2, (used > 0).sum())
        total = scores[row].sum()
        assert total == pytest.approx(round(total))  # each user in the half who has a row adds exactly 1
        assert len(used) // 2 - (used == 0).sum() <= round(total) <= most


def test_held_out_half_counts_users_under_events():
    made = study("events", tasks=24)
    evidence, knows = made.evidence, known(made.dataset)
    scores = baselines.held_out_half(evidence, draws(evidence))
    few = [row for row, group in enumerate(groups(evidence)) if len(group) <= 9]
    assert few
    for row in few:
        assert tuple(scores[row]) in _sums_of_halves(knows[sorted(groups(evidence)[row])][:, evidence.candidates[row]])


def test_held_out_half_is_fair(evidence):
    mean = np.mean([baselines.held_out_half(evidence, draws(evidence, seed)) for seed in range(400)], axis=0)
    size = evidence.groups.size[:, None]
    expected = evidence.counts * (size // 2) / size
    assert np.abs(mean - expected).max() < 0.05 * size.max()
    assert (mean - expected).mean() == pytest.approx(0, abs=0.02)


def test_random_lists_every_candidate_equally_often(evidence):
    firsts = np.zeros(evidence.candidates.shape)
    for seed in range(400):
        ranks = baselines.at_random(evidence, draws(evidence, seed)).argsort(axis=1).argsort(axis=1)
        firsts += ranks < N
    share = N / firsts.shape[1]
    z = (firsts - 400 * share) / math.sqrt(400 * share * (1 - share))
    assert np.abs(z).max() < 4.5
    assert z.std() == pytest.approx(1, abs=0.1)
