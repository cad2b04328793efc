"""The service's calls may fail in every way, and money may end: no order is lost or repeated, and no key is shown."""

import io
import threading
from datetime import timedelta

import pytest
from tests.runners.models.openai_api.batch_runs import ask, calls, ordered, per_file, requests, soon

from habitus_runners import prices
from habitus_runners.calls.account import Account
from habitus_runners.calls.purse import Purse
from habitus_runners.errors import Awaited, Stopped
from habitus_runners.faults import (
    BatchEnd,
    FaultServer,
    Hang,
    Latency,
    Ok,
    Quota,
    Reset,
    Status,
    TooMany,
    Unauthorised,
)
from habitus_runners.ledger import Ledger, Question
from habitus_runners.model import answer_id
from habitus_runners.models.openai_api import batch, client
from habitus_runners.models.openai_api.batches import lines, orders
from habitus_runners.models.openai_api.batches.files import Limits, tokens_at_most
from habitus_runners.models.openai_api.batches.service import Service
from habitus_runners.settings import settings

CANARY = "sk-canary-0123456789abcdef"


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    soon(monkeypatch)


FAULTS = {
    "upload": {"POST /files": [Status(500), TooMany(after=0.01), Reset()]},
    "order refused": {"POST /batches": [Status(503), TooMany("ms", after=0.01)]},
    "order reset": {"POST /batches": [Reset()]},
    "order done, then reset": {"POST /batches": [Reset("after")]},
    "order done, headers alone": {"POST /batches": [Reset("headers")]},
    "order done, half told": {"POST /batches": [Reset("body", orderly=True)]},
    "look": {"GET /batches/{id}": [Status(500), Reset()]},
    "download": {"GET /files/{id}/content": [Reset("body"), Status(502), Reset("body", orderly=True)]},
    "list": {"POST /batches": [Reset("after")], "GET /batches": [Ok(), Status(500), Reset("body")]},
}


@pytest.mark.parametrize("plan", FAULTS.values(), ids=FAULTS)
def test_no_fault_of_a_call_loses_or_repeats_an_order(plan, tmp_path):
    with FaultServer(plan) as server:
        outcome = ask(server, tmp_path)
        assert outcome.end is None
        assert len(outcome.good) == 10
        assert set(server.generated.values()) == {1}


def test_an_order_that_hangs_is_found_again(tmp_path):
    with FaultServer({"POST /batches": [Hang(done=True)]}) as server:
        outcome = ask(server, tmp_path, **{"calls.timeout_s": 0.5})
        assert len(outcome.good) == 10
        assert ordered(server) == 1


@pytest.mark.parametrize(
    "route", ["GET /batches", "POST /files", "POST /batches", "GET /batches/{id}", "GET /files/{id}/content"]
)
def test_after_the_deadline_it_stops_and_the_next_run_goes_on(route, tmp_path):
    plan = {route: lambda asked: Status(500) if asked.number < failing else Ok()}
    failing = 10**9
    with FaultServer(plan) as server:
        outcome = ask(server, tmp_path, **{"calls.deadline_s": 0.3})
        assert isinstance(outcome.end, Stopped)
        assert "`habitus resume`" in str(outcome.end)
        failing = 0
        outcome = ask(server, tmp_path)
        assert outcome.end is None
        assert len(outcome.good) == 10
        assert set(server.generated.values()) == {1}


def test_no_quota_stops_at_the_first_call(tmp_path):
    with FaultServer({"POST /files": Quota()}) as server:
        outcome = ask(server, tmp_path)
        assert isinstance(outcome.end, Stopped)
        assert "quota" in str(outcome.end)
        assert len(calls(server, "POST /files")) == 1


def test_a_refused_key_is_said_and_never_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    with FaultServer({"POST /files": Unauthorised()}) as server:
        refused = ask(server, tmp_path)
        assert isinstance(refused.end, Stopped)
        assert "401" in str(refused.end)
        assert CANARY in server.keys
    with FaultServer(batches=[BatchEnd("failed", code=CANARY)]) as server:
        failed = ask(server, tmp_path)
    shown = f"{refused}{failed}".encode()
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert CANARY.encode() not in shown + written


