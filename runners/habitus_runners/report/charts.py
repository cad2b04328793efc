"""The figures that compare all models: curves, and skill against entropy and group size. One panel per setup."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from habitus import curves
from habitus_runners.report.scored import BAND, Study, in_setup, pooled
from habitus_runners.report.skill import by_bins
from habitus_runners.report.style import GREY, MARKERS, Style, axes_at, canvas, legible, style
from habitus_runners.report.summary import number

Floats = NDArray[np.float64]

PANELS = {"A": "A: demography + history", "B": "B: history only", "C": "C: demography only", "all": "All setups pooled"}
ENTROPY = "target entropy H (bits)"
FLOOR, TOP = -1.0, 1.5  # of what is drawn of skill
GRID, MARK = 101, 25
LEAST_SMOOTHED = 30  # tasks that a smooth is made of
COLUMNS = (0.77, 1.0)  # where the key's numbers end
REFERENCES: Mapping[str, str | tuple[int, tuple[float, ...]]] = {
    "ceiling": (0, (5, 1, 1, 1, 1, 1)),
    "chance": "-.",
    "worst": ":",
}


class CurveSettings(NamedTuple):
    """How points become a curve, as in the run's settings."""

    kind: str
    bins: int
    window: int
    degree: int
    fraction: float


class Layout(NamedTuple):
    """Four panels and the room for a key."""

    figure: Figure
    panels: Mapping[str, Axes]
    key: Axes


class Inversion(NamedTuple):
    """Where a model's curve turns, and the ends of its interval."""

    x: float
    low: float | None
    high: float | None


class Drawing(NamedTuple):
    """One panel's axes, and how its points become curves between the ends of ``support``."""

    axes: Axes
    how: CurveSettings
    support: tuple[float, float]


def models_by_gap(study: Study) -> list[str]:
    """All models, the smallest mean gap over all tasks first; an undefined gap last."""
    gap = (pl.col("cross_entropy") - pl.col("best")).filter(pl.col("cross_entropy").is_finite()).mean()
    ordered = study.scored.group_by("model").agg(gap=gap).sort("gap", "model", nulls_last=True)
    return ordered["model"].to_list()


def curves_figure(study: Study, models: Sequence[str], how: CurveSettings) -> Figure:
    """Cross-entropy against entropy: smoothed points, fits, references, and the inversion points of ``results``."""
    layout = _layout(study.scored, ENTROPY, "cross-entropy CE (bits)", len(models))
    for setup, axes in layout.panels.items():
        scored = study.scored.filter(in_setup(setup), pl.col("entropy").is_not_nan())
        if scored.is_empty():
            _say(axes, "no tasks of this setup")
            continue
        support = (float(scored["entropy"].min()), float(scored["entropy"].max()))  # type: ignore[arg-type] # a Float64 column
        drawing = Drawing(axes, how, support)
        _curve_bands(drawing, study.faulty.filter(in_setup(setup)), models)
        _curves_panel(drawing, scored, models, _inversions(study, setup, how.kind))
    values = [_pooled(study, name) for name in ("gap", "area")]
    _key(layout.key, models, ("gap", "area"), [[of.get(model) for of in values] for model in models])
    _reference_key(layout.key, len(models))
    return layout.figure


def skill_figure(study: Study, models: Sequence[str], column: str, label: str, *, logarithmic: bool) -> Figure:
    """Skill in equal-count bins of ``column``."""
    layout = _layout(study.scored, label, "skill (1 perfect, 0 chance)", len(models))
    for setup, axes in layout.panels.items():
        _skill_panel(axes, study.scored.filter(in_setup(setup)), study.faulty.filter(in_setup(setup)), models, column)
        if logarithmic:
            _logarithmic(axes)
    values = [_pooled(study, name) for name in ("skill", "bounded_skill")]
    _key(layout.key, models, ("skill", "bounded"), [[of.get(model) for of in values] for model in models])
    layout.key.plot([0, 0.13], [len(models) + 2] * 2, color=GREY, ls=REFERENCES["ceiling"], lw=1)
    layout.key.text(0.17, len(models) + 2, "noise ceiling", va="center", color=GREY, fontsize=8.5)
    return layout.figure


