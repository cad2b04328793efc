"""Asking a service many questions at once: each is answered, or failed for good, or left when asking had to stop.

One question: slot -> budgets -> the ledger's leave to send -> call -> answer durable -> slot free. Whatever fails is
judged by ``outcomes``; what can heal is tried again, without a slot while it waits, until the question's deadline.
Once there is a reason to stop nothing leaves any more; what is in flight is finished and kept.
"""

import asyncio
import logging
import math
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import NamedTuple, cast

import stamina

from habitus_runners.calls.account import Account
from habitus_runners.calls.durable import Durable
from habitus_runners.calls.meter import Meter
from habitus_runners.calls.outcomes import Failure, Verdict, judge
from habitus_runners.calls.pacing import Budgets, Concurrency
from habitus_runners.calls.stopping import Tally
from habitus_runners.errors import Stopped
from habitus_runners.ledger import Elsewhere, Question, Reply, Sending
from habitus_runners.model import Request
from habitus_runners.settings import Calls

_WAITING_PER_SLOT = 4
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 60.0
_SPREAD = 0.1
_LOOK_AGAIN_S = 0.5, 2.0
_CROWDED = frozenset({429, 503, 529})
_UNPAID = Verdict("retry")


class Inquiry(NamedTuple):
    """A question to be asked, and the request it came from."""

    question: Question
    request: Request


class Called(NamedTuple):
    """What a call brought: the reply, and the response's headers with names in lower case."""

    reply: Reply
    headers: Mapping[str, str]


class Worst(NamedTuple):
    """The most that a call may need."""

    tokens: int
    dollars: float


class Reach(NamedTuple):
    """How a service is reached.

    Args:
        call: makes one call; raises Failure, or is cancelled when its time is over.
        worst: what a call may need.
        calls: the settings' limits.
    """

    call: Callable[[Inquiry], Awaitable[Called]]
    worst: Callable[[Inquiry], Worst]
    calls: Calls


class Ended(NamedTuple):
    """By answer id, what became of the questions; those that were left are missing. ``early`` says why, if any were."""

    outcomes: Mapping[str, Reply | Failure]
    early: Stopped | KeyboardInterrupt | None


async def dispatch(
    inquiries: Sequence[Inquiry],
    reach: Reach,
    account: Account,
    stage: str,
    stoppable: Callable[[Callable[[], None]], None] = lambda _: None,
) -> Ended:
    """Ask every question, once.

    Args:
        inquiries: with distinct answer ids.
        reach: the service.
        account: ledger, purse, progress.
        stage: what the model is called.
        stoppable: is given a function that stops asking as Ctrl-C does, to be called from any thread or signal.

    Returns:
        What became of each. Single failures are among the outcomes, and raise nothing.

    Raises:
        HabitusError: of the ledger.
    """
    logging.getLogger(stamina.__name__).setLevel(logging.ERROR)  # a line per retry; they are counted instead
    asking = _Asking(reach, account, Meter(stage, len(inquiries), account.progress), stage)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        with suppress(RuntimeError):  # the loop has just ended
            loop.call_soon_threadsafe(asking.halt, KeyboardInterrupt())

    stoppable(stop)
    await asking.run(inquiries)
    return Ended(asking.outcomes, asking.early())


class _Elsewhere(Exception):  # noqa: N818 - no error: another runner asks this question
    """The answer will come from another runner, or the question once that has died."""


class _Left(Exception):  # noqa: N818 - no error of this question
    """Asking stopped before this question was sent."""


