"""What the command line shows: progress, tables, lines. Text from data and models is never read as markup."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from habitus_runners import paper
from habitus_runners import progress as reporting
from habitus_runners.tables import BIT, POOLED, frame

if TYPE_CHECKING:
    from habitus_runners.datasets.dataset import Dataset, Finding
    from habitus_runners.doctor import Check
    from habitus_runners.reproduction import Figure

_console = Console(markup=False, highlight=False, emoji=False)


def say(line: str) -> None:
    """One line, unbroken, so that a path in it can be copied; nothing if it is empty."""
    if line:
        _console.print(Text(line), soft_wrap=True)


@contextmanager
def progress() -> Iterator[reporting.Progress]:
    """Show how far each stage is: bars on a terminal, one line per finished stage elsewhere."""
    columns = (TextColumn("{task.description:>12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bars = Progress(*columns, console=_console, disable=not _console.is_terminal)
    stages: dict[str, TaskID] = {}

    def advance(stage: str, done: int, total: int | None = None) -> None:
        if stage not in stages:
            stages[stage] = bars.add_task(stage, total=total)
        bars.update(stages[stage], completed=done, total=total)
        if done == total and not _console.is_terminal:
            say(f"{stage}: {done} of {total}")

    with bars:
        yield advance


def show_dataset(dataset: "Dataset", further: "Sequence[Finding]" = ()) -> None:
    """Its size, and what was wrong in it."""
    say(f"{dataset.name}: " + ", ".join(f"{count:,} {what}" for what, count in dataset.facts.items()))
    for finding in (*dataset.findings, *further):
        say(f"  {finding.kind}: {finding.count:,}, as in {finding.example}")


def show_table_1(manifest: Mapping[str, Any]) -> None:
    """Tasks kept per level and history length, with the paper's number behind a slash where it has one."""
    levels = [level["name"] for level in manifest["dataset"]["levels"]]
    lengths = manifest["settings"]["history"]["lengths"]
    theirs = paper.TABLE_1.get(manifest["dataset"]["name"], {})
    table = Table(title="Tasks per proxy level and history length" + (" (habitus/paper)" if theirs else ""))
    table.add_column("level", overflow="fold")
    for length in lengths:
        table.add_column(f"h = {length}", justify="right", no_wrap=True)
    total = 0
    for level in levels:
        row = [level]
        for length in lengths:
            kept = sum(d["kept"] for d in manifest["draws"] if d["level"] == level and d["history"] == length)
            total += kept
            published = dict(zip(paper.LENGTHS, theirs.get(level, ()), strict=False)).get(length)
            row.append(f"{kept}" if published is None else f"{kept}/{published}")
        table.add_row(*row)
    _console.print(table)
    say(f"{total:,} tasks" + (f"; the paper has {sum(map(sum, theirs.values())):,}" if theirs else ""))


def show_results(results: pa.Table, fill: str) -> None:
    """One line per model, all tasks together, best skill first; bits."""
    everything = pl.all_horizontal(pl.col("setup", "level", "history") == POOLED)
    rows = frame(results).filter(everything & (pl.col("fill") == fill)).sort("skill", descending=True, nulls_last=True)
    first = rows.row(0, named=True)
    say(f"{first['tasks']:,} tasks, mean entropy {_bits(first['entropy'], 3)} bits, empty slots filled by {fill}")
    table = Table()
    for name in ("model", "CE (bits)", "gap (bits)", "skill", "inversion", "valid"):
        table.add_column(name, justify="left" if name == "model" else "right", no_wrap=True)
    for row in rows.iter_rows(named=True):
        inversion = _bits(row["inversion"], 2) if row["outcome"] == "value" else row["outcome"]
        figures = (_bits(row["cross_entropy"], 3), _bits(row["gap"], 3), _number(row["skill"], 3))
        table.add_row(Text(row["model"]), *figures, inversion, f"{row['validity']:.1%}")
    _console.print(table)


def show_figures(figures: Sequence["Figure"]) -> None:
    """What was expected beside what was found."""
    table = Table()
    for name in ("figure", "the method says", "found here"):
        table.add_column(name)
    for figure in figures:
        table.add_row(Text(figure.name), Text(figure.expected), Text(figure.found))
    _console.print(table)


def show_checks(checks: Sequence["Check"]) -> None:
    """One line per check, and a verdict."""
    table = Table()
    for name in ("check", "", "seen"):
        table.add_column(name)
    for check in checks:
        table.add_row(check.name, Text("ok", "green") if check.good else Text("BAD", "bold red"), Text(check.seen))
    _console.print(table)
    bad = [check.name for check in checks if not check.good]
    say(f"not as it should be: {', '.join(bad)}" if bad else "all is as it should be")


def _bits(nats: float | None, digits: int) -> str:
    return _number(None if nats is None else nats / BIT, digits)


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
