"""Tables for papers and spreadsheets: a run's results, or all pairs of a comparison, as LaTeX (booktabs) or CSV.

CSV has every column at full precision; LaTeX what a page holds, rounded. Undefined numbers are empty, never 0.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from habitus_runners.comparison import Comparison, bits
from habitus_runners.errors import HabitusError
from habitus_runners.model import SEE_THE_ANSWER
from habitus_runners.prompts.titles import visible
from habitus_runners.settings import Settings, validated
from habitus_runners.significance import LEAST_SHOWN
from habitus_runners.storage import RunFolder, atomic
from habitus_runners.tables import BIT, POOLED, frame

_DAGGER = r"$^{\dagger}$"
_NOTE = rf"{_DAGGER} is shown the answer: better or worse by construction."
_LATEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"{\ttfamily\char34}", "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}", "[": "{[}", "]": "{]}", "*": "{*}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}  # fmt: skip


_MISSING = "--"
_ON_A_PAGE = 40
_TEXTS = ("Model", "First", "Second")  # headings of columns of words
_IN_CSV = {
    "difference": "difference_bits", "low": "difference_low_bits", "high": "difference_high_bits",
    "skill": "skill_difference", "skill_low": "skill_difference_low", "skill_high": "skill_difference_high",
    "adjusted": "p_holm", "detectable": "detectable_bits",
}  # fmt: skip
# Whether it is longer than a page -> the table.
_ENVIRONMENT = {
    False: r"""% \usepackage{{{packages}}}
\begin{{table}}
\centering\footnotesize\setlength{{\tabcolsep}}{{3pt}}
\caption{{{caption}}}
\label{{{label}}}
\begin{{tabular}}{{{columns}}}
\toprule
{heading}
\midrule
{rows}
\bottomrule{note}
\end{{tabular}}
\end{{table}}
""",
    True: r"""% \usepackage{{{packages}}}
