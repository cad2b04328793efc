"""The table of entropy estimators is measured at small sizes, kept, and drawn."""

import math
from pathlib import Path

import numpy as np
import pytest
from benchmarks import estimators
from benchmarks.estimators import COUNTED, EFFECTIVE, SPREAD, Cells, Figure


@pytest.fixture(scope="module")
def found() -> estimators.Figures:
    return estimators.measured(sizes=(3, 40), seeds=2, groups=60, people=200)


def test_every_estimator_is_measured_on_every_sample(found: estimators.Figures) -> None:
    assert {drawn: set(of) - {SPREAD} for drawn, of in found.items()} == {
        "multinomial": set(COUNTED),
        "users": set(COUNTED),
        "sample": set(COUNTED),
        "user_mean": set(EFFECTIVE),
    }
    assert all(set(row) == {3, 40} for of in found.values() for row in of.values())


def test_maximum_likelihood_is_too_low_and_less_so_with_more_users(found: estimators.Figures) -> None:
    for of in found.values():
        few, many = (of["maximum likelihood"][n].bias for n in (3, 40))
        assert few < many < 0


def test_samples_are_of_their_cells_and_of_the_truth() -> None:
    cells = Cells(0, 50, 200)
    samples = dict(cells.samples(20, np.random.default_rng(0)))
    assert all(sorted(row) == sorted(set(row)) for row in cells.candidates.tolist())
    assert (cells.member.sum(axis=1) >= 1).all()
    for sample in samples.values():
        assert ((sample.truth > 0) & (sample.truth <= math.log(50))).all()
        np.testing.assert_allclose(sample.population.sum(axis=1), 1)
    np.testing.assert_array_equal(samples["multinomial"].counts.sum(axis=1), samples["users"].draws)
    assert (samples["users"].counts <= 20).all()
    assert (samples["user_mean"].counts.sum(axis=1) <= samples["user_mean"].draws + 1e-9).all()


def test_figures_are_of_all_errors_and_their_error_of_worlds() -> None:
    figure = estimators._figure([np.array([1.0, 3.0]), np.array([4.0, 4.0])])
    assert figure == Figure(3.0, math.sqrt(10.5), 1.0)


def test_what_is_kept_is_drawn(found: estimators.Figures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{estimators.BEGIN}\nold\n{estimators.END}\nafter\n")
    monkeypatch.setattr(estimators, "README", readme)
    estimators.keep(found, tmp_path / "kept.json")
    estimators.draw(tmp_path / "kept.json")
    text = readme.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    for of in found.values():
        assert estimators.table(of) in text


def test_a_readme_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="estimators: begin"):
        estimators.in_readme("nothing", "table")
