"""Every question ends answered, failed or left; nothing that the ledger knows is called; what is in flight is kept."""

import asyncio
import threading

import pytest

from habitus_runners.calls import dispatch as dispatching
from habitus_runners.calls import stopping
from habitus_runners.calls.account import Account
from habitus_runners.calls.dispatch import Called, Inquiry, Reach, Worst, dispatch
from habitus_runners.calls.outcomes import Failure
from habitus_runners.calls.purse import Purse
from habitus_runners.errors import Stopped
from habitus_runners.ledger import Ledger, Question, Reply
from habitus_runners.model import Request
from habitus_runners.settings import Calls


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    monkeypatch.setattr(dispatching, "_FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(dispatching, "_LOOK_AGAIN_S", (0.01, 0.02))


def inquiries(count):
    return [
        Inquiry(Question(f"id{at}", "m", "{}", "text", f"prompt {at}", 0), Request(at, f"t{at}", f"prompt {at}"))
        for at in range(count)
    ]


def reply(text="[]", cost=None):
    return Reply(text, "stop", 10, 5, cost, 0.1)


class Service:
    """Answers after a moment; ``behave`` may raise, told the call's number and its inquiry."""

    def __init__(self, behave=lambda _number, _inquiry: None, *, cost=None, seconds=0.002):
        self.behave, self.cost, self.seconds = behave, cost, seconds
        self.called, self.open, self.most_open = [], 0, 0

    async def __call__(self, inquiry):
        """One call."""
        number = len(self.called)
        self.called.append(inquiry.question.prompt)
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        try:
            await asyncio.sleep(self.seconds)
            self.behave(number, inquiry)
        finally:
            self.open -= 1
        return Called(reply(inquiry.question.prompt, self.cost), {})


def ask(service, asked, ledger, *, purse=None, worst=0.0, stop=None, told=None, **calls):
    reach = Reach(service, lambda _: Worst(100, worst), Calls(**({"concurrency": 8, "deadline_s": 10} | calls)))
    account = Account(ledger, purse or Purse(), told or (lambda *_: None))
    return asyncio.run(dispatch(asked, reach, account, "model", stop or (lambda _: None)))


def failing(share_of, failure):
    """Fail the first call of every prompt that ``share_of`` names."""
    failed = set()

    def behave(_, inquiry):
        if share_of(inquiry.request.row) and inquiry.question.answer_id not in failed:
            failed.add(inquiry.question.answer_id)
            raise failure

    return behave


def refusing(code, status=400, which=lambda _: True):
    def behave(_, inquiry):
        if which(inquiry.request.row):
            raise Failure("no", status, code)

    return behave


def test_every_question_is_called_once_and_kept(ledger):
    service = Service()
    ended = ask(service, inquiries(100), ledger)
    assert ended.early is None
    assert {key: got.text for key, got in ended.outcomes.items()} == {f"id{at}": f"prompt {at}" for at in range(100)}
    assert sorted(service.called) == sorted(f"prompt {at}" for at in range(100))
    assert len(ledger.known([f"id{at}" for at in range(100)])) == 100
    assert service.most_open <= 8


def test_no_question_is_no_call(ledger):
    assert ask(Service(), [], ledger) == ({}, None)


def test_what_the_ledger_knows_is_not_called_again(ledger):
    ask(Service(), inquiries(50), ledger)
    service = Service()
    ended = ask(service, inquiries(60), ledger)
    assert len(ended.outcomes) == 60
    assert len(service.called) == 10


@pytest.mark.parametrize("failure", [Failure("later", 429), Failure("later", 503), Failure("cut", code="connection")])
def test_what_can_heal_is_tried_again(ledger, failure):
    service = Service(failing(lambda row: row % 3 == 0, failure))
    ended = ask(service, inquiries(30), ledger)
    assert all(isinstance(got, Reply) for got in ended.outcomes.values())
    assert len(service.called) == 40


def test_a_retry_that_waits_holds_no_slot(ledger):
    service = Service(failing(lambda row: row == 0, Failure("later", 429, headers={"Retry-After": "0.2"})))
    ask(service, inquiries(10), ledger, concurrency=1)
    assert service.called == [f"prompt {at}" for at in range(10)] + ["prompt 0"]


def test_the_deadline_ends_the_tries_and_only_that_question(ledger):
    service = Service(refusing(None, 500, lambda row: row == 1))
    ended = ask(service, inquiries(5), ledger, deadline_s=0.15)
    assert isinstance(ended.outcomes["id1"], Failure)
    assert ended.early is None
    assert sum(isinstance(got, Reply) for got in ended.outcomes.values()) == 4


def test_a_pause_beyond_the_deadline_is_not_waited_for(ledger):
    service = Service(refusing(None, 500, lambda row: row == 1))
    service.behave = failing(lambda row: row == 1, Failure("later", 503, headers={"Retry-After": "500"}))
    ended = ask(service, inquiries(3), ledger, deadline_s=5)
    assert ended.outcomes["id1"].status == 503
    assert len(service.called) == 3


def test_a_call_has_a_timeout_over_all(ledger):
    class Slow(Service):
        async def __call__(self, inquiry):
            if not self.called:
                self.called.append(inquiry.question.prompt)
                await asyncio.sleep(60)
            return await super().__call__(inquiry)

    service = Slow()
    ended = ask(service, inquiries(2), ledger, timeout_s=0.1)
    assert all(isinstance(got, Reply) for got in ended.outcomes.values())
    assert len(service.called) == 3


@pytest.mark.parametrize(("code", "tries"), [("answer_too_long", 2), ("unreadable", 5)])
def test_what_was_probably_paid_is_not_tried_for_ever(ledger, code, tries):
    service = Service(refusing(code, 200, lambda row: row == 0))
    ended = ask(service, inquiries(3), ledger)
    assert service.called.count("prompt 0") == tries
    assert ended.outcomes["id0"].code == code


@pytest.mark.parametrize("code", ["insufficient_quota", "billing_hard_limit_reached"])
def test_quota_stops_within_the_calls_in_flight(ledger, code):
    stopped_at = []

    def behave(number, _):
        if number >= 40:
            stopped_at.append(len(service.called))
            raise Failure("You exceeded your current quota", 429, code)

    service = Service(behave)
    ended = ask(service, inquiries(500), ledger)
    assert isinstance(ended.early, Stopped)
    assert ended.early.status == 3
    assert len(service.called) == stopped_at[0]
    assert "quota" in str(ended.early)
    assert "40 answered and kept, 460 left" in str(ended.early)
    assert "habitus resume" in str(ended.early)
    assert len(ended.outcomes) == 40


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_holds_for_every_question_stops_at_once(ledger, status):
    service = Service(refusing("invalid", status))
    ended = ask(service, inquiries(100), ledger)
    assert len(service.called) <= 8
    assert str(status) in str(ended.early)
    assert "0 answered and kept, 100 left" in str(ended.early)


def test_a_bad_request_before_any_answer_stops_at_once(ledger):
    service = Service(refusing("unsupported_parameter"))
    assert "unsupported_parameter" in str(ask(service, inquiries(100), ledger).early)
    assert len(service.called) <= 8


@pytest.mark.parametrize("code", ["context_length_exceeded", "content_filter", "invalid_value"])
def test_a_bad_request_about_one_prompt_is_that_questions_error(ledger, code):
    service = Service(refusing(code, which=lambda row: row in {20, 60}))
    ended = ask(service, inquiries(100), ledger, concurrency=2)
    assert ended.early is None
    assert [key for key, got in ended.outcomes.items() if isinstance(got, Failure)] == ["id20", "id60"]
    assert len(service.called) == 100


def test_three_bad_requests_in_a_row_stop(ledger):
    service = Service(refusing("context_length_exceeded", which=lambda row: row >= 50))
    ended = ask(service, inquiries(1000), ledger)
    assert isinstance(ended.early, Stopped)
    assert len(service.called) <= 50 + 3 + 8 + 8


def test_a_service_that_never_answers_is_given_up(ledger, monkeypatch):
    monkeypatch.setattr(stopping, "_BARREN_S", 0.05)
    service = Service(refusing("connection", None))
    assert "ask.base_url" in str(ask(service, inquiries(20), ledger).early)


def test_what_is_in_flight_when_asking_stops_is_kept(ledger):
    class Uneven(Service):
        async def __call__(self, inquiry):
            if inquiry.request.row == 3:
                raise Failure("no", 429, "insufficient_quota")
            return await super().__call__(inquiry)

    service = Uneven(seconds=0.1)
    ended = ask(service, inquiries(100), ledger)
    assert isinstance(ended.early, Stopped)
    assert len(ended.outcomes) == len(service.called) > 0
    assert len(ledger.known(f"id{at}" for at in range(100))) == len(service.called)
    assert ask(Service(), inquiries(100), ledger).early is None


def test_an_interrupt_stops_and_keeps(ledger):
    stops = []
    service = Service(lambda number, _: stops[0]() if number == 20 else None)
    ended = ask(service, inquiries(500), ledger, stop=stops.append)
    assert isinstance(ended.early, KeyboardInterrupt)
    assert 21 <= len(service.called) <= 21 + 16
    assert len(ended.outcomes) == len(service.called)


def test_a_fault_of_our_own_is_raised_after_what_is_in_flight_was_kept(ledger):
    def behave(number, _):
        if number == 10:
            raise ZeroDivisionError("ours")

    service = Service(behave)
    with pytest.raises(ZeroDivisionError, match="ours"):
        ask(service, inquiries(200), ledger)
    assert len(ledger.known(f"id{at}" for at in range(200))) == len(service.called) - 1


def test_the_limit_in_dollars_holds(ledger):
    purse, service = Purse(1.0), Service(cost=0.01)
    ended = ask(service, inquiries(500), ledger, purse=purse, worst=0.05)
    assert 0.95 < purse.spent <= 1.0
    assert "--max-cost" in str(ended.early)
    assert len(ended.outcomes) == len(service.called) == round(purse.spent / 0.01)


def test_calls_that_may_have_been_paid_stay_reserved(ledger):
    purse = Purse(0.1)
    service = Service(refusing(None, 500))
    ended = ask(service, inquiries(50), ledger, purse=purse, worst=0.01)
    assert isinstance(ended.early, Stopped)
    assert len(service.called) == 10
    assert purse.spent == 0


def test_another_runners_answer_is_waited_for_and_costs_nothing(ledger, tmp_path):
    (inquiry,) = inquiries(1)
    with Ledger(tmp_path / "ledger.sqlite") as other:
        sending = other.send(inquiry.question).result()
        timer = threading.Timer(0.2, lambda: other.answered(sending, inquiry.question, reply("theirs", 1.0)).result())
        timer.start()
        service, purse = Service(), Purse()
        ended = ask(service, [inquiry], ledger, purse=purse)
        timer.join()
    assert ended.outcomes["id0"].text == "theirs"
    assert service.called == []
    assert purse.spent == 0


def test_a_dead_runners_question_is_taken_over(ledger, tmp_path):
    (inquiry,) = inquiries(1)
    other = Ledger(tmp_path / "ledger.sqlite")
    other.send(inquiry.question).result()
    timer = threading.Timer(0.2, other.close)
    timer.start()
    service = Service()
    assert ask(service, [inquiry], ledger).outcomes["id0"].text == "prompt 0"
    timer.join()
    assert len(service.called) == 1


def test_progress_says_what_goes_wrong(ledger):
    told = []
    service = Service(failing(lambda row: row % 2 == 0, Failure("later", 429)))
    ask(service, inquiries(20), ledger, told=lambda *what: told.append(what))
    stage, done, total, note = told[-1]
    assert (stage, done, total) == ("model", 20, 20)
    assert "10 429s, 10 retries" in note
