"""/v1/files: uploads as multipart forms, downloads as they came. Everything is kept in memory."""

import itertools
import re
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from habitus_runners.faults.behaviours import error_reply
from habitus_runners.faults.http11 import HttpRequest, Reply, json_reply

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
_NAME = re.compile(rb'\bname="([^"]*)"')
_FILENAME = re.compile(rb'\bfilename="([^"]*)"')


class Part(NamedTuple):
    """One field of a form."""

    name: str
    filename: str | None
    content: bytes


class Stored(NamedTuple):
    """A file of the service: what it says of it, and its bytes."""

    about: dict[str, Any]
    content: bytes


def parts(request: HttpRequest) -> Iterator[Part]:
    """The fields of a multipart form (RFC 7578)."""
    boundary = _BOUNDARY.search(request.headers.get("content-type", ""))
    if boundary is None:
        return
    for piece in (b"\r\n" + request.body).split(b"\r\n--" + boundary[1].encode())[1:-1]:
        head, _, content = piece.partition(b"\r\n\r\n")
        name, filename = _NAME.search(head), _FILENAME.search(head)
        yield Part(name[1].decode() if name else "", filename[1].decode() if filename else None, content)


class Files:
    """The files of one server, oldest first."""

    def __init__(self) -> None:
        self._stored: dict[str, Stored] = {}
        self._numbers = itertools.count()

    def add(self, content: bytes, filename: str, purpose: str) -> Stored:
        """Keep a file under a new id."""
        about = {
            "id": f"file-{next(self._numbers):06d}",
            "object": "file",
            "bytes": len(content),
            "created_at": int(time.time()),
            "filename": filename,
            "purpose": purpose,
            "status": "processed",
        }
        self._stored[str(about["id"])] = Stored(about, content)
        return self._stored[str(about["id"])]

    def find(self, name: str | None) -> Stored | None:
        """The file of that id."""
        return self._stored.get(name or "")

    def upload(self, request: HttpRequest) -> Reply:
        """POST /files."""
        form = {part.name: part for part in parts(request)}
        if "file" not in form or "purpose" not in form:
            return error_reply(400, f"expected file and purpose, got {sorted(form)}", "invalid_request_error")
        name = form["file"].filename or "file"
        return json_reply(self.add(form["file"].content, name, form["purpose"].content.decode()).about)

    def page(self) -> Reply:
        """GET /files."""
        newest_first = [stored.about for stored in reversed(self._stored.values())]
        return json_reply({"object": "list", "data": newest_first, "has_more": False})

    def retrieve(self, name: str) -> Reply:
        """GET /files/{id}."""
        stored = self.find(name)
        return _missing(name) if stored is None else json_reply(stored.about)

    def content(self, name: str) -> Reply:
        """GET /files/{id}/content."""
        stored = self.find(name)
        if stored is None:
            return _missing(name)
        return Reply(200, stored.content, content_type="application/octet-stream")

    def delete(self, name: str) -> Reply:
        """DELETE /files/{id}."""
        if name not in self._stored:
            return _missing(name)
        del self._stored[name]
        return json_reply({"id": name, "object": "file", "deleted": True})


def _missing(name: str) -> Reply:
    return error_reply(404, f"No such File object: {name}", "invalid_request_error")
