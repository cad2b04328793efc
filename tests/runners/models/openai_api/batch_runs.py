"""Runs of the openai-batch runner against a fault server, and what came of them."""

from typing import NamedTuple

from habitus_runners.calls.account import Account
from habitus_runners.calls.purse import Purse
from habitus_runners.errors import HabitusError
from habitus_runners.ledger import Ledger
from habitus_runners.model import Answer, Request
from habitus_runners.models.openai_api import batch
from habitus_runners.models.openai_api.batches import orders, service
from habitus_runners.models.openai_api.batches.files import Limits
from habitus_runners.settings import settings

TITLES = ("Alien", "Brazil", "Casablanca", "Dune")


class Outcome(NamedTuple):
    """What a call of ``answers`` gave, how it ended, and what progress was told."""

    answers: list[Answer]
    end: HabitusError | None
    notes: list[str]

    @property
    def good(self):
        """The tasks with an answer."""
        return {answer.task_id for answer in self.answers if answer.error is None}


def requests(number):
    """Questions about different people."""
    shown = "\n".join(f'{position}. "{title}"' for position, title in enumerate(TITLES, start=1))
    return [
        Request(row, f"task-{row}", f"Rank exactly 3 for person {row}. Candidates:\n{shown}", TITLES)
        for row in range(number)
    ]


def ask(server, folder, number=10, *, method="text", limit=None, **changes):
    """One run's call: a new model on the folder's ledger."""
    wanted = settings("paper", {"ask.base_url": server.url, "calls.deadline_s": 20, "calls.timeout_s": 10, **changes})
    notes = []
    folder.mkdir(exist_ok=True)

    def progress(stage, done, total=None, note=""):
        notes.append(f"{stage} {done}/{total} {note}")

    with Ledger(folder / "ledger.sqlite") as ledger:
        model = batch.create("m", method, wanted, 3, Account(ledger, Purse(limit), progress))
        answers, end = [], None
        try:
            answers.extend(model.answers(requests(number)))
        except HabitusError as early:
            end = early
    return Outcome(answers, end, notes)


def calls(server, route):
    """The calls of one route."""
    return [call for call in server.calls if call.route == route]


def ordered(server):
    """How many batches were ordered."""
    return len(calls(server, "POST /batches"))


def soon(monkeypatch):
    """No test waits as long as a run would."""
    monkeypatch.setattr(orders, "SETTLING_S", 0.02)
    monkeypatch.setattr(service, "LONGEST_PAUSE_S", 0.02)


def per_file(monkeypatch, number):
    """Let one file hold so many requests."""
    monkeypatch.setattr(batch, "LIMITS", Limits(requests=number))
