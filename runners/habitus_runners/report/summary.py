"""The report's tables and sentences as text, from the tables and the manifest. No markup: that is the template's."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, groupby
from math import isfinite
from typing import Any, NamedTuple

import polars as pl

from habitus_runners import paper
from habitus_runners.model import SEE_THE_ANSWER
from habitus_runners.report.scored import BAND, Study, in_setup, pooled
from habitus_runners.report.skill import countable, spearman, too_flat
from habitus_runners.significance import SIGNIFICANCE, p_text
from habitus_runners.tables import BIT, POOLED

SETUPS = {
    "A": "A: demography and history",
    "B": "B: history only",
    "C": "C: demography only",
    "N": "N: no proxy",
}
ALPHA = "\N{GREEK SMALL LETTER ALPHA}"
SMALL_GROUP = 10  # method, section 6
MISSING = "\N{EN DASH}"


class Row(NamedTuple):
    """One model in a results table. ``bar`` is the skill in percent of a full bar, 0 where there is none.

    ``band`` is the skill under the worst and the best case for empty slots, "" where there are none.
    """

    model: str
    tasks: str
    skill: str
    skill_interval: str
    bar: float
    band: str
    ceiling: str
    gap: str
    gap_interval: str
    bounded_skill: str
    area: str
    inversion: str
    inversion_interval: str
    smooth: str
    smooth_interval: str
    validity: str
    left_out: str
    verdicts: str


class Table(NamedTuple):
    """A table with a column per heading; the first cell of each row names it."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Cell(NamedTuple):
    """Tasks of one level and history length: ours and the paper's."""

    ours: str
    theirs: str


