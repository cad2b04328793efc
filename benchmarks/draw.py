"""The scaling plots, drawn from measured points: logarithmic axes, lines named where they end."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
from benchmarks.points import Points
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

# Okabe & Ito's palette, which colour-blind people can tell apart; libraries share a colour and differ in their marks.
STYLES: Mapping[str, tuple[str, str]] = {
    "habitus": ("#D55E00", "o"),
    "C limit": ("#000000", "s"),
    "C limit, all outputs": ("#000000", "^"),
    "numpy, value sorts": ("#0072B2", "o"),
    "numpy, two argsorts": ("#0072B2", "s"),
    "numpy, per ranking": ("#0072B2", "^"),
    "numba, argsorts": ("#E69F00", "D"),
    "torch, value sorts": ("#CC79A7", "v"),
    "polars, lists": ("#009E73", "o"),
    "polars, long": ("#009E73", "s"),
    "duckdb, long": ("#56B4E9", "^"),
    "pandas": ("#7F7F7F", "D"),
    "scipy": ("#0072B2", "o"),
    "habitus, popular histories": ("#E69F00", "D"),
    "scipy, popular histories": ("#56B4E9", "^"),
    "one model": ("#D55E00", "o"),
    "ten models": ("#0072B2", "s"),
}
Lines = Mapping[str, Sequence[tuple[float, float]]]


class Plot(NamedTuple):
    """``title`` says what is on the vertical axis, so that nobody has to tilt the head."""

    sweep: str
    title: str
    below: str
    adorn: Callable[[Axes, Lines], None] | None = None


def figures(points: Points, folder: Path) -> Iterator[Path]:
    """Write each figure as SVG and PNG."""
    (folder / "figures").mkdir(exist_ok=True)
    text = {"svg.fonttype": "none", "svg.hashsalt": "habitus", "font.size": 9, "font.family": "sans-serif"}
    for plot in PLOTS:
        lines = points.of(plot.sweep)
        if not lines:
            continue
        with mpl.rc_context(text):
            figure = _draw(plot, lines)
            for kind, options in (("svg", {"metadata": {"Date": None}}), ("png", {"dpi": 110})):
                path = folder / "figures" / f"{plot.sweep}.{kind}"
                figure.savefig(path, **options)
                yield path


def _draw(plot: Plot, lines: Lines) -> Figure:
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xscale="log", yscale="log", xlabel=plot.below)
    axes.set_title(plot.title, loc="left", fontsize=10)
    for name, line in lines.items():
        colour, mark = STYLES[name]
        bold = name in {"habitus", "one model"}
        axes.plot(*zip(*line, strict=True), color=colour, marker=mark, ms=4.5, lw=2.4 if bold else 1.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, which="major", lw=0.4, color="#DDDDDD")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_locator(NullLocator())
    if plot.adorn:
        plot.adorn(axes, lines)
    _name_lines(axes, lines)
    return figure


def _name_lines(axes: Axes, lines: Lines) -> None:
    """Names stand to the right of all lines, in the order of where these would end, and thin lines lead to them."""
    (left, _), (bottom, top) = axes.get_xlim(), (math.log(y) for y in axes.get_ylim())
    right = max(x for line in lines.values() for x, _ in line)
    ends = sorted((_at(right, line), name) for name, line in lines.items())
    top = max(top, ends[-1][0])
    heights = spread([height for height, _ in ends], (top - bottom) / 19)
    gap = (right / left) ** 0.06
    for height, (_, name) in zip(heights, ends, strict=True):
        (x, y), colour = lines[name][-1], STYLES[name][0]
        axes.plot([x, right * gap], [y, math.exp(height)], color=colour, lw=0.6, clip_on=False)
        weight = "bold" if name in {"habitus", "one model"} else "normal"
        axes.text(right * gap**1.15, math.exp(height), name, color=colour, va="center", fontweight=weight)
    axes.set_ylim(math.exp(bottom), math.exp(max(top, heights[-1])))
    axes.set_xlim(left, right * gap)


def _at(x: float, line: Sequence[tuple[float, float]]) -> float:
    """The logarithm of a line's height at x, as its last two points have it."""
    (x_1, y_1), (x_2, y_2) = [line[0], *line][-2:]
    slope = math.log(y_2 / y_1) / math.log(x_2 / x_1) if x_2 > x_1 else 0
    return math.log(y_2) + slope * math.log(x / x_2)


def spread(heights: Sequence[float], gap: float) -> list[float]:
    """Ascending heights, moved until neighbours are ``gap`` apart; those that touch share the shift."""
    runs: list[list[float]] = []
    for height in heights:
        runs.append([height])
        while len(runs) > 1 and _middle(runs[-1]) - _middle(runs[-2]) < gap * (len(runs[-1]) + len(runs[-2])) / 2:
            runs[-2:] = [runs[-2] + runs[-1]]
    return [_middle(run) + gap * (place - (len(run) - 1) / 2) for run in runs for place in range(len(run))]


def _middle(run: Sequence[float]) -> float:
    return sum(run) / len(run)


def _minute(axes: Axes, lines: Lines) -> None:
    left = min(x for line in lines.values() for x, _ in line)
    axes.axhline(60, color="#999999", lw=0.8, ls=":")
    axes.text(left, 60 * 1.15, "a minute", color="#777777", va="bottom")


def _every_power_of_two(axes: Axes, lines: Lines) -> None:
    sizes = sorted({int(x) for line in lines.values() for x, _ in line})
    axes.set_xticks(sizes, [f"{size}" for size in sizes])


def _in_proportion(axes: Axes, lines: Lines) -> None:
    for line in lines.values():
        (first, one), *_, (last, _) = line
        axes.plot([first, last], [one, one * last / first], color="#999999", lw=0.8, ls=":")
    _every_power_of_two(axes, lines)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1e6:g} M"))
    low, high = axes.get_ylim()
    ticks = [step * 10.0**power for power in range(6, 10) for step in (1, 2, 5)]
    axes.set_yticks([tick for tick in ticks if low <= tick <= high])


PLOTS = (
    Plot(
        "rankings",
        "Seconds on one core (thin: would take more than a minute)",
        "rankings of 10 out of 50",
        _minute,
    ),
    Plot("candidates", "Nanoseconds per ranking, on one core", "candidates K", _every_power_of_two),
    Plot("threads", "Rankings per second (dotted: in proportion)", "threads", _in_proportion),
    Plot("interactions", "Tasks drawn per second, on one core", "interactions in the log"),
)
