"""Models by name: each answers every task with text, always the same, whatever the order of the requests."""

import dataclasses
import json
import sys
from importlib import metadata
from types import SimpleNamespace

import pytest
from tests.runners.small import N, Study, study

from habitus_runners import models
from habitus_runners.datasets.dataset import Dataset
from habitus_runners.errors import HabitusError
from habitus_runners.model import Answer, Request


@pytest.fixture(scope="module")
def made():
    return study(seed=5)


@pytest.fixture(scope="module")
def evidence(made):
    return made.evidence


def plain(dataset):
    return Dataset(
        "plain", dataset.domain, dataset.users, dataset.items, dataset.interactions, dataset.levels, dataset.labels
    )


def requests(evidence):
    return [Request(row, task_id, "") for row, task_id in enumerate(evidence.task_ids)]


def created(spec, evidence, seed=0):
    seeded = dataclasses.replace(evidence, settings=evidence.settings.changed({"seed": seed}))
    return models.create(models.Asker(spec), seeded)


def check(spec, dataset):
    assert models.askers([spec], [], dataset) == (models.Asker(spec),)


def texts(spec, evidence, seed=0):
    return [answer.text for answer in created(spec, evidence, seed).answers(requests(evidence))]


def test_every_model_answers_every_task(made, evidence):
    titles = made.dataset.items["title"].to_list()
    for name in models.names(made.dataset):
        answers = list(created(name, evidence).answers(requests(evidence)))
        assert [answer.task_id for answer in answers] == evidence.task_ids
        if name in {"verbaliser", "refuser", "hallucinator", "duplicator"}:
            continue
        for row, answer in enumerate(answers):
            listed = json.loads(answer.text)
            assert len(set(listed)) == N
            assert set(listed) <= {titles[item] for item in evidence.candidates[row]}


def test_the_order_of_requests_changes_nothing(evidence):
    asked = requests(evidence)
    for spec in ("random", "mixture:0.4", "held-out-half", "sampler", "item-knn"):
        straight = {answer.task_id: answer.text for answer in created(spec, evidence).answers(asked)}
        turned = created(spec, evidence).answers(asked[::-3])
        assert all(straight[answer.task_id] == answer.text for answer in turned)


def test_the_seed_decides(evidence):
    for spec in ("random", "mixture", "noisy", "sampler", "held-out-half"):
        assert texts(spec, evidence) == texts(spec, evidence)
        assert texts(spec, evidence) != texts(spec, evidence, seed=1)
    assert texts("perfect", evidence) != texts("reversed", evidence)


def test_ties_are_broken_at_random_not_by_position(evidence):
    row = next(row for row, counts in enumerate(evidence.counts) if (counts == counts.min()).sum() == 2)
    least = evidence.candidates[row, evidence.counts[row] == evidence.counts[row].min()]
    title = evidence.dataset.items["title"][int(least[0])]
    asked = [Request(row, evidence.task_ids[row], "")]
    firsts = [json.loads(next(created("reversed", evidence, seed).answers(asked)).text)[0] for seed in range(100)]
    assert 30 < firsts.count(title) < 70


def test_revisions_tell_apart_what_could_answer_otherwise(made, evidence):
    def revision(spec="mixture:0.3", seed=0, evidence=evidence):
        return created(spec, evidence, seed).revision

    others = Study(made.dataset, made.tasks, made.members, made.settings.changed({"history.match": "1"}))
    rescored = Study(made.dataset, made.tasks, made.members, made.settings.changed({"fill": "worst"}))
    assert len({
        revision(),
        revision(seed=1),
        revision("mixture:0.4"),
        revision("perfect"),
        revision(evidence=study(seed=6, tasks=4).evidence),
        revision(evidence=others.evidence),
    }) == 6  # fmt: skip
    assert revision() == revision(evidence=made.evidence) == revision(evidence=rescored.evidence)


def test_names_carry_their_parameter(evidence):
    assert created("mixture", evidence).name == "mixture:0.5"
    assert created("mixture:0.50", evidence).name == "mixture:0.5"
    assert created("breakpoint", evidence).name == "breakpoint:4.2"
    assert created("item-knn", evidence).name == "item-knn"


