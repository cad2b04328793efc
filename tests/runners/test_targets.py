"""What rankings are scored against: by all users, by some, by halves; against formulas written out."""

import math

import numpy as np
import pytest
from tests.reference import scores as slow
from tests.runners import small

import habitus
from habitus import members, shrinkage
from habitus_runners.errors import HabitusError
from habitus_runners.settings import settings
from habitus_runners.targets import Scorer

LISTS = np.array([np.random.default_rng(row).permutation(small.K)[: small.N] for row in range(60)])
ROWS = np.arange(60)
SPLIT = {"users.split": 3, "target.smoothing": "population", "target.estimator": "nsb"}


def scorer(kind="incidence", **changes):
    study = small.study(kind)
    return study, Scorer(study.tasks, study.members, study.settings.changed(changes))


def incidence(study, row):
    """(users, K) of 0 and 1, and the users' numbers, one task's rows of members read bit by bit."""
    task = study.tasks["task_id"][row].as_py()
    mine = [member for member in study.members.to_pylist() if member["task_id"] == task]
    bits = [[member["incidence"][i // 8] >> i % 8 & 1 for i in range(small.K)] for member in mine]
    return np.array(bits), np.array([member["user"] for member in mine])


def test_counts_plus_alpha_are_the_engines():
    study, scored = scorer()
    found = scored.score(LISTS, ROWS)
    expected = habitus.score(np.array(study.tasks["counts"].to_pylist()), LISTS)
    assert np.array_equal(found.cross_entropy, expected.cross_entropy)
    assert np.array_equal(found.entropy, expected.entropy)
    assert np.array_equal(found.best, expected.entropy)


@pytest.mark.parametrize("kind", ["incidence", "user_mean"])
def test_some_users_are_scored_as_if_the_others_had_not_been_there(kind):
    study, scored = scorer(kind)
    kept = np.random.default_rng(1).random(150) < 0.6
    found = scored.score(LISTS, ROWS, kept=kept)
    for row in range(12):
        bits, users = incidence(study, row)
        mine = bits[kept[users]]
        counts = mine.sum(axis=0) if kind == "incidence" else len(mine) * _mean_row(mine)
        target = slow.smoothed(counts.tolist(), 1 / small.K)
        assert found.entropy[row] == pytest.approx(slow.entropy(target, target), abs=1e-12)
        expected = slow.optimistic(target, target, LISTS[row].tolist())
        assert found.cross_entropy[row] == pytest.approx(expected, abs=1e-12)


def _mean_row(bits):
    return np.mean([row / row.sum() for row in bits if row.any()], axis=0)


def test_nobody_left_is_no_number():
    for changes in ({}, SPLIT):
        study, scored = scorer(**changes)
        users = incidence(study, 0)[1]
        kept = np.ones(150, np.bool_)
        kept[users] = False
        found = scored.score(LISTS, ROWS, kept=kept)
        for column in (found.entropy, found.best, found.chance, found.worst, found.cross_entropy):
            assert math.isnan(column[0])
        assert np.isfinite(found.cross_entropy).any()


@pytest.mark.parametrize("kind", ["incidence", "user_mean"])
def test_one_half_says_and_the_other_judges(kind):
    study, scored = scorer(kind, **SPLIT)
    found = scored.score(LISTS, ROWS)
    per_user, seed = kind == "user_mean", study.tasks["seed"].to_numpy()
    halves = [members.halves(scored.group_members, seed, split, per_user=per_user) for split in range(3)]
    for row in range(12):
        if any(half.redrawn[row] < 0 for half in halves):
            assert math.isnan(found.best[row])
            continue
        expected = np.mean([_halved(scored, half, row, per_user) for half in halves], axis=0)
        figures = (found.entropy, found.best, found.chance, found.worst, found.cross_entropy)
        assert [column[row] for column in figures] == pytest.approx(expected, abs=1e-9)


def _halved(scored, half, row, per_user):
    counts = members.effective_counts(half.first, per_user=per_user)[row]
    everybody, group = (np.array(scored._tasks[name][row].as_py()) for name in ("population", "counts"))
    popular = everybody - group + 1 / small.K
    shrunk = counts + scored.concentration[row] * popular / popular.sum()
    values = (shrunk / shrunk.sum()).tolist()
    weights = (half.second.total[row] / half.second.total[row].sum()).tolist()
    share = half.first.total[row] / half.first.total[row].sum()
    axis = habitus.entropy.nsb((share * half.first.incidences[row])[None])[0]
    best, chance = slow.entropy(weights, values), slow.chance(weights, values, small.N)
    return (
        axis,
        best,
        chance,
        slow.worst(weights, values, small.N),
        slow.optimistic(weights, values, LISTS[row].tolist()),
    )


def test_splits_can_be_fewer_and_are_the_first_ones():
    _, scored = scorer(**SPLIT)
    one = scored.score(LISTS, ROWS, splits=1)
    (first,) = scored.targets(splits=1)
    assert np.array_equal(first.weights, next(iter(scored.targets())).weights, equal_nan=True)
    known = ~np.isnan(one.best)
    again = habitus.score_values(first.weights[known], first.values[known], LISTS[known])
    assert one.cross_entropy[known] == pytest.approx(again.cross_entropy, abs=1e-12)


def test_the_prior_is_as_strong_as_its_stratum_says():
    study, scored = scorer(**SPLIT)
    found = scored.concentration
    about = [(task["setup"], task["level"], len(task["history"])) for task in study.tasks.to_pylist()]
    for stratum in set(about):
        rows = np.array([row for row, known in enumerate(about) if known == stratum])
        assert set(found[rows]) == {shrinkage.concentration(scored.counts[rows], scored.population[rows])}


def test_how_often_each_user_did_it_is_not_kept():
    study = small.study()
    wanted = study.settings.changed({"target.kind": "events"})
    with pytest.raises(HabitusError, match="expected all users, got some"):
        next(Scorer(study.tasks, study.members, wanted).targets(np.ones(150, np.bool_)))
    with pytest.raises(HabitusError, match=r"users\.split must be 0 with target\.kind events"):
        settings("paper", {"users.split": 2, "target.kind": "events"})


def test_alpha_is_none_where_targets_are_shrunk():
    assert scorer()[1].alpha == 1 / small.K
    assert scorer(**SPLIT)[1].alpha == 0