\begingroup\footnotesize\setlength{{\tabcolsep}}{{3pt}}
\begin{{longtable}}{{{columns}}}
\caption{{{caption}}}
\label{{{label}}} \\
\toprule
{heading}
\midrule
\endhead
{rows}
\bottomrule{note}
\end{{longtable}}
\endgroup
""",
}
_LIGATURE = re.compile("([-,])(?=[-,])")


class Column(NamedTuple):
    """One column of a LaTeX table: its heading with the unit, and how a row's number is shown.

    ``best``: a number that is least for the best row, None where a row has none.
    """

    heading: str
    shown: Callable[[Mapping[str, Any]], str]
    best: Callable[[Mapping[str, Any]], float | None] | None = None


class Sheet(NamedTuple):
    """``rows`` are what CSV has; LaTeX shows them by ``columns``, the best of a column in bold.

    Rows whose ``sees_the_answer`` is true do not compete. ``caption`` is LaTeX.
    """

    rows: pl.DataFrame
    columns: tuple[Column, ...]
    caption: str
    label: str


class Run(NamedTuple):
    """What is exported of a run."""

    results: pa.Table
    dataset: str
    settings: Settings


def check(path: Path) -> None:
    """See that the file's name says which format is wanted, before anything is computed for it.

    Raises:
        HabitusError: it does not.
    """
    if path.suffix.lower() not in WRITERS:
        raise HabitusError(f"--out: expected a file that ends in {' or '.join(WRITERS)}, got {path.name!r}")


def write(path: Path, sheet: Sheet) -> None:
    """The sheet as a file of the kind that its name asks for; it appears whole or not at all.

    Raises:
        HabitusError: another kind than .csv and .tex, or a file that cannot be written.
    """
    check(path)
    with atomic(path) as file:
        file.write(WRITERS[path.suffix.lower()](sheet).encode())


def read(folder: Path) -> Run:
    """What is exported of a run's folder.

    Raises:
        HabitusError: it holds no results.
    """
    run = RunFolder(folder)
    results, manifest = run.read("results"), run.manifest
    return Run(results, manifest["dataset"]["name"], validated(manifest["settings"]))


def of_results(run: Run, setup: str = POOLED) -> Sheet:
    """A row per model, best skill first: its results over all levels and history lengths, by the run's own fill.

    Args:
        run: its results.
        setup: one of the results table's.

    Raises:
        HabitusError: no task has this setup.
    """
    rows = frame(_in_bits(run.results)).filter(fill=run.settings.fill, level=POOLED, history=POOLED)
    found = rows.filter(setup=setup).sort("skill", "model", descending=[True, False], nulls_last=True)
    if not found.height:
        raise HabitusError(f"--setup {setup}: expected one of {', '.join(sorted(rows['setup'].unique()))}")
    seen = pl.col("model").str.split(":").list.first().is_in(SEE_THE_ANSWER)
    where, tasks = "all setups" if setup == POOLED else f"setup {setup}", _range(found["tasks"].to_list())
    caption = (
        f"Data set {escaped(run.dataset)}, {where}, {tasks} tasks; empty slots filled by {run.settings.fill}. "
        "CE is cross-entropy, the gap what it is above the best list, skill 1 for the best list and 0 for a random one."
    )
    label = f"tab:results-{setup}"
    return Sheet(found.with_columns(sees_the_answer=seen), _RESULTS, caption, label)


def of_pairs(comparison: Comparison) -> Sheet:
    """A row per pair of models, in the order of the ranking."""
    seen = {model.name: model.kind in SEE_THE_ANSWER for model in comparison.models}
    about = {"tasks": comparison.tasks, "clusters": comparison.clusters}
    rows = [
        {_IN_CSV.get(name, name): value for name, value in pair._asdict().items()}
        | {"decided": pair.decided, "first_sees_the_answer": seen[pair.first]}
        | {"second_sees_the_answer": seen[pair.second]}
        | about
        for pair in comparison.pairs
    ]
    drawn = "all" if comparison.exact else f"{comparison.flips:,} random"
    caption = (
        f"Pairs of models on {comparison.tasks:,} tasks in {comparison.clusters:,} clusters. Difference: mean "
        f"cross-entropy of the first less that of the second, with its 95\\,\\% interval; $p$: {drawn} sign flips of "
        f"clusters, two-sided, after Holm's correction over {len(rows):,} pairs; least: the smallest difference that "
        "these tasks could have shown (two-sided 5\\,\\%, power 80\\,\\%)."
    )
    return Sheet(pl.DataFrame(rows).fill_nan(None), _PAIRS, caption, "tab:pairs")


def _in_bits(table: pa.Table) -> pa.Table:
    """Columns in nats, and per nat, in bits; named by their unit."""
    for place, field in enumerate(table.schema):
        unit = (field.metadata or {}).get(b"unit", b"")
        if unit == b"nats" or unit.endswith(b" per nat"):
            factor, ending = (1 / BIT, "_bits") if unit == b"nats" else (BIT, "_per_bit")
            table = table.set_column(place, field.name + ending, pc.multiply(table[place], factor))
    return table


def _range(tasks: list[int]) -> str:
    low, high = min(tasks), max(tasks)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _csv(sheet: Sheet) -> str:
    return sheet.rows.write_csv(line_terminator="\n")


def _latex(sheet: Sheet) -> str:
    """A table that needs the package booktabs, and longtable where it is longer than a page."""
    rows = sheet.rows.to_dicts()
    cells = [(column, _cells(column, rows)) for column in sheet.columns]
    kept = [(column.heading, shown) for column, shown in cells if any(text != _MISSING for text in shown)]
    lines = [" & ".join(row) + r" \\" for row in zip(*(shown for _, shown in kept), strict=True)]
    heading = " & ".join(heading for heading, _ in kept) + r" \\"
    note = [rf"\multicolumn{{{len(kept)}}}{{l}}{{\footnotesize {_NOTE}}} \\"] if _DAGGER in "".join(lines) else []
    texts = sum(heading in _TEXTS for heading, _ in kept)
    return _ENVIRONMENT[len(rows) > _ON_A_PAGE].format(
        packages="booktabs, longtable" if len(rows) > _ON_A_PAGE else "booktabs",
        caption=sheet.caption,
        label=sheet.label,
        columns="l" * texts + "r" * (len(kept) - texts),
        heading=heading,
        rows="\n".join(lines),
        note="\n".join(["", *note]),
    )


def _cells(column: Column, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a column shows, bold where it shows the best number of those that compete."""
    shown = [column.shown(row) for row in rows]
    if column.best is None:
        return shown
    competing = [(column.best(row), text) for row, text in zip(rows, shown, strict=True) if not row["sees_the_answer"]]
    known = [(value, text) for value, text in competing if value is not None]
    best = min(known)[1] if known else None
    return [
        rf"\textbf{{{text}}}" if text == best and not row["sees_the_answer"] else text
        for row, text in zip(rows, shown, strict=True)
    ]


