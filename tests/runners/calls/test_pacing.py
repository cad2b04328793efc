"""Slots follow the service's complaints; budgets are kept, whoever names them."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runners.calls.virtual_clock import run

from habitus_runners.calls.pacing import Budgets, Concurrency, seconds


def test_slots_begin_modestly_and_grow_to_the_most():
    async def scenario():
        slots, seen = Concurrency(64), []

        async def call():
            async with slots:
                seen.append(slots.in_use)
                await asyncio.sleep(1)
                slots.answered()

        await asyncio.gather(*(call() for _ in range(1000)))
        return slots, seen

    slots, seen = run(scenario())
    assert max(seen[:8]) == 8
    assert max(seen) == 64
    assert slots.in_use == 0


def test_a_crowd_halves_the_slots_once_per_round_trip():
    async def scenario():
        slots, clock = Concurrency(8), asyncio.get_running_loop()
        before = clock.time()
        await asyncio.sleep(1)
        for _ in range(5):
            slots.crowded(before)
        once = slots.limit
        slots.crowded(clock.time())
        for _ in range(20):
            await asyncio.sleep(1)
            slots.crowded(clock.time())
        return once, slots.limit

    assert run(scenario()) == (4, 1)


def test_after_a_crowd_slots_grow_by_one_per_round_trip():
    async def scenario():
        slots = Concurrency(64)
        slots.crowded(0.0)

        async def call():
            async with slots:
                await asyncio.sleep(1)
                slots.answered()

        calls = asyncio.gather(*(call() for _ in range(200)))
        await asyncio.sleep(5.5)
        grown = slots.limit
        await calls
        return grown

    assert 7 <= run(scenario()) <= 10


def test_slots_are_left_alone_while_they_are_not_all_needed():
    async def scenario():
        slots = Concurrency(64)
        for _ in range(100):
            async with slots:
                slots.answered()
        return slots.limit

    assert run(scenario()) == 8


@given(st.lists(st.integers(0, 30), min_size=1, max_size=40))
def test_cancelled_waiters_lose_no_slot(cancelled):
    async def scenario():
        slots, most = Concurrency(3), 0

        async def call():
            nonlocal most
            async with slots:
                most = max(most, slots.in_use)
                await asyncio.sleep(1)

        tasks = [asyncio.create_task(call()) for _ in range(31)]
        for at, number in enumerate(cancelled):
            tasks[number].cancel()
            if at % 3 == 0:
                await asyncio.sleep(0.4)
        await asyncio.gather(*tasks, return_exceptions=True)
        return slots.in_use, most

    in_use, most = run(scenario())
    assert in_use == 0
    assert most <= 3


async def _leave(budgets, calls, tokens):
    times, clock = [], asyncio.get_running_loop()

    async def one():
        await budgets.take(tokens)
        times.append(clock.time())

    await asyncio.gather(*(one() for _ in range(calls)))
    return times


@pytest.mark.parametrize("rpm", [1, 7, 60, 600])
def test_requests_per_minute_are_kept_from_the_first_minute_on(rpm):
    times = run(_leave(Budgets(rpm=rpm), 3 * rpm, 0))
    for start in times:
        assert sum(start <= at < start + 59.9 for at in times) <= rpm * 1.05 + 1
    assert max(times) <= 181


def test_a_call_of_more_tokens_than_the_budget_holds_still_leaves():
    assert max(run(_leave(Budgets(tpm=100), 3, 150))) == pytest.approx(60 * (450 - 5) / 100, rel=0.05)


def test_the_services_own_limit_is_kept_unless_the_settings_name_one():
    async def scenario(budgets):
        budgets.observe({"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "59"})
        return max(await _leave(budgets, 120, 10))

    assert run(scenario(Budgets())) == pytest.approx(117, abs=2)
    assert run(scenario(Budgets(rpm=6000))) < 2


@pytest.mark.parametrize("limit", ["", "none", "0", "-3", "9" * 5000, "½"])
def test_odd_limits_do_no_harm(limit):
    async def scenario(budgets):
        budgets.observe({"x-ratelimit-limit-tokens": limit, "x-ratelimit-remaining-tokens": "0"})
        return max(await _leave(budgets, 5, 10))

    assert run(scenario(Budgets())) < 5


def test_when_nothing_is_left_calls_wait_for_the_reset():
    async def scenario():
        budgets = Budgets()
        budgets.observe(
            {
                "x-ratelimit-limit-tokens": "1000000",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "1m2s",
            }
        )
        return min(await _leave(budgets, 3, 10))

    assert run(scenario()) == pytest.approx(62)


def test_tokens_are_counted_as_calls_turn_out():
    async def scenario():
        budgets = Budgets(tpm=6000)
        for _ in range(200):
            budgets.learn(1000, 100)
        return max(await _leave(budgets, 60, 1000))

    assert run(scenario()) == pytest.approx(60, rel=0.1)


@given(st.text())
def test_any_text_is_a_duration_or_none(text):
    assert seconds(text) >= 0
