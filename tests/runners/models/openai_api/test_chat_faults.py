"""The `openai` runner against a server that fails in every way, over real sockets: the bars of reliability."""

import json
import logging
import signal
import subprocess
import sys
import time
import traceback

import pytest
from tests.runners.models.openai_api.asked import TITLES, N, asker, requests

from habitus_runners.calls.purse import Purse
from habitus_runners.errors import Stopped
from habitus_runners.faults import Attempts, Hang, InTurn, Mixture, Ok, Quota, Reset, Status, TooMany
from habitus_runners.faults.oddities import (
    BadRequest,
    Garbled,
    Huge,
    NoChoices,
    NotFound,
    NullContent,
    Refusal,
    Unauthorised,
)

CANARY = "canary-7f3a91e2-do-not-leak"
pytestmark = pytest.mark.usefixtures("_short_pauses")


def test_a_tenth_too_many_and_a_twentieth_broken_is_300_of_300(ledger, fault_server):
    server = fault_server(Mixture([(TooMany("ms", 0.02), 0.10), (Status(500), 0.05)]))
    answers = list(asker(server.url, ledger).answers(requests(300)))
    assert [answer.task_id for answer in answers] == [f"t{at}" for at in range(300)]
    assert all(answer.error is None and set(json.loads(answer.text)) <= set(TITLES) for answer in answers)
    assert sorted(server.paid.values()) == [1] * 300
    assert len(server.calls) > 320


@pytest.mark.parametrize("form", ["seconds", "ms", "both", "date", "past", "none", "negative", "garbage"])
def test_no_call_comes_before_it_may(ledger, fault_server, form):
    server = fault_server(Attempts([TooMany(form, 0.1)]))
    assert all(answer.error is None for answer in asker(server.url, ledger).answers(requests(4)))
    assert all(call.early_s < 0.01 for call in server.calls)
    assert len(server.calls) == 8


@pytest.mark.parametrize(
    "fault",
    [Status(408), Status(409), Status(500), Status(502), Status(503), Status(504), Status(529), Reset(), Reset("after"),
     Reset("headers"), Reset("body"), Reset("body", orderly=True), Garbled(), Garbled("empty"), Garbled("html"),
     NoChoices()],
    ids=repr,
)  # fmt: skip
def test_what_heals_is_tried_again(ledger, fault_server, fault):
    server = fault_server(Attempts([fault]))
    assert all(answer.error is None for answer in asker(server.url, ledger).answers(requests(5)))
    assert len(server.calls) == 10


def test_a_call_that_hangs_is_cut_and_made_again(ledger, fault_server):
    server = fault_server(Attempts([Hang()]))
    answers = list(asker(server.url, ledger, calls__timeout_s=0.3).answers(requests(5)))
    assert all(answer.error is None for answer in answers)


@pytest.mark.parametrize("fault", [BadRequest(), Unauthorised(), Status(403), NotFound()], ids=repr)
def test_what_does_not_heal_stops_within_the_first_calls(ledger, fault_server, fault):
    server = fault_server(fault)
    with pytest.raises(Stopped, match="0 answered and kept, 100 left"):
        list(asker(server.url, ledger).answers(requests(100)))
    assert len(server.calls) <= 8


def test_quota_ends_within_the_calls_in_flight_and_is_resumed(ledger, fault_server):
    server = fault_server(Quota(after=50), latency_s=0.005)
    given = []
    with pytest.raises(Stopped, match=r"insufficient_quota.*habitus resume"):
        given.extend(asker(server.url, ledger, calls__concurrency=8).answers(requests(300)))
    refused = [call.number for call in server.calls if call.status == 429]
    assert len(server.calls) - refused[0] <= 8
    paid = fault_server()
    assert len(list(asker(paid.url, ledger).answers(requests(1)))) == 1


def test_resuming_pays_only_for_what_is_missing(ledger, fault_server):
    server = fault_server(InTurn([Ok()] * 60 + [Status(401)]))
    asked = asker(server.url, ledger)
    kept = []
    with pytest.raises(Stopped):
        kept.extend(asked.answers(requests(100)))
    assert len(list(asked.answers(requests(100)))) == 100
    assert max(server.paid.values()) == 1
    assert len(server.paid) == 100


def test_two_models_and_two_methods_share_no_answer(ledger, fault_server):
    server = fault_server()
    for model, method in [("a", "text"), ("b", "text"), ("a", "numbers")]:
        (answer,) = asker(server.url, ledger, method, model=model).answers(requests(1))
        assert isinstance(json.loads(answer.text), dict) == (method == "numbers")
    (again,) = asker(server.url, ledger, model="a").answers(requests(1, sample=1))
    assert len(server.calls) == len(server.paid) == 4
    assert again.sample == 1


