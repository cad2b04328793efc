"""Where a service is, with which headers it is called, and what its failures say."""

import asyncio

import httpx2
import pytest
from tests.runners.models.openai_api.asked import chosen

from habitus_runners.calls.outcomes import Failure
from habitus_runners.errors import HabitusError
from habitus_runners.models.openai_api import client, keys


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setattr(keys, "_secrets", [])
    monkeypatch.setenv("HABITUS_API_KEY", "canary-key-1")


@pytest.mark.parametrize(
    ("given", "url"),
    [
        (None, "https://api.openai.com/v1"),
        ("http://LOCALHOST:8000/v1/", "http://localhost:8000/v1"),
        ("https://x.test/Deployments/A?api-version=1", "https://x.test/Deployments/A"),
        ("http://[::1]:11434/v1", "http://[::1]:11434/v1"),
    ],
)
def test_an_endpoint_has_one_name(given, url):
    assert client.endpoint(given).url == url


def test_the_environments_base_url_is_the_default(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1/v1")
    assert client.endpoint(None).url == "http://localhost:1/v1"


@pytest.mark.parametrize(
    "url", ["localhost:8000", "ftp://x/v1", "https://", "http://x:port/v1", "http://[::1/v1", "  x"]
)
def test_what_is_no_url_is_refused(url):
    with pytest.raises(HabitusError, match=r"ask\.base_url: expected a URL"):
        client.endpoint(url)


def test_a_url_with_a_password_is_refused_without_showing_it():
    with pytest.raises(HabitusError, match="without user and password") as refused:
        client.endpoint("https://me:hidden-word@x.test/v1")
    assert "hidden" not in str(refused.value)


def sent(url):
    seen = []

    def handle(request):
        seen.append(request)
        return httpx2.Response(200, json={})

    async def call():
        async with client.asynchronous(chosen(url), httpx2.MockTransport(handle)) as connection:
            await connection.post("/chat/completions", cast_to=httpx2.Response, body={})

    asyncio.run(call())
    return seen[0]


def test_the_query_goes_with_every_call_and_azure_gets_its_header():
    request = sent("https://mine.openai.azure.com/openai/v1?api-version=2026-01-01&x=%20y")
    assert dict(request.url.params) == {"api-version": "2026-01-01", "x": " y"}
    assert request.url.path == "/openai/v1/chat/completions"
    assert request.headers["api-key"] == "canary-key-1"
    assert "api-key" not in sent("https://x.test/v1").headers


def test_a_key_in_the_query_is_a_key():
    client.endpoint("https://x.test/v1?subscription-key=abcdef123456&tier=basic-tier")
    assert keys.redacted("abcdef123456 basic-tier") == "[key] basic-tier"


def raised(response):
    async def call():
        async with client.asynchronous(
            chosen("http://x.test/v1"), httpx2.MockTransport(lambda _: response)
        ) as connection:
            await connection.post("/chat/completions", cast_to=httpx2.Response, body={})

    with pytest.raises(Exception) as caught:  # noqa: PT011 - any: what failure() makes of it is the question
        asyncio.run(call())
    return client.failure(caught.value)


def test_a_failure_says_status_code_message_and_headers_without_keys():
    error = {"error": {"message": "key canary-key-1 is slow", "type": "requests", "code": None}}
    failure = raised(httpx2.Response(429, json=error, headers={"Retry-After": "7", "x-echo": "canary-key-1"}))
    assert (failure.status, failure.code) == (429, "requests")
    assert failure.message == "key [key] is slow"
    assert failure.headers["retry-after"] == "7"
    assert failure.headers["x-echo"] == "[key]"


@pytest.mark.parametrize(
    "body", [b"", b"plain words", b"[" * 100_000, b'{"error": "words"}', b'{"error": {"message": 3}}', b"\xff"]
)
def test_odd_errors_are_failures(body):
    failure = raised(httpx2.Response(500, content=body))
    assert failure.status in {500, None}
    assert len(str(failure)) < 600


def test_a_redirect_is_not_followed_with_the_key():
    failure = raised(httpx2.Response(307, headers={"location": "http://elsewhere.test/"}))
    assert failure.status == 307


def test_long_bodies_are_not_read_to_their_end():
    read = []

    class Endless(httpx2.AsyncByteStream):
        async def __aiter__(self):
            while True:
                read.append(1)
                yield b"x" * 65536

    assert raised(httpx2.Response(200, stream=Endless())).code == "answer_too_long"
    assert len(read) <= 65
    read.clear()
    packed = raised(httpx2.Response(200, stream=Endless(), headers={"content-encoding": "gzip"}))
    assert packed.code in {"answer_too_long", "connection"}
    assert len(read) <= 2


def test_a_failure_stays_itself():
    failure = Failure("as it was", 500)
    assert client.failure(failure) is failure
    assert client.failure(TimeoutError()).code == "timeout"
