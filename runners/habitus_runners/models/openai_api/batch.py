"""The `openai-batch` runner: answers that come within a day, at half the price, ordered durably."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from filelock import FileLock, Timeout

from habitus_runners import prices
from habitus_runners.calls.account import Account
from habitus_runners.calls.outcomes import Failure
from habitus_runners.calls.replies import answer
from habitus_runners.errors import HabitusError, Stopped
from habitus_runners.ledger import Question, Reply
from habitus_runners.model import Answer, Request, answer_id
from habitus_runners.models.openai_api import client, wire
from habitus_runners.models.openai_api.access import access
from habitus_runners.models.openai_api.batches import lines
from habitus_runners.models.openai_api.batches.errand import Errand, Means
from habitus_runners.models.openai_api.batches.files import Limits, Part
from habitus_runners.models.openai_api.batches.harvest import Harvester
from habitus_runners.models.openai_api.batches.orders import Orders
from habitus_runners.models.openai_api.batches.service import Service
from habitus_runners.settings import Settings

LIMITS = Limits()
"""What OpenAI accepts in one file (platform.openai.com/docs/guides/batch); a queue's tokens differ by account."""
_READ_AT_ONCE = 1000


class BatchModel:
    """A chat model whose answers are ordered in batches.

    Args:
        asked: how one request looks.
        settings: of the study.
        account: whose ledger keeps orders and answers.
        price: if it is known.

    Attributes:
        name: as reports know it.
        method: by which it is asked.
        revision: everything beside the prompt that can change an answer.
    """

    def __init__(
        self, asked: wire.Wire, settings: Settings, account: Account, price: prices.Price | None = None
    ) -> None:
        self.name = asked.name("openai-batch")
        self.method = asked.method
        self.revision = json.dumps(json.loads(asked.revision()) | {"order": "batch"}, sort_keys=True)
        self._wire = asked
        self._account = account
        self._settings = settings
        self._price = price

    def ready(self) -> None:
        """Raise what would stop it before anything is asked: a key that is missing."""
        self._wire.ready()

    def answers(self, requests: Sequence[Request]) -> Iterator[Answer]:
        """The answers that have come, after ordering those that nobody has ordered yet.

        Raises:
            Awaited: at the end, while answers are on order.
            Stopped: at the end, if some could not be ordered or collected.
        """
        asked: dict[str, list[Request]] = {}
        for request in requests:
            asked.setdefault(answer_id(self, request), []).append(request)
        end: HabitusError | None = None
        calls = self._settings.calls
        with client.synchronous(self._settings) as connection:
            hasty = connection.with_options(timeout=min(calls.timeout_s, calls.deadline_s))
            errand = self._errand(asked, Service(hasty, calls.deadline_s))
            try:
                with self._alone():
                    errand.run()
                    end = errand.end()
            except HabitusError as early:
                end = early
            except OSError as error:
                end = Stopped(f"expected room for the files of batches in {tempfile.gettempdir()}: {error}")
        yield from self._known(asked)
        for key, reason in errand.unanswered().items():
            for request in asked[key]:
                yield Answer(request.task_id, "", "error", error=reason, sample=request.sample)
        if end is not None:
            raise end

    def _errand(self, asked: Mapping[str, Sequence[Request]], service: Service) -> Errand:
        def line(question: Question) -> bytes:
            one = asked[question.answer_id][0]
            return lines.order(question.answer_id, self._wire.body(one.prompt, one.sample, len(one.titles)))

        questions = {
            key: Question(key, self.name, self.revision, self.method, one.prompt, one.sample)
            for key, (one, *_) in asked.items()
        }
        orders = Orders(self._account.ledger, service, self._wire.endpoint.url, self.name, self.revision)
        harvester = Harvester(self._account.ledger, service, self._reply)
        return Errand(questions, Means(orders, harvester, line, self._worst, self._limits(), self._account))

    def _reply(self, completion: Mapping[str, Any]) -> Reply | None:
        try:
            return wire.reply(completion, self._price, logprobs=self._settings.ask.logprobs, batch=True)
        except Failure:
            return None

    def _worst(self, part: Part) -> float:
        if self._price is None:
            return 0.0
        return self._price.cost(part.tokens, len(part.questions) * self._settings.ask.max_tokens, batch=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No two processes order from one ledger at a time: each would miss what the other is about to note."""
        path = self._account.ledger.path
        lock = FileLock(path.with_name(f"{path.name}.batches.lock"), mode=0o600)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            self._account.progress("batches", 0, None, "waiting for another run that orders batches")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _limits(self) -> Limits:
        return LIMITS._replace(tokens=LIMITS.tokens or self._settings.calls.enqueued_tokens)

    def _known(self, asked: Mapping[str, Sequence[Request]]) -> Iterator[Answer]:
        keys = iter(asked)
        while some := list(islice(keys, _READ_AT_ONCE)):
            for key, reply in self._account.ledger.known(some).items():
                for request in asked[key]:
                    yield answer(request, reply)


def create(argument: str, method: str, settings: Settings, length: int, account: Account) -> BatchModel:
    """The model behind `openai-batch:NAME`.

    Raises:
        HabitusError: see ``access``.
    """
    found = access(argument, method, settings, length, account)
    return BatchModel(found.wire, settings, account, found.price)
