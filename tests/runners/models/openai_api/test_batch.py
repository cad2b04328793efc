"""Answers ordered in batches: however a batch ends, every answer is kept, and none is paid for twice."""

import json

import pytest
from tests.runners.models.openai_api.batch_runs import TITLES, ask, ordered, per_file, requests, soon

from habitus_runners import faults
from habitus_runners.calls.account import Account
from habitus_runners.calls.purse import Purse
from habitus_runners.errors import Awaited, HabitusError, Stopped
from habitus_runners.faults import (
    BatchEnd,
    FaultServer,
    Huge,
    Latency,
    NoChoices,
)
from habitus_runners.ledger import Ledger
from habitus_runners.model import Request, answer_id
from habitus_runners.models.openai_api import batch
from habitus_runners.settings import settings


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    soon(monkeypatch)


ONCE = {
    "completed": [BatchEnd()],
    "completed at once": [BatchEnd(polls=0)],
    "out of order": [BatchEnd(shuffled=True)],
    "expired": [BatchEnd("expired", answered=0.5), BatchEnd()],
    "expired twice": [BatchEnd("expired", answered=0.5), BatchEnd("expired", answered=0.5), BatchEnd()],
    "expired with nothing": [BatchEnd("expired", answered=0), BatchEnd()],
    "cancelled": [BatchEnd("cancelled", answered=0.3, shuffled=True), BatchEnd()],
    "failed": [BatchEnd("failed"), BatchEnd()],
    "errors": [BatchEnd(errors=(500, 429, 500)), BatchEnd()],
    "missing lines": [BatchEnd(answered=0.6), BatchEnd()],
    "repeated lines": [BatchEnd(doubled=4, shuffled=True)],
    "strangers": [BatchEnd(strangers=3)],
    "everything": [BatchEnd("expired", 1, 0.6, (500, 429), shuffled=True, doubled=2, strangers=1), BatchEnd()],
}


@pytest.mark.parametrize("ends", ONCE.values(), ids=ONCE)
def test_however_a_batch_ends_every_question_is_answered_and_paid_for_once(ends, tmp_path):
    with FaultServer(batches=ends) as server:
        outcome = ask(server, tmp_path)
        assert outcome.end is None
        assert len(outcome.answers) == len(outcome.good) == 10
        assert set(server.generated.values()) == {1}
        assert len(server.generated) == 10
        again = ask(server, tmp_path)
        assert sorted(again.answers) == sorted(outcome.answers)
        assert ordered(server) == len(ends) if "failed" not in {end.end for end in ends} else 3


@pytest.mark.parametrize(
    ("end", "kind"), [(BatchEnd(renamed=2), "nobody asked for"), (BatchEnd(half_line=True), "1 unreadable")]
)
def test_answers_that_cannot_be_told_whose_they_are_are_asked_for_again_and_counted(end, kind, tmp_path):
    with FaultServer(batches=[end, BatchEnd()]) as server:
        outcome = ask(server, tmp_path)
    assert outcome.end is None
    assert len(outcome.good) == 10
    assert kind in outcome.notes[-1]


def test_repeated_lines_and_strangers_are_told(tmp_path):
    with FaultServer(batches=[BatchEnd(doubled=4, strangers=3)]) as server:
        outcome = ask(server, tmp_path)
    assert "4 repeated lines" in outcome.notes[-1]
    assert "3 lines nobody asked for" in outcome.notes[-1]


def test_what_is_on_order_is_awaited_then_collected_and_ordered_once(tmp_path, monkeypatch):
    per_file(monkeypatch, 4)
    with FaultServer(batches=[BatchEnd(polls=4)]) as server:
        first = ask(server, tmp_path)
        assert isinstance(first.end, Awaited)
        assert first.end.status == 4
        assert str(first.end) == "awaiting 10 answers in 3 batches; `habitus collect` fetches them"
        assert first.answers == []
        outcomes = [ask(server, tmp_path) for _ in range(4)]
        assert [type(outcome.end) for outcome in outcomes] == [Awaited, Awaited, type(None), type(None)]
        assert len(outcomes[-1].good) == 10
        assert ordered(server) == 3
        assert set(server.generated.values()) == {1}


def test_partial_results_are_given_while_the_rest_is_awaited(tmp_path):
    with FaultServer(batches=[BatchEnd("expired", answered=0.5), BatchEnd("never")]) as server:
        outcome = ask(server, tmp_path)
        assert isinstance(outcome.end, Awaited)
        assert len(outcome.good) == len(outcome.answers) == 5
        assert ordered(server) == 2


def test_a_bad_request_is_an_error_and_not_asked_again(tmp_path):
    with FaultServer(batches=[BatchEnd(errors=(400,))]) as server:
        outcome = ask(server, tmp_path)
        assert outcome.end is None
        assert ordered(server) == 1
    assert len(outcome.good) == 9
    (error,) = (answer.error for answer in outcome.answers if answer.error)
    assert "400" in error
    assert "Invalid value" in error


