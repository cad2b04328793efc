"""Models by name: each answers every task with text, always the same, whatever the order of the requests."""

import json
import sys
from importlib import metadata
from types import SimpleNamespace

import pytest
from tests.runners.small import N, Study, study

from habitus_runners import models
from habitus_runners.datasets.dataset import Dataset
from habitus_runners.errors import HabitusError
from habitus_runners.models.model import Answer, Request


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


def texts(spec, evidence, seed=0):
    return [answer.text for answer in models.create(spec, evidence, seed).answers(requests(evidence))]


def test_every_model_answers_every_task(made, evidence):
    titles = made.dataset.items["title"].to_list()
    for name in models.names(made.dataset):
        answers = list(models.create(name, evidence, 0).answers(requests(evidence)))
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
        straight = {answer.task_id: answer.text for answer in models.create(spec, evidence, 0).answers(asked)}
        turned = models.create(spec, evidence, 0).answers(asked[::-3])
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
    firsts = [json.loads(next(models.create("reversed", evidence, seed).answers(asked)).text)[0] for seed in range(100)]
    assert 30 < firsts.count(title) < 70


def test_revisions_tell_apart_what_could_answer_otherwise(made, evidence):
    def revision(spec="mixture:0.3", seed=0, evidence=evidence):
        return models.create(spec, evidence, seed).revision

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
    assert models.create("mixture", evidence, 0).name == "mixture:0.5"
    assert models.create("mixture:0.50", evidence, 0).name == "mixture:0.5"
    assert models.create("breakpoint", evidence, 0).name == "breakpoint:4.2"
    assert models.create("item-knn", evidence, 0).name == "item-knn"


def test_defaults_can_be_made(made, evidence):
    for spec in models.defaults(made.dataset):
        assert models.create(spec, evidence, 0).name == spec
    real = Study(plain(made.dataset), made.tasks, made.members, made.settings).evidence
    for spec in models.defaults(real.dataset):
        assert models.create(spec, real, 0).name == spec
    assert not set(models.defaults(real.dataset)) & {"oracle", "demography-oracle", "history-oracle", "memoriser"}


def test_the_world_alone_has_oracles(made):
    hidden = set(models.names(made.dataset)) - set(models.names(plain(made.dataset)))
    assert hidden == {"memoriser", "oracle", "demography-oracle", "history-oracle"}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("gpt", "model: expected one of random, popularity, .*history-oracle.*, got 'gpt'"),
        ("openai:some", "model: expected one of .*, got 'openai:some'"),
        ("", "model: expected one of .*, got ''"),
        ("mixture:2", "model mixture: expected a number from 0 to 1, got '2'"),
        ("mixture:nan", "model mixture: expected a number from 0 to 1, got 'nan'"),
        ("noisy:loud", "model noisy: expected a number from 0 to 1e.06, as in noisy:1, got 'loud'"),
        ("perfect:1", "model perfect: expected no parameter, got '1'"),
    ],
)
def test_a_wrong_name_or_parameter_is_explained(evidence, spec, message):
    for refuse in (lambda: models.create(spec, evidence, 0), lambda: models.check(spec, evidence.dataset)):
        with pytest.raises(HabitusError, match=message):
            refuse()


def test_an_oracle_of_real_data_is_refused(made):
    real = Study(plain(made.dataset), made.tasks, made.members, made.settings).evidence
    for refuse in (lambda: models.create("oracle", real, 0), lambda: models.check("oracle", real.dataset)):
        with pytest.raises(HabitusError, match=r"model oracle: expected the data set world, .* got plain"):
            refuse()


def test_every_name_on_offer_passes_the_check(made):
    for dataset in (made.dataset, plain(made.dataset)):
        for spec in (*models.names(dataset), *models.defaults(dataset)):
            models.check(spec, dataset)


def test_a_request_of_another_study_is_refused(evidence):
    model = models.create("perfect", evidence, 0)
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
    models.check("echo:a:b", made.dataset)
    model = models.create("echo:a:b", evidence, 0)
    assert model.name == "echo:a:b"
    assert [answer.text for answer in model.answers([Request(0, "task", "prompt")])] == ["prompt"]
    assert models.create("perfect", evidence, 0).name == "perfect"
