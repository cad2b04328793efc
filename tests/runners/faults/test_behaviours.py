"""Each behaviour arrives at the real client, blocking and asynchronous, as what it was meant to be."""

import asyncio
import dataclasses
import json
import time
from email.utils import parsedate_to_datetime

import openai
import pytest
from tests.runners.faults.questions import KEY, TITLES, asynchronous, client, question

from habitus_runners.faults import (
    BadRequest,
    Drip,
    Ended,
    Garbled,
    Hang,
    Huge,
    Latency,
    NoChoices,
    NotFound,
    NoUsage,
    NullContent,
    Quota,
    Refusal,
    Reset,
    Status,
    TooMany,
    Unauthorised,
    WrongModel,
    question_key,
)


def _ask(server, asynchronously, **options):
    """One chat completion, with either client."""
    if not asynchronously:
        with client(server.url, **options) as made:
            return made.chat.completions.create(**question())

    async def ask():
        async with asynchronous(server.url, **options) as made:
            return await made.chat.completions.create(**question())

    return asyncio.run(ask())


def _name(value):
    return repr(value)[:40] if dataclasses.is_dataclass(value) else getattr(value, "__name__", str(value))


both = pytest.mark.parametrize("asynchronously", [False, True], ids=["blocking", "asynchronous"])


@both
@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (Status(400), openai.BadRequestError),
        (Unauthorised(), openai.AuthenticationError),
        (Status(403), openai.PermissionDeniedError),
        (NotFound(), openai.NotFoundError),
        (Status(408), openai.APIStatusError),
        (Status(409), openai.ConflictError),
        (Status(422), openai.UnprocessableEntityError),
        (TooMany(), openai.RateLimitError),
        (Quota(), openai.RateLimitError),
        (Status(500), openai.InternalServerError),
        (Status(502), openai.InternalServerError),
        (Status(503), openai.InternalServerError),
        (Status(504), openai.InternalServerError),
        (BadRequest(), openai.BadRequestError),
        (Garbled("html", status=502), openai.InternalServerError),
        (Reset("before"), openai.APIConnectionError),
        (Reset("after"), openai.APIConnectionError),
        (Reset("headers"), openai.APIConnectionError),
        (Reset("body"), openai.APIConnectionError),
        (Reset("before", orderly=True), openai.APIConnectionError),
        (Reset("body", orderly=True), openai.APIConnectionError),
        (Garbled("half"), json.JSONDecodeError),
    ],
    ids=_name,
)
def test_an_error_arrives_as_its_kind(fault_server, asynchronously, behaviour, kind):
    server = fault_server(behaviour)
    with pytest.raises(kind) as caught:
        _ask(server, asynchronously)
    if isinstance(caught.value, openai.APIStatusError):
        assert caught.value.status_code == server.calls[0].status
    assert not server.paid
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    ("behaviour", "generated"),
    [
        (Reset("before"), 0),
        (Reset("after"), 1),
        (Reset("headers"), 1),
        (Reset("body"), 1),
        (Garbled(), 1),
        (Hang(), 0),
        (Hang(done=True), 1),
    ],
    ids=_name,
)
def test_work_done_for_nothing_is_counted_apart(fault_server, behaviour, generated):
    server = fault_server(behaviour)
    with pytest.raises((openai.APIError, json.JSONDecodeError)):
        _ask(server, asynchronously=False, timeout=0.3)
    assert server.generated.total() == generated
    assert server.paid.total() == 0


@both
def test_a_hang_and_a_drip_end_by_deadline_alone(fault_server, asynchronously):
    server = fault_server([Hang(), Latency(9.0), Drip(seconds=1.5, pieces=15)])
    for _ in range(2):
        with pytest.raises(openai.APITimeoutError):
            _ask(server, asynchronously, timeout=0.2)
    # 1.5 s in all, and no read as long as 1 s: the client's timeout, which is one of reads, does not see it.
    assert _ask(server, asynchronously, timeout=1.0).choices[0].message.content
    assert server.paid == {question_key(question()): 1}


