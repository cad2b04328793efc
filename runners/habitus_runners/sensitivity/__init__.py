"""Which conclusions of a run survive other choices: the headline recomputed under each, without asking any model."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pyarrow as pa

from habitus_runners import study
from habitus_runners.datasets.dataset import Dataset
from habitus_runners.errors import HabitusError
from habitus_runners.progress import Progress, silent
from habitus_runners.sensitivity.alternatives import alternatives
from habitus_runners.sensitivity.conclusions import Conclusion, Verdict, competing, conclusions, verdict
from habitus_runners.sensitivity.reading import Reading
from habitus_runners.sensitivity.recomputing import Recomputation
from habitus_runners.sensitivity.redrawing import CAP, RULES, redrawn
from habitus_runners.settings import Settings
from habitus_runners.storage import RunFolder

__all__ = ["Row", "Sensitivity", "examine"]


class Row(NamedTuple):
    """One alternative: what it finds, and a verdict per conclusion, in their order."""

    family: str
    name: str
    reading: Reading
    verdicts: tuple[Verdict, ...]


class Sensitivity(NamedTuple):
    """The run's own ``base`` and conclusions, a row per alternative, and notes on what could not be tried."""

    base: Reading
    conclusions: tuple[Conclusion, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


class _Run(NamedTuple):
    """What drawing anew needs to know."""

    settings: Settings
    command: study.Command
    rivals: tuple[str, ...]
    progress: Progress


def examine(folder: RunFolder, dataset: Dataset | None = None, *, progress: Progress = silent) -> Sensitivity:
    """Recompute the headline under every alternative.

    Args:
        folder: a run with rankings.
        dataset: that its tasks were drawn from, for other candidates; without it these are not tried.
        progress: told how many alternatives are done.

    Raises:
        HabitusError: there are no rankings, or the data set is another.
    """
    settings, tables = study.settings_of(folder), {name: folder.read(name) for name in ("tasks", "members", "rankings")}
    rivals, notes = _rivals(tables)
    recomputed = Recomputation(tables, settings, rivals)
    base = recomputed.reading()
    found = tuple(conclusions(base, rivals))
    if not recomputed.faulty:
        notes.append("no list has an empty slot: how these are filled changes nothing")
    if dataset is None:
        notes.append("other candidates were not tried: the data set was not found; name it with --source")
    elif dataset.fingerprint != folder.manifest["dataset"]["fingerprint"]:
        raise HabitusError(
            f"{folder.path}: expected the data set {folder.manifest['dataset']['fingerprint'][:8]},"
            f" got {dataset.fingerprint[:8]}"
        )
    choices = alternatives(settings, tables["tasks"], faulty=recomputed.faulty)
    rows = []
    for done, one in enumerate(choices, start=1):
        rows.append(_row(one.family, one.name, recomputed.reading(one), found))
        progress("alternatives", done, len(choices))
    if dataset is not None:
        rows += _of_candidates(_Run(settings, study.command_of(folder), rivals, progress), dataset, found, notes)
    return Sensitivity(base, found, tuple(rows), tuple(notes))


def _rivals(tables: dict[str, pa.Table]) -> tuple[tuple[str, ...], list[str]]:
    """The models that conclusions are about, and a note on those that answered a part of the tasks."""
    rankings = tables["rankings"]
    counted = rankings.group_by(["model", "task_id"]).aggregate([]).group_by("model").aggregate([("task_id", "count")])
    answered = dict(zip(counted["model"].to_pylist(), counted["task_id_count"].to_pylist(), strict=True))
    most = max(answered.values(), default=0)
    partial = [name for name in competing(answered) if answered[name] < most]
    notes = [f"left out, because they answered a part of the tasks: {', '.join(partial)}"] if partial else []
    return tuple(name for name in competing(answered) if name not in partial), notes


def _row(family: str, name: str, reading: Reading, found: Sequence[Conclusion]) -> Row:
    return Row(family, name, reading, tuple(verdict(one, reading) for one in found))


def _of_candidates(run: _Run, dataset: Dataset, found: Sequence[Conclusion], notes: list[str]) -> Iterator[Row]:
    notes.append(f"other candidates: tasks drawn anew, at most {CAP} per proxy level and history length")
    for done, rule in enumerate(RULES, start=1):
        try:
            one = redrawn(dataset, run.settings, run.command, rule)
        except HabitusError as error:
            notes.append(f"candidates {rule}: {error}")
            continue
        if "rankings" in one.tables:
            reading = Recomputation(one.tables, one.settings, run.rivals).reading()
        else:
            reading = Reading(one.tables["tasks"].num_rows, {}, {}, {}, {}, {})
        yield _row("candidates", one.name, reading, found)
        run.progress("candidates", done, len(RULES))
