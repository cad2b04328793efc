"""The figures of the reproduction page, each on a canvas of its own. All in bits; the left half is `paper`."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from habitus_runners.report.scored import in_setup
from habitus_runners.report.skill import LEAST_TASKS, by_bins
from habitus_runners.report.style import COLOURS, GREY, axes_at, canvas, style
from habitus_runners.reproduction import constant_skill, infinities
from habitus_runners.reproduction.bias import Bias
from habitus_runners.reproduction.constant_skill import SKILLS
from habitus_runners.reproduction.runs import SETUPS, Studied, models
from habitus_runners.reproduction.sample_prompt import REPLAYS, Replay
from habitus_runners.tables import POOLED

ALPHAS = np.logspace(-6, 0, 13)
ENTROPY = "target entropy H (bits)"
USERS = "group size |u| (users, log scale)"
_WIDTH, _HEIGHT = 10.0, 3.6
_BINS = np.array([3, 4, 6, 9, 14, 21, 32, 50, 80, 130, 250, 500, 4000])  # of users
_POINTS = 4000  # of a scatter: more of them are one cloud


def sample_prompt(prompt: Replay) -> Figure:
    """The published candidates by how many of the group rated them, and how many zeros each rule would give."""
    figure = canvas(_WIDTH, 3.2)
    left, right = axes_at(figure, 0.65, 0.6, 4.3, 2.2), axes_at(figure, 5.6, 0.6, 4.25, 2.2)
    counts = np.sort(prompt.counts)[::-1]
    left.bar(np.arange(len(counts)) + 1, counts, color=COLOURS[0], width=0.8)
    left.plot(np.flatnonzero(counts == 0) + 1, np.zeros(prompt.zeros), ls="", marker="_", color=COLOURS[1], ms=6, mew=2)
    left.set(
        xlabel="the 50 published candidates, most rated first", ylabel=f"users of {prompt.group_size} who rated it"
    )
    left.set_title(f"{prompt.zeros} of {len(counts)} have none")
    places = np.arange(len(counts) + 1)
    for name, zeros, colour in (
        ("as printed", prompt.zeros_literal, COLOURS[3]),
        ("whole inventory", prompt.zeros_inventory, COLOURS[4]),
        ("half never, half interacted", prompt.zeros_half, COLOURS[2]),
    ):
        share = np.bincount(zeros, minlength=len(places)) / len(zeros)
        right.bar(places, share, color=colour, width=0.9, alpha=0.8, label=name)
    right.axvline(prompt.zeros, color="black", lw=1.4, ls="--", label="the paper's own prompt")
    right.set(xlabel="candidates that nobody in the group rated", ylabel=f"share of {REPLAYS:,} draws", xlim=(-1, 31))
    right.set_title("What each rule gives")
    right.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(0.04, 1))
    return figure


def infinite(runs: Sequence[Studied]) -> Figure:
    """Share of tasks whose cross-entropy is infinite without smoothing, against group size."""
    figure, panels = _side_by_side(runs, USERS, "infinite without smoothing (share)")
    order = models(runs)
    for axes, run in zip(panels, runs, strict=True):
        for model in run.models:
            counted = infinities.of_model(run.tables, model)
            if counted is None:
                continue
            place = np.digitize(counted.group_size, _BINS)
            bins = [number for number in np.unique(place) if (place == number).sum() >= LEAST_TASKS]
            x = [float(np.exp(np.log(counted.group_size[place == number]).mean())) for number in bins]
            y = [float(counted.infinite[place == number].mean()) for number in bins]
            look = style(order.index(model))
            axes.plot(x, y, color=look.colour, marker=look.marker, ms=4, lw=1.3, mew=0, label=model)
        axes.set_ylim(-0.02, 1.02)
        _logarithmic(axes)
        axes.legend(fontsize=8, frameon=False)
    return figure


def sizes(runs: Sequence[Studied], ranks: Sequence[str]) -> Figure:
    """Entropy against group size, a point per task."""
    figure, panels = _side_by_side(runs, USERS, ENTROPY)
    for axes, run, rank in zip(panels, runs, ranks, strict=True):
        known = run.study.tasks.filter(pl.col("entropy").is_finite())
        shown = known.sample(min(_POINTS, known.height), seed=0)
        for index, setup in enumerate(SETUPS):
            rows = shown.filter(in_setup(setup))
            place = rows["group_size"].to_numpy(), rows["entropy"].to_numpy()
            axes.scatter(*place, s=4, c=COLOURS[index], alpha=0.35, lw=0, rasterized=True)
            axes.plot([], [], ls="", marker="o", ms=5, mew=0, color=COLOURS[index], label=f"setup {setup}")
        _logarithmic(axes)
        axes.set_title(f"{_title(run)}: Spearman {rank}")
        axes.legend(fontsize=8, frameon=False, ncols=2, loc="lower left", columnspacing=1)
    return figure


def constant(runs: Sequence[Studied]) -> Figure:
    """Above: curves of models that are equally good everywhere. Below: their skill, and that of popularity."""
    figure, panels = _side_by_side(runs, "", "cross-entropy CE (bits)", rows=2)
    for index, run in enumerate(runs):
        above, below = panels[index], panels[index + len(runs)]
        room = constant_skill.of_study(run.study)
        for skill, colour in zip(SKILLS, COLOURS, strict=False):
            drawn = constant_skill.drawn(room, skill, run.settings)
            above.plot(drawn.grid, drawn.height, color=colour, lw=1.4, label=f"skill {skill:g}")
            _star(above, drawn, colour)
            below.axhline(skill, color=colour, lw=1.4)
        ends = (float(room.entropy.min()), float(room.entropy.max()))
        above.plot(ends, ends, color=GREY, lw=1, ls="--")
        above.set_title(f"{_title(run)}: curves, ★ where they turn")
        above.legend(fontsize=8, frameon=False, loc="best")
        bins = by_bins(run.scored("popularity"), "entropy")
        below.plot(bins["x"], bins["skill"], color="black", marker="s", ms=3, lw=1, mew=0, label="popularity")
        below.set(xlabel=ENTROPY, ylabel="skill", ylim=(-0.15, 1.15), xlim=above.get_xlim())
        below.set_title("their skill")
        below.legend(fontsize=8, frameon=False, loc="best")
    return figure


def pseudo_counts(run: Studied, counts: NDArray[np.int32]) -> Figure:
    """Where constant skills turn, against the pseudo-count."""
    figure = canvas(_WIDTH, 3.2)
    axes = axes_at(figure, 0.65, 0.6, 6.2, 2.3)
    rooms = [constant_skill.of_counts(counts, run.settings, float(alpha)) for alpha in ALPHAS]
    for skill, colour in zip(SKILLS[:-1], COLOURS, strict=False):
        turns = [constant_skill.drawn(room, skill, run.settings, "polynomial").turn for room in rooms]
        heights = [turn.x if turn.outcome == "value" else np.nan for turn in turns]
        axes.plot(ALPHAS, heights, color=colour, marker=".", ms=5, lw=1.3, label=f"skill {skill:g}")
    own = 1 / run.settings.candidates.K
    axes.axvline(own, color=GREY, ls="--", lw=1, label=f"1/K = {own:g}, the default here")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set(xlabel="pseudo-count α (log scale)", ylabel="inversion (bits)")
    axes.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1.02, 1))
    return figure


def skills(runs: Sequence[Studied]) -> Figure:
    """Skill of the models in every setup, with their intervals and the noise ceiling."""
    figure, panels = _side_by_side(runs, "skill (1 perfect, 0 chance)", "")
    order = models(runs)
    for axes, run in zip(panels, runs, strict=True):
        setups = [setup for setup, tasks in run.setups.items() if tasks >= LEAST_TASKS]
        for index, model in enumerate(run.models):
            look, up = style(order.index(model)), 0.6 * (index - (len(run.models) - 1) / 2) / max(1, len(run.models))
            for place, setup in enumerate(setups):
                row = run.result(model, setup)
                if row.get("skill") is None:
                    continue
                if row["skill_low"] is not None:
                    axes.plot([row["skill_low"], row["skill_high"]], [place + up] * 2, color=look.colour, lw=1.6)
                name = model if place == 0 else None
                axes.plot(
                    row["skill"], place + up, ls="", color=look.colour, marker=look.marker, ms=5, mew=0, label=name
                )
                axes.plot([row["ceiling"]] * 2, [place - 0.4, place + 0.4], color=GREY, ls=":", lw=1.2)
        axes.set_yticks(range(len(setups)), ["all setups" if setup == POOLED else setup for setup in setups])
        axes.set(ylim=(len(setups) - 0.5, -0.5), xlim=(-0.12, 1.08))
        axes.legend(fontsize=8, frameon=False, loc="center", bbox_to_anchor=(0.4, 0.5))
    return figure


def estimates(biases: Sequence[Bias]) -> Figure:
    """Bias of entropy estimators on groups cut down to few users."""
    figure = canvas(_WIDTH, 3.2)
    axes = axes_at(figure, 0.65, 0.6, 6.2, 2.3)
    for index, bias in enumerate(biases):
        look = style(index)
        axes.plot(bias.users, bias.bits, color=look.colour, marker=look.marker, ms=4, mew=0, lw=1.3, label=bias.name)
    axes.axhline(0, color=GREY, lw=1, ls="--")
    _logarithmic(axes)
    axes.set(xlabel="users left in the group (log scale)", ylabel="bias of H (bits)")
    axes.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1.02, 1))
    return figure


def _side_by_side(runs: Sequence[Studied], across: str, up: str, rows: int = 1) -> tuple[Figure, list[Axes]]:
    """A panel per run, or with ``rows`` a column of them; row by row."""
    figure = canvas(_WIDTH, _HEIGHT * (0.35 + 0.65 * rows) if rows > 1 else _HEIGHT)
    room = figure.get_size_inches()[1] / rows
    panels = list(_panels(figure, runs, rows, room))
    for place, axes in enumerate(panels):
        axes.set(xlabel=across, ylabel=up if place % len(runs) == 0 else "")
        axes.set_title(_title(runs[place % len(runs)]))
    return figure, panels


def _panels(figure: Figure, runs: Sequence[Studied], rows: int, room: float) -> Iterator[Axes]:
    for row in range(rows):
        for column in range(len(runs)):
            bottom = room * (rows - 1 - row) + 0.6
            yield axes_at(figure, 0.75 + 4.8 * column, bottom, 4.2, room - 1.0)


def _title(run: Studied) -> str:
    return f"{run.preset} ({run.study.tasks.height:,} tasks)"


def _star(axes: Axes, drawn: constant_skill.Drawn, colour: str) -> None:
    turn = drawn.turn
    if turn.outcome == "value":
        height = float(np.interp(turn.x, drawn.grid, drawn.height))
        axes.plot([turn.x], [height], marker="*", ms=12, mfc=colour, mec="white", mew=0.8, zorder=5)


def _logarithmic(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1, 3)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
