"""Lines of batch files: what is written is read again, and no result whatever raises."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus_runners.models.openai_api.batches import lines
from habitus_runners.models.openai_api.batches.lines import Broken, Completed, Refused


def _result(custom_id="a", status=200, body=None, error=None):
    response = None if status is None else {"status_code": status, "request_id": "r", "body": body or {"choices": []}}
    return json.dumps({"id": "b", "custom_id": custom_id, "response": response, "error": error}).encode() + b"\n"


def _read(data):
    return list(lines.results(io.BytesIO(data)))


@given(st.lists(st.tuples(st.text("0123456789abcdef", min_size=1, max_size=32), st.text())))
def test_an_input_file_names_its_requests(asked):
    file = io.BytesIO(b"".join(lines.order(name, {"messages": [{"content": text}]}) for name, text in asked))
    assert list(lines.custom_ids(file)) == [name for name, _ in asked]


def test_every_order_is_one_line_of_the_documented_form():
    line = lines.order("7f", {"model": "m", "messages": [{"role": "user", "content": "one\ntwo\u2028"}]})
    assert line.count(b"\n") == 1
    said = json.loads(line)
    assert (said["custom_id"], said["method"], said["url"]) == ("7f", "POST", "/v1/chat/completions")
    assert said["body"]["messages"][0]["content"] == "one\ntwo\u2028"


def test_a_completion_and_refusals_are_told_apart():
    expired = _result("c", None, error={"code": "batch_expired", "message": "not in time"})
    read = _read(_result("a") + _result("b", 400, {"error": {"code": "bad", "message": "too long"}}) + expired)
    assert read == [
        Completed("a", {"choices": []}),
        Refused("b", 400, "bad", "too long"),
        Refused("c", None, "batch_expired", "not in time"),
    ]


@pytest.mark.parametrize(
    "line",
    [b"{", b"[]\n", b'"text"\n', b"null\n", b"{}\n", b'{"custom_id": 7}\n', b"\xff\xfe\n", b"[" * 100_000 + b"\n"],
    ids=["half", "list", "text", "null", "nameless", "number", "bytes", "deep"],
)
def test_a_line_that_cannot_be_read_spoils_no_other(line):
    assert _read(_result("a") + (line if line.endswith(b"\n") else line + b"\n") + _result("b")) == [
        Completed("a", {"choices": []}),
        Broken(),
        Completed("b", {"choices": []}),
    ]


@given(st.binary(max_size=300))
def test_no_bytes_raise(data):
    for line in _read(data):
        assert isinstance(line, Completed | Refused | Broken)


def test_blank_lines_and_a_missing_last_newline_are_no_loss():
    data = b"\n" + _result("a") + b"\r\n" + _result("b").rstrip()
    assert [line.custom_id for line in _read(data)] == ["a", "b"]
    assert not lines.breaks_off(io.BytesIO(data))


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_file_that_breaks_off_is_seen_and_left_at_its_beginning(cut):
    file = io.BytesIO(_result("a") + _result("b")[:-cut].rstrip(b"}") + b"")
    assert lines.breaks_off(file)
    assert file.tell() == 0


def test_an_enormous_line_is_passed_over_by_name(monkeypatch):
    monkeypatch.setattr(lines, "LINE_BYTES", 1000)
    huge = _result("a", body={"choices": ["x" * 5000]})
    read = _read(huge + _result("b") + b"x" * 3000)
    assert read[0]._replace(message="") == Refused("a", None, lines.TOO_LONG, "")
    assert read[1:] == [Completed("b", {"choices": []}), Broken()]
