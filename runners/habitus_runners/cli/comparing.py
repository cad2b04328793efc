"""Commands about several models: are they told apart, and the results as a table for a paper."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from habitus_runners.cli.app import STAGES, app

Models = Annotated[list[str] | None, Parameter(name=["--model", "-m"], negative="")]


@app.command(group=STAGES)
def compare(
    folders: Annotated[list[Path], Parameter(negative="")], /, *, model: Models = None, out: Path | None = None
) -> None:
    """Say which models are better than which, and whether that could be chance, on the tasks that all of them answered.

    Args:
        folders: one run's folder, or those of several runs of the same tasks.
        model: whom to compare; may be given again and again. Default: all.
        out: a file for all pairs, `.csv` or `.tex` (booktabs).
    """
    from habitus_runners import comparison, export, paired, terminal  # noqa: PLC0415 - --help must not load them

    if out is not None:
        export.check(out)
    runs = [paired.read(folder) for folder in folders]
    found = comparison.compare(paired.paired(runs, model or ()), seed=runs[0].settings.seed)
    terminal.show_comparison(found)
    if out is not None:
        export.write(out, export.of_pairs(found))
        terminal.say(f"Pairs: {out}")


@app.command(group=STAGES)
def export(folder: Path, /, *, out: Path, setup: str = "all") -> None:
    """Write the results of a run as a table for a paper or a spreadsheet.

    Args:
        folder: a run's folder.
        out: a file that ends in `.csv` or `.tex` (booktabs).
        setup: `A`, `B`, `C` or `N`; default: all tasks.
    """
    from habitus_runners import export as exporting  # noqa: PLC0415 - --help must not load them
    from habitus_runners import terminal  # noqa: PLC0415 - as above

    exporting.check(out)
    exporting.write(out, exporting.of_results(exporting.read(folder), setup))
    terminal.say(f"Results: {out}")
