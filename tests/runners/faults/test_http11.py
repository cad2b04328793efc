"""Requests are the same in however many pieces they come; what is no request is said to be none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus_runners.faults.http11 import MalformedRequestError, Reply, RequestReader, json_reply


def _read(pieces):
    reader, requests = RequestReader(), []
    for piece in pieces:
        reader.feed(piece)
        while (request := reader.next_request()) is not None:
            requests.append(request)
    return requests


def _chunked(body: bytes, size: int) -> bytes:
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x;name=value\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=4), st.lists(st.integers(1, 40), min_size=1), st.data())
def test_pieces_do_not_matter(bodies, sizes, data):
    stream = b""
    for number, body in enumerate(bodies):
        head = f"POST /v1/{number} HTTP/1.1\r\nHost: x\r\nX-Number:{number}\r\n".encode()
        if data.draw(st.booleans()):
            stream += head + b"Transfer-Encoding: chunked\r\n\r\n" + _chunked(body, data.draw(st.integers(1, 50)))
        else:
            stream += head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    pieces, at = [], 0
    while at < len(stream):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(stream[at : at + size])
        at += size
    requests = _read(pieces)
    assert [request.body for request in requests] == bodies
    assert [request.target for request in requests] == [f"/v1/{number}" for number in range(len(bodies))]
    assert all(request.headers["x-number"] == str(number) for number, request in enumerate(requests))


@pytest.mark.parametrize(
    "stream",
    [
        b"hello\r\n\r\n",
        b"GET / SPDY/3\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: -3\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n-5\r\n",
        b"x" * 70_000,
    ],
)
def test_what_is_no_request_is_refused(stream):
    with pytest.raises(MalformedRequestError, match="expected"):
        _read([stream])


def test_a_reply_says_its_length_and_its_headers():
    head = Reply(429, b"abc", (("retry-after", "1"),), "text/plain").head()
    assert head.startswith(b"HTTP/1.1 429 Too Many Requests\r\n")
    assert b"\r\ncontent-length: 3\r\n" in head
    assert head.endswith(b"\r\nretry-after: 1\r\n\r\n")
    assert json_reply({"a": 1}).body == b'{"a": 1}'
