"""What the comparing figures draw: the inversion points of the results table, bins inside the panel, every panel."""

import polars as pl
import pytest
from matplotlib.axes import Axes
from tests.runners.report.simulation import simulate

from habitus_runners.report import charts, scored
from habitus_runners.report.scored import Study
from habitus_runners.report.style import look

HOW = charts.CurveSettings(kind="polynomial", bins=200, window=30, degree=4, fraction=0.2)


@pytest.fixture(scope="module")
def study() -> Study:
    run = simulate({"good": 0.5, "poor": 2.5, "random": 1e6, "reversed": -1.0}, per_cell=40)
    return scored.study(run.tables, run.manifest["settings"])


def _panels(axes: list[Axes]) -> dict[str, Axes]:
    return {panel.get_title(loc="left").split(" (")[0]: panel for panel in axes[:4]}


def test_stars_stand_at_the_inversions_of_the_results_table(study: Study) -> None:
    with look():
        panels = _panels(charts.curves_figure(study, charts.models_by_gap(study), HOW).axes)
    found = 0
    for setup, title in charts.PANELS.items():
        stars = sorted(float(line.get_xdata()[0]) for line in panels[title].lines if line.get_marker() == "*")
        table = study.results.filter(scored.pooled(setup), pl.col("outcome") == "value")["inversion"].to_list()
        assert stars == pytest.approx(sorted(table))
        found += len(stars)
    assert found > 0


def test_too_few_tasks_are_points_and_said_to_be(study: Study) -> None:
    few = study._replace(scored=study.scored.filter(pl.col("setup") != "B", pl.col("history") < 1))
    with look():
        panels = _panels(charts.curves_figure(few, ["good"], HOW._replace(bins=20)).axes)
    assert [text.get_text() for text in panels["B: history only"].texts] == ["no tasks of this setup"]
    (said,) = panels["C: demography only"].texts
    assert "too few for a curve" in said.get_text()
    points = few.scored.filter(pl.col("model") == "good", pl.col("setup") == "C")
    (drawn,) = (line for line in panels["C: demography only"].lines if line.get_marker() == "o")
    assert sorted(drawn.get_ydata()) == pytest.approx(sorted(points["cross_entropy"]))


def test_models_are_ordered_by_gap(study: Study) -> None:
    assert charts.models_by_gap(study) == ["good", "poor", "random", "reversed"]


def test_the_axis_of_group_size_is_logarithmic_where_something_is_drawn(study: Study) -> None:
    alone = study._replace(scored=study.scored.filter(pl.col("setup") == "A"))
    with look():
        figure = charts.skill_figure(alone, ["good"], "group_size", "users", logarithmic=True)
    panels = _panels(figure.axes)
    assert [panels[title].get_xscale() for title in charts.PANELS.values()] == ["log", "linear", "linear", "log"]
    assert panels["C: demography only"].texts[0].get_text() == "no tasks of this setup"
