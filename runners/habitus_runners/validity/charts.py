"""The small figures of the page: one per property that has one."""

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from habitus_runners.report.style import GREY, axes_at, canvas, style
from habitus_runners.validity.property import Chart

_WIDTH, _HEIGHT = 5.4, 3.1
_BINS = 20


def drawn(chart: Chart) -> Figure:
    """The figure of one property."""
    figure = canvas(_WIDTH, _HEIGHT)
    axes = axes_at(figure, 0.75, 0.55, _WIDTH - 0.95, _HEIGHT - 0.75)
    axes.set(xlabel=chart.across, ylabel=chart.up)
    _KINDS[chart.kind](axes, chart)
    if len(chart.series) > 1:
        axes.legend(frameon=False, fontsize=8.5)
    return figure


def _diagonal(axes: Axes, chart: Chart) -> None:
    ends = min(chart.series[0].x), max(chart.series[0].x)
    axes.plot(ends, ends, color=GREY, lw=1, ls="--")
    _points(axes, chart)


def _zero(axes: Axes, chart: Chart) -> None:
    axes.axhline(0, color=GREY, lw=1, ls="--")
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1, 3)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    _points(axes, chart)


def _points(axes: Axes, chart: Chart) -> None:
    for number, series in enumerate(chart.series):
        look = style(number)
        axes.errorbar(
            series.x, series.y, yerr=series.error, label=series.label,
            color=look.colour, marker=look.marker, ms=4, lw=1, ls="", capsize=2,
        )  # fmt: skip


def _histogram(axes: Axes, chart: Chart) -> None:
    edges = np.linspace(0, 1, _BINS + 1).tolist()
    for number, series in enumerate(chart.series):
        axes.hist(series.x, edges, histtype="step", color=style(number).colour, label=series.label)
        axes.axhline(len(series.x) / _BINS, color=GREY, lw=1, ls="--")
    axes.set_xlim(0, 1)


def _intervals(axes: Axes, chart: Chart) -> None:
    axes.axhline(0, color=GREY, lw=1, ls="--")
    for number, series in enumerate(chart.series):
        axes.errorbar(series.x, series.y, yerr=series.error, color=style(number).colour, lw=0.8, ls="")


_KINDS: Mapping[str, Callable[[Axes, Chart], None]] = {
    "diagonal": _diagonal,
    "zero": _zero,
    "histogram": _histogram,
    "intervals": _intervals,
}
