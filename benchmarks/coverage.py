"""`python -m benchmarks.coverage`: does a 95 % interval cover the truth in 95 % of studies?

Studies of small synthetic worlds whose people are redrawn: films, traits and what attributes mean stay. The truth of a
figure is the same estimator on the pooled tasks of many redraws of people and tasks. Inversions are those of a model
whose skill falls below 4.8 bits; skill and gap those of models whose answers do not depend on who was drawn, but for
the order of popularity.

`--readme` also keeps the figures in benchmarks/measured/coverage.json and rewrites the table in benchmarks/README.md;
`--draw` rewrites the table from what is kept, and computes nothing.
"""

import argparse
import datetime as dt
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from benchmarks import timing
from benchmarks.marks import between
from numpy.typing import NDArray

from habitus import curves
from habitus.scoring import MIN_GAP
from habitus_runners import tasks
from habitus_runners.datasets import world
from habitus_runners.intervals import Points, Replicates, Study, intervals, spread
from habitus_runners.models import baselines, simulated
from habitus_runners.models.draws import Draws
from habitus_runners.models.evidence import Evidence
from habitus_runners.settings import Settings, settings
from habitus_runners.tables import BIT

Floats = NDArray[np.float64]
Figure = tuple[str, str]  # model and name

USERS, ITEMS = 800, 200
SMALL: Mapping[str, Mapping[str, Any]] = {
    "paper": {"draws.count": 60, "draws.cap": 60},
    "sound": {"draws.cap": 20, "draws.tries": 2000, "candidates.sets": 4},
}
PLANTED = "breakpoint:4.8"
MODELS: Mapping[str, Callable[[Evidence, Draws], Floats]] = {
    PLANTED: lambda evidence, draws: simulated.breakpoint_at(evidence, draws, 4.8),
    "mixture:0.5": lambda evidence, draws: simulated.mixture(evidence, draws, 0.5),
    "popularity": baselines.popularity,
    "random": baselines.at_random,
}
CURVES, MEANS = ("lowess_inversion", "inversion"), ("skill", "gap")
FIGURES: tuple[Figure, ...] = (
    *((PLANTED, name) for name in CURVES),
    *((model, name) for name in MEANS for model in MODELS),
)
README = Path(__file__).parent / "README.md"
KEPT = Path(__file__).parent / "measured" / "coverage.json"
BEGIN, END = "<!-- coverage: begin -->", "<!-- coverage: end -->"

_POOLED_FROM = 10**6  # people of the pooled redraws have other seeds than those of the studies
_GRID = 200
_BATCHES = 8


class Size(NamedTuple):
    """Worlds from number ``first`` on, ``seeds`` studies of each, the truth from ``pooled`` redraws."""

    worlds: int
    seeds: int
    pooled: int
    first: int


class Coverage(NamedTuple):
    """Of one figure over all studies, in bits but for skill; only studies that have an interval are ``known``.

    ``error`` is the mean of estimate - truth, ``within`` the standard deviation of estimates of one world, ``length``
    the median of the intervals, ``truth`` the root mean square of the truths' standard errors.
    """

    studies: int
    known: int
    covered: int
    error: float
    within: float
    length: float
    truth: float

    @property
    def share(self) -> float:
        """How many of the known intervals cover."""
        return self.covered / self.known if self.known else math.nan

    @property
    def margin(self) -> float:
        """One binomial standard error of the share."""
        return math.sqrt(self.share * (1 - self.share) / self.known) if self.known else math.nan


class Seen(NamedTuple):
    """One study: its figures and the ends of their intervals, NaN = none; and the truth with its standard error."""

    figures: Mapping[Figure, float]
    ends: Mapping[Figure, tuple[float, float]]
    truth: Mapping[Figure, tuple[float, float]]


def study(number: int, people: int, chosen: Settings) -> Study:
    """One draw of people and tasks in a world, answered by every model."""
    made = world.load(seed=number, people=people, users=USERS, items=ITEMS)
    drawn = chosen.changed({"seed": people})
    found = tasks.generate(made, drawn, threads=1)
    evidence = Evidence(made, found.tasks, found.members, drawn)
    rankings = pa.concat_tables([_ranked(evidence, model) for model in MODELS])
    return Study(found.tasks, found.members, rankings, drawn, threads=1)


