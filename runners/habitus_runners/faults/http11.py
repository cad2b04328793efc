"""HTTP/1.1 as far as a service's client speaks it: bytes in, requests out; replies in, bytes out. No I/O."""

import json
import re
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, NamedTuple

_HEAD_LIMIT = 65_536
_BODY_LIMIT = 1 << 30
_CHUNK_SIZE = re.compile(rb"[0-9a-fA-F]{1,8}")


class MalformedRequestError(Exception):
    """What came is not HTTP/1.1 as this file knows it."""


class HttpRequest(NamedTuple):
    """One request; the names of its headers are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Reply(NamedTuple):
    """One answer before it is written as bytes."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"

    def head(self) -> bytes:
        """The status line and the headers, with the empty line that ends them."""
        lines = [
            f"HTTP/1.1 {self.status} {_PHRASES.get(self.status, 'Unknown')}",
            f"date: {formatdate(usegmt=True)}",
            f"content-type: {self.content_type}",
            f"content-length: {len(self.body)}",
        ]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


_PHRASES = {status.value: status.phrase for status in HTTPStatus}


def json_reply(content: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Reply:  # noqa: ANN401 - any JSON
    """A reply whose body is ``content`` as JSON."""
    return Reply(status, json.dumps(content).encode(), headers)


class RequestReader:
    r"""Puts the requests of one connection together from the pieces in which they come.

    >>> reader = RequestReader()
    >>> reader.feed(b"POST /v1/files HTTP/1.1\r\nContent-Le")
    >>> reader.next_request() is None
    True
    >>> reader.feed(b"ngth: 2\r\n\r\n{}GET / HTTP/1.1\r\n\r\n")
    >>> reader.next_request()
    HttpRequest(method='POST', target='/v1/files', headers={'content-length': '2'}, body=b'{}')
    >>> reader.next_request().target
    '/'
    """

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._head: tuple[str, str, dict[str, str]] | None = None
        self.wants_continue = False

    def feed(self, data: bytes) -> None:
        """Take what came."""
        self._bytes += data

    def next_request(self) -> HttpRequest | None:
        """The next whole request, or None if more bytes are needed.

        Raises:
            MalformedRequestError: what came can be no request.
        """
        if self._head is None:
            self._head = self._take_head()
        if self._head is None:
            return None
        method, target, headers = self._head
        if "chunked" in headers.get("transfer-encoding", "").lower():
            body = self._take_chunks()
        else:
            body = self._take_counted(headers.get("content-length", "0"))
        if body is None:
            return None
        self._head = None
        self.wants_continue = False
        return HttpRequest(method, target, headers, body)

    def _take_head(self) -> tuple[str, str, dict[str, str]] | None:
        end = self._bytes.find(b"\r\n\r\n")
        if end < 0:
            if len(self._bytes) > _HEAD_LIMIT:
                raise MalformedRequestError(f"expected headers of at most {_HEAD_LIMIT} bytes, got more")
            return None
        first, *lines = self._bytes[:end].decode("latin-1").split("\r\n")
        del self._bytes[: end + 4]
        words = first.split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):  # noqa: PLR2004 - method, target, version
            raise MalformedRequestError(f"expected a request line, got {first[:80]!r}")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        self.wants_continue = headers.get("expect", "").lower() == "100-continue"
        return words[0], words[1], headers

    def _take_counted(self, length: str) -> bytes | None:
        if not length.isdecimal() or int(length) > _BODY_LIMIT:
            raise MalformedRequestError(f"expected a length of at most {_BODY_LIMIT}, got {length[:40]!r}")
        size = int(length)
        if len(self._bytes) < size:
            return None
        body = bytes(self._bytes[:size])
        del self._bytes[:size]
        return body

    def _take_chunks(self) -> bytes | None:
        """The body in chunks (RFC 9112, 7.1), once its last chunk is there."""
        parts: list[bytes] = []
        at = 0
        while True:
            end = self._bytes.find(b"\r\n", at)
            if end < 0:
                return None
            word = bytes(self._bytes[at:end]).split(b";")[0].strip()
            if not _CHUNK_SIZE.fullmatch(word):
                raise MalformedRequestError(f"expected a chunk's size, got {word[:40]!r}")
            size = int(word, 16)
            at = end + 2 + size + 2
            if len(self._bytes) < at:
                return None
            if not size:
                del self._bytes[:at]
                return b"".join(parts)
            parts.append(bytes(self._bytes[end + 2 : end + 2 + size]))