@pytest.mark.parametrize(
    "form", ["seconds", "ms", "both", "date", "past", "none", "negative", "huge", "infinite", "garbage"]
)
def test_every_form_of_retry_after(fault_server, form):
    server = fault_server(TooMany(form, after=60.5))
    with pytest.raises(openai.RateLimitError) as caught:
        _ask(server, asynchronously=False)
    headers = caught.value.response.headers
    said, said_ms = headers.get("retry-after"), headers.get("retry-after-ms")
    assert (said_ms == "60500") == (form in {"ms", "both"})
    simple = {
        "infinite": "inf",
        "seconds": "60.5",
        "ms": None,
        "both": "61",
        "none": None,
        "negative": "-5",
        "huge": "999999",
    }
    if form in simple:
        assert said == simple[form]
    elif form == "garbage":
        assert not said.isdecimal()
    else:
        ahead = parsedate_to_datetime(said).timestamp() - time.time()
        assert 0 < ahead <= 61.5 if form == "date" else ahead < -86_000


def test_quota_never_heals(fault_server):
    server = fault_server(Quota(after=2))
    with client(server.url) as made:
        for _ in range(2):
            made.chat.completions.create(**question())
        for _ in range(3):
            with pytest.raises(openai.RateLimitError) as caught:
                made.chat.completions.create(**question())
            assert caught.value.code == "insufficient_quota"
            assert "retry-after" not in caught.value.response.headers


def test_a_client_that_obeys_is_told_whether_to_retry(fault_server):
    server = fault_server([Status(500, should_retry=False), Status(400, should_retry=True)])
    with client(server.url) as made:
        patient = made.with_options(max_retries=1)
        with pytest.raises(openai.InternalServerError):
            patient.chat.completions.create(**question())
        assert len(server.calls) == 1
        assert patient.chat.completions.create(**question()).choices
    assert [call.attempt for call in server.calls] == [0, 1, 2]


def test_an_early_retry_is_noticed(fault_server):
    server = fault_server([TooMany(after=30.0), TooMany("none")])
    for _ in range(2):
        with pytest.raises(openai.RateLimitError):
            _ask(server, asynchronously=False)
    assert _ask(server, asynchronously=False).choices
    early = [call.early_s for call in server.calls]
    assert early[0] == early[2] == 0
    assert early[1] > 0


def test_the_key_is_repeated_whole_or_masked(fault_server):
    server = fault_server([Unauthorised(), Unauthorised(masked=True)])
    for shown in (True, False):
        with pytest.raises(openai.AuthenticationError) as caught:
            _ask(server, asynchronously=False)
        assert (KEY in str(caught.value)) is shown
    assert server.keys == {KEY}


@both
@pytest.mark.parametrize(
    ("behaviour", "holds"),
    [
        (Refusal(), lambda made: made.choices[0].message.refusal and made.choices[0].message.content is None),
        (NullContent(), lambda made: made.choices[0].message.content is made.choices[0].message.refusal is None),
        (Ended("length"), lambda made: made.choices[0].finish_reason == "length"),
        (Ended("content_filter"), lambda made: made.choices[0].finish_reason == "content_filter"),
        (NoUsage(), lambda made: made.usage is None),
        (WrongModel("other"), lambda made: made.model == "other"),
        (Huge(), lambda made: len(made.choices[0].message.content) == 10_000_000),
    ],
    ids=_name,
)
def test_an_odd_answer_arrives_and_is_paid(fault_server, asynchronously, behaviour, holds):
    server = fault_server(behaviour)
    assert holds(_ask(server, asynchronously))
    assert server.paid == {question_key(question()): 1}


@both
def test_what_holds_no_answer_is_not_paid(fault_server, asynchronously):
    server = fault_server([NoChoices(), Garbled("html"), Garbled("empty")])
    assert _ask(server, asynchronously).choices == []
    # The client hands a page over as text, and fails on an empty body.
    assert _ask(server, asynchronously).startswith("<!DOCTYPE html>")
    with pytest.raises(json.JSONDecodeError):
        _ask(server, asynchronously)
    assert not server.paid


@both
def test_a_good_answer(fault_server, asynchronously):
    server = fault_server(seed=5)
    first, second = _ask(server, asynchronously), _ask(server, asynchronously)
    assert first.choices == second.choices
    assert set(json.loads(first.choices[0].message.content)) <= set(TITLES)
    assert server.paid == {question_key(question()): 2}
    assert server.summary()["paid_again"] == 1
