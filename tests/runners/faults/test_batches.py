"""Files and batches through the real client: every end of a batch, and every way in which its files are spoilt."""

import asyncio
import io
import json

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runners.faults.questions import asynchronous, client, question

from habitus_runners.faults import BatchEnd, Limits, Refusal, Reset, Status, question_key
from habitus_runners.faults.files import parts
from habitus_runners.faults.http11 import HttpRequest

CHAT = "/v1/chat/completions"


def _line(number, **changes):
    body = question(seed=number)
    return {"custom_id": f"q{number}", "method": "POST", "url": CHAT, "body": body} | changes


def _upload(made, lines):
    content = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    return made.files.create(file=("questions.jsonl", io.BytesIO(content.encode())), purpose="batch")


def _create(made, n=8, lines=None):
    uploaded = _upload(made, [_line(number) for number in range(n)] if lines is None else lines)
    return made.batches.create(
        input_file_id=uploaded.id, endpoint=CHAT, completion_window="24h", metadata={"habitus": "local-1"}
    )


def _output(made, file_id):
    return [] if file_id is None else made.files.content(file_id).text.splitlines()


def _ended(server, n=8):
    """A batch's description at its end, and the lines of its two files."""
    with client(server.url) as made:
        batch = made.batches.retrieve(_create(made, n).id)
        answers, errors = (_output(made, name) for name in (batch.output_file_id, batch.error_file_id))
    return batch, answers, [json.loads(line) for line in errors]


def _ids(lines):
    return [json.loads(line)["custom_id"] for line in lines]


IDS = [f"q{number}" for number in range(8)]


def test_a_batch_in_order(fault_server):
    server = fault_server()
    batch, answers, errors = _ended(server)
    assert (batch.status, batch.metadata) == ("completed", {"habitus": "local-1"})
    assert (batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed) == (8, 8, 0)
    assert _ids(answers) == IDS
    assert errors == []
    assert server.paid == {question_key(question(seed=number)): 1 for number in range(8)}


def test_a_batch_answers_as_a_call_does(fault_server):
    server = fault_server(seed=3)
    _, answers, _ = _ended(server, 1)
    with client(server.url) as made:
        called = made.chat.completions.create(**question(seed=0))
    assert json.loads(answers[0])["response"]["body"]["choices"][0]["message"]["content"] == (
        called.choices[0].message.content
    )
    assert server.summary()["paid_again"] == 1


def test_an_end_shows_after_so_many_looks(fault_server):
    server = fault_server(batches=[BatchEnd(polls=3), BatchEnd("never"), BatchEnd(polls=0)])
    with client(server.url) as made:
        first, second, third = (_create(made, 2) for _ in range(3))
        assert (first.status, second.status, third.status) == ("validating", "validating", "completed")
        assert [made.batches.retrieve(first.id).status for _ in range(4)] == ["in_progress"] * 2 + ["completed"] * 2
        assert {made.batches.retrieve(second.id).status for _ in range(5)} == {"in_progress"}
    assert server.paid.total() == 4


def test_an_expired_batch_keeps_what_was_answered(fault_server):
    server = fault_server(batches=[BatchEnd("expired", answered=0.75)])
    batch, answers, errors = _ended(server)
    assert batch.status == "expired"
    assert _ids(answers) == IDS[:6]
    assert [error["custom_id"] for error in errors] == IDS[6:]
    assert {error["error"]["code"] for error in errors} == {"batch_expired"}
    assert server.paid.total() == 6


def test_a_batch_whose_validation_fails(fault_server):
    server = fault_server(batches=[BatchEnd("failed", code="token_limit_exceeded")])
    batch, answers, errors = _ended(server)
    assert batch.status == "failed"
    assert batch.errors.data[0].code == "token_limit_exceeded"
    assert answers == errors == []
    assert not server.generated


def test_lines_that_fail_stand_in_the_error_file(fault_server):
    server = fault_server(batches=[BatchEnd(errors=(429, 500, 400))])
    batch, answers, errors = _ended(server)
    assert [error["response"]["status_code"] for error in errors] == [429, 500, 400]
    assert _ids(answers) == IDS[3:]
    assert batch.request_counts.failed == 3


@pytest.mark.parametrize(
    ("end", "ids", "paid"),
    [
        (BatchEnd(answered=0.5), IDS[:4], 4),
        (BatchEnd(doubled=2), [*IDS, "q0", "q1"], 8),
        (BatchEnd(renamed=2), ["nobody-0", "nobody-1", *IDS[2:]], 6),
        (BatchEnd(strangers=2), [*IDS, "stranger-0", "stranger-1"], 8),
        (BatchEnd(answered=0.0, strangers=2), [], 0),
    ],
    ids=["missing", "doubled", "renamed", "strangers", "nothing"],
)
def test_spoilt_answers(fault_server, end, ids, paid):
    server = fault_server(batches=[end])
    _, answers, _ = _ended(server)
    assert _ids(answers) == ids
    assert server.paid.total() == paid


def test_answers_in_another_order(fault_server):
    _, answers, _ = _ended(fault_server(batches=[BatchEnd(shuffled=True)]))
    assert _ids(answers) != IDS
    assert sorted(_ids(answers)) == IDS


def test_a_last_line_cut_in_half(fault_server):
    server = fault_server(batches=[BatchEnd(half_line=True)])
    _, answers, _ = _ended(server)
    assert _ids(answers[:-1]) == IDS[:-1]
    with pytest.raises(json.JSONDecodeError):
        json.loads(answers[-1])
    assert server.paid.total() == 7


