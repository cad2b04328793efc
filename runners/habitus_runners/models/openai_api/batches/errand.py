"""One call's work: bring home what has ended, order what is missing, and say what is still awaited."""

import re
from collections.abc import Callable, Mapping
from itertools import islice
from typing import NamedTuple

from habitus_runners.calls.account import Account
from habitus_runners.errors import Awaited, HabitusError, Stopped
from habitus_runners.ledger import Batch, Question
from habitus_runners.models.openai_api.batches.files import Limits, Part, parts, tokens_at_most
from habitus_runners.models.openai_api.batches.harvest import Harvest, Harvester
from habitus_runners.models.openai_api.batches.orders import Orders, UnknownBatchError
from habitus_runners.models.openai_api.batches.service import Remote

ROUNDS = 3
_STAGE = "batches"
_LOOKED_UP_AT_ONCE = 1000
_TOKEN_LIMIT = re.compile(r"limit: ([\d,]{1,20}) enqueued tokens", re.IGNORECASE)


class Means(NamedTuple):
    """What an errand works with.

    ``line`` is a question as a line of a file; ``worst`` says what a part can cost at most, in dollars; ``limits`` are
    those of one file, its tokens also those of everything on order at once.
    """

    orders: Orders
    harvester: Harvester
    line: Callable[[Question], bytes]
    worst: Callable[[Part], float]
    limits: Limits
    account: Account


class Errand:
    """What is done for one set of questions; by one process of a ledger at a time.

    Args:
        questions: answer_id -> question.
        means: what it is done with.

    Attributes:
        harvest: what was brought home.
    """

    def __init__(self, questions: Mapping[str, Question], means: Means) -> None:
        self.harvest = Harvest()
        self._questions = questions
        self._means = means
        self._limits = means.limits
        self._reserved: dict[str, float] = {}

    def run(self) -> None:
        """Bring home and order, until nothing is missing or nothing more can be done now.

        Raises:
            Stopped: the service refuses, does not know a batch that was ordered or could not be reached in time, or the
                next file could cost more than is left.
        """
        self._means.orders.recognise(self._questions)
        if missing := self._missing():
            self._means.orders.search(missing)
        self._collect()
        for _ in range(ROUNDS):
            missing = self._missing()
            if not missing or not self._place(missing):
                return
            self._collect()

    def unanswered(self) -> dict[str, str]:
        """Why there is no answer, for every question that was put in vain and is not on order again."""
        again = {key: self.harvest.again[key] for key in self._missing() if key in self.harvest.again}
        return again | self.harvest.errors

    def end(self) -> HabitusError | None:
        """What is left to say in one line; None if every question has its end."""
        missing, held = self._missing(), self._means.orders.held(self._questions)
        reason = next((self.harvest.again[key] for key in missing if key in self.harvest.again), None)
        because = f" ({reason})" if reason else ""
        if held:
            awaited, batches = _counted(len(held), "answer"), _counted(len(set(held.values())), "batch", "batches")
            more = f"; {len(missing)} more are not on order yet{because}" if missing else ""
            return Awaited(f"awaiting {awaited} in {batches}{more}; `habitus collect` fetches them")
        if missing:
            questions = _counted(len(missing), "question")
            return Stopped(f"{questions} unanswered and not on order{because}; `habitus resume` orders them")
        return None

    def _missing(self) -> dict[str, Question]:
        """The questions without an answer, a final refusal or an order."""
        missing: dict[str, Question] = {}
        keys = (key for key in self._questions if key not in self.harvest.errors)
        while some := list(islice(keys, _LOOKED_UP_AT_ONCE)):
            ended = self._means.account.ledger.known(some).keys() | self._means.orders.held(some).keys()
            missing |= {key: self._questions[key] for key in some if key not in ended}
        return missing

    def _collect(self) -> None:
        batches = self._means.orders.holding(self._questions)
        unknown: UnknownBatchError | None = None
        for done, batch in enumerate(batches, start=1):
            try:
                remote = self._means.orders.remote(batch)
            except UnknownBatchError as error:
                unknown = error
                continue
            if remote is not None and remote.ended:
                self._bring(batch, remote)
            self._means.account.progress(_STAGE, done, len(batches), self.harvest.note())
        if unknown is not None:
            raise unknown

    def _bring(self, batch: Batch, remote: Remote) -> None:
        before = self.harvest.dollars
        self._means.harvester.bring(batch.local, remote, self.harvest)
        self._means.account.purse.settle(self._reserved.pop(batch.local, 0.0), self.harvest.dollars - before)
        if remote.status == "failed":
            self._limits = _lowered(self._limits, batch, remote)

    def _place(self, missing: Mapping[str, Question]) -> bool:
        """Order file by file, as far as purse and queue reach. Whether anything was ordered."""
        placed = 0
        queued = self._queued() if self._limits.tokens is not None else 0
        for part in parts(missing.values(), self._means.line, self._limits):
            if self._limits.tokens is not None and queued and queued + part.tokens > self._limits.tokens:
                break
            worst = self._means.worst(part)
            if not self._means.account.purse.reserve(worst):
                questions = _counted(len(part.questions), "question")
                raise Stopped(
                    f"the next batch, {questions}, could cost {worst:.2f} USD, more than --max-cost leaves;"
                    " `habitus resume` with a higher one orders it"
                )
            self._reserved[self._means.orders.place(part)] = worst
            for question in part.questions:
                self.harvest.again.pop(question.answer_id, None)
            queued += part.tokens
            placed += len(part.questions)
            self._means.account.progress(_STAGE, placed, len(missing), "ordered")
        return placed > 0

    def _queued(self) -> int:
        """Tokens of everything of this model that is on order."""
        return sum(tokens_at_most(question) for question in self._means.orders.queued())


def _lowered(limits: Limits, batch: Batch, remote: Remote) -> Limits:
    """A file that was refused whole is not sent again as it was: half as many requests, and the limit that was told."""
    told = _TOKEN_LIMIT.search(remote.reason or "")
    tokens = int(told[1].replace(",", "")) if told else limits.tokens
    return limits._replace(requests=max(1, min(limits.requests, batch.questions // 2)), tokens=tokens)


def _counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