@pytest.mark.parametrize(
    "end",
    [BatchEnd("failed", code="token_limit_exceeded"), BatchEnd(line=NoChoices()), BatchEnd("expired", answered=0)],
)
def test_what_fails_again_and_again_is_reported_and_not_ordered_for_ever(end, tmp_path):
    with FaultServer(batches=[end]) as server:
        outcome = ask(server, tmp_path)
        assert isinstance(outcome.end, Stopped)
        assert outcome.end.status == 3
        assert "10 questions unanswered" in str(outcome.end)
        assert len(str(outcome.end).splitlines()) == 1
        assert ordered(server) <= 1 + 2 + 5
    assert outcome.good == set()
    assert len(outcome.answers) == 10


def test_a_file_beyond_the_queue_is_cut_to_what_the_service_told(tmp_path):
    with FaultServer(batches=[BatchEnd()], limits=faults.Limits(enqueued_tokens=160)) as server:
        outcomes = [ask(server, tmp_path) for _ in range(4)]
        assert outcomes[-1].end is None
        assert len(outcomes[-1].good) == 10
        assert set(server.generated.values()) == {1}


def test_files_hold_no_more_than_allowed(tmp_path, monkeypatch):
    per_file(monkeypatch, 3)
    with FaultServer() as server:
        assert len(ask(server, tmp_path).good) == 10
        assert ordered(server) == 4


def test_another_endpoint_is_another_model(tmp_path):
    with FaultServer(batches=[BatchEnd("never")]) as server, FaultServer() as other:
        assert isinstance(ask(server, tmp_path).end, Awaited)
        assert len(ask(other, tmp_path).good) == 10


@pytest.mark.parametrize("ends", [[BatchEnd(polls=2)], [BatchEnd("expired", 2, 0.5), BatchEnd()], [BatchEnd(polls=0)]])
def test_without_the_ledger_the_orders_are_found_at_the_service(ends, tmp_path, monkeypatch):
    per_file(monkeypatch, 4)
    with FaultServer({"GET /batches/{id}": [Latency(0.0)]}, batches=ends) as server:
        ask(server, tmp_path / "here")
        before = ordered(server)
        outcomes = [ask(server, tmp_path / "there") for _ in range(2)]
        assert outcomes[-1].end is None
        assert len(outcomes[-1].good) == 10
        assert set(server.generated.values()) == {1}
        if len(ends) == 1:
            assert ordered(server) == before


def test_a_part_of_what_was_ordered_is_found_and_later_the_rest(tmp_path):
    with FaultServer(batches=[BatchEnd(polls=1)]) as server:
        ask(server, tmp_path / "here")
        for number in (3, 7, 10):
            outcome = ask(server, tmp_path / "there", number)
            assert len(outcome.good) == number
        assert ordered(server) == 1


def test_what_was_asked_otherwise_is_not_taken_for_an_answer(tmp_path):
    with FaultServer() as server:
        ask(server, tmp_path / "here")
        ask(server, tmp_path / "there", **{"ask.temperature": 1})
        assert ordered(server) == 2
        assert len(server.generated) == 20


def test_an_answer_of_ten_megabytes_is_cut(tmp_path):
    with FaultServer(batches=[BatchEnd(line=Huge())]) as server:
        outcome = ask(server, tmp_path, 2)
    assert len(outcome.good) == 2
    assert max(len(answer.text.encode()) for answer in outcome.answers) <= 64 << 10


def test_the_same_prompt_is_ordered_once_and_answers_every_task(tmp_path):
    twice = [Request(row, f"task-{row}", "one prompt", TITLES) for row in range(2)]
    with FaultServer() as server, Ledger(tmp_path / "ledger.sqlite") as ledger:
        wanted = settings("paper", {"ask.base_url": server.url})
        model = batch.create("m", "text", wanted, 3, Account(ledger, Purse()))
        samples = [request._replace(sample=1) for request in twice]
        answers = list(model.answers([*twice, *samples]))
        assert sorted((answer.task_id, answer.sample) for answer in answers) == [
            ("task-0", 0),
            ("task-0", 1),
            ("task-1", 0),
            ("task-1", 1),
        ]
        assert len(server.generated) == 2


def test_numbers_are_asked_with_their_schema(tmp_path):
    with FaultServer() as server:
        outcome = ask(server, tmp_path, 3, method="numbers")
    for answer in outcome.answers:
        ranking = json.loads(answer.text)["ranking"]
        assert len(ranking) == 3
        assert set(ranking) <= {1, 2, 3, 4}


def test_name_and_revision_are_its_own(tmp_path):
    wanted = settings("paper", {"ask.base_url": "http://127.0.0.1:9/v1"})
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        text, numbers = (
            batch.create("m", method, wanted, 3, Account(ledger, Purse())) for method in ("text", "numbers")
        )
    assert (text.name, numbers.name) == ("openai-batch:m", "openai-batch:m [numbers]")
    assert json.loads(text.revision)["order"] == "batch"
    assert text.revision != numbers.revision
    (request,) = requests(1)
    assert answer_id(text, request) != answer_id(numbers, request)


def test_no_limit_of_cost_without_a_price(tmp_path):
    wanted = settings("paper", {"ask.base_url": "http://service.invalid/v1"})
    with Ledger(tmp_path / "ledger.sqlite") as ledger, pytest.raises(HabitusError, match="expected a known price of m"):
        batch.create("m", "text", wanted, 3, Account(ledger, Purse(1.0)))