def _layout(scored: pl.DataFrame, across: str, up: str, models: int) -> Layout:
    figure = canvas(12, 8.1)
    places = {"A": (0.75, 4.6), "B": (5.3, 4.6), "C": (0.75, 0.55), "all": (5.3, 0.55)}
    panels = {setup: axes_at(figure, left, bottom, 3.8, 3.15) for setup, (left, bottom) in places.items()}
    for setup, axes in panels.items():
        axes.set(xlabel=across, ylabel=up)
        tasks = scored.filter(in_setup(setup))["task_id"].n_unique()
        axes.set_title(f"{PANELS[setup]} ({tasks:,} tasks)")
    key = axes_at(figure, 9.3, 0.55, 2.6, 7.2)
    key.set(xlim=(0, 1), ylim=(max(26, models + 9), -0.5))
    key.axis("off")
    return Layout(figure, panels, key)


def _pooled(study: Study, figure: str) -> dict[str, float | None]:
    return dict(study.results.filter(pooled("all")).select("model", figure).iter_rows())


def _inversions(study: Study, setup: str, kind: str) -> dict[str, Inversion]:
    prefix = "lowess_" if kind == "lowess" else ""
    found = study.results.filter(pooled(setup), pl.col(f"{prefix}outcome") == "value")
    names = [f"{prefix}inversion{end}" for end in ("", "_low", "_high")]
    return {model: Inversion(*ends) for model, *ends in found.select("model", *names).iter_rows()}


def _curve_bands(drawing: Drawing, faulty: pl.DataFrame, models: Sequence[str]) -> None:
    """Between the policies for empty slots, for models that have any."""
    for index, model in enumerate(models):
        rows = faulty.filter(pl.col("model") == model)
        if rows.height:
            grid = np.linspace(*drawing.support, GRID)
            low, high = (_fitted(drawing, rows.filter(pl.col("fill") == fill), grid) for fill in BAND)
            drawing.axes.fill_between(grid, low, high, color=style(index).colour, alpha=0.13, lw=0, zorder=0)


def _fitted(drawing: Drawing, rows: pl.DataFrame, grid: Floats) -> Floats:
    """The curve of one model's tasks on a grid; NaN where there is none."""
    known = rows.filter(pl.col("cross_entropy").is_finite())
    return _smooth(drawing, known["entropy"].to_numpy(), known["cross_entropy"].to_numpy(), grid)[0]


def _smooth(drawing: Drawing, x: Floats, y: Floats, grid: Floats) -> tuple[Floats, curves.Curve | None]:
    how = drawing.how
    if how.kind == "lowess":
        enough = len(x) >= LEAST_SMOOTHED
        return (curves.lowess(x, y, grid, fraction=how.fraction) if enough else np.full(len(grid), np.nan)), None
    if not len(x):
        return np.full(len(grid), np.nan), None
    curve = curves.curve(x, y, bins=how.bins, window=how.window, degree=how.degree, support=drawing.support)
    return curve.at(grid), curve


def _curves_panel(
    drawing: Drawing, scored: pl.DataFrame, models: Sequence[str], inversions: Mapping[str, Inversion]
) -> None:
    axes = drawing.axes
    axes.plot(drawing.support, drawing.support, color=GREY, lw=1, ls="--", zorder=1)
    first = scored.unique("task_id", maintain_order=True)
    for reference, line in REFERENCES.items():
        _line(drawing, first.filter(pl.col(reference).is_finite()), reference, Style(GREY, line, ""))
    fitted = []
    for index, model in enumerate(models):
        rows = scored.filter((pl.col("model") == model) & pl.col("cross_entropy").is_finite())
        drawn = _line(drawing, rows, "cross_entropy", style(index))
        fitted.append(drawn is not None)
        if drawn is not None and model in inversions:
            turn = inversions[model]
            _star(axes, turn, float(np.interp(turn.x, *drawn)), style(index).colour)
    if not any(fitted):
        _say(axes, f"{first.height:,} tasks: too few for a curve;\neach point is one task")


def _star(axes: Axes, turn: Inversion, y: float, colour: str) -> None:
    if turn.low is not None and turn.high is not None:
        axes.plot([turn.low, turn.high], [y, y], color=colour, lw=4, alpha=0.35, solid_capstyle="butt", zorder=4)
    axes.plot([turn.x], [y], marker="*", ms=13, mfc=colour, mec="white", mew=0.8, zorder=5)


