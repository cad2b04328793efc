"""What is asked, what changes an answer's identity, and what is made of completions however odd."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus_runners.calls.outcomes import Failure
from habitus_runners.models.openai_api import client, wire
from habitus_runners.prices import Price
from habitus_runners.settings import Ask

LOCAL = "http://localhost:8000/v1"


def written(method="text", url=LOCAL, length=3, model="m", **ask):
    return wire.Wire(model, method, length, Ask(**ask), client.endpoint(url))


def test_a_request_says_what_the_settings_say():
    body = written(temperature=0.5, seed=7, max_tokens=99, logprobs=True, extra={"top_p": 0.9}).body("p", 2, 12)
    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": "p"}],
        "temperature": 0.5,
        "seed": 9,
        "max_tokens": 99,
        "logprobs": True,
        "top_p": 0.9,
    }


def test_null_leaves_a_value_to_the_service():
    body = written(temperature=None, seed=None).body("p", 0, 12)
    assert body.keys() == {"model", "messages", "max_tokens"}


@pytest.mark.parametrize("url", ["https://api.openai.com/v1", "https://mine.openai.azure.com/openai/v1"])
def test_openai_and_azure_get_the_newer_name_of_the_limit(url):
    body = written(url=url).body("p", 0, 12)
    assert body["max_completion_tokens"] == 1024
    assert "max_tokens" not in body


def test_numbers_are_asked_for_by_a_strict_schema():
    asked = written("numbers", length=5).body("p", 0, 12)["response_format"]["json_schema"]
    ranking = asked["schema"]["properties"]["ranking"]
    assert asked["strict"] is True
    assert asked["schema"]["additionalProperties"] is False
    assert asked["schema"]["required"] == ["ranking"]
    assert ranking["items"] == {"type": "integer", "enum": list(range(1, 13))}
    assert ranking["minItems"] == ranking["maxItems"] == 5


def test_every_part_of_the_identity_changes_the_revision():
    variants = [
        written(),
        written("numbers"),
        written("numbers", length=4),
        written(url="http://localhost:8001/v1"),
        written(temperature=1),
        written(seed=None),
        written(max_tokens=10),
        written(logprobs=True),
        written(extra={"reasoning_effort": "low"}),
    ]
    assert len({one.revision() for one in variants}) == len(variants)
    assert all(json.dumps(json.loads(one.revision()), sort_keys=True) == one.revision() for one in variants)


def test_what_changes_no_answer_changes_no_revision():
    url = "http://localhost:8000/v1/?token=abcdef"
    assert written(url=url, base_url=url, samples=5).revision() == written().revision()


def test_the_method_is_part_of_the_name():
    assert written().name("openai") == "openai:m"
    assert written("numbers").name("openai-batch") == "openai-batch:m [numbers]"


def completion(message, **more):
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 40}}
    choice = {"index": 0, "message": message, "finish_reason": "stop"} | more
    return {"model": "m-2026", "system_fingerprint": "fp", "choices": [choice], "usage": usage}


def test_a_completion_is_read_whole():
    price = Price(2e-6, 8e-6, 1e-6, 0.5, "example")
    logprobs = {"content": [{"token": "a", "logprob": -0.5}]}
    read = wire.reply(completion({"content": "text"}, logprobs=logprobs), price, 1.5, logprobs=True)
    assert read == (
        "text",
        "stop",
        100,
        10,
        pytest.approx(60 * 2e-6 + 40 * 1e-6 + 10 * 8e-6),
        1.5,
        [("a", -0.5)],
        "m-2026 fp",
    )
    assert wire.reply(completion({"content": "text"}), price, batch=True).cost < read.cost


@pytest.mark.parametrize(
    ("message", "text", "reason"),
    [
        ({"content": None, "refusal": "I can't"}, "I can't", "refusal"),
        ({"content": None}, "", "stop"),
        ({}, "", "stop"),
        ({"content": 17}, "", "stop"),
        ({"content": [{"type": "text", "text": "a"}, {"type": "image"}, "x", {"text": "b"}]}, "ab", "stop"),
        ({"content": "a\ud800b"}, "a?b", "stop"),
        ({"content": "ü" * 100_000}, "ü" * 32768, "stop"),
    ],
)
def test_odd_messages_are_answers(message, text, reason):
    read = wire.reply(completion(message))
    assert (read.text, read.finish_reason) == (text, reason)


@pytest.mark.parametrize(
    "body", [{}, [], None, 3, {"choices": []}, {"choices": [{}]}, {"choices": {"0": 1}}, {"error": {"message": "x"}}]
)
def test_without_a_message_there_is_no_answer(body):
    with pytest.raises(Failure) as failure:
        wire.reply(body)
    assert failure.value.code == "unreadable"


@pytest.mark.parametrize("body", [b"", b'{"choices": [', b"<html>", b"[" * 200_000, b"\xff\xfe"])
def test_what_is_no_json_is_a_failure(body):
    with pytest.raises(Failure) as failure:
        wire.parsed(body)
    assert failure.value.code == "unreadable"


def test_lone_surrogates_and_bad_utf_8_do_not_cost_the_answer():
    assert wire.reply(wire.parsed(b'{"choices":[{"message":{"content":"a\\ud800"}}]}')).text == "a?"
    assert wire.reply(wire.parsed(b'{"choices":[{"message":{"content":"a\xff"}}]}')).text == "a\ufffd"


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "message", "content", "refusal", "usage", "prompt_tokens", "logprobs", "token", "logprob"]
            ),
            inner,
        )
    ),
    max_leaves=20,
)


@given(ODD, ODD, ODD, ODD)
def test_no_completion_raises_anything_else(message, usage, logprobs, model):
    for body in (
        message,
        {"choices": message},
        {"choices": [{"message": message, "logprobs": logprobs}], "usage": usage, "model": model},
    ):
        with suppress(Failure):
            read = wire.reply(body, Price(1, 1, None, 0.5, "x"), logprobs=True)
            assert read.text == read.text.encode().decode()
            assert read.tokens_in is None or read.tokens_in >= 0
