"""Simulated models have the skill they were given, measured with the formulas of method section 4 written out."""

import numpy as np
import pytest
from scipy import stats
from tests.runners.small import N, group_of, known, study

from habitus_runners import models
from habitus_runners.datasets import world
from habitus_runners.errors import HabitusError
from habitus_runners.models import simulated
from habitus_runners.models.draws import Draws
from habitus_runners.models.evidence import Evidence


@pytest.fixture(scope="module")
def made():
    return study(seed=11, tasks=400)


@pytest.fixture(scope="module")
def evidence(made):
    return made.evidence


def draws(evidence, seed=0):
    return Draws(evidence.task_ids, "test", seed)


def gaps(p, scores, length=N):
    """CE - H of each task in nats: the listed items get p(1)...p(N), the others, in their own order, the rest."""
    out = []
    for target, score in zip(p, scores, strict=True):
        order = sorted(range(len(target)), key=lambda place: -score[place])
        listed, rest = order[:length], sorted(order[length:], key=lambda place: -target[place])
        given = sorted(target, reverse=True)
        out.append(sum(target[place] * np.log(target[place] / given[slot]) for slot, place in enumerate(listed + rest)))
    return np.array(out)


def skill(p, scores, evidence):
    chance = np.mean([gaps(p, draws(evidence, seed).uniform("chance", p.shape[1])).sum() for seed in range(20)])
    return 1 - gaps(p, scores).sum() / chance


@pytest.mark.parametrize("share", [0, 0.3, 1])
def test_mixture_is_perfect_in_that_share_of_the_tasks(evidence, share):
    perfect = [
        (simulated.mixture(evidence, draws(evidence, seed), share) == evidence.weights).all(axis=1).mean()
        for seed in range(20)
    ]
    assert np.mean(perfect) == pytest.approx(share, abs=0.02)
    assert 0.2 < np.std(perfect) / np.sqrt(share * (1 - share) / 400 + 1e-12) < 2 or share in {0, 1}


def test_mixture_is_uniform_where_it_is_not_perfect(evidence):
    first: list[float] = []
    for seed in range(20):
        scores = simulated.mixture(evidence, draws(evidence, seed), 0.5)
        first += scores[(scores != evidence.weights).any(axis=1), 0].tolist()
    assert stats.kstest(first, "uniform").pvalue > 0.001


def test_mixture_has_the_skill_of_its_share(evidence):
    measured = [
        skill(evidence.probabilities, simulated.mixture(evidence, draws(evidence, seed), 0.3), evidence)
        for seed in range(5)
    ]
    assert np.mean(measured) == pytest.approx(0.3, abs=0.06)


def test_breakpoint_plants_the_rule_it_documents(evidence):
    bits = float(np.quantile(evidence.entropies, 0.6))
    perfect = np.mean(
        [
            (simulated.breakpoint_at(evidence, draws(evidence, seed), bits) == evidence.weights).all(axis=1)
            for seed in range(60)
        ],
        axis=0,
    )
    expected = np.array([0.9 * min(1, max(0, entropy - bits + 1)) for entropy in evidence.entropies])
    assert expected.min() < 0.3
    assert np.abs(perfect - expected).mean() < 0.06
    assert perfect.mean() == pytest.approx(expected.mean(), abs=0.01)


def test_noise_takes_skill_away(evidence):
    p = evidence.probabilities
    measured = [skill(p, simulated.noisy(evidence, draws(evidence), sigma), evidence) for sigma in (0, 0.5, 2, 1000)]
    assert measured[0] == pytest.approx(1)
    assert measured == sorted(measured, reverse=True)
    assert measured[-1] == pytest.approx(0, abs=0.12)


def test_noise_is_standard_normal_on_log_p(evidence):
    noise = (simulated.noisy(evidence, draws(evidence), 2) - np.log(evidence.probabilities)) / 2
    assert stats.kstest(noise.ravel(), "norm").pvalue > 0.001


