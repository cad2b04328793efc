"""The `openai` runner's own rules: what is asked once, what is shared, what is refused before the first call."""

import asyncio
import json

import httpx2
import pytest
from tests.runners.models.openai_api.asked import asker, requests, scripted

from habitus_runners.calls.purse import Purse
from habitus_runners.errors import HabitusError


class Echo:
    """Answers with the prompt's first words, and keeps every request's body."""

    def __init__(self):
        self.bodies = []

    def __call__(self, request):
        """One call."""
        self.bodies.append(json.loads(request.content))
        text = self.bodies[-1]["messages"][0]["content"].partition(".")[0]
        return httpx2.Response(200, json={"choices": [{"message": {"content": text}, "finish_reason": "stop"}]})


def test_answers_belong_to_their_requests(ledger):
    answers = list(scripted(httpx2.MockTransport(Echo()), ledger).answers(requests(40)))
    assert [(answer.task_id, answer.text) for answer in answers] == [(f"t{at}", f"Question {at}") for at in range(40)]


def test_tasks_with_the_same_prompt_share_an_answer_and_samples_do_not(ledger):
    service, (request,) = Echo(), requests(1)
    asked = [request, request._replace(task_id="other"), request._replace(sample=1)]
    answers = list(scripted(httpx2.MockTransport(service), ledger).answers(asked))
    assert [(answer.task_id, answer.sample) for answer in answers] == [("t0", 0), ("other", 0), ("t0", 1)]
    assert sorted(body["seed"] for body in service.bodies) == [0, 1]


def test_what_is_known_is_not_asked_again(ledger):
    service = Echo()
    model = scripted(httpx2.MockTransport(service), ledger)
    first = list(model.answers(requests(5)))
    assert list(model.answers(requests(5))) == first
    assert len(service.bodies) == 5


def test_it_can_be_asked_while_an_event_loop_is_running(ledger):
    async def notebook():
        return list(scripted(httpx2.MockTransport(Echo()), ledger).answers(requests(3)))

    assert len(asyncio.run(notebook())) == 3


def test_a_limit_in_dollars_needs_a_price(ledger):
    with pytest.raises(HabitusError, match=r"--max-cost: expected a known price of unheard-of.*calls\.prices"):
        asker("https://service.test/v1", ledger, model="unheard-of", purse=Purse(1.0))


def test_rate_limits_of_the_service_are_heeded(ledger):
    class Limited(Echo):
        def __call__(self, request):
            """The first call uses up the minute."""
            response = super().__call__(request)
            response.headers["x-ratelimit-limit-requests"] = "1000"
            response.headers["x-ratelimit-remaining-requests"] = "0" if len(self.bodies) == 1 else "9"
            response.headers["x-ratelimit-reset-requests"] = "200ms"
            return response

    service = Limited()
    told = []
    model = scripted(httpx2.MockTransport(service), ledger, calls__concurrency=1)
    model._account = model._account._replace(progress=lambda *what: told.append(what))
    assert all(answer.error is None for answer in model.answers(requests(3)))
    assert told[-1][1:3] == (3, 3)
