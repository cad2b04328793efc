"""Commands that check an installation or a run against what must hold."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from habitus_runners.cli.app import CHECKS, app
from habitus_runners.cli.options import Source, load

if TYPE_CHECKING:
    from habitus_runners.reproduction import Studied

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
def paper(
    folder: Path, folder_sound: Path | None = None, /, *, source: Source = None, example: Path | None = None
) -> None:
    """What the paper says beside what `ml-1m` gives: the method's figures, and the page FOLDER/reproduction.html.

    Args:
        folder: of a run of `ml-1m` with preset `paper`.
        folder_sound: of a run of `ml-1m` with preset `sound`, for the second column.
        source: the local copy of MovieLens-1M, for `--example`.
        example: JSON with the facts of the paper's one published prompt, which is then replayed on the ratings.
    """
    from habitus_runners import reproduction, terminal  # noqa: PLC0415 - --help must not load them

    first = _reproduced(folder, "paper")
    second = _reproduced(folder_sound, "sound") if folder_sound else None
    figures, prompt = list(reproduction.of_run(first.tables, first.manifest, first.settings)), None
    if example:
        with terminal.progress() as advance:
            loaded = load("ml-1m", source, first.settings, advance)
        replayed, prompt = reproduction.of_example(example, loaded, first.settings)
        figures += replayed
    terminal.show_figures(figures)
    found = reproduction.claims(first, second, prompt)
    for claim in found:
        beside = f"; sound: {claim.sound.verdict}" if claim.sound else ""
        terminal.say(f"{claim.name}: {claim.paper.verdict}{beside}")
    terminal.say(f"Page: {reproduction.build(first, second, found, figures, prompt, folder)}")


def _reproduced(folder: Path, preset: str) -> "Studied":
    from habitus_runners import reproduction, study  # noqa: PLC0415 - --help must not load them
    from habitus_runners.storage import RunFolder  # noqa: PLC0415 - as above

    run_folder = RunFolder(folder)
    study.settings_of(run_folder)
    reproduction.refuse_others(run_folder.manifest, preset)
    return reproduction.studied({name: run_folder.read(name) for name in reproduction.TABLES}, run_folder.manifest)
