"""What the command line shows: progress, tables, lines. Text from data and models is never read as markup."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
from rich.box import SIMPLE
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from habitus_runners import console, paper
from habitus_runners import progress as reporting
from habitus_runners.console import plain, screen
from habitus_runners.model import SEE_THE_ANSWER
from habitus_runners.significance import p_text
from habitus_runners.tables import BIT, POOLED, frame

if TYPE_CHECKING:
    from pathlib import Path

    from habitus_runners.comparison import Comparison, Pair
    from habitus_runners.datasets.dataset import Dataset, Finding
    from habitus_runners.doctor import Check
    from habitus_runners.estimate import Estimate, Interval
    from habitus_runners.ledger import Batch
    from habitus_runners.ledger.listing import Line, Record
    from habitus_runners.reproduction import Figure
    from habitus_runners.settings import Calls, Settings

_LINE_EVERY_S = 15
_FEW_PAIRS = 10

say = console.say


@contextmanager
def progress() -> Iterator[reporting.Progress]:
    """Show how far each stage is: bars on a terminal; elsewhere a line per finished stage, and one now and then."""
    columns = (TextColumn("{task.description:>12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    notes = TextColumn("{task.fields[note]}", markup=False)
    bars = Progress(*columns, notes, console=screen, disable=not screen.is_terminal)
    stages: dict[str, TaskID] = {}
    said: dict[str, float] = {}

    def advance(stage: str, done: int, total: int | None = None, note: str = "") -> None:
        if stage not in stages:
            stages[stage] = bars.add_task(escape(stage), total=total, note="")
            said[stage] = monotonic()
        bars.update(stages[stage], completed=done, total=total, note=note)
        if not screen.is_terminal and (done == total or (note and monotonic() - said[stage] >= _LINE_EVERY_S)):
            said[stage] = monotonic()
            say(f"{stage}: {done} of {total}" + (f", {note}" if note else ""))

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
        row: list[str | Text] = [plain(level)]
        for length in lengths:
            kept = sum(d["kept"] for d in manifest["draws"] if d["level"] == level and d["history"] == length)
            total += kept
            published = dict(zip(paper.LENGTHS, theirs.get(level, ()), strict=False)).get(length)
            row.append(f"{kept}" if published is None else f"{kept}/{published}")
        table.add_row(*row)
    screen.print(table)
    say(f"{total:,} tasks" + (f"; the paper has {sum(map(sum, theirs.values())):,}" if theirs else ""))


def show_results(results: pa.Table, settings: "Settings") -> None:
    """One line per model, all tasks together, best skill first; bits."""
    everything = pl.all_horizontal(pl.col("setup", "level", "history") == POOLED)
    rows = (
        frame(results)
        .filter(everything & (pl.col("fill") == settings.fill))
        .sort("skill", descending=True, nulls_last=True)
    )
    first = rows.row(0, named=True)
    entropy = _bits(first["entropy"], 3)
    say(f"{first['tasks']:,} tasks, mean entropy {entropy} bits, empty slots filled by {settings.fill}")
    table = Table()
    kind = "lowess_" if settings.curve.kind == "lowess" else ""
    for name in ("model", "skill", "95 %", "gap", "inversion", "valid"):
        table.add_column(name, **_column(name))
    for row in rows.iter_rows(named=True):
        turn = _bits(row[f"{kind}inversion"], 2) if row[f"{kind}outcome"] == "value" else row[f"{kind}outcome"]
        ends = (_number(row[f"skill_{end}"], 3) for end in ("low", "high"))
        figures = (_number(row["skill"], 3), " to ".join(ends), _bits(row["gap"], 3), turn)
        table.add_row(plain(row["model"]), *figures, f"{row['validity']:.1%}")
    screen.print(table)
    say(f"gap and inversion ({settings.curve.kind}) in bits; noise ceiling of skill {_number(first['ceiling'], 3)}")


def show_comparison(found: "Comparison") -> None:
    """The ranking, how its neighbours differ (all pairs, where they are few), and whether that could be chance."""
    from habitus_runners.comparison import sentence, verdict  # noqa: PLC0415 - other commands compare nothing

    drawn = "all" if found.exact else "random"
    say(
        f"{found.tasks:,} tasks that all answered, in {found.clusters:,} clusters; {found.flips:,} {drawn} sign flips;"
        f" p after Holm's correction over {len(found.pairs):,} pairs"
    )
    if found.left_out:
        say(f"{found.left_out:,} tasks left out, not answered by {', '.join(found.lacking)}")
    _show_ranking(found)
    _show_pairs(found, found.pairs if len(found.pairs) <= _FEW_PAIRS else found.neighbours)
    for pair in found.neighbours:
        say(f"- {sentence(pair, found.tasks)}")
    say(verdict(found))


def _show_ranking(found: "Comparison") -> None:
    """The models, best first, each with whom it is told apart from, by place."""
    decided = {frozenset((pair.first, pair.second)) for pair in found.pairs if pair.decided}
    names, table = [model.name for model in found.models], Table()
    for name in ("", "model", "CE (bits)", "gap (bits)", "skill", f"beside 1 to {len(names)}"):
        table.add_column(name, **_column(name))
    for place, model in enumerate(found.models):
        told = (
            "=" if {model.name, other} not in decided else "+" if at > place else "-" for at, other in enumerate(names)
        )
        beside = "".join("." if other == model.name else sign for other, sign in zip(names, told, strict=True))
        figures = (_number(value, 3) for value in (model.cross_entropy, model.gap, model.skill))
        table.add_row(f"{place + 1}", plain(model.name + " *" * (model.kind in SEE_THE_ANSWER)), *figures, beside)
    screen.print(table)
    say("beside each: + better, - worse, = not told apart")
    say(
        "* is shown the answer: better or worse by construction"
        if any(m.kind in SEE_THE_ANSWER for m in found.models)
        else ""
    )


def _show_pairs(found: "Comparison", pairs: "Sequence[Pair]") -> None:
    """Pairs by their places in the ranking: how they differ, and what that rests on."""
    from habitus_runners.comparison import bits  # noqa: PLC0415 - other commands compare nothing

    places = {model.name: place for place, model in enumerate(found.models, 1)}
    table = Table(box=SIMPLE, pad_edge=False, collapse_padding=True)  # in 80 columns
    for name in ("pair", "CE (bits)", "95 %", "p", "won/tied/lost", "least"):
        table.add_column(name, **_column(name))
    for pair in pairs:
        table.add_row(
            f"{places[pair.first]} : {places[pair.second]}",
            bits(pair.difference),
            f"{bits(pair.low)} to {bits(pair.high)}",
            p_text(pair.adjusted).removeprefix("p ").removeprefix("= "),
            "/".join(f"{count:,}" for count in (pair.wins, pair.ties, pair.losses)),
            bits(pair.detectable),
        )
    screen.print(table)
    say("least: the smallest difference, in bits, that so many tasks could have shown (two-sided 5 %, power 80 %)")


def show_verdicts(rankings: pa.Table) -> None:
    """How the answers of each model were read."""
    counts = frame(rankings.select(["model", "parser", "verdict"])).group_by("model", "parser", "verdict").len()
    table = Table()
    for name in ("model", "parser", "verdict", "answers"):
        table.add_column(name, justify="right" if name == "answers" else "left")
    for model, parser, verdict, answers in counts.sort(
        "model", "parser", "len", descending=[False, False, True]
    ).rows():
        table.add_row(plain(model), parser, verdict, f"{answers:,}")
    screen.print(table)


def show_estimates(estimates: "Sequence[Estimate]", calls: "Calls") -> None:
    """What each model would cost, one block each; an interval as low – middle – high."""
    for estimate in estimates:
        known = f"; {estimate.known:,} answers are in the ledger" if estimate.known else ""
        by = "" if estimate.method == "text" else f" [{estimate.method}]"
        lines = {
            f"{estimate.model}{by}": f"{estimate.prompts:,} calls{known}",
            "tokens in": f"{_interval(estimate.tokens_in, '{:,.0f}')}  ({estimate.tokenizer})",
            "tokens out": _interval(estimate.tokens_out, "{:,.0f}"),
            "USD": f"{_interval(estimate.dollars, '{:,.2f}')}  ({estimate.price_source or estimate.why_no_price})",
            "USD in batches": _interval(estimate.batch_dollars, "{:,.2f}"),
            "wall time": f"{_interval(estimate.duration_s, '', _clock)}  ({estimate.limit})",
        }
        for name, text in lines.items():
            say(f"{name:>24}  {text}")
        _show_budget(estimate, calls.max_cost)
    able = estimates[0].detectable
    say(
        f"{'smallest difference':>24}  {able.typical:.3f} in skill between two models on {able.tasks:,} tasks"
        f" (at most {able.worst:.3f}; two-sided 5 %, power 80 %)"
    )


def _show_budget(estimate: "Estimate", budget: float | None) -> None:
    from habitus_runners.estimate import affordable  # noqa: PLC0415 - other commands need no estimate

    fitting = affordable(estimate, budget) if budget is not None else None
    if fitting:
        say(f"{f'for ${budget:,.2f}':>24}  {_interval(fitting, '{:,.0f}')} of the {estimate.prompts:,} calls")


def _interval(interval: "Interval | None", form: str, shown: "Callable[[float], str] | None" = None) -> str:
    if interval is None:
        return "–"
    low, middle, high = ((shown or form.format)(value) for value in interval)
    return low if low == high else f"{middle}  [{low} to {high}]"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def show_ledger(path: "Path", lines: "Sequence[Line]", batches: "Sequence[Batch]", repeats: int) -> None:
    """What was paid for, the orders whose answers are still to come, and what may have been paid for twice."""
    table = Table()
    for name in ("model", "answers", "tokens in / out", "USD", "failures", "last"):
        table.add_column(name, **_column(name))
    for line in lines:
        tokens = " / ".join(f"{count:,}" if count is not None else "–" for count in (line.tokens_in, line.tokens_out))
        dollars = _number(line.dollars, 2)
        table.add_row(plain(line.model), f"{line.answers:,}", tokens, dollars, f"{line.failures:,}", line.last or "–")
    say(f"{path}")
    screen.print(table)
    for batch in batches:
        say(f"batch {batch.batch_id or batch.local}: {batch.model}, {batch.questions:,} answers, {batch.state}")
    say(f"{repeats:,} calls repeated one whose end is unknown")


def show_answer(record: "Record") -> None:
    """One answer with its question, as text from outside: never as markup."""
    question, reply = record.question, record.reply
    about = {
        "answer": question.answer_id, "model": question.model, "method": question.method, "sample": question.sample,
        "revision": question.revision, "kept": record.kept, "served": reply.served, "finish": reply.finish_reason,
        "tokens in": reply.tokens_in, "tokens out": reply.tokens_out, "USD": reply.cost, "seconds": reply.latency_s,
    }  # fmt: skip
    for name, value in about.items():
        say(f"{name:>10}  {'–' if value is None else value}")
    for name, text in (("prompt", question.prompt), ("text", reply.text)):
        screen.print(f"\n--- {name}")
        for line in text.splitlines():
            say(line)


def show_figures(figures: Sequence["Figure"]) -> None:
    """What was expected beside what was found."""
    table = Table()
    for name in ("figure", "the method says", "found here"):
        table.add_column(name)
    for figure in figures:
        table.add_row(plain(figure.name), plain(figure.expected), plain(figure.found))
    screen.print(table)


def show_checks(checks: Sequence["Check"]) -> None:
    """One line per check, and a verdict."""
    table = Table()
    for name in ("check", "", "seen"):
        table.add_column(name)
    for check in checks:
        table.add_row(check.name, Text("ok", "green") if check.good else Text("BAD", "bold red"), plain(check.seen))
    screen.print(table)
    bad = [check.name for check in checks if not check.good]
    say(f"not as it should be: {', '.join(bad)}" if bad else "all is as it should be")


def _column(name: str) -> dict[str, Any]:
    """A model's name is folded rather than cut; numbers stay in one piece."""
    return {"overflow": "fold"} if name == "model" else {"justify": "right", "no_wrap": True}


def _bits(nats: float | None, digits: int) -> str:
    return _number(None if nats is None else nats / BIT, digits)


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{round(value, digits) + 0.0:.{digits}f}"
