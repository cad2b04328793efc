"""The pipeline, stage by stage, on a run folder: data -> tasks -> prompts -> answers -> rankings -> scores -> report.

Tasks and answers are kept: an interrupted study goes on where it stopped. What follows from them (rankings, scores,
results, report) is made anew whenever it is asked for.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from habitus_runners import models, report, results, scores, tasks
from habitus_runners.datasets.dataset import Dataset
from habitus_runners.errors import HabitusError
from habitus_runners.models.model import Model, Request
from habitus_runners.progress import Progress, silent
from habitus_runners.prompts.rankings import rankings
from habitus_runners.prompts.render import Prompts
from habitus_runners.settings import Settings, validated
from habitus_runners.storage import RunFolder
from habitus_runners.tables import answers_schema
from habitus_runners.tasks.material import peculiarities


def run(
    folder: RunFolder, dataset: Dataset, wanted: Settings, specs: Sequence[str] = (), *, progress: Progress = silent
) -> Path:
    """The whole job, or what is left of it. Returns the report's path.

    Args:
        folder: new, or of an interrupted run of the same study.
        dataset: what is predicted.
        wanted: the study's settings.
        specs: the models' names; default: those that make sense for the data set.
        progress: told how far each stage is.

    Raises:
        HabitusError: the folder holds another study, a model is unknown, or a stage says what is wrong.
    """
    chosen = specs or models.defaults(dataset)
    for spec in chosen:
        models.check(spec, dataset)
    _prompts(dataset, wanted)
    with folder.held(new=True):
        make_tasks(folder, dataset, wanted, progress=progress)
        ask(folder, dataset, chosen, progress=progress)
        parse(folder, dataset, progress=progress)
        score(folder, progress=progress)
        return write_report(folder, progress=progress)


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


def ask(folder: RunFolder, dataset: Dataset, specs: Sequence[str], *, progress: Progress = silent) -> None:
    """Have every model answer every task, except for answers the folder already holds; written model by model.

    A request that failed is made again, and its new answer takes the failure's place.

    Raises:
        HabitusError: an unknown model, or answers that were given to other prompts or by another revision of a model.
    """
    wanted, table = settings_of(folder), folder.read("tasks")
    evidence = models.Evidence(dataset, table, folder.read("members"), wanted)
    chosen = [models.create(spec, evidence, wanted.seed) for spec in dict.fromkeys(specs)]
    texts = _prompts(dataset, wanted).texts(table)
    _record_askers(folder, chosen, texts)
    named = zip(table["task_id"].to_pylist(), texts, strict=True)
    requests = [Request(row, task_id, text) for row, (task_id, text) in enumerate(named)]
    answered = folder.read("answers") if folder.has("answers") else answers_schema().empty_table()
    known = set(answered.filter(pc.is_null(answered["error"]))["answer_id"].to_pylist())
    for done, model in enumerate(chosen, start=1):
        missing = [(_answer_id(model, request), request) for request in requests]
        missing = [(answer_id, request) for answer_id, request in missing if answer_id not in known]
        if missing:
            rows = _answer_rows(model, missing)
            earlier = answered.filter(pc.invert(pc.is_in(answered["answer_id"], rows["answer_id"].combine_chunks())))
            answered = pa.concat_tables([earlier, rows]).unify_dictionaries()
            folder.write("answers", answered)
        progress("answers", done, len(chosen))


def parse(folder: RunFolder, dataset: Dataset, *, progress: Progress = silent) -> None:
    """Read every answer: the rankings table. Needs the data set for its titles, and no model."""
    titles = dataset.items["title"].to_list()
    length = settings_of(folder).candidates.N
    folder.write("rankings", rankings(folder.read("answers"), folder.read("tasks"), titles, length))
    progress("rankings", 1, 1)


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
    scored = scores.score(table, folder.read("rankings"), wanted)
    folder.record(settings=wanted.model_dump(mode="json"))
    folder.write("scores", scored)
    progress("scores", 1, 1)
    summary = results.summarise(table, scored, wanted)
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


def _record_askers(folder: RunFolder, chosen: Sequence[Model], texts: Sequence[str]) -> None:
    """Note who is asked what. Answers to other prompts, or of another revision, would be pooled with the new ones."""
    before = folder.manifest
    revisions = {model["name"]: model["revision"] for model in before.get("models", [])}
    asked = {model.name: model.revision for model in chosen}
    prompts = hashlib.blake2b("\0".join(texts).encode(), digest_size=16).hexdigest()
    if folder.has("answers"):
        changed = {"prompts": before["prompts"]} | {name: revisions[name] for name in asked if name in revisions}
        differences = _differences(changed, {"prompts": prompts, **asked})
        _refuse(
            differences,
            f"{folder.path} holds answers to other requests:",
            "choose another folder with --out",
        )
    everyone = [{"name": name, "revision": revision} for name, revision in (revisions | asked).items()]
    folder.record(models=everyone, prompts=prompts)


def _answer_rows(model: Model, missing: Sequence[tuple[str, Request]]) -> pa.Table:
    given = model.answers([request for _, request in missing])
    columns: dict[str, list[Any]] = {name: [] for name in answers_schema().names}
    for (answer_id, request), answer in zip(missing, given, strict=True):
        if answer.task_id != request.task_id:
            raise HabitusError(
                f"{model.name}: expected answers in the order asked, got {answer.task_id} for {request.task_id}"
            )
        row = {"answer_id": answer_id, "model": model.name, "method": "text", **answer._asdict()}
        for name, values in columns.items():
            values.append(row.get(name))
    return pa.table([pa.array(columns[field.name], field.type) for field in answers_schema()], schema=answers_schema())


def _answer_id(model: Model, request: Request, sample: int = 0) -> str:
    """Hash of everything that could change the answer."""
    what = json.dumps([model.name, model.revision, request.task_id, request.prompt, sample])
    return hashlib.blake2b(what.encode(), digest_size=16).hexdigest()


def _prompts(dataset: Dataset, wanted: Settings) -> Prompts:
    template = Path(wanted.prompt.template) if wanted.prompt.template else None
    return Prompts(dataset, wanted, template, wanted.prompt.language)


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
