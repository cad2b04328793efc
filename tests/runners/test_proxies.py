"""The meaningful-proxy test: every figure recomputed slowly, and what it says on worlds whose truth is known (V8)."""

import dataclasses
import math

import numpy as np
import polars as pl
import pytest
from scipy import stats
from tests.reference import proxies as reference
from tests.runners import small

from habitus.proxies import permutations
from habitus_runners import proxies, tasks
from habitus_runners.datasets import world
from habitus_runners.proxies import ProxyTest
from habitus_runners.settings import settings

RESAMPLES = 19
SLICE = ("setup", "level", "history")


@pytest.fixture(scope="module", params=["incidence", "user_mean"])
def study(request) -> small.Study:
    return small.study(request.param)


@pytest.fixture(scope="module")
def found(study) -> list[ProxyTest]:
    return proxies.proxy_tests(*study, resamples=RESAMPLES, seed=3)


@pytest.fixture(scope="module")
def entropies(study) -> dict[str, tuple[list[float], list[float]]]:
    """Task -> entropies of its images, its own first: any users, and users as active outside its history."""
    knows = {user: set(np.flatnonzero(row).tolist()) for user, row in enumerate(small.known(study.dataset))}
    people = len(knows)
    peers = np.arange(people) * (people // proxies.PEERS) // people
    anyone, alike = (
        [list(range(people)), *permutations(strata, resamples=RESAMPLES, seed=3).tolist()]
        for strata in (np.zeros(people, int), peers)
    )
    groups = pl.DataFrame({"task": study.members["task_id"].cast("string"), "user": study.members["user"]})
    users = dict(groups.group_by("task").agg("user").iter_rows())

    def of_images(task: dict, line: list[int], images: list[list[int]]) -> list[float]:
        place = {user: at for at, user in enumerate(line)}
        return [
            reference.entropy(
                knows,
                [line[image[place[user]]] for user in users[task["task_id"]]],
                task["candidates"],
                per_user=study.settings.target.kind == "user_mean",
                alpha=1 / small.K,
            )
            for image in images
        ]

    return {
        task["task_id"]: (
            of_images(task, list(range(people)), anyone),
            of_images(task, reference.by_activity(knows, [0] * people, task["history"]), alike),
        )
        for task in study.tasks.to_pylist()
    }


def test_every_figure_is_that_of_plain_loops(study, found, entropies):
    about = [dict(task, history=str(len(task["history"]))) for task in study.tasks.to_pylist()]
    for row in found:
        wanted = {name: getattr(row, name) for name in SLICE if getattr(row, name) != "all"}
        ids = [task["task_id"] for task in about if all(task[name] == value for name, value in wanted.items())]
        assert row.tasks == len(ids)
        assert row.entropy == pytest.approx(np.mean([entropies[task][0][0] for task in ids]))
        for kind, matched in enumerate((row.size, row.activity)):
            own = np.array([entropies[task][kind] for task in ids])
            filled = np.where(np.isnan(own), np.nanmean(own, axis=1, keepdims=True), own)
            mean = filled.mean(axis=0)
            assert matched.difference == pytest.approx(mean[1:].mean() - mean[0], abs=1e-12)
            assert matched.p == pytest.approx((1 + (mean[1:] <= mean[0] + 1e-12).sum()) / (RESAMPLES + 1))
            below = (filled <= filled[:, :1] + 1e-12).mean(axis=1)
            assert matched.share == pytest.approx((below <= 0.05).mean())


def test_every_slice_that_shows_a_proxy_is_there_once(study, found):
    rows = [(task["setup"], task["level"], str(len(task["history"]))) for task in study.tasks.to_pylist()]
    shown = {row for row in rows if row[0] != "N"}
    expected = shown | {(setup, level, "all") for setup, level, _ in shown} | {(row[0], "all", "all") for row in shown}
    assert {(row.setup, row.level, row.history) for row in found} == expected
    assert len(found) == len(expected)


def test_neither_threads_nor_the_order_of_members_changes_a_figure(study, found):
    order = np.random.default_rng(0).permutation(study.members.num_rows)
    shuffled = study._replace(members=study.members.take(order))
    assert proxies.proxy_tests(*shuffled, resamples=RESAMPLES, seed=3, threads=3) == found


def test_nothing_shown_nothing_tested(study):
    nothing = study.tasks.filter([setup == "N" for setup in study.tasks["setup"].to_pylist()])
    ids = set(nothing["task_id"].to_pylist())
    members = study.members.filter([task in ids for task in study.members["task_id"].to_pylist()])
    assert proxies.proxy_tests(study.dataset, nothing, members, study.settings, resamples=3) == []


def test_a_data_set_without_attributes_has_histories_to_test(study, found):
    bare = dataclasses.replace(study.dataset, levels=study.dataset.levels[:1])
    histories = study.tasks.filter([setup == "B" for setup in study.tasks["setup"].to_pylist()])
    ids = set(histories["task_id"].to_pylist())
    members = study.members.filter([task in ids for task in study.members["task_id"].to_pylist()])
    again = proxies.proxy_tests(bare, histories, members, study.settings, resamples=RESAMPLES, seed=3)
    assert again == [row for row in found if row.setup == "B"]


def test_only_users_whose_attributes_are_known_alike_change_places(study):
    users = study.dataset.users.with_columns(
        pl.when(pl.int_range(pl.len()) % 3 == 0).then(None).otherwise(pl.col("age")).alias("age")
    )
    known = proxies._known(dataclasses.replace(study.dataset, users=users))
    unknown = np.arange(len(known)) % 3 == 0
    assert len(set(known[unknown])) == len(set(known[~unknown])) == 1
    assert known[0] != known[1]
    peers = proxies._peers(known)
    assert len(set(peers[:50]) & set(peers[50:])) == 0
    assert set(np.unique(peers, return_counts=True)[1]) <= {4, 5}


def _drawn(seed: int, people: int, films: int, rho: float, beta: float, **keys: object) -> dict[str, ProxyTest]:
    """Setup -> its test, on a world."""
    dataset = world.load(seed=seed, users=people, items=films, rho=rho, beta=beta)
    small_study = {"candidates.K": 12, "candidates.N": 4, "candidates.sets": 3, "draws.cap": 40, "group.min_users": 3}
    chosen = settings("sound", {**small_study, "setups": "rows", "seed": seed, **keys})
    drawn = tasks.generate(dataset, chosen)
    tested = proxies.proxy_tests(dataset, drawn.tasks, drawn.members, chosen, resamples=99, seed=seed)
    return {row.setup: row for row in tested if row.level == "all"}


def test_p_is_uniform_where_demography_means_nothing():
    """V8: at rho = 0 attributes are labels; at rho = 0.3 the same worlds are told from random in most seeds."""
    p = {
        rho: np.array(
            [
                [row.size.p, row.activity.p]
                for row in (_drawn(seed, 300, 80, rho, 2.0, **{"history.lengths": [0]})["C"] for seed in range(seeds))
            ]
        )
        for rho, seeds in ((0.0, 80), (0.3, 20))
    }
    for matched in p[0.0].T:
        assert stats.kstest(matched, "uniform").pvalue > 0.01
    assert (np.median(p[0.3], axis=0) <= 0.05).all()


@pytest.mark.parametrize("kind", ["incidence", "user_mean"])
def test_activity_hides_what_a_history_tells_unless_it_is_matched(kind):
    """Who knows a history is active, and the active spread over more items: their entropy is higher, not lower."""
    keys = {"history.lengths": [2, 5], "draws.cap": 60, "candidates.K": 50, "candidates.N": 10, "target.kind": kind}
    popular, tasteful = ([_drawn(seed, 2000, 400, 0.3, beta, **keys)["B"] for seed in range(3)] for beta in (0.0, 2.0))
    for row in popular:  # taste is popularity alone
        assert row.size.difference < -0.2
        assert row.size.p == 1
        assert abs(row.activity.difference) < 0.003 * math.log(2)
        assert 0.01 < row.activity.p < 1
    for row in tasteful:
        assert row.size.p == 1
        assert row.activity.difference > 0.01 * math.log(2)
        assert row.activity.p == 0.01
