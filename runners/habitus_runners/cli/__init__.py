"""The command line: it parses and prints. What a command needs is imported when it runs, so that --help is quick."""

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Group, Parameter

if TYPE_CHECKING:
    from habitus_runners.datasets.dataset import Dataset
    from habitus_runners.settings import Settings

RUN, STAGES, CHECKS = Group("Run", sort_key=1), Group("Stages", sort_key=2), Group("Checks", sort_key=3)

app = App(
    name="habitus",
    help="How well does a language model generalise? Ask it to predict what people do.",
    help_epilogue="`habitus COMMAND --help` explains a command. --debug shows the traceback of an error.",
    help_format="markdown",
    version=lambda: version("habitus"),
    suppress_keyboard_interrupt=False,
)
app["--help"].group = app["--version"].group = Group("Other", sort_key=4)

check = App(name="check", help="Check a run against what must hold.", group=CHECKS)
app.command(check)

DatasetName = Annotated[str, Parameter(name=["--dataset", "-d"])]
Source = Annotated[Path | None, Parameter(name="--source")]
Models = Annotated[list[str] | None, Parameter(name=["--model", "-m"], negative="")]
Changes = Annotated[list[str] | None, Parameter(name="--set", negative="")]
Preset = Literal["paper", "sound"]


@app.command(group=RUN)
def run(
    *,
    dataset: DatasetName = "world",
    source: Source = None,
    model: Models = None,
    preset: Preset | None = None,
    seed: int | None = None,
    set_: Changes = None,
    out: Path | None = None,
) -> None:
    """Do the whole job: data, tasks, answers, scores, report. Started again, it goes on where it stopped.

    Args:
        dataset: `world` (synthetic, its truth known), `ml-1m`, `lastfm-1k`, or a CONFIG.toml about your own tables.
        source: a local zip or folder with the data set's files; without it they are downloaded.
        model: whom to ask; may be given again and again. Default: every baseline that makes sense for the data.
        preset: `paper` (default) reproduces Saha & Choudhury (2025), `sound` can be defended statistically.
        seed: of every random draw. Default: 0.
        set_: set one key of the method anew, as in `--set history.match=1`; may be given again and again.
        out: the run's folder. Default: habitus-runs/DATASET-PRESET-SEED.
    """
    from habitus_runners import study, terminal  # noqa: PLC0415 - --help must not load them
    from habitus_runners.storage import RunFolder  # noqa: PLC0415 - as above

    wanted = _settings(dataset, preset, seed, set_)
    folder = RunFolder(out or _default_folder(dataset, wanted))
    with terminal.progress() as advance:
        loaded = _dataset(dataset, source, wanted, advance)
        report = study.run(folder, loaded, wanted, model or (), progress=advance)
    terminal.show_results(folder.read("results"), wanted.fill)
    terminal.say(f"Report: {report}")


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

    with terminal.progress() as advance:
        _dataset(dataset, source, _settings(dataset, preset, None, set_), advance)


@app.command(group=STAGES)
def tasks(
    *,
    dataset: DatasetName = "world",
    source: Source = None,
    preset: Preset | None = None,
    seed: int | None = None,
    set_: Changes = None,
    out: Path | None = None,
) -> None:
    """Draw the tasks and print how many there are, beside the paper's Table 1.

    Args:
        dataset: see `habitus run`.
        source: see `habitus run`.
        preset: see `habitus run`.
        seed: see `habitus run`.
        set_: see `habitus run`.
        out: see `habitus run`.
    """
    from habitus_runners import study, terminal  # noqa: PLC0415 - --help must not load them
    from habitus_runners.storage import RunFolder  # noqa: PLC0415 - as above

    wanted = _settings(dataset, preset, seed, set_)
    folder = RunFolder(out or _default_folder(dataset, wanted))
    with terminal.progress() as advance:
        loaded = _dataset(dataset, source, wanted, advance)
        with folder.held(new=True):
            study.make_tasks(folder, loaded, wanted, progress=advance)
    terminal.show_table_1(folder.manifest)
    terminal.say(f"Tasks: {folder.path / 'tasks.parquet'}")


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
        results = study.score(run_folder, _changes(set_), progress=advance)
        terminal.show_results(results, study.settings_of(run_folder).fill)


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


