"""Commands that do the whole job, or what is left of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from habitus_runners.cli.app import RUN, app
from habitus_runners.cli.options import AskOptions, LedgerPath, Source, StudyOptions, account, load

if TYPE_CHECKING:
    from habitus_runners.settings import Settings
    from habitus_runners.storage import RunFolder
    from habitus_runners.study import Finished

_DEFAULT_STUDY, _DEFAULT_ASK = StudyOptions(), AskOptions()
_POLL_S = 60


@app.command(group=RUN)
def run(*, what: StudyOptions = _DEFAULT_STUDY, whom: AskOptions = _DEFAULT_ASK) -> None:
    """Do the whole job: data, tasks, answers, scores, report. Started again, it goes on where it stopped."""
    from habitus_runners.storage import RunFolder  # noqa: PLC0415 - --help must not load it

    wanted = what.settings(**whom.further())
    folder = RunFolder(what.folder(wanted))
    _conclude(folder, wanted, _go(folder, what.dataset, what.source, wanted, whom))


@app.command(group=RUN)
def resume(
    folder: Path | None = None, *, source: Source = None, max_cost: float | None = None, ledger: LedgerPath = None
) -> None:
    """Go on with a run that was stopped. Answers that were paid for are in the ledger and are not asked for again.

    Args:
        folder: the run's; default: that of the run begun last.
        source: a local copy of the data set, if it is no longer where it was.
        max_cost: in USD, for this command.
        ledger: where paid answers are kept.
    """
    _again(folder, source, max_cost, ledger)


@app.command(group=RUN)
def collect(
    folder: Path | None = None,
    *,
    wait: Annotated[bool, Parameter(negative="")] = False,
    source: Source = None,
    max_cost: float | None = None,
    ledger: LedgerPath = None,
) -> None:
    """Fetch the answers of batches that were ordered, order again what expired, and write the report.

    Args:
        folder: the run's; default: that of the run begun last. It may have been copied from another machine.
        wait: ask again every minute until all are there.
        source: a local copy of the data set, if it is no longer where it was.
        max_cost: in USD, for this command.
        ledger: where paid answers are kept.
    """
    from time import sleep  # noqa: PLC0415 - --help must not load them

    from habitus_runners.errors import Awaited  # noqa: PLC0415 - as above

    while True:
        try:
            return _again(folder, source, max_cost, ledger)
        except Awaited:
            if not wait:
                raise
        sleep(_POLL_S)


@app.command(group=RUN)
def estimate(*, what: StudyOptions = _DEFAULT_STUDY, whom: AskOptions = _DEFAULT_ASK) -> None:
    """Say what a run would cost before it costs anything: calls, tokens, dollars, time, what it could show."""
    from habitus_runners import models, study, terminal  # noqa: PLC0415 - --help must not load them
    from habitus_runners.estimate import estimates  # noqa: PLC0415 - as above
    from habitus_runners.estimate.jobs import jobs  # noqa: PLC0415 - as above
    from habitus_runners.ledger import default_path  # noqa: PLC0415 - as above
    from habitus_runners.storage import RunFolder  # noqa: PLC0415 - as above

    wanted = what.settings(**whom.further())
    with terminal.progress() as advance:
        loaded = load(what.dataset, what.source, wanted, advance)
        askers = models.askers(whom.model or (), whom.method or (), loaded)
        drawn = study.tasks_of(RunFolder(what.folder(wanted)), loaded, wanted, progress=advance)
        asked = jobs(loaded, wanted, drawn.tasks, askers, whom.ledger or default_path())
        found = estimates(asked, wanted, drawn.tasks, drawn.members)
    terminal.show_estimates(found, wanted.calls)


def _again(folder: Path | None, source: Path | None, max_cost: float | None, ledger: Path | None) -> None:
    from habitus_runners import latest, study  # noqa: PLC0415 - --help must not load them
    from habitus_runners.storage import RunFolder  # noqa: PLC0415 - as above

    run_folder = RunFolder(folder or latest.recall())
    wanted, command = study.settings_of(run_folder), study.command_of(run_folder)
    if max_cost is not None:
        wanted = wanted.changed({"calls.max_cost": max_cost})
    whom = AskOptions(model=list(command.models), method=list(command.methods), ledger=ledger or command.ledger)
    _conclude(run_folder, wanted, _go(run_folder, command.dataset, source or command.source, wanted, whom))


def _go(folder: "RunFolder", dataset: str, source: Path | None, wanted: "Settings", whom: AskOptions) -> "Finished":
    from habitus_runners import latest, study, terminal  # noqa: PLC0415 - --help must not load them

    command = study.Command(whom.model or (), whom.method or (), dataset, source, whom.ledger)
    with terminal.progress() as advance:
        loaded = load(dataset, source, wanted, advance)
        with account(whom.model or [], whom.ledger, wanted, advance) as books:
            latest.remember(folder.path)
            return study.run(folder, loaded, wanted, command, books, progress=advance)


def _conclude(folder: "RunFolder", wanted: "Settings", finished: "Finished") -> None:
    from habitus_runners import terminal  # noqa: PLC0415 - --help must not load it

    if finished.report:
        terminal.show_results(folder.read("results"), wanted)
        terminal.say(f"Report: {finished.report}")
    for end in finished.ends[1:]:
        terminal.say(str(end))
    if finished.ends:
        raise finished.ends[0]
