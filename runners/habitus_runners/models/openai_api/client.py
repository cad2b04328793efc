"""Connections to a service: where it is, the client that calls it, and what its exceptions say."""

import logging
import os
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import httpx2
import openai

from habitus_runners.calls.outcomes import TOO_LONG, UNREADABLE, Failure
from habitus_runners.errors import HabitusError
from habitus_runners.models.openai_api import keys
from habitus_runners.settings import Settings

DEFAULT_URL = "https://api.openai.com/v1"
LONGEST_BODY = 4 << 20
_LONGEST_PACKED_BODY = 64 << 10
"""A compressed body may grow a thousandfold when it is unpacked; an honest one of 4 MiB is rarely longer than this."""
_SECRET = re.compile(r"key|token|sig|secret|code|pass|auth", re.IGNORECASE)
"""Names of query parameters that hold secrets."""
_TALKATIVE = ("openai", "httpx2", "httpcore2", "stamina")


class Endpoint(NamedTuple):
    """Where a service is. ``url`` is without user, query and trailing slash: it is part of its answers' identity."""

    url: str
    query: Mapping[str, str]

    @property
    def host(self) -> str:
        """The host's name, without port."""
        return urlsplit(self.url).hostname or ""


def endpoint(base_url: str | None) -> Endpoint:
    """The service at a base URL.

    Args:
        base_url: as in https://host/v1?api-version=1. Default: OPENAI_BASE_URL, else OpenAI's own.

    Raises:
        HabitusError: not an http or https URL, or one with a user or password in it.

    >>> endpoint("http://localhost:8000/v1/?api-version=1")
    Endpoint(url='http://localhost:8000/v1', query={'api-version': '1'})
    """
    given = (base_url or os.environ.get("OPENAI_BASE_URL") or DEFAULT_URL).strip()
    try:
        parts = urlsplit(given)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.username is not None or parts.password is not None:
        raise HabitusError(
            "ask.base_url: expected a URL without user and password, got one with them;"
            f" put the key into {keys.VARIABLES[0]}"
        )
    if parts.scheme not in {"http", "https"} or not host:
        shown = keys.redacted(given.partition("?")[0])
        raise HabitusError(f"ask.base_url: expected a URL as in http://localhost:8000/v1, got {shown!r}")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    for name, value in query.items():
        if _SECRET.search(name):
            keys.remembered(value)
    return Endpoint(urlunsplit((parts.scheme, parts.netloc.lower(), parts.path.rstrip("/"), "", "")), query)


def asynchronous(settings: Settings, transport: httpx2.AsyncBaseTransport | None = None) -> openai.AsyncOpenAI:
    """A client for many calls at once, which reads no answer of more than 4 MiB. It belongs to one event loop.

    Args:
        settings: ``ask.base_url``, ``calls.timeout_s`` and ``calls.concurrency``.
        transport: in place of the network.

    Raises:
        HabitusError: as ``endpoint`` and ``keys.api_key`` do.
    """
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=settings.calls.concurrency)
    arguments: dict[str, Any] = {"transport": transport} if transport else {}
    http = openai.DefaultAsyncHttpxClient(
        limits=limits,
        timeout=settings.calls.timeout_s,
        follow_redirects=False,
        event_hooks={"response": [_bounded]},
        **arguments,
    )
    return openai.AsyncOpenAI(**_arguments(settings), http_client=http)


def synchronous(settings: Settings) -> openai.OpenAI:
    """A client for one call after the other; a body of any length is read.

    Raises:
        HabitusError: as ``endpoint`` and ``keys.api_key`` do.
    """
    http = openai.DefaultHttpxClient(timeout=settings.calls.timeout_s, follow_redirects=False)
    return openai.OpenAI(**_arguments(settings), http_client=http)


def failure(error: Exception) -> Failure:
    """What an exception of the client says, without any key."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, openai.APITimeoutError | TimeoutError):
        return Failure("no answer in time", code="timeout")
    if isinstance(error, openai.APIStatusError):
        headers = {name: keys.redacted(value) for name, value in error.response.headers.items()}
        code = error.code or error.type
        message = _said(error.body) or error.response.text[:1000] or error.response.reason_phrase
        return Failure(keys.redacted(message), error.status_code, None if code is None else _word(code), headers)
    if isinstance(error, openai.APIConnectionError):
        cause = error.__cause__ or error
        return Failure(keys.redacted(f"{type(cause).__name__}: {cause}"), code="connection")
    return Failure(keys.redacted(f"{type(error).__name__}: {error}"), code=UNREADABLE)


def _arguments(settings: Settings) -> dict[str, Any]:
    where = endpoint(settings.ask.base_url)
    key = keys.api_key(where.url).get_secret_value()
    _quiet()
    return {
        "base_url": where.url,
        "api_key": key,
        "admin_api_key": "",
        "max_retries": 0,
        "timeout": settings.calls.timeout_s,
        "default_query": dict(where.query) or None,
        "default_headers": {"Accept-Encoding": "identity"} | ({"api-key": key} if keys.azure(where.host) else {}),
    }


def _quiet() -> None:
    """Keep the packages below from logging URLs and headers, which may hold keys, and every retry."""
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.ERROR))


class _Bounded(httpx2.AsyncByteStream):
    """The body of a response, up to a number of bytes."""

    def __init__(self, body: httpx2.AsyncByteStream, most: int) -> None:
        self._body = body
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for chunk in self._body:
            read += len(chunk)
            if read > self._most:
                raise Failure(f"expected an answer of at most {self._most >> 10} KiB, got more", code=TOO_LONG)
            yield chunk

    async def aclose(self) -> None:
        await self._body.aclose()


async def _bounded(response: httpx2.Response) -> None:
    """Bound a response's body before it is read."""
    packed = response.headers.get("content-encoding", "identity").lower() != "identity"
    most = _LONGEST_PACKED_BODY if packed else LONGEST_BODY
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = _Bounded(response.stream, most)


def _said(body: object) -> str:
    message = body.get("message") if isinstance(body, Mapping) else None
    return message if isinstance(message, str) else ""


def _word(code: object) -> str:
    return keys.redacted(" ".join(str(code)[:80].split()))
