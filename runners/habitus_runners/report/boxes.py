"""The figures of one model: how its cross-entropies are spread over proxy levels and history lengths."""

from collections.abc import Iterator, Sequence
from textwrap import fill
from typing import NamedTuple

import polars as pl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.container import Container
from matplotlib.figure import Figure
from matplotlib.text import Text

from habitus_runners.report.scored import Study
from habitus_runners.report.style import GREY, Style, axes_at, canvas, legible

ACROSS = 3
SHARES = {"low": 0.05, "q1": 0.25, "median": 0.5, "q3": 0.75, "high": 0.95}
KEY = "◇ median H   ┄ median of chance   — — of the noise ceiling   (tasks)"
LABEL = "cross-entropy CE (bits)"
REFERENCES = ("entropy", "ceiling", "chance")


class Spread(NamedTuple):
    """Quantiles of every model's cross-entropies: per level, per history length, and per both."""

    by_level: pl.DataFrame
    by_history: pl.DataFrame
    by_cell: pl.DataFrame
    levels: tuple[str, ...]
    lengths: tuple[int, ...]
    range: tuple[float, float]


class Template(NamedTuple):
    """A figure with all its axes, drawn once and filled for one model after the other."""

    figure: Figure
    title: Text
    panels: tuple[tuple[Axes, pl.DataFrame, str, tuple[str, ...] | tuple[int, ...]], ...]


def spread(study: Study, levels: Sequence[str], lengths: Sequence[int]) -> Spread:
    """The quantiles that the boxes show. Models share one range of y, so that their figures can be compared."""
    rows = study.scored.filter(pl.col("cross_entropy").is_finite())
    cells = _quantiles(rows, "level", "history")
    return Spread(
        by_level=_quantiles(rows, "level"),
        by_history=_quantiles(rows, "history"),
        by_cell=cells,
        levels=tuple(levels),
        lengths=tuple(lengths),
        range=_range(cells),
    )


def _quantiles(rows: pl.DataFrame, *keys: str) -> pl.DataFrame:
    boxes = {name: pl.col("cross_entropy").quantile(share, "linear") for name, share in SHARES.items()}
    medians = {f"{name}_median": pl.col(name).median() for name in REFERENCES}
    return rows.group_by("model", *keys).agg(**boxes, **medians, tasks=pl.len())


def _range(cells: pl.DataFrame) -> tuple[float, float]:
    if cells.is_empty():
        return 0.0, 1.0
    low, high = cells.select(pl.min_horizontal("low", "entropy_median").min(), pl.max("high")).row(0)
    return low - 0.05 * (high - low) - 0.05, high + 0.05 * (high - low) + 0.05


def overview(numbers: Spread) -> Template:
    """Two panels: per proxy level, per history length (the paper's figures 4 to 7)."""
    figure = canvas(10, 3.85)
    left, right = axes_at(figure, 0.6, 0.8, 4.9, 2.45), axes_at(figure, 5.75, 0.8, 4.1, 2.45)
    for axes, title, items in (
        (left, "Per proxy level", numbers.levels),
        (right, "Per history length", numbers.lengths),
    ):
        _prepare(axes, title, len(items), numbers.range)
    left.set_ylabel(LABEL)
    right.tick_params(labelleft=False)
    right.set_xlabel("items of history")
    return Template(
        figure,
        _head(figure),
        ((left, numbers.by_level, "level", numbers.levels), (right, numbers.by_history, "history", numbers.lengths)),
    )


def cells(numbers: Spread) -> Template:
    """One panel per proxy level, a box per history length (the paper's figures 8 to 15)."""
    down = -(-len(numbers.levels) // ACROSS)
    figure = canvas(10, 0.3 + 2.75 * down)
    panels = []
    for index, level in enumerate(numbers.levels):
        row, column = divmod(index, ACROSS)
        axes = axes_at(figure, 0.6 + 3.15 * column, 0.6 + 2.75 * (down - 1 - row), 2.95, 1.85)
        _prepare(axes, legible(level, 34), len(numbers.lengths), numbers.range)
        axes.tick_params(labelleft=column == 0)
        axes.set_xlabel("items of history" if index + ACROSS >= len(numbers.levels) else "")
        axes.set_ylabel(LABEL if column == 0 else "")
        panels.append((axes, numbers.by_cell.filter(pl.col("level") == level), "history", numbers.lengths))
    return Template(figure, _head(figure), tuple(panels))


def _head(figure: Figure) -> Text:
    """The key at the top right; returns the title at the top left, to be filled with the model's name."""
    across, up = figure.get_size_inches()
    figure.text(1 - 0.15 / across, 1 - 0.08 / up, KEY, ha="right", va="top", color=GREY, fontsize=8.5)
    return figure.text(0.1 / across, 1 - 0.06 / up, "", va="top", fontsize=10.5)


def _prepare(axes: Axes, title: str, items: int, across: tuple[float, float]) -> None:
    axes.set_title(title)
    axes.set(xlim=(-0.6, items - 0.4), ylim=across, xticks=range(items))
    axes.grid(visible=False, axis="x")


def filled(template: Template, model: str, look: Style) -> Iterator[Figure]:
    """The template with one model's boxes, until the next is asked for."""
    template.title.set_text(legible(model, 70))
    drawn: list[Artist | Container] = []
    for axes, numbers, key, items in template.panels:
        drawn += _boxes(axes, numbers.filter(pl.col("model") == model), key, items, look)
    yield template.figure
    for artist in drawn:
        artist.remove()


def _boxes(
    axes: Axes, numbers: pl.DataFrame, key: str, items: Sequence[str] | Sequence[int], look: Style
) -> list[Artist | Container]:
    known = {row[key]: row for row in numbers.iter_rows(named=True)}
    shown = [(x, known[item]) for x, item in enumerate(items) if item in known]
    axes.set_xticklabels([_label(item, known[item]["tasks"] if item in known else 0) for item in items])
    if not shown:
        return []
    at = [x for x, _ in shown]
    column = {name: [row[name] for _, row in shown] for name in (*SHARES, *(f"{name}_median" for name in REFERENCES))}
    heights = [high - low for low, high in zip(column["q1"], column["q3"], strict=True)]
    left, right = [x - 0.28 for x in at], [x + 0.28 for x in at]
    bars = axes.bar(at, heights, bottom=column["q1"], width=0.56, color=look.colour, alpha=0.35, lw=0, zorder=2)
    return [
        bars,
        axes.vlines(at, column["low"], column["high"], color=look.colour, lw=1, zorder=1),
        axes.hlines(column["median"], left, right, color=look.colour, lw=2, zorder=3),
        axes.hlines(column["chance_median"], left, right, color=GREY, lw=1, ls=":", zorder=3),
        axes.hlines(column["ceiling_median"], left, right, color=GREY, lw=1, ls=(0, (4, 2)), zorder=3),
        *axes.plot(at, column["entropy_median"], ls="", marker="D", ms=4, mfc="white", mec=GREY, zorder=4),
    ]


def _label(item: str | int, tasks: int) -> str:
    name = fill(legible(item, 34), 13) if isinstance(item, str) else str(item)
    return f"{name}\n({tasks:,})"
