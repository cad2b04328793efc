"""Asking models: who is asked what and with which seed, which answers are kept, and which are asked for again."""

from collections.abc import Iterator, Sequence

import pytest

from habitus_runners import models, study
from habitus_runners.datasets import world
from habitus_runners.errors import HabitusError
from habitus_runners.models.model import Answer, Request
from habitus_runners.settings import settings
from habitus_runners.storage import RunFolder

CHANGES = {"history.lengths": [0, 2], "draws.cap": 5, "candidates.K": 12, "candidates.N": 4}


@pytest.fixture(scope="module")
def dataset():
    return world.load(users=150, items=60)


@pytest.fixture
def folder(dataset, tmp_path):
    """A run with tasks and without answers."""
    made = RunFolder(tmp_path / "run")
    study.make_tasks(made, dataset, settings("paper", CHANGES | {"seed": 7}))
    return made


class Scripted:
    """Answers every request alike, remembers what it was asked, and fails on the rows it is told to fail on."""

    def __init__(self, name: str = "m", revision: str = "1") -> None:
        self.name, self.revision = name, revision
        self.asked: list[Request] = []
        self.failing: set[int] = set()

    def answers(self, requests: Sequence[Request]) -> Iterator[Answer]:
        """One per request, in order."""
        self.asked += requests
        return map(self._answer, requests)

    def _answer(self, request: Request) -> Answer:
        failed = request.row in self.failing
        return Answer(request.task_id, "" if failed else "[]", error="timeout" if failed else None)


@pytest.fixture
def scripted(monkeypatch):
    """Two models, `a` and `b`, which `study.ask` finds by these names."""
    found = {name: Scripted(name) for name in ("a", "b")}
    monkeypatch.setattr(models, "create", lambda spec, *_: found[spec])
    return found


def _errors(folder: RunFolder) -> dict[str, list[str | None]]:
    """Model -> the errors of its answers, one per answer."""
    errors: dict[str, list[str | None]] = {}
    for row in folder.read("answers").select(["model", "error"]).to_pylist():
        errors.setdefault(row["model"], []).append(row["error"])
    return errors


def test_an_answer_is_named_by_all_that_could_change_it():
    one = study._answer_id(Scripted(), Request(0, "task", "prompt"))
    others = [
        study._answer_id(Scripted("n"), Request(0, "task", "prompt")),
        study._answer_id(Scripted("m", "2"), Request(0, "task", "prompt")),
        study._answer_id(Scripted(), Request(0, "other", "prompt")),
        study._answer_id(Scripted(), Request(0, "task", "other")),
        study._answer_id(Scripted(), Request(0, "task", "prompt"), 1),
    ]
    assert len({one, *others}) == 6
    assert study._answer_id(Scripted(), Request(7, "task", "prompt")) == one


def test_models_get_the_studys_seed_and_are_made_once_each(folder, dataset, monkeypatch):
    made = []
    monkeypatch.setattr(models, "create", lambda spec, _, seed: made.append((spec, seed)) or Scripted(spec))
    study.ask(folder, dataset, ["a", "b", "a"])
    assert made == [("a", 7), ("b", 7)]


def test_every_model_is_asked_every_task_once(folder, dataset, scripted):
    study.ask(folder, dataset, ["a", "b"])
    for model in scripted.values():
        assert [request.task_id for request in model.asked] == folder.read("tasks")["task_id"].to_pylist()
        assert [request.row for request in model.asked] == list(range(folder.read("tasks").num_rows))


def test_a_finished_model_is_not_asked_again(folder, dataset, scripted):
    study.ask(folder, dataset, ["a"])
    study.ask(folder, dataset, ["a", "b"])
    tasks = folder.read("tasks").num_rows
    assert len(scripted["a"].asked) == len(scripted["b"].asked) == tasks
    assert folder.read("answers").num_rows == 2 * tasks


def test_answers_in_another_order_are_refused(folder, dataset, scripted, monkeypatch):
    monkeypatch.setattr(scripted["a"], "answers", lambda asked: (Answer(one.task_id, "[]") for one in reversed(asked)))
    with pytest.raises(HabitusError, match="a: expected answers in the order asked"):
        study.ask(folder, dataset, ["a"])
    assert not folder.has("answers")


def test_failed_answers_alone_are_asked_for_again_and_replaced(folder, dataset, scripted):
    model, tasks = scripted["a"], folder.read("tasks").num_rows
    for failing in ({1, 4}, {4}, set()):
        model.failing = failing
        study.ask(folder, dataset, ["a"])
        assert sum(error is not None for error in _errors(folder)["a"]) == len(failing)
        assert len(set(folder.read("answers")["answer_id"].to_pylist())) == folder.read("answers").num_rows == tasks
    assert [request.row for request in model.asked[tasks:]] == [1, 4, 4]


def test_a_failure_stays_on_record_while_another_model_is_asked(folder, dataset, scripted):
    scripted["a"].failing = {1, 4}
    study.ask(folder, dataset, ["a"])
    before = _errors(folder)["a"]
    study.ask(folder, dataset, ["b"])
    assert sorted(map(str, _errors(folder)["a"])) == sorted(map(str, before))


def test_a_users_template_reaches_the_model(dataset, tmp_path, scripted):
    template = tmp_path / "mine.jinja"
    template.write_text("MINE {{ candidates | length }}")
    folder = RunFolder(tmp_path / "run")
    study.make_tasks(folder, dataset, settings("paper", CHANGES | {"prompt.template": str(template)}))
    study.ask(folder, dataset, ["a"])
    assert {request.prompt for request in scripted["a"].asked} == {"MINE 12"}


def test_answers_to_other_prompts_are_not_mixed_in(folder, dataset, tmp_path):
    study.ask(folder, dataset, ["random"])
    template = tmp_path / "mine.jinja"
    template.write_text('{% extends "generic.en.jinja" %}')
    mine = RunFolder(tmp_path / "mine")
    study.make_tasks(mine, dataset, settings("paper", CHANGES | {"seed": 7, "prompt.template": str(template)}))
    study.ask(mine, dataset, ["random"])
    assert mine.manifest["prompts"] != folder.manifest["prompts"]
    before = mine.read("answers")
    template.write_text('{% extends "generic.en.jinja" %}{# reworded #} ')
    study.ask(mine, dataset, ["random"])
    assert mine.read("answers").equals(before)
    template.write_text("Rank these: {{ candidates | join }}")
    with pytest.raises(HabitusError, match=r"holds answers to other requests: prompts .* choose another folder"):
        study.ask(mine, dataset, ["random"])


def test_answers_of_another_revision_are_not_mixed_in(folder, dataset, scripted):
    study.ask(folder, dataset, ["a"])
    scripted["a"].revision = "2"
    with pytest.raises(HabitusError, match=r"holds answers to other requests: a 1 -> 2; choose another folder"):
        study.ask(folder, dataset, ["a"])
