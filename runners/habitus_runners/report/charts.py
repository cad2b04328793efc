"""The figures that compare all models: curves, and skill against entropy and group size. One panel per setup."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from habitus import curves
from habitus_runners.report.scored import Study, in_setup, pooled
from habitus_runners.report.skill import by_bins
from habitus_runners.report.style import GREY, MARKERS, Style, axes_at, canvas, legible, style
from habitus_runners.report.summary import number

PANELS = {"A": "A: demography + history", "B": "B: history only", "C": "C: demography only", "all": "All setups pooled"}
ENTROPY = "target entropy H (bits)"
FLOOR = -1.0
GRID, MARK = 101, 25
REFERENCES = ("chance", "worst")


class CurveSettings(NamedTuple):
    """How points become a curve: bins, window and degree of the run."""

    bins: int
    window: int
    degree: int


class Layout(NamedTuple):
    """Four panels and the room for a key."""

    figure: Figure
    panels: Mapping[str, Axes]
    key: Axes


def models_by_gap(study: Study) -> list[str]:
    """All models, the smallest mean gap over all tasks first; an undefined gap last."""
    gap = (pl.col("cross_entropy") - pl.col("entropy")).filter(pl.col("cross_entropy").is_finite()).mean()
    ordered = study.scored.group_by("model").agg(gap=gap).sort("gap", "model", nulls_last=True)
    return ordered["model"].to_list()


def curves_figure(study: Study, models: Sequence[str], how: CurveSettings) -> Figure:
    """Cross-entropy against entropy: rolling means, fits, references, and the inversion points of ``results``."""
    layout = _layout(study.scored, ENTROPY, "cross-entropy CE (bits)", len(models))
    for setup, axes in layout.panels.items():
        _curves_panel(axes, study.scored.filter(in_setup(setup)), models, how, _inversions(study, setup))
    gaps = {row["model"]: row["gap"] for row in study.results.filter(pooled("all")).iter_rows(named=True)}
    _key(layout.key, models, "gap (bits)", [gaps.get(model) for model in models])
    _reference_key(layout.key, len(models))
    return layout.figure


def skill_figure(study: Study, models: Sequence[str], column: str, label: str, *, logarithmic: bool) -> Figure:
    """Skill in equal-count bins of ``column``."""
    layout = _layout(study.scored, label, "skill (1 perfect, 0 chance)", len(models))
    for setup, axes in layout.panels.items():
        _skill_panel(axes, study.scored.filter(in_setup(setup)), models, column)
        if logarithmic:
            _logarithmic(axes)
    skills = {row["model"]: row["skill"] for row in study.results.filter(pooled("all")).iter_rows(named=True)}
    _key(layout.key, models, "skill", [skills.get(model) for model in models])
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
    key.set(xlim=(0, 1), ylim=(max(26, models + 7), -0.5))
    key.axis("off")
    return Layout(figure, panels, key)


def _inversions(study: Study, setup: str) -> dict[str, float]:
    found = study.results.filter(pooled(setup), pl.col("outcome") == "value")
    return dict(found.select("model", "inversion").iter_rows())


def _curves_panel(
    axes: Axes, scored: pl.DataFrame, models: Sequence[str], how: CurveSettings, inversions: Mapping[str, float]
) -> None:
    if scored.is_empty():
        _say(axes, "no tasks of this setup")
        return
    support = (float(scored["entropy"].min()), float(scored["entropy"].max()))  # type: ignore[arg-type] # a Float64 column
    axes.plot(support, support, color=GREY, lw=1, ls="--", zorder=1)
    first = scored.unique("task_id", maintain_order=True)
    for reference, line in zip(REFERENCES, ("-.", ":"), strict=True):
        _line(axes, first, reference, Style(GREY, line, ""), how, support)
    fitted = []
    for index, model in enumerate(models):
        rows = scored.filter((pl.col("model") == model) & pl.col("cross_entropy").is_finite())
        curve = _line(axes, rows, "cross_entropy", style(index), how, support)
        fitted.append(curve is not None)
        if curve is not None and model in inversions:
            x = inversions[model]
            _star(axes, x, float(curve.at(x)), style(index).colour)
    if not any(fitted):
        _say(axes, f"{first.height:,} tasks: too few for a curve;\neach point is one task")


def _star(axes: Axes, x: float, y: float, colour: str) -> None:
    axes.plot([x], [y], marker="*", ms=13, mfc=colour, mec="white", mew=0.8, zorder=5)


def _line(
    axes: Axes, rows: pl.DataFrame, column: str, look: Style, how: CurveSettings, support: tuple[float, float]
) -> curves.Curve | None:
    """Rolling means and fit of one model or reference; the raw tasks where there are too few for a curve."""
    x, y = rows["entropy"].to_numpy(), rows[column].to_numpy()
    curve = curves.curve(x, y, bins=how.bins, window=how.window, degree=how.degree, support=support) if len(x) else None
    if curve is None or curve.outcome == "undefined":
        axes.plot(x, y, ls="", marker=look.marker or ".", ms=3, color=look.colour, alpha=0.5, mew=0, rasterized=True)
        return None
    grid = np.linspace(*curve.domain, GRID)
    axes.plot(grid, curve.at(grid), color=look.colour, ls=look.line, lw=1.4 if look.marker else 1, zorder=3)
    if look.marker:
        axes.plot(curve.x, curve.y, ls="", marker=".", ms=3, color=look.colour, alpha=0.35, mew=0)
        marks = grid[MARKERS.index(look.marker) * 2 % MARK :: MARK]
        axes.plot(marks, curve.at(marks), ls="", marker=look.marker, ms=4.5, color=look.colour, mew=0, zorder=4)
    return curve


def _skill_panel(axes: Axes, scored: pl.DataFrame, models: Sequence[str], column: str) -> None:
    axes.axhline(1, color=GREY, lw=1, ls="--", zorder=1)
    axes.axhline(0, color=GREY, lw=1, ls="-.", zorder=1)
    axes.set_ylim(FLOOR - 0.02, 1.05)
    bins = by_bins(scored, column)
    if bins.is_empty():
        _say(axes, "no tasks of this setup" if scored.is_empty() else "too few tasks for a bin of 20")
        return
    for index, model in enumerate(models):
        of_model, look = bins.filter(pl.col("model") == model), style(index)
        x, y = of_model["x"].to_numpy(), of_model["skill"].to_numpy()
        axes.plot(x, y, color=look.colour, ls=look.line, marker=look.marker, ms=3.5, mew=0, lw=1.3)


def _logarithmic(axes: Axes) -> None:
    if not axes.lines[2:]:  # perfect and chance alone: nothing to scale
        return
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1, 3)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _say(axes: Axes, text: str) -> None:
    axes.text(0.02, 0.98, text, transform=axes.transAxes, va="top", color=GREY, fontsize=8.5)


def _key(axes: Axes, models: Sequence[str], heading: str, values: Sequence[float | None]) -> None:
    """Line, marker, name and value of every model, smallest gap first: the order of the table at most places."""
    axes.text(1, 0, heading, ha="right", va="center", color=GREY, fontsize=8)
    for index, (model, value) in enumerate(zip(models, values, strict=True)):
        look, row = style(index), index + 1
        axes.plot([0, 0.13], [row, row], color=look.colour, ls=look.line, lw=1.6)
        axes.plot([0.065], [row], color=look.colour, marker=look.marker, ms=5, mew=0)
        axes.text(0.17, row, legible(model, 22), va="center", fontsize=8.5)
        axes.text(1, row, number(value), ha="right", va="center", fontsize=8.5)


def _reference_key(axes: Axes, below: int) -> None:
    rows = (("--", "perfect: CE = H"), ("-.", "chance"), (":", "worst list"))
    for index, (line, text) in enumerate(rows, below + 2):
        axes.plot([0, 0.13], [index, index], color=GREY, ls=line, lw=1)
        axes.text(0.17, index, text, va="center", color=GREY, fontsize=8.5)
    star = below + 2 + len(rows)
    _star(axes, 0.065, star, GREY)
    axes.text(0.17, star, "inversion point", va="center", color=GREY, fontsize=8.5)
