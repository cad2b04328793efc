"""Each statement of the paper beside what a run shows: one function per statement. Texts and verdicts, no markup."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from scipy import stats

from habitus_runners import paper
from habitus_runners.report.summary import Table, number
from habitus_runners.reproduction import constant_skill, infinities, table_1
from habitus_runners.reproduction.runs import Studied
from habitus_runners.reproduction.sample_prompt import Replay
from habitus_runners.reproduction.slopes import Slope, rising, slopes, sure
from habitus_runners.reproduction.words import MINUS, share_text, signed, with_ends
from habitus_runners.significance import SIGNIFICANCE, p_text

AGREES, DISAGREES, IN_PART, OPEN = "agrees", "disagrees", "agrees in part", "not decided"
UNTOLD, MISSING = "cannot be told without language models", "not asked here"
VERDICTS = (AGREES, IN_PART, DISAGREES, OPEN, UNTOLD, MISSING)

_EXACT = 1e-9  # bits: rounding of a sum over 50 candidates
_COMPARED = 2  # models that an order is made of


class Found(NamedTuple):
    """What one run shows about a statement: in words and perhaps a table, and whether it agrees."""

    text: str
    verdict: str
    table: Table | None = None


class Claim(NamedTuple):
    """A statement of the paper, and what either run shows; ``sound`` is none without such a run."""

    name: str
    says: str
    paper: Found
    sound: Found | None


def claims(paper_run: Studied, sound_run: Studied | None, prompt: Replay | None) -> list[Claim]:
    """Every statement of ``paper.STATEMENTS``, in its order.

    Args:
        paper_run: of preset `paper`.
        sound_run: of preset `sound`, if there is one.
        prompt: the paper's sample prompt, if it was replayed.
    """
    looks: Mapping[str, Callable[[Studied], Found]] = _LOOKS | {"rule": lambda run: _rule(run, prompt)}
    return [
        Claim(*statement, looks[key](paper_run), looks[key](sound_run) if sound_run else None)
        for key, statement in paper.STATEMENTS.items()
    ]


def _table(run: Studied) -> Found:
    cells = table_1.cells(run.manifest)
    ours, theirs = (sum(getattr(cell, name) for cell in cells) for name in ("ours", "theirs"))
    if run.settings.draws.rule != "fixed" or run.settings.setups != "rows":
        text = (
            f"Another design: {ours:,} draws by quota, shown as {run.study.tasks.height:,} tasks in up to three setups."
        )
        return Found(text, MISSING)
    text = f"{ours:,} tasks; Table 1 has {theirs:,}."
    odd = [cell for cell in cells if not cell.by_chance]
    if not odd:
        return Found(f"{text} All {len(cells)} cells differ by no more than chance.", AGREES)
    rows = tuple((f"{cell.level}, h = {cell.length}", str(cell.ours), str(cell.theirs)) for cell in odd)
    text = f"{text} {len(cells) - len(odd)} of {len(cells)} cells agree within chance, but not:"
    return Found(text, IN_PART, Table(("level, history", "here", "paper"), rows))


def _rule(run: Studied, prompt: Replay | None) -> Found:
    if run.settings.candidates.rule != "half":
        rule = run.settings.candidates.rule
        return Found(f"Does not arise: candidates are drawn by the rule “{rule}”, whoever interacted.", MISSING)
    if prompt is None:
        return Found("The sample prompt was not replayed: give --source and --example.", MISSING)
    rules = (
        ("as printed", prompt.zeros_literal),
        ("C1 from the whole inventory", prompt.zeros_inventory),
        ("C1 from what nobody interacted with", prompt.zeros_half),
    )
    text = (
        f"In the paper's own sample prompt {prompt.zeros} of {len(prompt.counts)} candidates were rated by nobody in"
        f" its group of {prompt.group_size}. Each rule would give:"
    )
    rows = tuple((name, f"{zeros.mean():.1f}", f"{zeros.min()} to {zeros.max()}") for name, zeros in rules)
    impossible = not prompt.zeros_literal.min() <= prompt.zeros <= prompt.zeros_literal.max()
    return Found(text, DISAGREES if impossible else AGREES, Table(("rule", "mean", "range"), rows))


def _defined(run: Studied) -> Found:
    counted = {model: infinities.of_model(run.tables, model) for model in run.models}
    known = {model: one.share for model, one in counted.items() if one is not None}
    rows = tuple((model, share_text(share)) for model, share in known.items())
    verdict = DISAGREES if any(known.values()) else AGREES
    return Found(
        "Without smoothing it is infinite in this share of the tasks:", verdict, Table(("model", "share"), rows)
    )


def _diagonal(run: Studied) -> Found:
    rows = run.scored("perfect")
    if rows.is_empty():
        return Found("The model “perfect” was not run.", MISSING)
    away = (rows["cross_entropy"] - rows["entropy"]).to_numpy()
    if np.abs(away).max() < _EXACT:
        return Found(f"CE = H in all {len(away):,} tasks.", AGREES)
    above = float((rows["best"] - rows["entropy"]).to_numpy().mean())
    text = (
        f"CE less H is {number(float(away.mean()))} bits in the mean for the list of the whole group, {number(above)}"
        f" for that of one half, which the other judges; in single tasks {number(float(away.min()))} to"
        f" {number(float(away.max()))}. Skill is measured from the half's list, not from H."
    )
    return Found(text, DISAGREES)


def _order(run: Studied) -> Found:
    mine = list(run.language_models.values())
    if len(mine) < _COMPARED:
        return Found("Fewer than two of them were asked here.", UNTOLD)
    skills = [run.result(model)["skill"] for model in mine]
    verdict = AGREES if skills == sorted(skills, reverse=True) else DISAGREES
    return Found("By skill; habitus compare says whether it is decided.", verdict, _skills(run, mine))


def _random(run: Studied) -> Found:
    if "random" not in run.models or len(run.models) < _COMPARED:
        return Found("No random list beside other models in this run.", MISSING)
    verdict = AGREES if run.models[-1] == "random" else DISAGREES
    return Found("By skill, all setups; the noise ceiling is the most to be had:", verdict, _skills(run, run.models))


def _domains(run: Studied) -> Found:
    return Found(f"Needs language models, and music beside {run.manifest['dataset']['name']}.", UNTOLD)


def _cost(run: Studied) -> Found:
    tasks = run.study.tasks.height
    return Found(f"habitus estimate --model openai:gpt-4o says what {tasks:,} prompts would cost today.", UNTOLD)


def _inversion(run: Studied) -> Found:
    room = constant_skill.of_study(run.study)
    turns = {skill: constant_skill.drawn(room, skill, run.settings).turn for skill in constant_skill.SKILLS}
    rows = tuple((f"{skill:g}", constant_skill.turn_text(turn)) for skill, turn in turns.items())
    turned = [skill for skill, turn in turns.items() if turn.outcome == "value"]
    verdict = (DISAGREES if 0.0 in turned else IN_PART) if turned else AGREES
    text = f"Of {len(turns)} models that are equally good at every H, {len(turned)} turn:"
    return Found(text, verdict, Table(("skill everywhere", "turns at (bits)"), rows))


def _setups(run: Studied) -> Found:
    name = "lowess_inversion" if run.settings.curve.kind == "lowess" else "inversion"
    pairs = {model: [run.result(model, setup) for setup in "AB"] for model in run.models}
    rows = tuple((model, *(_turn(row, name) for row in pair)) for model, pair in pairs.items() if all(pair))
    shown = Table(("turns at (bits)", "A", "B"), rows)
    signs = {model: _lower(pair, name) for model, pair in pairs.items() if _both_turn(pair, name)}
    if not signs:
        return Found("No model turns in both.", OPEN, shown)
    text = f"{len(signs)} of {len(rows)} models turn in both: {', '.join(signs)}."
    if "random" in signs:
        text += " What knows nothing turns as well: this is about the tasks, not about models."
    lower, higher = (sum(sign == side for sign in signs.values()) for side in (-1, 1))
    if not lower and not higher:
        return Found(f"{text} The intervals overlap.", OPEN, shown)
    return Found(text, AGREES if lower == len(signs) else IN_PART if lower else DISAGREES, shown)


def _history(run: Studied) -> Found:
    inside, across = pl.col("setup").is_in(["A", "B"]) & (pl.col("history") > 0), pl.col("history").log(2)
    return _rise(run, [slopes(run, inside, across, column) for column in _PARTS], "Change per doubling of the history")


def _combined(run: Studied) -> Found:
    fixed_by = {level["name"]: len(level["attributes"]) for level in run.manifest["dataset"]["levels"]}
    most = max(fixed_by.values())
    several = pl.col("level").replace_strict(fixed_by, default=0, return_dtype=pl.Int64)
    inside = pl.col("setup").is_in(["A", "C"]) & several.is_in([1, most])
    if most < _COMPARED:
        return Found("No level combines attributes.", MISSING)
    share, within = (several == most).cast(pl.Float64), ["setup", "history"]
    found = [slopes(run, inside, share, column, within=within) for column in _PARTS]
    return _rise(run, found, "Combined less single, at the same setup and length of history")


def _rise(run: Studied, found: Sequence[Sequence[Slope]], what: str) -> Found:
    """Slopes of CE, H and CE - best: what rises, and how much of it is the target's own."""
    total, entropy, gap = found
    if not total:
        return Found("No tasks to compare.", MISSING)
    shown = zip(total, gap, strict=True)
    rows = tuple((whole.model, signed(whole.slope), signed(rest.slope)) for whole, rest in shown)
    verdict = {1: AGREES, -1: DISAGREES, None: OPEN}.get(rising(total), IN_PART)
    own = max((slope for slope in entropy if slope.model == run.models[0]), key=lambda slope: slope.p)
    text = f"{what}, in bits ({sure(total)}); H itself {signed(own.slope)} ({p_text(own.p)}):"
    return Found(text, verdict, Table(("model", "CE", f"CE {MINUS} best"), rows))