def _ranked(evidence: Evidence, model: str) -> pa.Table:
    """What intervals read of a rankings table."""
    draws, candidates = Draws(evidence.task_ids, model, 0), evidence.candidates.shape[1]
    preferred = MODELS[model](evidence, draws)
    length = evidence.settings.candidates.N
    lists = np.lexsort((draws.uniform("ties", candidates), -preferred), axis=1)[:, :length]
    flat = pa.array(lists.ravel().astype(np.int16))
    return pa.table(
        {
            "task_id": evidence.task_ids,
            "model": [model] * len(lists),
            "ranking": pa.FixedSizeListArray.from_arrays(flat, length),
        }
    )


def figures(points: Points, chosen: Settings) -> dict[Figure, float]:
    """Every figure, of all tasks, as the results have it; bits but for skill."""
    return {
        (model, name): _figure(points, number, chosen, name)
        for number, model in enumerate(MODELS)
        for name in (*CURVES, *MEANS)
        if (model, name) in FIGURES
    }


def _figure(points: Points, number: int, chosen: Settings, name: str) -> float:
    x, y, best, chance = points.entropy[0], points.cross_entropy[0, number], points.best[0], points.chance[0]
    known = ~(np.isnan(x) | np.isnan(y))
    x, y, best, chance = x[known], y[known], best[known], chance[known]
    loss, gap = y - best, chance - best
    if name == "skill":
        counted = gap >= MIN_GAP
        return float(1 - loss[counted].sum() / gap[counted].sum())
    if name == "gap":
        return float(loss.mean() / BIT)
    if name == "inversion":
        return curves.curve(x, y, **chosen.curve.polynomial).inversion / BIT
    grid = np.linspace(x.min(), x.max(), _GRID)
    smooth = curves.lowess(x, y, grid, fraction=chosen.curve.fraction)
    return float(curves.turning_points(grid, smooth).x) / BIT


def truth(number: int, chosen: Settings, pooled: int) -> dict[Figure, tuple[float, float]]:
    """The same estimators on the tasks of so many redraws together, and their standard error from batches of them."""
    parts = [study(number, _POOLED_FROM + redraw, chosen).full for redraw in range(pooled)]
    whole = figures(_together(parts), chosen)
    batches = [figures(_together(parts[first::_BATCHES]), chosen) for first in range(min(_BATCHES, pooled))]
    return {
        figure: (value, spread(np.array([one[figure] for one in batches])) / math.sqrt(len(batches)))
        for figure, value in whole.items()
    }


def _together(parts: list[Points]) -> Points:
    return Points(*(np.concatenate(column, axis=-1) for column in zip(*parts, strict=True)))


def _ends(drawn: Study) -> dict[Figure, tuple[float, float]]:
    """Curves of the planted model alone: they cost the most."""
    replicates = drawn.replicates
    planted = Replicates(
        _planted(replicates.full),
        replicates.weights,
        *(None if part is None else _planted(part) for part in replicates[2:]),
    )
    rows = intervals(replicates, drawn.settings, drawn=False, threads=1)
    (turns,) = intervals(planted, drawn.settings, drawn=True, threads=1)
    found = {(model, name): (rows[number], name) for number, model in enumerate(MODELS) for name in MEANS}
    found |= {(PLANTED, name): (turns, name) for name in CURVES}
    unit = {"skill": 1.0}
    return {
        figure: (_number(row[f"{name}_low"]) / unit.get(name, BIT), _number(row[f"{name}_high"]) / unit.get(name, BIT))
        for figure, (row, name) in found.items()
    }


def _planted(points: Points) -> Points:
    first = list(MODELS).index(PLANTED)
    return points._replace(cross_entropy=np.ascontiguousarray(points.cross_entropy[:, first : first + 1]))


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def coverage(preset: str, size: Size) -> dict[Figure, Coverage]:
    """How often intervals cover, per figure."""
    chosen = settings(preset, SMALL[preset])
    seen: list[Seen] = []
    for number in range(size.first, size.first + size.worlds):
        true = truth(number, chosen, size.pooled)
        for people in range(size.seeds):
            drawn = study(number, people, chosen)
            seen.append(Seen(figures(drawn.full, chosen), _ends(drawn), true))
            timing.progress(f"{preset}: {len(seen)} of {size.worlds * size.seeds} studies")
    return {figure: summed(figure, seen, size.seeds) for figure in FIGURES}


