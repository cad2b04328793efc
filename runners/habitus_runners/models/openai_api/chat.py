"""The `openai` runner: one chat completion per question, many at a time."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import httpx2
import openai

from habitus_runners import prices
from habitus_runners.calls.account import Account
from habitus_runners.calls.dispatch import Called, Ended, Inquiry, Reach, Worst, dispatch
from habitus_runners.calls.interrupts import first_interrupt
from habitus_runners.calls.outcomes import Failure
from habitus_runners.calls.replies import answer
from habitus_runners.ledger import Question, Reply
from habitus_runners.model import Answer, Request, answer_id
from habitus_runners.models.openai_api import client, wire
from habitus_runners.models.openai_api.access import access
from habitus_runners.settings import Settings

_BYTES_PER_TOKEN = 2
"""At the worst: English has four to five, few scripts fewer than two."""
_TOKENS_AROUND = 16
T = TypeVar("T")


class Chat:
    """A model behind a chat completions endpoint, asked by one method.

    Args:
        wire: what its requests have in common.
        settings: limits and timeouts.
        account: shared by all paid models.
        price: if it is known.
        transport: in place of the network.
    """

    def __init__(
        self,
        wire: wire.Wire,
        settings: Settings,
        account: Account,
        price: prices.Price | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.name = wire.name("openai")
        self.revision = wire.revision()
        self.method = wire.method
        self._wire, self._settings, self._account, self._price = wire, settings, account, price
        self._transport = transport

    def ready(self) -> None:
        """Raise what would stop it before anything is asked: a key that is missing."""
        self._wire.ready()

    def answers(self, requests: Sequence[Request]) -> Iterator[Answer]:
        """Ask everything that the ledger does not know, then yield what came, in the order of the requests.

        Requests with the same prompt and sample share an answer.

        Raises:
            Stopped: after the last answer, if not everything could be asked.
            KeyboardInterrupt: the same, after Ctrl-C. A second Ctrl-C ends it at once.
        """
        ids = [answer_id(self, request) for request in requests]
        distinct = dict(zip(reversed(ids), reversed(requests), strict=True))
        inquiries = [Inquiry(self._question(key, request), request) for key, request in reversed(distinct.items())]
        ended = _run(lambda stoppable: self._asked(inquiries, stoppable))
        for key, request in zip(ids, requests, strict=True):
            if key in ended.outcomes:
                yield _answer(request, ended.outcomes[key])
        if ended.early is not None:
            raise ended.early

    def _question(self, key: str, request: Request) -> Question:
        return Question(key, self.name, self.revision, self.method, request.prompt, request.sample)

    async def _asked(self, inquiries: Sequence[Inquiry], stoppable: Callable[[Callable[[], None]], None]) -> Ended:
        async with client.asynchronous(self._settings, self._transport) as connection:
            reach = Reach(lambda inquiry: self._called(connection, inquiry), self._worst, self._settings.calls)
            return await dispatch(inquiries, reach, self._account, self.name, stoppable)

    async def _called(self, connection: openai.AsyncOpenAI, inquiry: Inquiry) -> Called:
        question, request = inquiry
        body = self._wire.body(question.prompt, question.sample, len(request.titles))
        began = time.monotonic()
        try:
            # As a response, not as a model of pydantic: that takes 0.3 ms, and refuses what odd servers write.
            response = await connection.post(wire.PATH, cast_to=httpx2.Response, body=body)
        except (openai.OpenAIError, httpx2.HTTPError, RecursionError, ValueError) as error:
            raise client.failure(error) from None
        completion = wire.parsed(response.content)
        took = time.monotonic() - began
        logprobs = self._settings.ask.logprobs
        return Called(wire.reply(completion, self._price, took, logprobs=logprobs), response.headers)

    def _worst(self, inquiry: Inquiry) -> Worst:
        tokens_in = len(inquiry.question.prompt.encode()) // _BYTES_PER_TOKEN + _TOKENS_AROUND
        tokens_out = self._settings.ask.max_tokens
        dollars = self._price.cost(tokens_in, tokens_out) if self._price else 0.0
        return Worst(tokens_in + tokens_out, dollars)


def create(argument: str, method: str, settings: Settings, length: int, account: Account) -> Chat:
    """The model behind `openai:NAME`.

    Raises:
        HabitusError: see ``access``.
    """
    found = access(argument, method, settings, length, account)
    return Chat(found.wire, settings, account, found.price)


def _answer(request: Request, outcome: Reply | Failure) -> Answer:
    if isinstance(outcome, Failure):
        return Answer(request.task_id, "", finish_reason="error", error=str(outcome), sample=request.sample)
    return answer(request, outcome)


def _run(work: Callable[[Callable[[Callable[[], None]], None]], Coroutine[Any, Any, T]]) -> T:
    """Run ``work`` in an event loop of its own, in a thread of its own where one is running already (a notebook).

    ``work`` is given a function, to be told how asking is stopped.
    """
    stops: list[Callable[[], None]] = []
    early = threading.Event()

    def stop() -> None:
        early.set()
        for one in stops:
            one()

    def stoppable(one: Callable[[], None]) -> None:
        stops.append(one)
        if early.is_set():
            one()

    with first_interrupt(stop):
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(work(stoppable))
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, work(stoppable)).result()
