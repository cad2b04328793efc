"""Rates are kept and told as OpenAI does: buckets, headers, durations."""

import re

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runners.faults.questions import client, question

from habitus_runners.faults import Limits
from habitus_runners.faults.limits import Keeper, duration

UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


@given(st.floats(0, 100_000))
def test_durations_can_be_read_back(seconds):
    parts = re.findall(r"([0-9.]+)(ms|h|m|s)", duration(seconds))
    assert abs(sum(float(number) * UNITS[unit] for number, unit in parts) - seconds) <= 0.001
    assert "".join(number + unit for number, unit in parts) == duration(seconds)


def test_headers_tell_what_is_left(fault_server):
    server = fault_server(limits=Limits(requests=60, tokens=60_000))
    with client(server.url) as made:
        headers = made.chat.completions.with_raw_response.create(**question(max_tokens=500)).headers
    assert headers["x-ratelimit-limit-requests"] == "60"
    assert headers["x-ratelimit-limit-tokens"] == "60000"
    assert headers["x-ratelimit-remaining-requests"] == "59"
    assert 59_000 < int(headers["x-ratelimit-remaining-tokens"]) <= 59_500
    assert re.fullmatch(r"\d+ms|[\d.]+s", headers["x-ratelimit-reset-requests"])


def test_what_is_beyond_the_rate_is_refused_and_told_when_to_come(fault_server):
    server = fault_server(limits=Limits(requests=2))
    with client(server.url) as made:
        for _ in range(2):
            made.chat.completions.create(**question())
        with pytest.raises(openai.RateLimitError) as caught:
            made.chat.completions.create(**question())
    headers = caught.value.response.headers
    assert headers["x-ratelimit-remaining-requests"] == "0"
    assert 0 < int(headers["retry-after-ms"]) <= 30_000
    assert [call.behaviour for call in server.calls] == ["Ok", "Ok", "Limits"]


def test_tokens_count_with_the_longest_answer_allowed(fault_server):
    server = fault_server(limits=Limits(tokens=2_000))
    with client(server.url) as made:
        made.chat.completions.create(**question(max_completion_tokens=1_500))
        with pytest.raises(openai.RateLimitError, match="tokens per min"):
            made.chat.completions.create(**question(max_completion_tokens=1_500))


def test_limits_may_be_told_without_being_kept_or_kept_without_being_told():
    body = question()
    told = Keeper(Limits(requests=1, kept=False))
    assert [told.refusal(body, 1) for _ in range(3)] == [None] * 3
    silent = Keeper(Limits(requests=1, told=False))
    assert silent.refusal(body, 1) is None
    refused = silent.refusal(body, 1)
    assert refused.status == 429
    assert silent.told(refused) == refused


def test_calls_at_once():
    keeper = Keeper(Limits(at_once=2))
    assert keeper.refusal(question(), 2) is None
    assert keeper.refusal(question(), 3).status == 429