def escaped(text: str) -> str:
    r"""``text`` as LaTeX prints it, whatever is in it; beyond Latin scripts LuaLaTeX is needed.

    >>> print(escaped("gpt_4 & 50% #1"))
    gpt\_4 \& 50\% \#1
    """
    return _LIGATURE.sub(r"\1{}", "".join(_LATEX.get(sign, sign) for sign in visible(text)))


def _number(name: str, digits: int, factor: float = 1) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: _rounded(row[name], digits, factor)


def _rounded(value: float | None, digits: int, factor: float = 1) -> str:
    if value is None or not math.isfinite(value):
        return _MISSING
    return f"{round(value * factor, digits) + 0.0:.{digits}f}".replace("-", "$-$")


def _name(name: str, seen: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: escaped(row[name]) + (_DAGGER if row[seen] else "")


def _interval(ends: Sequence[Callable[[Mapping[str, Any]], str]]) -> Callable[[Mapping[str, Any]], str]:
    def shown(row: Mapping[str, Any]) -> str:
        low, high = (end(row) for end in ends)
        return _MISSING if _MISSING in {low, high} else f"[{low}, {high}]"

    return shown


def _bits(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: _MISSING if row[name] is None else bits(row[name]).replace("-", "$-$")


def _p(row: Mapping[str, Any]) -> str:
    return "$<$0.001" if row["p_holm"] < LEAST_SHOWN else f"{row['p_holm']:.3f}"


def _inversion(row: Mapping[str, Any]) -> str:
    return _rounded(row["inversion_bits"], 2) if row["outcome"] == "value" else escaped(row["outcome"] or _MISSING)


def _wins(row: Mapping[str, Any]) -> str:
    return "/".join(f"{row[name]:,}" for name in ("wins", "ties", "losses"))


def _least(name: str, sign: int = 1) -> Callable[[Mapping[str, Any]], float | None]:
    return lambda row: None if row[name] is None else sign * row[name]


_RESULTS = (
    Column("Model", _name("model", "sees_the_answer")),
    Column("CE (bits)", _number("cross_entropy_bits", 3), _least("cross_entropy_bits")),
    Column("Gap (bits)", _number("gap_bits", 3), _least("gap_bits")),
    Column("Skill", _number("skill", 3), _least("skill", -1)),
    Column(r"95\,\%", _interval([_number("skill_low", 3), _number("skill_high", 3)])),
    Column("Ceiling", _number("ceiling", 3)),
    Column("Bounded skill", _number("bounded_skill", 3), _least("bounded_skill", -1)),
    Column("Area", _number("area", 3), _least("area")),
    Column("Inversion (bits)", _inversion),
    Column(r"Valid (\%)", _number("validity", 1, 100)),
)
_PAIRS = (
    Column("First", _name("first", "first_sees_the_answer")),
    Column("Second", _name("second", "second_sees_the_answer")),
    Column("Difference (bits)", _bits("difference_bits")),
    Column(r"95\,\%", _interval([_bits("difference_low_bits"), _bits("difference_high_bits")])),
    Column("Skill", _number("skill_difference", 3)),
    Column("$p$", _p),
    Column("Won/tied/lost", _wins),
    Column("Least (bits)", _bits("detectable_bits")),
)
WRITERS: Mapping[str, Callable[[Sheet], str]] = {".csv": _csv, ".tex": _latex}
