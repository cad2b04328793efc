"""Which calls a study would make: every model's requests, less those whose answers the ledger holds."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from habitus_runners import asking, models
from habitus_runners.calls.account import Account
from habitus_runners.calls.purse import Purse
from habitus_runners.datasets.dataset import Dataset
from habitus_runners.errors import HabitusError
from habitus_runners.estimate import Job
from habitus_runners.ledger import Ledger
from habitus_runners.model import Request, answer_id
from habitus_runners.settings import Settings


def jobs(
    dataset: Dataset, wanted: Settings, tasks: pa.Table, askers: Sequence[models.Asker], ledger: Path
) -> list[Job]:
    """One job per model and method that costs.

    Args:
        dataset: that the tasks were drawn from.
        wanted: the study's settings.
        tasks: the tasks table.
        askers: ``models.askers``; simulated models are left out.
        ledger: its file, which need not be there.

    Raises:
        HabitusError: no model costs anything, or the ledger is damaged.
    """
    costly = [asker for asker in askers if not asker.simulated]
    if not costly:
        raise HabitusError("estimate: expected a model that costs, as in --model openai:NAME, got simulated ones alone")
    with contextlib.ExitStack() as stack:
        opened = stack.enter_context(Ledger(ledger)) if ledger.is_file() else None
        return [_job(dataset, wanted, tasks, asker, opened) for asker in costly]


def _job(dataset: Dataset, wanted: Settings, tasks: pa.Table, asker: models.Asker, ledger: Ledger | None) -> Job:
    asked = asking.requests(dataset, wanted, tasks, asker.method)
    samples = [one._replace(sample=sample) for sample in range(wanted.ask.samples) for one in asked]
    distinct = list({(one.prompt, one.sample): one for one in samples}.values())
    left = _unanswered(distinct, wanted, asker, ledger) if ledger else distinct
    return Job(asker.spec, asker.method, left, len(distinct) - len(left))


def _unanswered(asked: Sequence[Request], wanted: Settings, asker: models.Asker, ledger: Ledger) -> list[Request]:
    model = models.called(asker, wanted, Account(ledger, Purse(None)))
    ids = [answer_id(model, one) for one in asked]
    known = ledger.known(ids)
    return [one for key, one in zip(ids, asked, strict=True) if key not in known]
