"""Lines of batch files: the orders we write, and the results that a service writes, which may be anything at all."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final, NamedTuple

from habitus_runners.calls.outcomes import TOO_LONG

URL: Final = "/v1/chat/completions"
LINE_BYTES = 32 << 20
_HEAD_BYTES = 4096
_OK = 200
_CUSTOM_ID = re.compile(rb'"custom_id"\s*:\s*"([^"\\]{1,64})"')


class Completed(NamedTuple):
    """A request that was answered: the chat completion as the service wrote it."""

    custom_id: str
    completion: Mapping[str, Any]


class Refused(NamedTuple):
    """A request that was not answered, in the service's words; ``status`` is None if it was never tried."""

    custom_id: str
    status: int | None
    code: str | None
    message: str


class Broken(NamedTuple):
    """A line that cannot be read."""


def order(custom_id: str, body: Mapping[str, Any]) -> bytes:
    r"""One request as a line of an input file.

    >>> order("7f", {"model": "m"})
    b'{"custom_id":"7f","method":"POST","url":"/v1/chat/completions","body":{"model":"m"}}\n'
    """
    line = {"custom_id": custom_id, "method": "POST", "url": URL, "body": body}
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def custom_ids(file: BinaryIO) -> Iterator[str]:
    """The names of the requests in an input file; lines without one are passed over."""
    for line, _ in _lines(file):
        found = _CUSTOM_ID.search(line[:_HEAD_BYTES])
        if found:
            yield found[1].decode("utf-8", "replace")


def results(file: BinaryIO) -> Iterator[Completed | Refused | Broken]:
    """What an output or error file says, line by line; no line raises, and none is held beyond ``LINE_BYTES``."""
    for line, whole in _lines(file):
        if whole:
            yield _result(line)
            continue
        found = _CUSTOM_ID.search(line[:_HEAD_BYTES])
        message = f"a result of more than {LINE_BYTES >> 20} MiB"
        yield Refused(found[1].decode("utf-8", "replace"), None, TOO_LONG, message) if found else Broken()


def breaks_off(file: BinaryIO) -> bool:
    """Whether the last line of results cannot be read; leaves the file at its beginning."""
    last = b""
    for line, whole in _lines(file):
        last = line if whole else b""
    file.seek(0)
    return bool(last) and isinstance(_result(last), Broken)


def _lines(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Lines, and whether they are whole: of one that is too long, its beginning."""
    while line := file.readline(LINE_BYTES):
        whole = line.endswith(b"\n") or len(line) < LINE_BYTES
        more = line
        while not whole and more and not more.endswith(b"\n"):
            more = file.readline(LINE_BYTES)
        if line.strip():
            yield line, whole


def _result(line: bytes) -> Completed | Refused | Broken:
    try:
        said = json.loads(line)
        custom_id, response, error = said["custom_id"], said.get("response"), said.get("error")
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return Broken()
    if not isinstance(custom_id, str):
        return Broken()
    status = response.get("status_code") if isinstance(response, dict) else None
    body = response.get("body") if isinstance(response, dict) else None
    if status == _OK and isinstance(body, dict) and not error:
        return Completed(custom_id, body)
    error = error or (body.get("error") if isinstance(body, dict) else None)
    code, message = (error.get("code"), error.get("message")) if isinstance(error, dict) else (None, error)
    return Refused(
        custom_id,
        status if isinstance(status, int) else None,
        None if code is None else str(code),
        str(message or f"status {status} without a reason"),
    )