def test_defaults_can_be_made(made, evidence):
    for spec in models.defaults(made.dataset):
        assert created(spec, evidence).name == spec
    real = Study(plain(made.dataset), made.tasks, made.members, made.settings).evidence
    for spec in models.defaults(real.dataset):
        assert created(spec, real).name == spec
    assert not set(models.defaults(real.dataset)) & {"oracle", "demography-oracle", "history-oracle", "memoriser"}


def test_the_world_alone_has_oracles(made):
    hidden = set(models.names(made.dataset)) - set(models.names(plain(made.dataset)))
    assert hidden == {"memoriser", "oracle", "demography-oracle", "history-oracle"}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("gpt", "model: expected one of random, popularity, .*history-oracle.*, got 'gpt'"),
        ("openai", "model openai: expected openai:NAME, got 'openai'"),
        ("", "model: expected one of .*, got ''"),
        ("mixture:2", "model mixture: expected a number from 0 to 1, got '2'"),
        ("mixture:nan", "model mixture: expected a number from 0 to 1, got 'nan'"),
        ("noisy:loud", "model noisy: expected a number from 0 to 1e.06, as in noisy:1, got 'loud'"),
        ("perfect:1", "model perfect: expected no parameter, got '1'"),
    ],
)
def test_a_wrong_name_or_parameter_is_explained(evidence, spec, message):
    with pytest.raises(HabitusError, match=message):
        check(spec, evidence.dataset)


def test_an_oracle_of_real_data_is_refused(made):
    real = Study(plain(made.dataset), made.tasks, made.members, made.settings).evidence
    with pytest.raises(HabitusError, match=r"model oracle: expected the data set world, .* got plain"):
        check("oracle", real.dataset)


def test_every_name_on_offer_passes_the_check(made):
    for dataset in (made.dataset, plain(made.dataset)):
        for spec in (*models.names(dataset), *models.defaults(dataset)):
            check(spec, dataset)


def test_services_alone_are_asked_by_every_method(made):
    given = models.askers(["perfect", "openai:a", "openai:a", "vllm:b"], ["text", "numbers"], made.dataset)
    assert [tuple(asker) for asker in given] == [
        ("perfect", "text"),
        ("openai:a", "text"),
        ("openai:a", "numbers"),
        ("vllm:b", "text"),
        ("vllm:b", "numbers"),
    ]
    assert models.askers(["openai:a"], [], made.dataset) == (models.Asker("openai:a", "text"),)
    with pytest.raises(HabitusError, match="--method: expected text or numbers for openai, got 'choice'"):
        models.askers(["vllm:b", "openai:a"], ["choice"], made.dataset)


def test_a_service_needs_an_account(evidence):
    with pytest.raises(HabitusError, match="model openai:a: expected an account"):
        created("openai:a", evidence)


def test_a_request_of_another_study_is_refused(evidence):
    model = created("perfect", evidence)
    with pytest.raises(HabitusError, match="perfect: expected a task of this study, got nothing as 0"):
        list(model.answers([Request(0, "nothing", "")]))


class Echo:
    """A model of another package."""

    revision = "1"

    def __init__(self, argument):
        self.name = f"echo:{argument}"

    def answers(self, requests):
        """What was asked, word for word."""
        return (Answer(request.task_id, request.prompt) for request in requests)


def test_other_packages_bring_models(evidence, made, monkeypatch):
    monkeypatch.setitem(sys.modules, "echo_package", SimpleNamespace(Echo=Echo))
    found = metadata.EntryPoints([metadata.EntryPoint("echo", "echo_package:Echo", models.GROUP)])
    monkeypatch.setattr(models, "entry_points", found.select)
    assert models.names(made.dataset)[-1] == "echo"
    check("echo:a:b", made.dataset)
    model = models.called(models.Asker("echo:a:b"), evidence.settings, None)
    assert model.name == "echo:a:b"
    assert [answer.text for answer in model.answers([Request(0, "task", "prompt")])] == ["prompt"]
    assert created("perfect", evidence).name == "perfect"
