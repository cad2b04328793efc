"""The pipeline, stage by stage, on a run folder: data -> tasks -> prompts -> answers -> rankings -> scores -> report.

Tasks and answers are kept: an interrupted study goes on where it stopped. What follows from them (rankings, scores,
results, report) is made anew whenever it is asked for.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from habitus_runners import asking, intervals, models, report, results, scores, tasks
from habitus_runners.datasets import is_config
from habitus_runners.datasets.dataset import Dataset
from habitus_runners.entropies import by_estimator
from habitus_runners.errors import HabitusError
from habitus_runners.progress import Progress, silent
from habitus_runners.prompts.rankings import DEFAULT, rankings
from habitus_runners.proxies import proxy_tests
from habitus_runners.settings import Settings, validated
from habitus_runners.storage import RunFolder
from habitus_runners.targets import Scorer
from habitus_runners.tasks import Tasks
from habitus_runners.tasks.material import peculiarities

if TYPE_CHECKING:
    from habitus_runners.calls.account import Account


class Finished(NamedTuple):
    """A run's report, None where nothing could be scored; and why models stopped early or what is awaited from them."""

    report: Path | None
    ends: Sequence[HabitusError] = ()


class Command(NamedTuple):
    """What a run was told, so that it can be resumed without being told again.

    ``models``: names; default: those that make sense for the data set. ``methods``: by which services are asked;
    default: text. The rest says where data and ledger are; the pipeline itself is given both.
    """

    models: Sequence[str] = ()
    methods: Sequence[str] = ()
    dataset: str = ""
    source: Path | None = None
    ledger: Path | None = None


def run(
    folder: RunFolder,
    dataset: Dataset,
    wanted: Settings,
    command: Command = Command(),  # noqa: B008 - immutable
    account: "Account | None" = None,
    *,
    progress: Progress = silent,
) -> Finished:
    """The whole job, or what is left of it. What was answered is scored and reported even if a model stopped early.

    Args:
        folder: new, or of an interrupted run of the same study.
        dataset: what is predicted.
        wanted: the study's settings.
        command: whom to ask, and what `habitus resume` needs to know.
        account: where answers of models that are not simulated are kept; needed by those alone.
        progress: told how far each stage is.

    Raises:
        HabitusError: the folder holds another study, a model is unknown, or a stage says what is wrong.
    """
    askers = models.askers(command.models, command.methods, dataset)
    for method in {asker.method for asker in askers}:
        asking.prompts(dataset, wanted, method)
    with folder.held(new=True):
        make_tasks(folder, dataset, wanted, progress=progress)
        folder.record(command=_plain(command))
        judge_proxies(folder, dataset, progress=progress)
        ends = asking.ask(folder, dataset, wanted, askers, account, progress=progress)
        if not parse(folder, dataset, progress=progress):
            return Finished(None, ends)
        score(folder, progress=progress)
        return Finished(write_report(folder, progress=progress), ends)


def make_tasks(folder: RunFolder, dataset: Dataset, wanted: Settings, *, progress: Progress = silent) -> None:
    """Draw the tasks, unless the folder already holds them.

    Raises:
        HabitusError: the folder holds another study.
    """
    _refuse_drift(folder, dataset, wanted)
    folder.record(settings=wanted.model_dump(mode="json"))
    if folder.has("tasks") and folder.has("members"):
        return
    folder.record(habitus=version("habitus"), created=_now(), dataset=_described(dataset, wanted))
    drawn = tasks.generate(dataset, wanted, progress=progress)
    folder.record(draws=drawn.draws)
    folder.write("tasks", drawn.tasks)
    folder.write("members", drawn.members)


def judge_proxies(folder: RunFolder, dataset: Dataset, *, progress: Progress = silent) -> None:
    """Do the proxies tell anything at all about people? Noted in the manifest, once per run.

    Raises:
        HabitusError: another data set.
    """
    wanted = settings_of(folder)
    _refuse_drift(folder, dataset, wanted)
    if "proxies" not in folder.manifest:
        tables = folder.read("tasks"), folder.read("members")
        found = proxy_tests(dataset, *tables, wanted, seed=wanted.seed, progress=progress)
        flat = [row._asdict() | {name: getattr(row, name)._asdict() for name in ("size", "activity")} for row in found]
        folder.record(proxies=flat)


def tasks_of(folder: RunFolder, dataset: Dataset, wanted: Settings, *, progress: Progress = silent) -> Tasks:
    """The tasks and members that a run in this folder has or would have; nothing is written.

    Raises:
        HabitusError: the folder holds another study.
    """
    _refuse_drift(folder, dataset, wanted)
    if folder.has("tasks") and folder.has("members"):
        return Tasks(folder.read("tasks"), folder.read("members"), folder.manifest["draws"])
    return tasks.generate(dataset, wanted, progress=progress)