class Sampling(NamedTuple):
    """Table 1: tasks per level and history length, and how many draws it took."""

    lengths: tuple[int, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    ours: str
    theirs: str
    draws: Table


def number(value: float | None, digits: int = 2) -> str:
    """``value`` with a true minus, or a dash where it is missing or undefined."""
    if value is None or not isfinite(value):
        return MISSING
    return f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", "\N{MINUS SIGN}")


def percent(value: float | None) -> str:
    """A share in percent; 100 only where nothing is missing."""
    if value is None or not isfinite(value):
        return MISSING
    return f"{min(100 * value, 99.9) if value < 1 else 100:.1f} %"


def ranked(study: Study, setup: str) -> list[dict[str, Any]]:
    """The results of a setup over all levels and history lengths, best skill first, undefined last."""
    rows = study.results.filter(pooled(setup)).with_columns(pl.col("skill").fill_nan(None))
    return rows.sort("skill", "model", descending=[True, False], nulls_last=True).to_dicts()


def results(study: Study, setup: str = POOLED) -> list[Row]:
    """The results table of a setup over all levels and history lengths."""
    return [_row(study, setup, result) for result in ranked(study, setup)]


def by_setup(study: Study) -> dict[str, list[Row]]:
    """A results table per setup that has tasks, keyed by its title."""
    sizes = dict(study.tasks.group_by("setup").len().iter_rows())
    tables = {f"{title} ({sizes.get(setup, 0):,} tasks)": results(study, setup) for setup, title in SETUPS.items()}
    return {title: rows for title, rows in tables.items() if rows}


def _row(study: Study, setup: str, result: Mapping[str, Any]) -> Row:
    skill = result["skill"]
    return Row(
        model=result["model"],
        tasks=f"{result['tasks']:,}",
        skill=number(skill, 3),
        skill_interval=_interval(result, "skill", 3),
        band=_band(study, setup, result["model"]),
        ceiling=number(result["ceiling"], 3),
        bar=100 * min(max(skill or 0.0, 0.0), 1.0),
        gap=number(result["gap"], 3),
        gap_interval=_interval(result, "gap", 3),
        bounded_skill=number(result["bounded_skill"], 3),
        area=number(result["area"]),
        inversion=_inversion(result),
        inversion_interval=_interval(result, "inversion"),
        smooth=_inversion(result, "lowess_"),
        smooth_interval=_interval(result, "lowess_inversion"),
        validity=percent(result["validity"]),
        left_out=f"{result['excluded']:,} + {result['dropped']:,}",
        verdicts=_verdicts(study.verdicts, result["model"], setup),
    )


def _inversion(result: Mapping[str, Any], kind: str = "") -> str:
    outcome = result[f"{kind}outcome"]
    return number(result[f"{kind}inversion"]) if outcome == "value" else str(outcome or MISSING)


def _interval(result: Mapping[str, Any], figure: str, digits: int = 2) -> str:
    """The ends of the figure's interval, "" where there is none."""
    low, high = result[f"{figure}_low"], result[f"{figure}_high"]
    return "" if low is None or high is None else f"{number(low, digits)} to {number(high, digits)}"


def _band(study: Study, setup: str, model: str) -> str:
    """Skill under both extreme policies for empty slots."""
    rows = study.faulty.filter(pl.col("model") == model, in_setup(setup))
    if rows.is_empty():
        return ""
    lost, room = pl.col("cross_entropy") - pl.col("best"), pl.col("chance") - pl.col("best")
    skills = countable(rows).group_by("fill").agg(skill=1 - lost.sum() / room.sum())
    of_fill = dict(skills.iter_rows())
    return " to ".join(number(of_fill.get(fill), 3) for fill in reversed(BAND))


def _verdicts(verdicts: pl.DataFrame, model: str, setup: str) -> str:
    rows = verdicts.filter(pl.col("model") == model, in_setup(setup))
    counts = rows.group_by("verdict").agg(pl.col("len").sum()).sort("len", "verdict", descending=[True, False])
    return ", ".join(f"{verdict} {count:,}" for verdict, count in counts.iter_rows()) or MISSING


def skill_by(study: Study, models: Sequence[str], column: str, items: Iterable[str]) -> Table:
    """Skill per model and ``level`` or ``history``, all setups pooled, and the noise ceiling in the last row."""
    other = {"level": "history", "history": "level"}[column]
    rows = study.results.filter((pl.col("setup") == POOLED) & (pl.col(other) == POOLED) & (pl.col(column) != POOLED))
    skill = {(model, item): value for model, item, value in rows.select("model", column, "skill").iter_rows()}
    shown = [item for item in items if any(item == known for _, known in skill)]
    lines = [(model, *(number(skill.get((model, item))) for item in shown)) for model in models]
    ceiling = dict(rows.drop_nulls("ceiling").group_by(column).agg(pl.col("ceiling").max()).iter_rows())
    return Table(("model", *shown), (*lines, ("noise ceiling", *(number(ceiling.get(item)) for item in shown))))


def trends(study: Study) -> Table:
    """How each model's skill changes with the entropy, and whether its cross-entropy turns."""
    rows = (
        (row["model"], number(row["trend"], 3), _p(row["trend_p"]), _p(row["two_lines"]), _inverts(row))
        for row in ranked(study, POOLED)
    )
    return Table(("model", "skill per bit", "p of none", "p of two lines", "inversion"), tuple(rows))


def _p(value: float | None) -> str:
    return MISSING if value is None else p_text(value).removeprefix("p ").removeprefix("= ")


def _inverts(row: Mapping[str, Any]) -> str:
    """By both tests: the cross-entropy turns, and skill is lost where entropy is low."""
    if row["two_lines"] is None or row["trend_p"] is None:
        return MISSING
    turns = row["two_lines"] < SIGNIFICANCE
    lost = row["trend_p"] < SIGNIFICANCE and row["trend"] > 0
    return "yes" if turns and lost else "of the curve alone" if turns else "no"


def estimators(manifest: Mapping[str, Any]) -> Table:
    """Mean entropy of the groups by every estimator, in bits, for groups of a few users, of more, and of many."""
    rows = manifest.get("entropies", ())
    sizes = [size for size, of_size in groupby(sorted(rows, key=_size), key=_size) if next(of_size)["tasks"]]
    names = list(dict.fromkeys(row["estimator"] for row in rows))
    mean = {(row["estimator"], _size(row)): number(row["entropy"] and row["entropy"] / BIT) for row in rows}
    tasks = {_size(row): row["tasks"] for row in rows}
    headings = (f"{_users(*size)} ({tasks[size]:,} tasks)" for size in sizes)
    return Table(("estimator", *headings), tuple((name, *(mean[name, size] for size in sizes)) for name in names))


def _size(row: Mapping[str, Any]) -> tuple[int, int]:
    least, below = row["users"]
    return least, below


def _users(least: int, below: int) -> str:
    if least == 0:
        return f"fewer than {below} users"
    return f"{least:,} or more" if below > 1 << 30 else f"{least:,} to {below - 1:,}"


def proxies(manifest: Mapping[str, Any], *, by_history: bool) -> Table:
    """How far each proxy lowers the entropy, in bits, beside random groups of its size and of its activity."""
    rows = [row for row in manifest.get("proxies", ()) if (row["history"] != POOLED) == by_history]
    shown = ("setup", "level", "history") if by_history else ("setup", "level")
    lines = []
    for row in rows:
        matched = (row[kind] for kind in ("activity", "size"))
        figures = (
            (number(kind["difference"] / BIT, 3), f"{kind['p']:.3f}", percent(kind["share"])) for kind in matched
        )
        entropy = number(row["entropy"] / BIT)
        lines.append((*(row[name] for name in shown), f"{row['tasks']:,}", entropy, *chain.from_iterable(figures)))
    headings = [f"{name}, same {kind}" for kind in ("activity", "size") for name in ("lower by", "p", "p ≤ 0.05")]
    return Table((*shown, "tasks", "H", *headings), tuple(lines))


def policies(study: Study) -> Table:
    """Pooled skill under every fill and alpha that was scored."""
    rows = study.policies
    kinds = sorted(set(rows.select("fill", "alpha").iter_rows()))
    skill = {
        (model, fill, alpha): value
        for model, fill, alpha, value in rows.select("model", "fill", "alpha", "skill").iter_rows()
    }
    models = [result["model"] for result in ranked(study, POOLED)]
    lines = ((model, *(number(skill.get((model, *kind)), 3) for kind in kinds)) for model in models)
    return Table(("model", *(f"{fill}, {ALPHA} = {alpha:g}" for fill, alpha in kinds)), tuple(lines))


def sampling(manifest: Mapping[str, Any], levels: Sequence[str], lengths: Sequence[int]) -> Sampling:
    """Tasks drawn per level and history length, beside the paper's Table 1 where the data set has one."""
    theirs = paper.TABLE_1.get(manifest["dataset"]["name"], {})
    columns = tuple(sorted({*lengths, *(paper.LENGTHS if theirs else ())}))
    ours: Counter[tuple[str, int]] = Counter()
    for drawn in manifest["draws"]:
        ours[drawn["level"], drawn["history"]] += drawn["kept"]
    rows = tuple(
        (level, tuple(_cell(ours[level, length], theirs.get(level), length) for length in columns)) for level in levels
    )
    published = f"{sum(map(sum, theirs.values())):,}" if theirs else ""
    return Sampling(columns, rows, f"{ours.total():,}", published, _draws(manifest["draws"], levels))


def _cell(ours: int, theirs: Sequence[int] | None, length: int) -> Cell:
    known = theirs is not None and length in paper.LENGTHS
    return Cell(f"{ours:,}", f"{theirs[paper.LENGTHS.index(length)]:,}" if known and theirs else "")


def _draws(draws: Sequence[Mapping[str, Any]], levels: Sequence[str]) -> Table:
    """Draws, rejections and acceptances, summed over the values of a level."""
    counts = ("draws", "small_group", "few_candidates", "no_interaction", "accepted", "kept")
    place = {level: index for index, level in enumerate(levels)}

    def key(row: Mapping[str, Any]) -> tuple[int, str, int]:
        return place.get(row["level"], len(place)), row["level"], int(row["history"])

    rows = []
    for (_, level, length), group in groupby(sorted(draws, key=key), key):
        cells = list(group)
        rows.append((level, str(length), *(f"{sum(cell[count] for cell in cells):,}" for count in counts)))
    rejected = ("group too small", "too few candidates", "nobody interacted")
    headings = ("level", "history", "draws", *rejected, "accepted", "kept")
    return Table(headings, tuple(rows))


def headline(study: Study, did: str) -> str:
    """Best and worst model by skill in one sentence; models that see the answer compete only among themselves."""
    known = [row for row in ranked(study, POOLED) if row["skill"] is not None]
    whole = [row for row in known if row["tasks"] == study.tasks.height] or known
    rows = [row for row in whole if row["model"].partition(":")[0] not in SEE_THE_ANSWER] or whole
    if not rows:
        return "No model has a skill: no task left room between its entropy and chance."
    best, worst = ((row["model"], f"(skill {number(row['skill'])})") for row in (rows[0], rows[-1]))
    tasks = f"on {rows[0]['tasks']:,} tasks"
    if len(rows) == 1:
        return f"{best[0]} predicts what these groups {did} {tasks} {best[1]}."
    aside = f" (and {len(whole) - len(rows)} that are shown the answer)" if len(rows) < len(whole) else ""
    return (
        f"Of {len(rows)} models{aside}, {best[0]} predicts best what these groups {did} {best[1]} "
        f"and {worst[0]} worst {worst[1]}, {tasks}."
    )


def unfinished(study: Study) -> str:
    """The models that answered some of the tasks alone, in one sentence; empty where there are none."""
    total = study.tasks.height
    some = [f"{row['model']} {row['tasks']:,}" for row in ranked(study, POOLED) if row["tasks"] < total]
    return (
        f"Of {total:,} tasks some models have answered a part: {', '.join(some)}. Their figures are of other tasks than"
        " those of the rest, and are not to be compared until all are answered."
        if some
        else ""
    )


class Warnings(NamedTuple):
    """Numbers that stand beside every curve."""

    correlation: str
    direction: str
    popularity: str
    flat: str
    smallest: str


def warnings(study: Study) -> Warnings:
    """Spearman(H, |u|) and popularity's skill in this run, and the tasks that skill leaves out."""
    rank = spearman(study.tasks, "entropy", "group_size")
    popularity = [row["skill"] for row in ranked(study, POOLED) if row["model"] == "popularity"]
    return Warnings(
        correlation=number(rank),
        direction="" if rank is None or abs(rank) < 0.1 else "lower" if rank < 0 else "higher",  # noqa: PLR2004 - too weak to name
        popularity=number(popularity[0]) if popularity else "",
        flat=f"{too_flat(study.tasks):,}",
        smallest=f"{study.tasks.filter(pl.col('group_size') < SMALL_GROUP).height:,}",
    )


def flat(settings: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Settings as dotted keys and values."""
    pairs: list[tuple[str, str]] = []
    for key, value in settings.items():
        name = f"{prefix}{key}"
        pairs += flat(value, f"{name}.") if isinstance(value, Mapping) else [(name, _text(value))]
    return pairs


def _text(value: object) -> str:
    if value is None:
        return "default"
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
