"""The model as a study sees it: lazily made, chunk by chunk, one line where it fails."""

import sys

import pytest
from tests.runners.models.vllm_engine.scripted import Scripted

from habitus_runners.errors import HabitusError, Stopped
from habitus_runners.model import Request
from habitus_runners.models import vllm_engine
from habitus_runners.models.vllm_engine import identity, runner, starting
from habitus_runners.models.vllm_engine.plan import Plan
from habitus_runners.progress import silent
from habitus_runners.settings import Ask, settings

REQUESTS = [Request(number, f"t{number}", f"prompt {number}", ('"A"', '"B"')) for number in range(7)]


@pytest.fixture
def engine(monkeypatch):
    scripted, ended = Scripted(), []
    monkeypatch.setattr(starting, "engine", lambda _: scripted)
    monkeypatch.setattr(starting, "end", lambda: ended.append(True))
    monkeypatch.setitem(runner.METHODS, "text", runner.METHODS["text"]._replace(chunk=3))
    scripted.ended = ended
    return scripted


def model(progress=silent):
    return runner.VllmModel("vllm:x", "text", lambda: "{}", dict, Plan(Ask(), 2), progress)


def test_answers_come_chunk_by_chunk_in_order(engine):
    told = []
    answers = model(lambda *what: told.append(what[:3])).answers(REQUESTS)
    assert next(answers).task_id == "t0"
    assert len(engine.batches) == 1
    assert [answer.task_id for answer in answers] == [f"t{number}" for number in range(1, 7)]
    assert [len(batch) for batch in engine.batches] == [3, 3, 1]
    assert told == [("vllm:x", 3, 7), ("vllm:x", 6, 7), ("vllm:x", 7, 7)]


def test_an_engine_that_dies_stops_the_model_and_keeps_what_came(engine, monkeypatch):
    answers = model().answers(REQUESTS)
    came = [next(answers) for _ in range(3)]
    monkeypatch.setattr(engine, "go_on", lambda _: 1 / 0)
    with pytest.raises(Stopped, match=r"vLLM failed while it answered: ZeroDivisionError: division by zero; .*resume"):
        next(answers)
    assert len(came) == 3
    assert engine.ended == [True]


def test_an_interrupt_ends_the_engine_with_its_unfinished_requests(engine, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "go_on", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(model().answers(REQUESTS))
    assert engine.ended == [True]


def test_without_vllm_there_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(HabitusError) as caught:
        vllm_engine.create("x", "text", settings(), 10)
    assert str(caught.value) == "expected the package vllm, found none; pip install 'habitus[vllm]' brings it"


def test_a_model_is_made_without_looking_at_its_files(monkeypatch, tmp_path):
    monkeypatch.setattr(identity, "installed", lambda: "vllm 1.0")
    made = vllm_engine.create(str(tmp_path / "nowhere"), "choice", settings(), 10)
    assert made.name == f"vllm:{tmp_path / 'nowhere'} [choice]"
    with pytest.raises(HabitusError, match="found none"):
        _ = made.revision


def test_an_unknown_method_is_refused():
    with pytest.raises(HabitusError, match="expected text or numbers or choice or logprobs, got 'verse'"):
        vllm_engine.create("x", "verse", settings(), 10)


def test_the_innermost_cause_is_told_in_one_line():
    outer = RuntimeError("see above")
    outer.__cause__ = ValueError("no\n  kernel")
    assert starting.first_line(outer) == "ValueError: no kernel"
    assert starting.first_line(ValueError()) == "ValueError"