def _line(drawing: Drawing, rows: pl.DataFrame, column: str, look: Style) -> tuple[Floats, Floats] | None:
    """Smoothed points and fit of one model or reference; the raw tasks where there are too few for a curve."""
    axes, x, y = drawing.axes, rows["entropy"].to_numpy(), rows[column].to_numpy()
    grid = np.linspace(*drawing.support, GRID)
    heights, curve = _smooth(drawing, x, y, grid)
    if np.isnan(heights).all():
        axes.plot(x, y, ls="", marker=look.marker or ".", ms=3, color=look.colour, alpha=0.5, mew=0, rasterized=True)
        return None
    axes.plot(grid, heights, color=look.colour, ls=look.line, lw=1.4 if look.marker else 1, zorder=3)
    if look.marker:
        if curve is not None:
            axes.plot(curve.x, curve.y, ls="", marker=".", ms=3, color=look.colour, alpha=0.35, mew=0)
        marks = slice(MARKERS.index(look.marker) * 2 % MARK, None, MARK)
        axes.plot(grid[marks], heights[marks], ls="", marker=look.marker, ms=4.5, color=look.colour, mew=0, zorder=4)
    known = ~np.isnan(heights)
    return grid[known], heights[known]


def _skill_panel(axes: Axes, scored: pl.DataFrame, faulty: pl.DataFrame, models: Sequence[str], column: str) -> None:
    axes.axhline(1, color=GREY, lw=1, ls="--", zorder=1)
    axes.axhline(0, color=GREY, lw=1, ls="-.", zorder=1)
    bins = by_bins(scored, column)
    highest = float(bins["skill"].to_numpy().max(initial=1.0))
    axes.set_ylim(FLOOR - 0.02, min(highest, TOP) + 0.05)
    if bins.is_empty():
        _say(axes, "no tasks of this setup" if scored.is_empty() else "too few tasks for a bin of 20")
        return
    ends = [by_bins(faulty.filter(pl.col("fill") == fill), column) for fill in BAND]
    for index, model in enumerate(models):
        of_model, look = bins.filter(pl.col("model") == model), style(index)
        x, y = of_model["x"].to_numpy(), of_model["skill"].to_numpy()
        axes.plot(x, y, color=look.colour, ls=look.line, marker=look.marker, ms=3.5, mew=0, lw=1.3)
        low, high = (end.filter(pl.col("model") == model) for end in ends)
        if low.height == high.height > 0:
            axes.fill_between(low["x"], low["skill"], high["skill"], color=look.colour, alpha=0.13, lw=0, zorder=0)
    one = scored.unique("task_id", maintain_order=True).with_columns(cross_entropy="ceiling")
    top = by_bins(one, column).group_by("bin", maintain_order=True).first()
    axes.plot(top["x"], top["skill"], color=GREY, ls=REFERENCES["ceiling"], lw=1, zorder=2)


def _logarithmic(axes: Axes) -> None:
    if not axes.lines[2:]:  # perfect and chance alone: nothing to scale
        return
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1, 3)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _say(axes: Axes, text: str) -> None:
    axes.text(0.02, 0.98, text, transform=axes.transAxes, va="top", color=GREY, fontsize=8.5)


def _key(axes: Axes, models: Sequence[str], headings: Sequence[str], values: Sequence[Sequence[float | None]]) -> None:
    """Line, marker, name and values of every model, smallest gap first: the order of the table at most places."""
    for place, heading in zip(COLUMNS, headings, strict=True):
        axes.text(place, 0, heading, ha="right", va="center", color=GREY, fontsize=8)
    for index, (model, numbers) in enumerate(zip(models, values, strict=True)):
        look, row = style(index), index + 1
        axes.plot([0, 0.11], [row, row], color=look.colour, ls=look.line, lw=1.6)
        axes.plot([0.055], [row], color=look.colour, marker=look.marker, ms=5, mew=0)
        axes.text(0.14, row, legible(model, 18), va="center", fontsize=8.5)
        for place, value in zip(COLUMNS, numbers, strict=True):
            axes.text(place, row, number(value), ha="right", va="center", fontsize=8.5)


def _reference_key(axes: Axes, below: int) -> None:
    texts = ("perfect: CE = H", "noise ceiling", "chance", "worst list")
    for index, (line, text) in enumerate(zip(("--", *REFERENCES.values()), texts, strict=True), below + 2):
        axes.plot([0, 0.13], [index, index], color=GREY, ls=line, lw=1)
        axes.text(0.17, index, text, va="center", color=GREY, fontsize=8.5)
    star = below + 2 + len(texts)
    _star(axes, Inversion(0.065, 0.01, 0.12), star, GREY)
    axes.text(0.17, star, "inversion point, 95 % interval", va="center", color=GREY, fontsize=8.5)
    axes.fill_between([0, 0.13], star + 0.6, star + 1.4, color=GREY, alpha=0.25, lw=0)
    axes.text(0.17, star + 1, "empty slots: best to worst case", va="center", color=GREY, fontsize=8.5)
