"""All figures of a report, written in three formats. Which figures there are is decided here; how they look is not."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from habitus_runners.progress import Progress
from habitus_runners.report.boxes import cells, filled, overview, spread
from habitus_runners.report.charts import CurveSettings, curves_figure, models_by_gap, skill_figure
from habitus_runners.report.scored import Study
from habitus_runners.report.style import Image, look, save, slug, style

SIZE = "group size |u| (users, log scale)"
ENTROPY = "target entropy H (bits)"


class OfModel(NamedTuple):
    """One model's two figures."""

    model: str
    overview: Image
    cells: Image


class Figures(NamedTuple):
    """Everything drawn."""

    curves: Image
    smooths: Image
    skill_entropy: Image
    skill_group_size: Image
    models: tuple[OfModel, ...]


def draw(
    study: Study,
    levels: Sequence[str],
    lengths: Sequence[int],
    curve: Mapping[str, Any],
    folder: Path,
    progress: Progress,
) -> Figures:
    """Draw and write every figure into ``folder``; ``curve`` holds the run's bins, window and degree.

    Raises:
        HabitusError: the folder cannot be written.
    """
    models = models_by_gap(study)
    with look():
        polynomials, smooths = (
            save(curves_figure(study, models, CurveSettings(**{**curve, "kind": kind})), folder, name)
            for kind, name in (("polynomial", "curves"), ("lowess", "smooths"))
        )
        return Figures(
            polynomials,
            smooths,
            save(skill_figure(study, models, "entropy", ENTROPY, logarithmic=False), folder, "skill-entropy"),
            save(skill_figure(study, models, "group_size", SIZE, logarithmic=True), folder, "skill-group-size"),
            _of_models(study, models, levels, lengths, folder, progress),
        )


def _of_models(
    study: Study, models: Sequence[str], levels: Sequence[str], lengths: Sequence[int], folder: Path, progress: Progress
) -> tuple[OfModel, ...]:
    numbers = spread(study, levels, lengths)
    templates = overview(numbers), cells(numbers)
    taken: set[str] = set()
    drawn = []
    for index, model in enumerate(models):
        progress("report", index, len(models))
        name = slug(model, taken)
        images = [
            save(figure, folder, f"{kind}-{name}")
            for template, kind in zip(templates, ("levels", "cells"), strict=True)
            for figure in filled(template, model, style(index))
        ]
        drawn.append(OfModel(model, *images))
    progress("report", len(models), len(models))
    return tuple(drawn)
