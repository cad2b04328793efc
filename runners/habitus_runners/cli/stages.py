"""Commands that do one stage of the job."""

from pathlib import Path

from habitus_runners.cli.app import STAGES, app
from habitus_runners.cli.options import Changes, Preset, Source, StudyOptions, changes, load

_DEFAULT_STUDY = StudyOptions()


@app.command(group=STAGES)
def fetch(dataset: str, /, *, source: Source = None, preset: Preset | None = None, set_: Changes = None) -> None:
    """Download a data set, or read a local copy; show its licence, its size and what is wrong in it.

    Args:
        dataset: see `habitus run`.
        source: a local zip or folder.
        preset: `paper` or `sound`.
        set_: see `habitus run`.
    """
    from habitus_runners import terminal  # noqa: PLC0415 - --help must not load it

    what = StudyOptions(dataset=dataset, preset=preset, set_=set_)
    with terminal.progress() as advance:
        load(dataset, source, what.settings(), advance)


@app.command(group=STAGES)
def tasks(*, what: StudyOptions = _DEFAULT_STUDY) -> None:
    """Draw the tasks and print how many there are, beside the paper's Table 1."""
    from habitus_runners import study, terminal  # noqa: PLC0415 - --help must not load them
    from habitus_runners.storage import RunFolder  # noqa: PLC0415 - as above

    wanted = what.settings()
    folder = RunFolder(what.folder(wanted))
    with terminal.progress() as advance:
        loaded = load(what.dataset, what.source, wanted, advance)
        with folder.held(new=True):
            study.make_tasks(folder, loaded, wanted, progress=advance)
    terminal.show_table_1(folder.manifest)
    terminal.say(f"Tasks: {folder.path / 'tasks.parquet'}")


@app.command(group=STAGES)
def parse(folder: Path, *, parser: str = "titles", source: Source = None) -> None:
    """Read the answers of a run again, with another parser if you like; no model is called. Then score and report.

    Args:
        folder: a run's folder.
        parser: `titles` finds titles however they are written; `strict` takes a JSON list of exact titles and no other.
        source: a local copy of the data set, if it is no longer where it was.
    """
    from habitus_runners import study, terminal  # noqa: PLC0415 - --help must not load them
    from habitus_runners.storage import RunFolder  # noqa: PLC0415 - as above

    run_folder = RunFolder(folder)
    wanted, command = study.settings_of(run_folder), study.command_of(run_folder)
    with run_folder.held(), terminal.progress() as advance:
        loaded = load(command.dataset, source or command.source, wanted, advance)
        study.parse(run_folder, loaded, parser, progress=advance)
        results = study.score(run_folder, progress=advance)
        path = study.write_report(run_folder, progress=advance)
    terminal.show_verdicts(run_folder.read("rankings"))
    terminal.show_results(results, wanted)
    terminal.say(f"Report: {path}")


@app.command(group=STAGES)
def score(folder: Path, *, set_: Changes = None) -> None:
    """Score the rankings of a run again, from its tables alone, and print the results.

    Args:
        folder: a run's folder.
        set_: `fill`, `target.alpha`, `curve.bins`, `curve.window` or `curve.degree`, as in `--set target.alpha=0.5`.
    """
    from habitus_runners import study, terminal  # noqa: PLC0415 - --help must not load them
    from habitus_runners.storage import RunFolder  # noqa: PLC0415 - as above

    run_folder = RunFolder(folder)
    with run_folder.held(), terminal.progress() as advance:
        results = study.score(run_folder, changes(set_), progress=advance)
        terminal.show_results(results, study.settings_of(run_folder))


@app.command(group=STAGES)
def report(folder: Path) -> None:
    """Write the report and its figures again, from the tables of a run alone.

    Args:
        folder: a run's folder.
    """
    from habitus_runners import study, terminal  # noqa: PLC0415 - --help must not load them
    from habitus_runners.storage import RunFolder  # noqa: PLC0415 - as above

    run_folder = RunFolder(folder)
    with run_folder.held(), terminal.progress() as advance:
        path = study.write_report(run_folder, progress=advance)
    terminal.say(f"Report: {path}")