def summed(figure: Figure, seen: list[Seen], seeds: int) -> Coverage:
    """One figure over all studies, ``seeds`` of each world after another."""
    true, error = np.array([one.truth[figure] for one in seen]).T
    found = np.array([one.figures[figure] for one in seen])
    low, high = np.array([one.ends[figure] for one in seen]).T
    known = ~np.isnan(low)
    return Coverage(
        studies=len(found),
        known=int(known.sum()),
        covered=int(((low <= true) & (true <= high))[known].sum()),
        error=_mean(found - true),
        within=math.sqrt(_mean(np.array([spread(own) ** 2 for own in found.reshape(-1, seeds)]))),
        length=float(np.median((high - low)[known])) if known.any() else math.nan,
        truth=math.sqrt(_mean(error**2)),
    )


def _mean(values: Floats) -> float:
    """Of those that are known."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan


def table(found: Mapping[Figure, Coverage]) -> str:
    """Markdown, one row per figure."""
    lines = [
        "| figure | model | intervals | covered | share | error | sd in a world | length | s. e. of the truth |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for (model, name), one in found.items():
        cells = (
            f"{one.known} of {one.studies}",
            str(one.covered),
            f"{one.share:.3f} \N{PLUS-MINUS SIGN} {one.margin:.3f}" if one.known else "",
            f"{one.error:+.4f}".replace("-", "\N{MINUS SIGN}"),
            *(f"{value:.4f}" for value in (one.within, one.length, one.truth)),
        )
        lines.append(f"| {name.replace('_', ' ')} | {model} | {' | '.join(cells)} |")
    return "\n".join(lines)


def section(held: Mapping[str, Any]) -> str:
    """The tables of every preset that was measured."""
    parts = []
    for preset, of in held.items():
        size = Size(*of["size"])
        found = {(model, name): Coverage(*row) for model, name, row in of["figures"]}
        parts.append(
            f"Preset `{preset}`, {size.worlds} worlds with {size.seeds} studies each, the truth from {size.pooled}"
            f" redraws of each world; {of['date']}:\n\n{table(found)}"
        )
    return "\n\n".join(parts)


def keep(preset: str, size: Size, found: Mapping[Figure, Coverage], path: Path = KEPT) -> None:
    """Beside what is kept of the other preset."""
    held = json.loads(path.read_text("utf-8")) if path.exists() else {}
    rows = [[model, name, [round(x, 6) for x in one]] for (model, name), one in found.items()]
    held[preset] = {"date": f"{dt.datetime.now(dt.UTC):%Y-%m-%d}", "size": size, "figures": rows}
    path.write_text(json.dumps(held) + "\n", "utf-8")


def in_readme(text: str, made: str) -> str:
    """The README with these tables between their marks.

    Raises:
        ValueError: the README does not hold both marks.
    """
    return between(README, text, (BEGIN, END), made)


def draw(path: Path = KEPT) -> None:
    """Rewrite the README's tables from what is kept."""
    README.write_text(in_readme(README.read_text("utf-8"), section(json.loads(path.read_text("utf-8")))), "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__.split("\n")[0])
    parser.add_argument("--preset", choices=sorted(SMALL), default="sound")
    for name, default in (("worlds", 10), ("seeds", 20), ("pooled", 40), ("first", 1000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--readme", action="store_true", help="keep the figures, and rewrite benchmarks/README.md")
    parser.add_argument("--draw", action="store_true", help="rewrite benchmarks/README.md from what is kept")
    given = parser.parse_args()
    if not given.draw:
        size = Size(given.worlds, given.seeds, given.pooled, given.first)
        found = coverage(given.preset, size)
        print(table(found))
        if given.readme:
            keep(given.preset, size, found)
    if given.readme or given.draw:
        draw()


if __name__ == "__main__":
    main()
