"""The smallest difference: a paired test finds it with power 0.8, and it falls as the root of the tasks grows."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import scores as slow
from tests.runners import small

from habitus_runners import scores
from habitus_runners.columns import fixed
from habitus_runners.estimate import power
from habitus_runners.estimate.power import OTHERS, TYPICAL, detectable, standard_error

TASKS, REPETITIONS, LISTS = 240, 2_000, 100
POSITIVE = st.floats(0.01, 5)


@pytest.fixture(scope="module")
def study():
    return small.study(tasks=TASKS)


@pytest.fixture(scope="module")
def excess(study):
    """(tasks, lists) CE - H of random lists, by the slow formulas, and (tasks,) chance - H."""
    rng = np.random.default_rng(7)
    lists, gaps = [], []
    for counts in fixed(study.tasks["counts"]).tolist():
        target = slow.smoothed(counts, 1 / small.K)
        entropy = slow.entropy(target, target)
        drawn = [rng.permutation(small.K)[: small.N].tolist() for _ in range(LISTS)]
        lists.append([slow.optimistic(target, target, ranking) - entropy for ranking in drawn])
        gaps.append(slow.chance(target, target, small.N) - entropy)
    return np.array(lists), np.array(gaps)


def rejected(excess, difference, skill):
    """How often a paired z test at 5 % tells two mixtures apart: one perfect more often than the other."""
    lists, gaps = excess
    rng = np.random.default_rng(11)
    found = 0
    for _ in range(REPETITIONS):
        lost = [
            np.where(rng.random(len(gaps)) < share, 0, lists[np.arange(len(gaps)), rng.integers(LISTS, size=len(gaps))])
            for share in (skill + difference / 2, skill - difference / 2)
        ]
        apart = lost[1] - lost[0]
        found += abs(apart.sum()) > 1.959964 * math.sqrt(len(apart)) * apart.std(ddof=1)
    return found / REPETITIONS


def test_a_paired_test_finds_the_difference_with_the_power_that_is_stated(study, excess):
    able = detectable(study.tasks, study.members, study.settings)
    # Binomial error 0.009, and the stated difference itself is known to about 1 %.
    assert rejected(excess, able.typical, TYPICAL) == pytest.approx(0.8, abs=0.04)
    assert rejected(excess, 0.0, TYPICAL) == pytest.approx(0.05, abs=0.02)


def test_the_worst_is_the_largest_over_skills(study, excess):
    able = detectable(study.tasks, study.members, study.settings)
    lists, gaps = excess
    quantiles = 1.959964 + 0.841621
    by_skill = []
    for skill in (TYPICAL, *OTHERS):
        drawn = np.where(np.random.default_rng(3).random(lists.shape) < skill, 0, lists)
        by_skill.append(quantiles * math.sqrt(2 * drawn.var(axis=1).sum()) / gaps.sum())
    assert able.typical == pytest.approx(by_skill[0], rel=0.05)
    assert able.worst == pytest.approx(max(by_skill), rel=0.05)
    assert able.worst >= able.typical


@pytest.mark.parametrize("times", [4, 9])
def test_it_falls_as_the_root_of_the_tasks(study, times):
    once = detectable(study.tasks, study.members, study.settings)
    many = detectable(pa.concat_tables([study.tasks] * times), study.members, study.settings)
    assert many.typical == pytest.approx(once.typical / math.sqrt(times), rel=0.03)
    assert (many.tasks, many.clusters) == (times * once.tasks, once.clusters)


@given(st.lists(st.tuples(POSITIVE, POSITIVE), min_size=1, max_size=20), st.integers(2, 9), st.floats(0, 1))
def test_the_standard_error_of_tasks_repeated(pairs, times, skill):
    gap = np.array([gap for gap, _ in pairs])
    square = gap**2 + np.array([more for _, more in pairs])
    once = standard_error(gap, square, skill)
    assert standard_error(np.tile(gap, times), np.tile(square, times), skill) == pytest.approx(once / math.sqrt(times))
    failing = 1 - skill
    by_loop = math.fsum(failing * m - (failing * g) ** 2 for g, m in zip(gap, square, strict=True))
    assert once == pytest.approx(math.sqrt(2 * by_loop) / math.fsum(gap))


@pytest.mark.parametrize("kind", ["incidence", "user_mean"])
def test_the_gap_is_that_of_the_scores_table(kind):
    study = small.study(kind)
    ids = study.tasks["task_id"]
    lists = pa.array([list(range(small.N))] * len(ids), pa.list_(pa.int16(), small.N))
    named = {"answer_id": ids, "task_id": ids, "model": pa.array(["any"] * len(ids)), "ranking": lists}
    table = scores.score(study.tasks, study.members, pa.table(named), study.settings).slice(0, len(ids))
    gap, square = power._moments(study.tasks, study.members, study.settings)
    np.testing.assert_allclose(gap, np.array(table["chance"]) - np.array(table["best"]), rtol=1e-12)
    assert (square >= 0).all()


def test_blocks_change_nothing_but_the_draws(study, monkeypatch):
    whole = detectable(study.tasks, study.members, study.settings)
    monkeypatch.setattr(power, "_CELLS", 7 * small.K)
    in_blocks = detectable(study.tasks, study.members, study.settings)
    assert in_blocks.tasks == whole.tasks
    assert in_blocks.typical == pytest.approx(whole.typical, rel=0.3)


def test_it_is_the_same_for_the_same_seed(study):
    assert detectable(study.tasks, study.members, study.settings) == detectable(
        study.tasks, study.members, study.settings
    )


def test_tasks_that_cannot_tell_lists_apart_do_not_count(study):
    flat = study.tasks.set_column(
        study.tasks.schema.get_field_index("counts"),
        study.tasks.schema.field("counts"),
        pa.array([[1] * small.K] * TASKS, pa.list_(pa.int32(), small.K)),
    )
    able = detectable(flat, study.members, study.settings)
    assert (able.tasks, able.clusters) == (0, 0)
    assert math.isnan(able.typical)
    assert math.isnan(able.worst)
