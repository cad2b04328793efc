"""Bringing home what a batch that has ended holds: every answer into the ledger, before anything else is done."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from habitus_runners.calls.outcomes import TOO_LONG, Failure, judge
from habitus_runners.ledger import Ledger, Question, Reply
from habitus_runners.models.openai_api.batches.lines import Broken, Refused, breaks_off, results
from habitus_runners.models.openai_api.batches.service import Remote, Service
from habitus_runners.models.openai_api.keys import redacted

_KEPT_AT_ONCE = 1000
_DOWNLOADS = 3


@dataclass
class Harvest:
    """What came of the batches that were brought home.

    Attributes:
        answered: new answers, now in the ledger.
        dollars: what they cost.
        errors: answer_id -> why there is no answer; asking again would not help.
        again: answer_id -> why there is no answer yet.
        oddities: kind -> how many lines of results nobody asked for, or nobody can read.
    """

    answered: int = 0
    dollars: float = 0.0
    errors: dict[str, str] = field(default_factory=dict)
    again: dict[str, str] = field(default_factory=dict)
    oddities: dict[str, int] = field(default_factory=dict)

    def note(self) -> str:
        """In one line: what is new, and what was odd."""
        odd = [f"{count} {kind}" for kind, count in self.oddities.items()]
        return ", ".join([f"{self.answered} answers", f"{self.dollars:.2f} USD", *odd])

    def odd(self, kind: str) -> None:
        """Count one more oddity."""
        self.oddities[kind] = self.oddities.get(kind, 0) + 1


class Harvester:
    """Takes results from a service to a ledger.

    Args:
        ledger: where answers are kept.
        service: where results are.
        read: makes a reply of a chat completion; None if it cannot.
    """

    def __init__(self, ledger: Ledger, service: Service, read: Callable[[Mapping[str, Any]], Reply | None]) -> None:
        self._ledger = ledger
        self._service = service
        self._read = read

    def bring(self, local: str, remote: Remote, harvest: Harvest) -> None:
        """Keep every answer of a batch that has ended, then note that it is collected."""
        questions = {question.answer_id: question for question in self._ledger.batch_questions(local)}
        answered = set(self._ledger.known(questions))
        gone = [file_id for file_id in remote.files if not self._brought(file_id, questions, answered, harvest)]
        reason = remote.reason or f"the batch {remote.status}"
        if gone:
            reason = f"the service no longer has {' and '.join(gone)}"
        elif remote.files:
            reason = "the results have no line for it"
        for answer_id in questions.keys() - answered - harvest.errors.keys():
            harvest.again.setdefault(answer_id, reason)
        self._ledger.batch_step(local, "collected", detail=remote.reason or remote.status)

    def _brought(self, file_id: str, questions: Mapping[str, Question], answered: set[str], harvest: Harvest) -> bool:
        """Take one file of results, fetched again if it breaks off in the middle of a line. Whether it was there."""
        for left in reversed(range(_DOWNLOADS)):
            with self._service.download(file_id) as file:
                if file is None:
                    return False
                if left == 0 or not breaks_off(file):
                    self._take(file, questions, answered, harvest)
                    break
        return True

    def _take(self, file: BinaryIO, questions: Mapping[str, Question], answered: set[str], harvest: Harvest) -> None:
        pairs: list[tuple[Question, Reply]] = []
        here: set[str] = set()
        for line in results(file):
            if isinstance(line, Broken):
                harvest.odd("unreadable lines")
            elif line.custom_id not in questions:
                harvest.odd("lines nobody asked for")
            elif line.custom_id in here:
                harvest.odd("repeated lines")
            elif line.custom_id in answered:
                continue
            elif isinstance(line, Refused):
                _note(line, harvest)
            elif (reply := self._read(line.completion)) is None:
                harvest.again[line.custom_id] = "the result holds no answer"
            else:
                here.add(line.custom_id)
                pairs.append((questions[line.custom_id], reply))
            if len(pairs) == _KEPT_AT_ONCE:
                self._keep(pairs, answered, harvest)
                pairs = []
        self._keep(pairs, answered, harvest)

    def _keep(self, pairs: Sequence[tuple[Question, Reply]], answered: set[str], harvest: Harvest) -> None:
        self._ledger.keep(pairs)
        harvest.answered += len(pairs)
        harvest.dollars += sum(reply.cost or 0 for _, reply in pairs)
        for question, _ in pairs:
            answered.add(question.answer_id)
            harvest.errors.pop(question.answer_id, None)
            harvest.again.pop(question.answer_id, None)


def _note(line: Refused, harvest: Harvest) -> None:
    """A request that met 429 or 5xx, or was never tried, is asked again; one that met 400 would be refused again."""
    failure = Failure(redacted(line.message), line.status, line.code)
    again = line.code != TOO_LONG and judge(failure).action == "retry"
    (harvest.again if again else harvest.errors)[line.custom_id] = str(failure)
