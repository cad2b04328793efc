"""Commands that check an installation or a run against what must hold."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from habitus_runners.cli.app import CHECKS, app
from habitus_runners.cli.options import Source, load

check = App(name="check", help="Check a run against what must hold.", group=CHECKS)
app.command(check)


@app.command(group=CHECKS)
def doctor(*, chaos: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Check this installation: versions, the compiled engine against known values, folders that must be writable.

    Args:
        chaos: also run the `openai` runner against a local server that fails in every way a service can.
    """
    from habitus_runners import doctor as checks  # noqa: PLC0415 - --help must not load them
    from habitus_runners import terminal  # noqa: PLC0415 - as above

    findings = checks.examine()
    if chaos:
        from habitus_runners.chaos import examine  # noqa: PLC0415 - as above

        findings += examine()
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
            loaded = load("ml-1m", source, wanted, advance)
        figures += reproduction.of_example(example, loaded, wanted)
    terminal.show_figures(figures)
