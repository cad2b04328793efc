"""The dot plot: the skill of each model under each alternative, and where its curve turns."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from habitus_runners.report.style import GREY, axes_at, canvas, legible, style
from habitus_runners.sensitivity import Sensitivity

_ROW, _TOP, _BOTTOM = 0.2, 0.75, 0.55  # inches
_LEAST_SKILL = -1.0


def dots(found: Sensitivity) -> Figure:
    """One row per alternative under the run's own; models are in the order of their skill in the run."""
    models = sorted(found.base.skill, key=lambda name: -_known(found.base.skill[name]))
    labels = ["this run", *(legible(f"{row.family}: {row.name}", 52) for row in found.rows)]
    down = _ROW * len(labels)
    figure = canvas(12, _TOP + down + _BOTTOM + 0.22 * -(-len(models) // 6))
    up = _BOTTOM + 0.22 * -(-len(models) // 6)
    skill, turn = (axes_at(figure, left, up, width, down) for left, width in ((3.6, 4.6), (8.45, 3.35)))
    readings = [found.base, *(row.reading for row in found.rows)]
    _panel(skill, [reading.skill for reading in readings], models)
    places = [{name: of.place for name, of in reading.turns.items()} for reading in readings]
    _panel(turn, places, models)
    skill.set(title="skill (1 perfect, 0 chance)", yticks=range(len(labels)))
    skill.set_yticklabels(labels)
    skill.set_xlim(left=max(_LEAST_SKILL, skill.get_xlim()[0]))
    turn.set(title="inversion (H in bits), where there is one", yticks=range(len(labels)))
    turn.tick_params(labelleft=False)
    _families(found, (skill, turn))
    handles = skill.get_legend_handles_labels()
    figure.legend(*handles, loc="lower center", ncols=6, frameon=False, fontsize=8.5)
    return figure


def _panel(axes: Axes, values: Sequence[Mapping[str, float]], models: Sequence[str]) -> None:
    axes.set_ylim(len(values) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    for index, model in enumerate(models):
        look = style(index)
        across = [of.get(model, math.nan) for of in values]
        if not math.isnan(across[0]):
            axes.axvline(across[0], color=look.colour, lw=0.7, alpha=0.5, zorder=1)
        axes.plot(
            across, range(len(values)), ls="", marker=look.marker, ms=4.2, color=look.colour, label=legible(model)
        )


def _families(found: Sensitivity, panels: Sequence[Axes]) -> None:
    families = ["", *(row.family for row in found.rows)]
    for place in range(1, len(families)):
        if families[place] != families[place - 1]:
            for axes in panels:
                axes.axhline(place - 0.5, color=GREY, lw=0.5, zorder=0)


def _known(value: float) -> float:
    return -math.inf if math.isnan(value) else value
