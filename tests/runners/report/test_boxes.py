"""Boxes hold the quantiles of one model's tasks, and leave nothing behind for the next model."""

import numpy as np
import polars as pl
import pytest
from tests.runners.report.simulation import SIZES, simulate

from habitus_runners.report import boxes, scored
from habitus_runners.report.boxes import Spread
from habitus_runners.report.scored import Study
from habitus_runners.report.style import look, style


@pytest.fixture(scope="module")
def study() -> Study:
    run = simulate({"good": 0.5, "random": 1e6}, per_cell=15)
    return scored.study(run.tables, run.manifest["settings"])


@pytest.fixture(scope="module")
def numbers(study: Study) -> Spread:
    return boxes.spread(study, [*SIZES, "unused"], (0, 1, 3, 5, 10, 20))


def test_quantiles_are_numpys(study: Study, numbers: Spread) -> None:
    for row in numbers.by_cell.to_dicts():
        keys = (pl.col(name) == row[name] for name in ("model", "level", "history"))
        values = study.scored.filter(*keys)["cross_entropy"].to_numpy()
        expected = np.quantile(values, list(boxes.SHARES.values()))
        assert [row[name] for name in boxes.SHARES] == pytest.approx(expected)
        assert row["tasks"] == len(values)


def test_every_box_is_in_the_shared_range(numbers: Spread) -> None:
    low, high = numbers.range
    assert low < numbers.by_cell["entropy_median"].min()
    assert numbers.by_cell["high"].max() < high


@pytest.mark.parametrize("kind", [boxes.overview, boxes.cells])
def test_a_template_is_empty_again_after_a_model(numbers: Spread, kind: type) -> None:
    with look():
        template = kind(numbers)
        before = [len(axes.get_children()) for axes in template.figure.axes]
        for model in ("good", "random"):
            for figure in boxes.filled(template, model, style(0)):
                assert template.title.get_text() == model
                assert sum(len(axes.patches) for axes in figure.axes) == sum(
                    numbers_of.filter(pl.col("model") == model).height for _, numbers_of, _, _ in template.panels
                )
        assert [len(axes.get_children()) for axes in template.figure.axes] == before


def test_a_level_without_tasks_keeps_its_place(numbers: Spread) -> None:
    with look():
        template = boxes.overview(numbers)
        (figure,) = boxes.filled(template, "good", style(0))
    labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert labels[-1] == "unused\n(0)"
    assert len(labels) == len(SIZES) + 1
