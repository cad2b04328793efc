"""The command that checks the line beside a number."""

from pathlib import Path

from habitus_runners.cli.checks import check


@check.command
def signature(text: str, folder: Path | None = None, /) -> int:
    """Check the signature of a number: its form, and whether the tables of a run give the number again.

    Exit status: 0 recomputed and equal, 1 it differs or is no signature, 6 no run was found and its form alone checked.

    Args:
        text: the signature, as it stands beside a number.
        folder: the run's folder. Default: what fits among those in habitus-runs, and the last run.
    """
    from habitus_runners import signature_check, terminal  # noqa: PLC0415 - --help must not load them

    checked = signature_check.check(text, [folder] if folder else _nearby(), named=folder is not None)
    verdicts = {True: "ok", False: "DIFFERS", None: ""}
    for finding in checked.findings:
        found = "" if finding.found in {None, finding.said} else f", in the run {finding.found}"
        said = f"{finding.part:>22}  {finding.said}{found}  ({finding.meaning})"
        terminal.say(f"{verdicts[finding.agrees]:>7} {said}" if checked.folder else said)
    for line in checked.passed_over:
        terminal.say(f"passed over: {line}")
    terminal.say(checked.verdict)
    return checked.status


def _nearby() -> list[Path]:
    """Where runs are, if nobody says: the default folder, and the last run's."""
    from habitus_runners import latest  # noqa: PLC0415 - --help must not load it
    from habitus_runners.errors import HabitusError  # noqa: PLC0415 - as above

    folders = sorted(path.parent for path in Path("habitus-runs").glob("*/manifest.json"))
    try:
        last = latest.recall()
    except HabitusError:
        return folders
    return list(dict.fromkeys((last, *folders)))