def parse(folder: RunFolder, dataset: Dataset, parser: str = DEFAULT, *, progress: Progress = silent) -> int:
    """Read every answer: the rankings table. Needs the data set for its titles, and no model.

    Args:
        folder: a run with answers.
        dataset: that its tasks were drawn from.
        parser: one of ``prompts.rankings.PARSERS``.
        progress: told when it is done.

    Returns:
        How many answers there were to read.

    Raises:
        HabitusError: an unknown parser, or another data set.
    """
    _refuse_drift(folder, dataset, settings_of(folder))
    titles = dataset.items["title"].to_list()
    length = settings_of(folder).candidates.N
    read = rankings(folder.read("answers"), folder.read("tasks"), titles, length, parser)
    folder.write("rankings", read)
    progress("rankings", 1, 1)
    return int(read.num_rows)


def score(folder: RunFolder, changes: Mapping[str, Any] | None = None, *, progress: Progress = silent) -> pa.Table:
    """Score every ranking and sum up: the scores and results tables, from the tasks and rankings tables alone.

    Args:
        folder: a run with rankings.
        changes: new values of ``fill``, ``target.alpha`` or ``curve.*``, kept in the manifest.
        progress: told how far it is.

    Returns:
        The results table.

    Raises:
        HabitusError: a change would need other tasks or answers.
    """
    wanted = settings_of(folder)
    if changes:
        changed = wanted.changed(changes)
        _refuse(_differences(wanted.design(), changed.design()), "scoring cannot change", "start a new run for it")
        wanted = changed
    table = folder.read("tasks")
    people, answered = folder.read("members"), folder.read("rankings")
    scored = scores.score(table, people, answered, wanted)
    entropies = by_estimator(table, Scorer(table, people, wanted))
    folder.record(settings=wanted.model_dump(mode="json"), habitus=version("habitus"), entropies=entropies)
    folder.write("scores", scored)
    progress("scores", 1, 1)
    sure = intervals.Study(table, people, answered, wanted).rows() if wanted.uncertainty.resamples else ()
    summary = results.summarise(table, scored, wanted, sure)
    folder.write("results", summary)
    progress("results", 1, 1)
    return summary


def write_report(folder: RunFolder, *, progress: Progress = silent) -> Path:
    """The report and its figures, from the tables and the manifest alone."""
    tables = {name: folder.read(name) for name in ("tasks", "rankings", "scores", "results")}
    return report.build(tables, folder.manifest, folder.path, progress=progress)


def settings_of(folder: RunFolder) -> Settings:
    """The settings a run was made with.

    Raises:
        HabitusError: there is no run.
    """
    try:
        return validated(folder.manifest["settings"])
    except KeyError:
        raise HabitusError(
            f"{folder.path}: expected the folder of a run, found no manifest with settings; `habitus run` makes one"
        ) from None


def command_of(folder: RunFolder) -> Command:
    """What a run was told.

    Raises:
        HabitusError: there is no run, or it was not begun by the command line.
    """
    noted = folder.manifest.get("command") or {}
    if not noted.get("dataset"):
        raise HabitusError(
            f"{folder.path}: expected a run begun with `habitus run`, found none; start it with `habitus run --out`"
        )
    places = {key: Path(noted[key]) if noted[key] else None for key in ("source", "ledger")}
    return Command(**{**noted, **places})


def _plain(command: Command) -> dict[str, Any]:
    """As JSON, with paths that hold from any folder."""
    places = {"source": command.source, "ledger": command.ledger}
    noted = {key: str(place.resolve()) if place else None for key, place in places.items()}
    config = str(Path(command.dataset).resolve()) if is_config(command.dataset) else command.dataset
    return {**command._asdict(), **noted, "dataset": config}


def _described(dataset: Dataset, wanted: Settings) -> dict[str, Any]:
    findings = (*dataset.findings, *peculiarities(dataset, wanted))
    return _identity(dataset) | {
        "fingerprint": dataset.fingerprint,
        "facts": dict(dataset.facts),
        "findings": [asdict(finding) for finding in findings],
        "notice": dataset.notice,
    }


def _identity(dataset: Dataset) -> dict[str, Any]:
    """What tasks and prompts are made of beside the rows that the fingerprint covers."""
    return {
        "name": dataset.name,
        "domain": asdict(dataset.domain),
        "levels": [asdict(level) for level in dataset.levels],
        "labels": dict(dataset.labels),
    }


def _refuse_drift(folder: RunFolder, dataset: Dataset, wanted: Settings) -> None:
    before = folder.manifest
    if "tables" not in before:
        return
    if before["dataset"]["fingerprint"] != dataset.fingerprint:
        was = before["dataset"]
        raise HabitusError(
            f"{folder.path} holds a study of {was['name']} ({was['fingerprint'][:8]}), not of {dataset.name}"
            f" ({dataset.fingerprint[:8]}); choose another folder with --out"
        )
    now = json.loads(json.dumps(_identity(dataset)))  # as the manifest gives it back
    differences = [f"{key} of the data set" for key in now if before["dataset"][key] != now[key]]
    differences += _differences(settings_of(folder).design(), wanted.design())
    _refuse(differences, f"{folder.path} holds a study with other settings:", "choose another folder with --out")


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return [f"{key} {before[key]} -> {after[key]}" for key in before if before[key] != after[key]]


def _refuse(differences: Sequence[str], what: str, mend: str) -> None:
    if differences:
        raise HabitusError(f"{what} {', '.join(differences)}; {mend}")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
