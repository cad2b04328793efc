"""The scaling plots are measured at small sizes, kept, found again after an interruption, and drawn."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from benchmarks import draw, points, scaling, timing
from benchmarks.competitors import COMPETITORS
from benchmarks.points import Points
from hypothesis import given
from hypothesis import strategies as st

COMMITTED = Points.kept()


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Points:
    monkeypatch.setattr(points.tempfile, "gettempdir", lambda: str(tmp_path))
    return Points.begun("test")


def test_every_competitor_is_measured_at_every_size(begun: Points, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "TURN", 0)
    scaling.rankings(begun, 1_000)
    assert {name: [size for size, _ in line] for name, line in begun.of("rankings").items()} == {
        name: [1_000] for name in COMPETITORS
    }


def test_a_size_beyond_a_block_is_scored_block_by_block() -> None:
    scored = []

    def prepare(_counts, rankings, _alpha):
        return lambda: scored.append(len(rankings))

    scaling.seconds(scaling.Competitor(prepare, 1), 2_500, block=1_000)
    assert scored == [1_000] * 4  # one to warm up


def test_a_competitor_stops_before_it_takes_more_than_a_minute(begun: Points) -> None:
    for name in COMPETITORS:
        begun.add("rankings", name, 1_000, 6.1)
    scaling.rankings(begun, 10_000)
    assert len(list(begun)) == len(COMPETITORS)


def test_an_interrupted_run_goes_on(begun: Points) -> None:
    begun.add("rankings", "habitus", 1_000, 1.23456)
    again = Points.begun("test")
    assert again.value("rankings", "habitus", 1_000) == 1.235
    assert again.value("rankings", "habitus", 10_000) is None
    assert list(again.without_any()) == []
    assert list(Points.begun("test")) == []


def test_another_machine_begins_anew(begun: Points, monkeypatch: pytest.MonkeyPatch) -> None:
    begun.add("rankings", "habitus", 1_000, 1.0)
    monkeypatch.setattr(timing, "machine", lambda: {"processor": "another"})
    assert list(Points.begun("test")) == []


def test_a_complete_run_is_kept_and_drawn(begun: Points, tmp_path: Path) -> None:
    for size in (1_000, 10_000):
        begun.add("rankings", "habitus", size, size * 1e-7)
        begun.add("rankings", "pandas", size, size * 1e-5)
    begun.keep(tmp_path)
    assert list(Points.begun("test")) == []
    kept = Points.kept(tmp_path)
    assert list(kept) == list(begun)
    drawn = list(draw.figures(kept, tmp_path))
    assert [path.name for path in drawn] == ["rankings.svg", "rankings.png"]
    assert ">pandas</text>" in drawn[0].read_text("utf-8")


@pytest.mark.parametrize("plot", draw.PLOTS, ids=lambda plot: plot.sweep)
def test_the_committed_figures_are_those_of_the_committed_points(plot: draw.Plot) -> None:
    figure = (points.FOLDER / "figures" / f"{plot.sweep}.svg").read_text("utf-8")
    assert len(figure) < 100_000
    assert all(f">{name}</text>" in figure for name in COMMITTED.of(plot.sweep))
    assert (points.FOLDER / "figures" / f"{plot.sweep}.png").exists()


def test_committed_points_are_complete() -> None:
    held = json.loads((points.FOLDER / "measured" / "scaling.json").read_text("utf-8"))
    assert {point[0] for point in held["points"]} == {sweep.__name__ for sweep in scaling.SWEEPS}
    assert max(size for size, _ in COMMITTED.of("rankings")["habitus"]) == 10**8


@given(st.lists(st.floats(0, 10), min_size=1, max_size=12).map(sorted))
def test_names_do_not_overlap(heights: list[float]) -> None:
    moved = draw.spread(heights, 0.5)
    assert len(moved) == len(heights)
    assert all(later - earlier >= 0.5 - 1e-9 for earlier, later in pairwise(moved))
    assert sum(moved) == pytest.approx(sum(heights))
