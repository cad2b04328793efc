"""Asking models: who is asked what and with which seed, which answers are kept, and which are asked for again."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future

import pytest

from habitus_runners import asking, models, study
from habitus_runners.calls.account import Account
from habitus_runners.calls.purse import Purse
from habitus_runners.datasets import world
from habitus_runners.errors import Awaited, HabitusError, Stopped
from habitus_runners.ledger import Ledger
from habitus_runners.model import Answer, Request, TokenLogprob, answer_id
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
    """Two models, `a` and `b`, of another package."""
    found = {name: Scripted(name) for name in ("a", "b")}
    monkeypatch.setattr(models, "create", lambda asker, *_: found[asker.spec])
    return found


@pytest.fixture
def account(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        yield Account(ledger, Purse(None))


def _ask(folder, dataset, specs, account=None):
    askers = [models.Asker(spec) for spec in specs]
    return asking.ask(folder, dataset, study.settings_of(folder), askers, account)


def _errors(folder: RunFolder) -> dict[str, list[str | None]]:
    """Model -> the errors of its answers, one per answer."""
    errors: dict[str, list[str | None]] = {}
    for row in folder.read("answers").select(["model", "error"]).to_pylist():
        errors.setdefault(row["model"], []).append(row["error"])
    return errors


def test_an_answer_is_named_by_all_that_could_change_it():
    one = answer_id(Scripted(), Request(0, "task", "prompt"))
    others = [
        answer_id(Scripted("n"), Request(0, "task", "prompt")),
        answer_id(Scripted("m", "2"), Request(0, "task", "prompt")),
        answer_id(Scripted(), Request(0, "task", "other")),
        answer_id(Scripted(), Request(0, "task", "prompt", sample=1)),
        answer_id(Scripted(), Request(0, "task", "prompt"), by_task=True),
        answer_id(Scripted(), Request(0, "other", "prompt"), by_task=True),
    ]
    assert len({one, *others}) == 7
    assert answer_id(Scripted(), Request(7, "other", "prompt")) == one


def test_every_model_is_asked_every_task_once(folder, dataset, scripted):
    _ask(folder, dataset, ["a", "b"])
    for model in scripted.values():
        assert [request.task_id for request in model.asked] == folder.read("tasks")["task_id"].to_pylist()
        assert [request.row for request in model.asked] == list(range(folder.read("tasks").num_rows))


def test_a_finished_model_is_not_asked_again(folder, dataset, scripted):
    _ask(folder, dataset, ["a"])
    _ask(folder, dataset, ["a", "b"])
    tasks = folder.read("tasks").num_rows
    assert len(scripted["a"].asked) == len(scripted["b"].asked) == tasks
    assert folder.read("answers").num_rows == 2 * tasks


def test_answers_come_in_any_order(folder, dataset, scripted, monkeypatch):
    monkeypatch.setattr(scripted["a"], "answers", lambda asked: (Answer(r.task_id, r.task_id) for r in reversed(asked)))
    _ask(folder, dataset, ["a"])
    answers = folder.read("answers")
    assert answers["text"].to_pylist() == answers["task_id"].to_pylist() == folder.read("tasks")["task_id"].to_pylist()


def test_an_answer_to_nothing_is_refused(folder, dataset, scripted, monkeypatch):
    monkeypatch.setattr(scripted["a"], "answers", lambda asked: (Answer("x" + one.task_id, "[]") for one in asked))
    with pytest.raises(HabitusError, match="a: expected answers to what was asked, got one to 'x"):
        _ask(folder, dataset, ["a"])
    assert not folder.has("answers")


def test_a_missing_answer_is_a_failure(folder, dataset, scripted, monkeypatch):
    monkeypatch.setattr(scripted["a"], "answers", lambda asked: (Answer(one.task_id, "[]") for one in asked[1:]))
    (end,) = _ask(folder, dataset, ["a"])
    assert end.status == 5
    assert str(end) == "a: requests that failed: 1, as in: no answer came; `habitus resume` asks again"
    assert _errors(folder)["a"][0] == "no answer came"
    assert set(_errors(folder)["a"][1:]) == {None}


@pytest.mark.parametrize("end", [Stopped("quota"), Awaited("later"), KeyboardInterrupt()])
def test_what_came_before_a_stop_is_kept(folder, dataset, scripted, account, monkeypatch, end):
    def stopping(asked):
        for one in asked[:3]:
            yield Answer(one.task_id, f"[{one.row}]", cost=0.5)
        raise end

    monkeypatch.setattr(scripted["a"], "answers", stopping)
    if isinstance(end, KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt):
            _ask(folder, dataset, ["a", "b"], account)
    else:
        assert _ask(folder, dataset, ["a", "b"], account) == [end]
        assert set(_errors(folder)["b"]) == {None}
    answers = [row for row in folder.read("answers").to_pylist() if row["model"] == "a"]
    assert [row["text"] for row in answers[:3]] == ["[0]", "[1]", "[2]"]
    assert {row["error"] for row in answers[3:]} == {str(end) or "no answer came"}
    assert len(account.ledger.known(row["answer_id"] for row in answers)) == 3


def test_an_answer_that_was_paid_for_serves_every_run(folder, dataset, scripted, account, tmp_path):
    _ask(folder, dataset, ["a"], account)
    asked = len(scripted["a"].asked)
    other = RunFolder(tmp_path / "other")
    study.make_tasks(other, dataset, study.settings_of(folder))
    _ask(other, dataset, ["a", "b"], account)
    assert len(scripted["a"].asked) == asked == len(scripted["b"].asked)
    assert other.read("answers").to_pylist()[:asked] == folder.read("answers").to_pylist()


@pytest.mark.usefixtures("scripted")
def test_an_answer_that_cannot_be_kept_is_never_passed_over(folder, dataset, account, monkeypatch):
    keep_soon, kept = account.ledger.keep_soon, []

    def second_fails(pairs):
        kept.append(pairs)
        if len(kept) != 2:
            return keep_soon(pairs)
        failed = Future()
        failed.set_exception(HabitusError("the disk is full"))
        return failed

    monkeypatch.setattr(account.ledger, "keep_soon", second_fails)
    with pytest.raises(HabitusError, match="the disk is full"):
        _ask(folder, dataset, ["a"], account)


def test_a_simulated_model_is_not_in_the_ledger(folder, dataset, account):
    asking.ask(folder, dataset, study.settings_of(folder), [models.Asker("random")], account)
    assert not account.ledger.known(folder.read("answers")["answer_id"].to_pylist())


def test_tasks_with_the_same_prompt_share_what_was_paid_for(dataset, tmp_path, scripted, account):
    template = tmp_path / "mine.jinja"
    template.write_text("The same for all")
    folder = RunFolder(tmp_path / "run")
    study.make_tasks(folder, dataset, settings("paper", CHANGES | {"prompt.template": str(template)}))
    _ask(folder, dataset, ["a"], account)
    answers, tasks = folder.read("answers"), folder.read("tasks")
    assert len(scripted["a"].asked) == 1
    assert answers["task_id"].to_pylist() == tasks["task_id"].to_pylist()
    assert len(set(answers["answer_id"].to_pylist())) == 1
    assert study.parse(folder, dataset) == tasks.num_rows
    assert study.score(folder)["tasks"][0].as_py() == tasks.num_rows


def test_lone_surrogates_of_a_model_are_kept_as_question_marks(folder, dataset, scripted, account, monkeypatch):
    odd = [TokenLogprob("\ud800", -1.0)]
    monkeypatch.setattr(
        scripted["a"], "answers", lambda asked: (Answer(one.task_id, "x\udfff", token_logprobs=odd) for one in asked)
    )
    _ask(folder, dataset, ["a"], account)
    answers = folder.read("answers")
    assert set(answers["text"].to_pylist()) == {"x?"}
    assert answers["token_logprobs"][0].as_py() == [{"token": "?", "logprob": -1.0}]


def test_samples_and_log_probabilities_are_kept(dataset, tmp_path, scripted, account, monkeypatch):
    folder = RunFolder(tmp_path / "run")
    study.make_tasks(folder, dataset, settings("paper", CHANGES | {"ask.samples": 3}))
    logprobs = [TokenLogprob("[", -0.25), TokenLogprob("]", -1.5)]

    def sampled(asked):
        return (Answer(one.task_id, f"[{one.sample}]", sample=one.sample, token_logprobs=logprobs) for one in asked)

    monkeypatch.setattr(scripted["a"], "answers", sampled)
    _ask(folder, dataset, ["a"], account)
    answers = folder.read("answers")
    assert answers.num_rows == 3 * folder.read("tasks").num_rows
    assert sorted(set(answers["text"].to_pylist())) == ["[0]", "[1]", "[2]"]
    assert answers["token_logprobs"][5].as_py() == [{"token": "[", "logprob": -0.25}, {"token": "]", "logprob": -1.5}]
    assert len(set(answers["answer_id"].to_pylist())) == answers.num_rows


def test_failed_answers_alone_are_asked_for_again_and_replaced(folder, dataset, scripted):
    model, tasks = scripted["a"], folder.read("tasks").num_rows
    for failing in ({1, 4}, {4}, set()):
        model.failing = failing
        _ask(folder, dataset, ["a"])
        assert sum(error is not None for error in _errors(folder)["a"]) == len(failing)
        assert len(set(folder.read("answers")["answer_id"].to_pylist())) == folder.read("answers").num_rows == tasks
    assert [request.row for request in model.asked[tasks:]] == [1, 4, 4]


def test_a_failure_stays_on_record_while_another_model_is_asked(folder, dataset, scripted):
    scripted["a"].failing = {1, 4}
    _ask(folder, dataset, ["a"])
    before = _errors(folder)["a"]
    _ask(folder, dataset, ["b"])
    assert sorted(map(str, _errors(folder)["a"])) == sorted(map(str, before))


def test_a_users_template_reaches_the_model(dataset, tmp_path, scripted):
    template = tmp_path / "mine.jinja"
    template.write_text("MINE {{ candidates | length }}")
    folder = RunFolder(tmp_path / "run")
    study.make_tasks(folder, dataset, settings("paper", CHANGES | {"prompt.template": str(template)}))
    _ask(folder, dataset, ["a"])
    assert {request.prompt for request in scripted["a"].asked} == {"MINE 12"}


def test_answers_to_other_prompts_are_not_mixed_in(folder, dataset, tmp_path):
    _ask(folder, dataset, ["random"])
    template = tmp_path / "mine.jinja"
    template.write_text('{% extends "generic.en.jinja" %}')
    mine = RunFolder(tmp_path / "mine")
    study.make_tasks(mine, dataset, settings("paper", CHANGES | {"seed": 7, "prompt.template": str(template)}))
    _ask(mine, dataset, ["random"])
    assert mine.manifest["prompts"] != folder.manifest["prompts"]
    before = mine.read("answers")
    template.write_text('{% extends "generic.en.jinja" %}{# reworded #} ')
    _ask(mine, dataset, ["random"])
    assert mine.read("answers").equals(before)
    template.write_text("Rank these: {{ candidates | join }}")
    with pytest.raises(
        HabitusError, match=r"answers to other requests: prompts of method text .* choose another folder"
    ):
        _ask(mine, dataset, ["random"])


def test_answers_of_another_revision_are_not_mixed_in(folder, dataset, scripted):
    _ask(folder, dataset, ["a"])
    scripted["a"].revision = "2"
    with pytest.raises(HabitusError, match=r"answers to other requests: a revision 1 -> 2; choose another folder"):
        _ask(folder, dataset, ["a"])
    scripted["a"].revision = '{"endpoint": "x", "temperature": 0}'
    with pytest.raises(HabitusError, match=r"a endpoint None -> x, a revision 1 -> None, a temperature None -> 0;"):
        _ask(folder, dataset, ["a"])