@app.command(group=CHECKS)
def doctor() -> int:
    """Check this installation: versions, the compiled engine against known values, folders that must be writable."""
    from habitus_runners import doctor as checks  # noqa: PLC0415 - --help must not load them
    from habitus_runners import terminal  # noqa: PLC0415 - as above

    findings = checks.examine()
    terminal.show_checks(findings)
    return 0 if all(finding.good for finding in findings) else 1


@check.command
def paper(folder: Path, *, source: Source = None, example: Path | None = None) -> None:
    """Recompute the method's own figures from a run of preset `paper` on `ml-1m`, beside what they should be.

    Args:
        folder: the run's folder.
        source: the local copy of MovieLens-1M, for `--example`.
        example: JSON with the facts of the paper's one published prompt, which is then replayed on the ratings.
    """
    from habitus_runners import reproduction, study, terminal  # noqa: PLC0415 - --help must not load them
    from habitus_runners.storage import RunFolder  # noqa: PLC0415 - as above

    run_folder = RunFolder(folder)
    wanted = study.settings_of(run_folder)
    reproduction.refuse_others(run_folder.manifest)
    tables = {name: run_folder.read(name) for name in ("tasks", "rankings", "results")}
    figures = list(reproduction.of_run(tables, run_folder.manifest, wanted))
    if example:
        with terminal.progress() as advance:
            loaded = _dataset("ml-1m", source, wanted, advance)
        figures += reproduction.of_example(example, loaded, wanted)
    terminal.show_figures(figures)


def _settings(dataset: str, preset: str | None, seed: int | None, changes: list[str] | None) -> "Settings":
    from habitus_runners.datasets import is_config  # noqa: PLC0415 - --help must not load it
    from habitus_runners.settings import settings  # noqa: PLC0415 - as above

    given: dict[str, Any] = {}
    if is_config(dataset):
        from habitus_runners.datasets import tabular  # noqa: PLC0415 - as above

        given = tabular.overrides(Path(dataset))
    options = {key: value for key, value in (("preset", preset), ("seed", seed)) if value is not None}
    return settings(overrides={**given, **_changes(changes), **options})


def _changes(pairs: list[str] | None) -> dict[str, Any]:
    """KEY=VALUE pairs; a value is JSON where it can be read as such, else text."""
    import json  # noqa: PLC0415 - --help must not load it

    from habitus_runners.errors import HabitusError  # noqa: PLC0415 - as above

    changes: dict[str, Any] = {}
    for pair in pairs or ():
        key, sign, value = pair.partition("=")
        if not sign or not key:
            raise HabitusError(f"--set: expected KEY=VALUE, got {pair!r}")
        try:
            changes[key] = json.loads(value)
        except ValueError:
            changes[key] = value
    return changes


def _dataset(name: str, source: Path | None, wanted: "Settings", advance: Any) -> "Dataset":  # noqa: ANN401 - a Progress
    """Load a data set, and show its licence, its size, and what is wrong in it or will not be used."""
    from habitus_runners import datasets, terminal  # noqa: PLC0415 - --help must not load them
    from habitus_runners.tasks.material import peculiarities  # noqa: PLC0415 - as above

    published = datasets.notice(name)
    terminal.say(published)
    loaded = datasets.load(name, source, seed=wanted.seed, options=wanted.data, progress=advance)
    terminal.say("" if published else loaded.notice)
    terminal.show_dataset(loaded, peculiarities(loaded, wanted))
    return loaded


def _default_folder(dataset: str, wanted: "Settings") -> Path:
    from habitus_runners.datasets import is_config  # noqa: PLC0415 - --help must not load it

    name = Path(dataset).parent.name or "config" if is_config(dataset) else dataset
    return Path("habitus-runs") / f"{name}-{wanted.preset}-{wanted.seed}"
