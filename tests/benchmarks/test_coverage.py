"""The coverage of intervals is measured in one small world, summed, kept, and drawn."""

import math
from pathlib import Path

import pytest
from benchmarks import coverage
from benchmarks.coverage import FIGURES, Coverage, Seen, Size

FIGURE = ("random", "skill")
SIZE = Size(worlds=1, seeds=2, pooled=2, first=0)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> dict[coverage.Figure, Coverage]:
    monkeypatch.setattr(coverage, "USERS", 150)
    tiny = {"draws.count": 4, "draws.cap": 8, "uncertainty.resamples": 10}
    monkeypatch.setattr(coverage, "SMALL", {"paper": tiny})
    return coverage.coverage("paper", SIZE)


def test_every_figure_is_held_against_a_truth(found: dict[coverage.Figure, Coverage]) -> None:
    assert set(found) == set(FIGURES)
    for (_, name), one in found.items():
        assert 0 <= one.covered <= one.known <= one.studies == 2
        if name in coverage.MEANS:
            assert one.known == 2
            assert one.length > 0
            assert one.truth > 0


def test_what_is_kept_is_drawn(
    found: dict[coverage.Figure, Coverage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme, kept = tmp_path / "README.md", tmp_path / "kept.json"
    readme.write_text(f"before\n{coverage.BEGIN}\nold\n{coverage.END}\nafter\n")
    monkeypatch.setattr(coverage, "README", readme)
    for preset in ("sound", "paper"):
        coverage.keep(preset, SIZE, found, kept)
    coverage.draw(kept)
    text = readme.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert all(f"Preset `{preset}`" in text for preset in ("paper", "sound"))
    assert text.count("| skill | random |") == 2


def test_studies_without_an_interval_do_not_count() -> None:
    ends = [(0.0, 1.0), (2.0, 3.0), (math.nan, math.nan), (0.0, 4.0)]
    figures = (0.0, 2.0, 1.0, 3.0)
    seen = [Seen({FIGURE: at}, {FIGURE: end}, {FIGURE: (1.0, 0.1)}) for at, end in zip(figures, ends, strict=True)]
    one = coverage.summed(FIGURE, seen, seeds=2)
    assert (one.studies, one.known, one.covered) == (4, 3, 2)
    assert one.share == pytest.approx(2 / 3)
    assert one.margin == pytest.approx(math.sqrt(2 / 27))
    assert (one.error, one.within, one.length, one.truth) == pytest.approx((0.5, math.sqrt(2), 1.0, 0.1))


def test_a_readme_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="coverage: begin"):
        coverage.in_readme("nothing", "table")