def test_numbers_come_in_the_range_of_the_schema(ledger, fault_server):
    for answer in asker(fault_server().url, ledger, "numbers").answers(requests(20)):
        ranking = json.loads(answer.text)["ranking"]
        assert len(ranking) == N
        assert set(ranking) <= set(range(1, len(TITLES) + 1))


def test_log_probabilities_are_kept_when_asked_for(ledger, fault_server):
    url = fault_server().url
    (with_them,) = asker(url, ledger, ask__logprobs=True).answers(requests(1))
    (without,) = asker(url, ledger).answers(requests(1))
    assert "".join(pair.token for pair in with_them.token_logprobs) == with_them.text
    assert without.token_logprobs is None


def test_a_hostile_answer_of_10_mb_is_asked_for_twice_at_most(ledger, fault_server):
    server = fault_server(Huge())
    began = time.process_time()
    (answer,) = asker(server.url, ledger).answers(requests(1))
    assert "4096 KiB" in answer.error
    assert len(server.calls) == 2
    assert time.process_time() - began < 30  # a parser that is not linear takes minutes


def test_a_long_answer_is_kept_to_64_kib(ledger, fault_server):
    (answer,) = asker(fault_server(Huge(characters=1_000_000)).url, ledger).answers(requests(1))
    assert answer.error is None
    assert len(answer.text) == 64 << 10


def test_refusals_and_nothing_are_answers(ledger, fault_server):
    (refused,) = asker(fault_server(Refusal()).url, ledger).answers(requests(1))
    assert (refused.finish_reason, refused.error) == ("refusal", None)
    assert "can't help" in refused.text
    (nothing,) = asker(fault_server(NullContent()).url, ledger).answers(requests(1))
    assert (nothing.text, nothing.error) == ("", None)


def test_the_limit_in_dollars_is_never_passed(ledger, fault_server, tmp_path):
    prices = tmp_path / "prices.toml"
    prices.write_text('["fault-1"]\ninput = 100.0\noutput = 400.0\n')
    purse, server = Purse(1.0), fault_server()
    model = asker(server.url, ledger, purse=purse, calls__prices=str(prices), ask__max_tokens=50)
    kept = []
    with pytest.raises(Stopped, match="--max-cost 1"):
        kept.extend(model.answers(requests(300)))
    assert 0.9 < purse.spent <= 1.0
    assert sum(server.paid.values()) < 300


def test_no_key_is_in_any_record_exception_file_or_answer(ledger, fault_server, monkeypatch, caplog, tmp_path):
    monkeypatch.setenv("HABITUS_API_KEY", CANARY)
    caplog.set_level(logging.DEBUG)
    told, notes = [], []
    for fault in (Unauthorised(), Attempts([TooMany("ms", 0.01)]), Attempts([Reset("headers")]), Attempts([Garbled()])):
        server = fault_server(fault)
        try:
            told += list(asker(server.url, ledger, told=lambda *what: notes.append(what)).answers(requests(3)))
        except Stopped as stopped:
            told += ["".join(traceback.TracebackException.from_exception(stopped, capture_locals=True).format())]
        assert server.keys == {CANARY}
    assert "401 invalid_api_key: Incorrect API key provided: [key]" in str(told)
    ledger.close()
    assert CANARY not in str(told + notes)
    assert CANARY not in caplog.text
    assert not any(CANARY in str(vars(record)) for record in caplog.records)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not any(CANARY.encode() in path.read_bytes() for path in files)


INTERRUPTED = """
import sys
from pathlib import Path
from tests.runners.models.openai_api.asked import asker, requests
from habitus_runners.ledger import Ledger
with Ledger(Path(sys.argv[2])) as ledger:
    try:
        list(asker(sys.argv[1], ledger, told=lambda *what: print(what[1], flush=True)).answers(requests(2_000)))
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@pytest.mark.parametrize("times", [1, 2])
def test_an_interrupt_keeps_what_is_in_flight_and_a_second_one_does_not_wait(fault_server, tmp_path, times):
    slow = Hang() if times > 1 else Ok()
    server = fault_server(lambda asked: slow if asked.number > 40 else Ok(), latency_s=0.02)
    command = [sys.executable, "-c", INTERRUPTED, server.url, str(tmp_path / "ledger.sqlite")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            while sum(server.paid.values()) < 40 or len(server.calls) < 43:
                time.sleep(0.02)
            for _ in range(times):
                process.send_signal(signal.SIGINT)
                time.sleep(0.3)
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()
    assert out.endswith("interrupted\n"), err
    if times == 1:
        assert all(call.finished for call in server.calls)
        assert err == ""