def test_sampler_lists_an_item_first_with_its_probability(evidence):
    first = np.zeros(evidence.probabilities.shape)
    rows = np.arange(len(first))
    times = 600
    for seed in range(times):
        first[rows, simulated.sampler(evidence, draws(evidence, seed)).argmax(axis=1)] += 1
    p = evidence.probabilities
    z = (first - times * p) / np.sqrt(times * p * (1 - p))
    assert z.std() == pytest.approx(1, abs=0.05)
    assert abs(z.mean()) < 0.05


def test_oracle_has_the_entropy_of_the_true_target(made, evidence):
    groups = evidence.groups
    truth = made.dataset.truth(groups.start, groups.values, evidence.candidates)
    assert gaps(truth, simulated.oracle(evidence, draws(evidence))) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("kind", ["incidence", "user_mean"])
def test_oracles_are_ordered_as_they_know_more(kind):
    made = study(kind, seed=2, tasks=300)
    evidence, dataset = made.evidence, made.dataset
    truth = dataset.truth(evidence.groups.start, evidence.groups.values, evidence.candidates, kind=kind)
    gap = {
        name: gaps(truth, models.RECIPES[name].preferences(evidence, draws(evidence))).sum()
        for name in ("oracle", "demography-oracle", "history-oracle", "popularity", "random")
    }
    assert gap["oracle"] == pytest.approx(0, abs=1e-9)
    assert gap["oracle"] < min(gap["demography-oracle"], gap["history-oracle"])
    assert max(gap["demography-oracle"], gap["history-oracle"]) < gap["popularity"] < gap["random"]


def test_partial_oracles_know_the_truth_of_their_people(made, evidence):
    demography = simulated.demography_oracle(evidence, draws(evidence))
    history = simulated.history_oracle(evidence, draws(evidence))
    for row, task in enumerate(made.tasks.slice(0, 40).to_pylist()):
        cell = group_of(made.dataset, task["value"] if task["setup"] in "AC" else {}, [], 0)
        matching = group_of(made.dataset, {}, task["history"], -(-3 * len(task["history"]) // 5))
        for scores, users in ((demography, cell), (history, matching)):
            weight = made.dataset.inclusion[users][:, task["candidates"]].sum(axis=0)
            assert scores[row] == pytest.approx(weight / weight.sum())


def test_a_partial_oracle_that_knows_all_there_is_knows_the_truth(made, evidence):
    setup = np.array(made.tasks["setup"].to_pylist())
    oracle = simulated.oracle(evidence, draws(evidence))
    demography = simulated.demography_oracle(evidence, draws(evidence))
    history = simulated.history_oracle(evidence, draws(evidence))
    assert demography[setup == "C"] == pytest.approx(oracle[setup == "C"])
    assert history[setup == "B"] == pytest.approx(oracle[setup == "B"])
    assert np.abs(demography - oracle)[setup == "A"].max() > 0.01


@pytest.mark.parametrize("kind", ["incidence", "user_mean"])
def test_the_law_is_what_others_who_fit_the_proxy_did(kind):
    made = study(kind, seed=11, tasks=40)
    others = [world.load(seed=11, people=people, users=150, items=60, gamma=1.0) for people in (1, 2)]
    scores = simulated.law(made.evidence, others)
    for row, task in enumerate(made.tasks.to_pylist()):
        history = task["history"] if task["setup"] in "AB" else []
        expected = 5 * np.array(task["population"]) / sum(task["population"])
        for people in others:
            value = task["value"] if task["setup"] in "AC" else {}
            did = known(people)[group_of(people, value, history, -(-3 * len(history) // 5))][:, task["candidates"]]
            share = np.maximum(did.sum(axis=1, keepdims=True), 1) if kind == "user_mean" else 1
            expected = expected + (did / share).sum(axis=0)
        assert scores[row] == pytest.approx(expected)


def test_oracles_need_the_world(made):
    from habitus_runners.datasets.dataset import Dataset  # noqa: PLC0415 - a data set of no known truth

    dataset = made.dataset
    plain = Dataset(
        "plain", dataset.domain, dataset.users, dataset.items, dataset.interactions, dataset.levels, dataset.labels
    )
    evidence = Evidence(plain, made.tasks, made.members, made.settings)
    with pytest.raises(HabitusError, match="expected the data set world, whose truth is known, got plain"):
        simulated.oracle(evidence, draws(evidence))
