"""The command that asks what a run's conclusions depend on."""

from pathlib import Path

from habitus_runners.cli.checks import check
from habitus_runners.cli.options import Source, load


@check.command
def sensitivity(folder: Path, *, source: Source = None) -> None:
    """Recompute the headline under each other choice of the method, and say which conclusions survive; no model is
    called.

    Args:
        folder: a run's folder; `sensitivity.html` and `sensitivity.json` are written into it.
        source: a local copy of the data set, for other candidates.
    """  # noqa: D205 - cyclopts takes the first paragraph
    from habitus_runners import study, terminal  # noqa: PLC0415 - --help must not load them
    from habitus_runners.errors import HabitusError  # noqa: PLC0415 - as above
    from habitus_runners.sensitivity import examine, page, showing  # noqa: PLC0415 - as above
    from habitus_runners.storage import RunFolder  # noqa: PLC0415 - as above

    run_folder = RunFolder(folder)
    wanted = study.settings_of(run_folder)
    with run_folder.held(), terminal.progress() as advance:
        dataset = None
        try:
            command = study.command_of(run_folder)
            dataset = load(command.dataset, source or command.source, wanted, advance)
        except HabitusError as error:
            terminal.say(f"{error}; other candidates are not tried")
        found = examine(run_folder, dataset, progress=advance)
        path = page.write(found, run_folder.manifest, run_folder.path)
    showing.show(found)
    terminal.say(f"Page: {path}")
