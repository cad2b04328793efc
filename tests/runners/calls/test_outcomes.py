"""The table of statuses, row by row, and every form in which a service says when to come back."""

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus_runners.calls.outcomes import LONGEST_WAIT_S, Failure, judge

NOW = 1_800_000_000.0


@pytest.mark.parametrize("status", [301, 307, 400, 401, 403, 404, 405, 413, 422])
def test_what_the_same_request_will_meet_again_is_fatal(status):
    assert judge(Failure("no", status)) == ("fatal", None, "no")


@pytest.mark.parametrize("code", ["insufficient_quota", "billing_hard_limit_reached"])
@pytest.mark.parametrize("status", [429, 400, 403, None])
def test_used_up_money_is_quota_whatever_the_status(status, code):
    assert judge(Failure("no", status, code, {"x-should-retry": "true"})).action == "quota"


def test_payment_required_is_quota():
    assert judge(Failure("no", 402)).action == "quota"


@pytest.mark.parametrize(
    ("status", "paid"),
    [(408, "no"), (409, "no"), (429, "no"), (500, "unknown"), (502, "unknown"), (503, "no"), (504, "unknown"),
     (529, "unknown"), (None, "unknown"), (200, "unknown")],
)  # fmt: skip
def test_what_can_heal_is_tried_again(status, paid):
    assert judge(Failure("later", status)) == ("retry", None, paid)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "3"}, 3.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"Retry-After": formatdate(NOW + 30, usegmt=True)}, 30.0),
        ({"Retry-After": formatdate(NOW - 30, usegmt=True)}, 0.0),
        ({"Retry-After": "999999"}, LONGEST_WAIT_S),
        ({"Retry-After": formatdate(NOW + 10**7, usegmt=True)}, LONGEST_WAIT_S),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon; maybe"}, None),
        ({"retry-after-ms": "soon", "Retry-After": "2"}, 2.0),
        ({}, None),
    ],
)
def test_when_to_come_back(headers, seconds):
    assert judge(Failure("later", 429, headers=headers), NOW).after_s == seconds


@given(st.text(), st.text())
def test_no_header_raises_or_waits_for_ever(after, milliseconds):
    told = judge(Failure("later", 503, headers={"Retry-After": after, "retry-after-ms": milliseconds}), NOW).after_s
    assert told is None or 0 <= told <= LONGEST_WAIT_S


def test_the_service_decides_whether_to_retry_but_not_for_refused_keys():
    assert judge(Failure("no", 500, headers={"X-Should-Retry": "false"})).action == "fatal"
    assert judge(Failure("no", 422, headers={"X-Should-Retry": "true"})).action == "retry"
    for status in (401, 403, 404):
        assert judge(Failure("no", status, headers={"x-should-retry": "true"})).action == "fatal"


def test_a_failure_is_one_line_and_bounded():
    failure = Failure("first\nsecond" + "x" * 10_000, 500, "server_error")
    assert str(failure).startswith("500 server_error: first second")
    assert len(str(failure)) < 600
    assert "\n" not in str(failure)