class _Asking:
    """The state of one dispatch."""

    def __init__(self, reach: Reach, account: Account, meter: Meter, stage: str) -> None:
        self.outcomes: dict[str, Reply | Failure] = {}
        self._reach, self._account, self._meter, self._stage = reach, account, meter, stage
        self._slots = Concurrency(reach.calls.concurrency)
        self._budgets = Budgets(reach.calls.rpm, reach.calls.tpm)
        self._ledger = Durable(asyncio.get_running_loop())
        self._tally = Tally()
        self._reason: str | KeyboardInterrupt | BaseException | None = None
        self._workers: set[asyncio.Task[None]] = set()
        self._flying: set[asyncio.Task[None]] = set()
        self._reserved = 0
        self._settled = asyncio.Event()

    async def run(self, inquiries: Sequence[Inquiry]) -> None:
        """Return when nothing is in flight any more."""
        waiting = iter(inquiries)
        many = min(self._reach.calls.concurrency * _WAITING_PER_SLOT, len(inquiries))
        self._workers = {asyncio.create_task(self._work(waiting)) for _ in range(many)}
        await asyncio.gather(*self._workers, return_exceptions=True)
        self._meter.tell()

    def halt(self, reason: "str | BaseException") -> None:
        """Let nothing leave any more."""
        if self._reason is None:
            self._reason = reason
            for worker in self._workers - self._flying:
                worker.cancel()

    def early(self) -> Stopped | KeyboardInterrupt | None:
        """Why not everything was asked."""
        if self._reason is None or isinstance(self._reason, KeyboardInterrupt):
            return self._reason
        if isinstance(self._reason, BaseException):
            raise self._reason
        done, spent = self._meter.answered, self._account.purse.spent
        return Stopped(
            f"{self._stage} stopped: {self._reason}; {done} answered and kept, {self._meter.left} left,"
            f" ${spent:.4f} spent; habitus resume continues"
        )

    async def _work(self, waiting: Iterator[Inquiry]) -> None:
        for inquiry in waiting:
            if self._reason is not None:
                return
            try:
                await self._settle(inquiry)
            except _Left:
                return
            except Exception as error:  # noqa: BLE001 - raised by ``early``, once what is in flight was kept
                self.halt(error)

    async def _settle(self, inquiry: Inquiry) -> None:
        """Ask one question until it has an outcome, or asking stops."""
        course = _Course(asyncio.get_running_loop().time() + self._reach.calls.deadline_s)
        try:
            async for attempt in stamina.retry_context(partial(self._pause, course), attempts=None, timeout=None):
                with attempt:
                    outcome: Reply | Failure = await self._once(inquiry, course)
        except Failure as failure:
            if self._reason is not None:
                return
            outcome = failure
            self._meter.error()
        self.outcomes[inquiry.question.answer_id] = outcome

    def _pause(self, course: "_Course", error: Exception) -> float | bool:
        """Seconds until the next try; False if there is none."""
        if self._reason is not None:
            return False
        if isinstance(error, _Elsewhere):
            return random.uniform(*_LOOK_AGAIN_S)  # noqa: S311 - a pause
        return isinstance(error, Failure) and course.pause(error)

    async def _once(self, inquiry: Inquiry, course: "_Course") -> Reply:
        worst = self._reach.worst(inquiry)
        await self._afford(worst.dollars)
        spent: float | None = 0.0
        try:
            async with self._slots:
                await self._budgets.take(worst.tokens)
                if self._reason is not None:
                    raise _Left
                with self._in_flight():
                    reply, sent = await self._sent(inquiry, course)
            if sent:
                spent = worst.dollars if reply.cost is None else reply.cost
                self._budgets.learn(worst.tokens, _sum(reply.tokens_in, reply.tokens_out))
        except Failure:
            spent = 0.0 if course.verdict.paid == "no" else None
            raise
        finally:
            self._refund(worst.dollars, spent)
        self._meter.answer(
            reply.cost if sent else None,
            readable=self._account.readable(inquiry.request, reply.text, reply.finish_reason),
        )
        return reply

    @contextmanager
    def _in_flight(self) -> Iterator[None]:
        """What this worker does now is finished whatever happens."""
        worker = cast("asyncio.Task[None]", asyncio.current_task())
        self._flying.add(worker)
        try:
            yield
        finally:
            self._flying.discard(worker)

    async def _sent(self, inquiry: Inquiry, course: "_Course") -> tuple[Reply, bool]:
        """The answer, durable, and whether a call was made for it."""
        ledger = self._account.ledger
        sending = await self._ledger.wait(ledger.send(inquiry.question))
        if isinstance(sending, Reply):
            return sending, False
        if isinstance(sending, Elsewhere):
            raise _Elsewhere
        if self._reason is not None:
            await self._ledger.wait(ledger.failed(sending, "not sent", "asking had stopped", paid="no"))
            raise _Left
        left_at = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(min(self._reach.calls.timeout_s, course.deadline - left_at)):
                reply, headers = await self._reach.call(inquiry)
        except TimeoutError:
            failure = Failure("no answer in time", code="timeout")
        except Failure as raised:
            failure = raised
        except Exception as error:
            await self._ledger.wait(ledger.failed(sending, "error", type(error).__name__, paid="unknown"))
            raise
        else:
            self._slots.answered()
            self._tally.answered()
            self._budgets.observe(headers)
            await self._ledger.wait(ledger.answered(sending, inquiry.question, reply))
            return reply, True
        await self._failed(sending, failure, course, left_at)
        raise failure

    async def _failed(self, sending: Sending, failure: Failure, course: "_Course", left_at: float) -> None:
        """Draw the consequences of a failure before anything is awaited, then record it."""
        verdict = course.verdict = judge(failure)
        reason = self._tally.failed(failure, verdict)
        if reason:
            self.halt(reason)
        if failure.status in _CROWDED:
            self._slots.crowded(left_at)
        self._budgets.observe(failure.headers)
        self._meter.failure(failure.status, again=verdict.action == "retry" and self._reason is None)
        ledger = self._account.ledger
        await self._ledger.wait(ledger.failed(sending, failure.name, failure.message, paid=verdict.paid))

    async def _afford(self, dollars: float) -> None:
        """Reserve, or wait until enough of what is in flight has turned out to cost less; else stop."""
        purse = self._account.purse
        while not purse.reserve(dollars):
            if not self._reserved:
                self.halt(
                    f"the next call may cost ${dollars:.4f}, which could pass --max-cost {purse.limit:g}"
                    " (calls.max_cost); raise it"
                )
                raise _Left
            self._settled.clear()
            await self._settled.wait()
        self._reserved += 1

    def _refund(self, reserved: float, spent: float | None) -> None:
        """Settle what a call cost. If nobody knows whether it was paid for, what was set aside for it stays so."""
        self._reserved -= 1
        if spent is not None:
            self._account.purse.settle(reserved, spent)
        self._settled.set()


class _Course:
    """How the asking of one question goes: its tries, its deadline, what followed from the last failure."""

    __slots__ = ("_tries", "deadline", "verdict")

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.verdict = _UNPAID
        self._tries: dict[str | None, int] = {}

    def pause(self, failure: Failure) -> float | bool:
        """Seconds until the next try: as told, and a little more so that not all come at once; else full jitter."""
        tries = self._tries[failure.code] = self._tries.get(failure.code, 0) + 1
        if self.verdict.action != "retry" or tries >= failure.most_tries:
            return False
        chance = random.random()  # noqa: S311 - a pause
        longest = min(_FIRST_PAUSE_S * 2.0 ** min(sum(self._tries.values()) - 1, 20), _LONGEST_PAUSE_S)
        told = self.verdict.after_s
        wait = longest * chance if told is None else told + min(longest, max(told, _FIRST_PAUSE_S)) * _SPREAD * chance
        return wait if asyncio.get_running_loop().time() + wait < self.deadline and math.isfinite(wait) else False


def _sum(tokens_in: int | None, tokens_out: int | None) -> int | None:
    return None if tokens_in is None or tokens_out is None else tokens_in + tokens_out