def _size(run: Studied) -> Found:
    known = run.study.tasks.drop_nulls("entropy").drop_nans("entropy")
    rank = stats.spearmanr(known["entropy"], known["group_size"])
    parts = known.filter(pl.col("history") > 0).group_by("history", maintain_order=True)
    strata = [
        float(stats.spearmanr(part["entropy"], part["group_size"]).statistic)
        for _, part in parts
        if part["entropy"].n_unique() > _COMPARED and part["group_size"].n_unique() > _COMPARED
    ]
    within = f", at one length of history {number(min(strata))} to {number(max(strata))}" if strata else ""
    words = "lower H means more users" if rank.statistic < 0 else "lower H means fewer users"
    text = f"Spearman(H, users) = {number(float(rank.statistic))} over {known.height:,} tasks{within}: {words}."
    if not rank.pvalue < SIGNIFICANCE:
        return Found(text, OPEN)
    return Found(text, AGREES if rank.statistic > 0 else DISAGREES)


def _skills(run: Studied, models: Sequence[str]) -> Table:
    rows = [run.result(model) for model in models]
    cells = ((row["model"], with_ends(row, "skill", 3), number(row["ceiling"], 3)) for row in rows)
    return Table(("model", "skill", "ceiling"), tuple(cells))


def _both_turn(pair: Sequence[Mapping[str, Any]], name: str) -> bool:
    return all(row and row[name] is not None for row in pair)


def _turn(row: Mapping[str, Any], name: str) -> str:
    return str(row[name.replace("inversion", "outcome")]) if row[name] is None else with_ends(row, name)


def _lower(pair: Sequence[Mapping[str, Any]], name: str) -> int:
    """-1 if the first's figure is lower, 1 if higher, 0 if intervals, where there are any, share a place."""
    low, high = ([row[f"{name}_{end}"] for row in pair] for end in ("low", "high"))
    if None in (*low, *high):
        return int(np.sign(pair[0][name] - pair[1][name]))
    return -1 if high[0] < low[1] else 1 if low[0] > high[1] else 0


_PARTS = ("cross_entropy", "entropy", "gap")
_LOOKS: dict[str, Callable[[Studied], Found]] = {
    "table": _table,
    "defined": _defined,
    "diagonal": _diagonal,
    "order": _order,
    "random": _random,
    "domains": _domains,
    "inversion": _inversion,
    "setups": _setups,
    "history": _history,
    "combined": _combined,
    "size": _size,
    "cost": _cost,
}