def test_lines_may_be_odd_answers(fault_server):
    _, answers, _ = _ended(fault_server(batches=[BatchEnd(line=Refusal())]), 1)
    assert json.loads(answers[0])["response"]["body"]["choices"][0]["message"]["refusal"]


def test_a_cancelled_batch(fault_server):
    server = fault_server(batches=[BatchEnd("never", answered=0.25)])
    with client(server.url) as made:
        batch = _create(made)
        assert made.batches.cancel(batch.id).status == "cancelling"
        ended = made.batches.retrieve(batch.id)
        assert ended.status == "cancelled"
        assert len(_output(made, ended.output_file_id)) == 2
        with pytest.raises(openai.ConflictError):
            made.batches.cancel(batch.id)


def test_a_created_batch_of_which_the_client_does_not_hear(fault_server):
    server = fault_server({"POST /batches": [Reset("after"), Status(400, code="token_limit_exceeded")]})
    with client(server.url) as made:
        for kind in (openai.APIConnectionError, openai.BadRequestError):
            with pytest.raises(kind):
                _create(made)
        assert [batch.metadata for batch in made.batches.list()] == [{"habitus": "local-1"}]


def test_a_list_has_pages(fault_server):
    with client(fault_server().url) as made:
        created = [_create(made, 1).id for _ in range(5)]
        page = made.batches.list(limit=2)
        assert [batch.id for batch in page.data] == created[:2:-1]
        assert page.has_next_page()
        assert [batch.id for batch in made.batches.list(limit=2)] == created[::-1]
        assert [batch.id for batch in made.batches.list(after=created[2])] == created[1::-1]


def test_tokens_that_may_wait(fault_server):
    server = fault_server(limits=Limits(enqueued_tokens=300), batches=[BatchEnd(polls=2)])
    with client(server.url) as made:
        first, second = _create(made, 2), _create(made, 2)
        assert second.status == "failed"
        assert second.errors.data[0].code == "token_limit_exceeded"
        assert [made.batches.retrieve(first.id).status for _ in range(2)][-1] == "completed"
        assert _create(made, 2).status == "validating"


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([], "empty_file"),
        ([_line(0), "{half"], "invalid_json_line"),
        ([_line(0), _line(0)], "duplicate_custom_id"),
        ([_line(0, url="/v1/embeddings")], "mismatched_endpoint"),
        ([_line(0), _line(1, body=question() | {"model": "b"})], "mismatched_model"),
        ([_line(0, custom_id=None)], "missing_required_parameter"),
        (["[]"], "missing_required_parameter"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_file_that_the_service_would_not_take(fault_server, lines, code):
    with client(fault_server().url) as made:
        batch = _create(made, lines=lines)
    assert batch.status == "failed"
    assert batch.errors.data[0].code == code


def test_files_are_kept_listed_and_deleted(fault_server):
    with client(fault_server().url) as made:
        stored = _upload(made, [_line(0)])
        assert made.files.retrieve(stored.id).filename == "questions.jsonl"
        assert [file.id for file in made.files.list()] == [stored.id]
        assert json.loads(made.files.content(stored.id).text) == _line(0)
        assert made.files.delete(stored.id).deleted
        for gone in (made.files.retrieve, made.files.content, made.files.delete):
            with pytest.raises(openai.NotFoundError):
                gone(stored.id)
        for gone in (made.batches.retrieve, made.batches.cancel):
            with pytest.raises(openai.NotFoundError):
                gone("batch_none")
        with pytest.raises(openai.BadRequestError, match="input_file_id"):
            made.batches.create(input_file_id=stored.id, endpoint=CHAT, completion_window="24h")


async def _asynchronously(url):
    async with asynchronous(url) as made:
        uploaded = await made.files.create(file=("q.jsonl", json.dumps(_line(0)).encode()), purpose="batch")
        batch = await made.batches.create(input_file_id=uploaded.id, endpoint=CHAT, completion_window="24h")
        ended = await made.batches.retrieve(batch.id)
        return (await made.files.content(ended.output_file_id)).text


def test_the_asynchronous_client_does_the_same(fault_server):
    assert json.loads(asyncio.run(_asynchronously(fault_server().url)))["custom_id"] == "q0"


@given(st.binary(max_size=300), st.binary(max_size=20))
def test_forms_can_hold_any_bytes(content, purpose):
    boundary = b"5f2c9e"
    body = b"".join(
        b'--%s\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (boundary, name, extra, value)
        for name, extra, value in ((b"purpose", b"", purpose), (b"file", b'; filename="a.jsonl"', content))
    )
    request = HttpRequest(
        "POST", "/v1/files", {"content-type": "multipart/form-data; boundary=5f2c9e"}, body + b"--5f2c9e--\r\n"
    )
    assert [(part.name, part.filename, part.content) for part in parts(request)] == [
        ("purpose", None, purpose),
        ("file", "a.jsonl", content),
    ]


def test_what_is_no_form_has_no_parts(fault_server):
    assert list(parts(HttpRequest("POST", "/v1/files", {}, b"x"))) == []
    with client(fault_server().url) as made, pytest.raises(openai.BadRequestError, match="expected file and purpose"):
        made.post("/files", body={"purpose": "batch"}, cast_to=object)