def test_only_whole_files_that_the_purse_can_pay_are_ordered(tmp_path, monkeypatch):
    per_file(monkeypatch, 2)
    file = tmp_path / "prices.toml"
    file.write_text('["m"]\ninput = 1.0\noutput = 10.0\n')
    changes = {"calls.prices": str(file), "ask.max_tokens": 1000}
    with FaultServer(batches=[BatchEnd(polls=1)]) as server:
        outcome = ask(server, tmp_path, limit=0.025, **changes)
        assert isinstance(outcome.end, Stopped)
        assert "--max-cost" in str(outcome.end)
        assert ordered(server) == 2
        assert len(ask(server, tmp_path, limit=0.0, **changes).good) == 4
        assert ordered(server) == 2
        outcome = ask(server, tmp_path, limit=1.0, **changes)
        assert outcome.end is None
        assert len(outcome.good) == 10
    price = prices.find("m", server.url, file)
    for answer in outcome.answers:
        full = price.cost(answer.tokens_in, answer.tokens_out)
        assert answer.cost == pytest.approx(full / 2)
        assert answer.cost > 0


def test_results_that_are_gone_are_asked_for_again(tmp_path):
    with FaultServer({"GET /files/{id}/content": [Status(404, "No such File object")]}) as server:
        outcome = ask(server, tmp_path)
        assert outcome.end is None
        assert len(outcome.good) == 10
        assert ordered(server) == 2


def test_a_batch_that_the_service_does_not_know_is_not_ordered_again_until_its_results_would_be_gone(
    tmp_path, monkeypatch
):
    plan = {"GET /batches/{id}": lambda asked: Status(404, "No batch found") if asked.number in {1, 2, 3} else Ok()}
    with FaultServer(plan, batches=[BatchEnd("never"), BatchEnd()]) as server:
        assert isinstance(ask(server, tmp_path).end, Awaited)
        for _ in range(2):
            outcome = ask(server, tmp_path)
            assert isinstance(outcome.end, Stopped)
            assert "expected the key of the project" in str(outcome.end)
        assert ordered(server) == 1
        monkeypatch.setattr(orders, "KEPT", timedelta(0))
        assert len(ask(server, tmp_path).good) == 10
        assert ordered(server) == 2


def test_no_more_is_queued_than_the_queue_may_hold(tmp_path, monkeypatch):
    monkeypatch.setattr(
        batch, "LIMITS", Limits(tokens=4 * tokens_at_most(Question("", "", "", "", requests(1)[0].prompt, 0)))
    )
    with FaultServer(batches=[BatchEnd(polls=2)]) as server:
        first = ask(server, tmp_path)
        assert isinstance(first.end, Awaited)
        assert "6 more are not on order yet" in str(first.end)
        assert ordered(server) == 1
        runs = [ask(server, tmp_path) for _ in range(3)]
        assert [len(run.good) for run in runs] == [4, 8, 10]
        assert ordered(server) == 3


def test_an_order_that_arrived_twice_is_taken_once(tmp_path):
    with FaultServer(batches=[BatchEnd("never")]) as server, Ledger(tmp_path / "ledger.sqlite") as ledger:
        wanted = settings("paper", {"ask.base_url": server.url})
        model = batch.create("m", "text", wanted, 3, Account(ledger, Purse()))
        (asked,) = requests(1)
        question = Question(answer_id(model, asked), model.name, model.revision, "text", asked.prompt, 0)
        local = ledger.open_batch(server.url, model.name, [question])
        with client.synchronous(wanted) as connection:
            file = io.BytesIO(lines.order(question.answer_id, {"model": "m", "messages": []}))
            file_id = Service(connection, 5).upload(file, "one.jsonl")
            ledger.batch_step(local, "uploaded", file_id=file_id)
            for _ in range(2):
                Service(connection, 5).create(file_id, {"habitus": local})
        assert isinstance(ask(server, tmp_path, 1).end, Awaited)
        assert len(calls(server, "POST /batches/{id}/cancel")) == 1
        assert ordered(server) == 2


def test_two_runs_on_one_ledger_order_once(tmp_path):
    with FaultServer({"POST /files": Latency(0.2)}, batches=[BatchEnd("never")]) as server:
        ends = []
        runs = [threading.Thread(target=lambda: ends.append(ask(server, tmp_path).end)) for _ in range(3)]
        for run in runs:
            run.start()
        for run in runs:
            run.join()
        assert [type(end) for end in ends] == [Awaited] * 3
        assert ordered(server) == 1
