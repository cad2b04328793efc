"""From scores to results: every figure of every slice recomputed from the scores table."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from tests.runners import ranked

from habitus import curves, inversion
from habitus_runners import results
from habitus_runners.tables import frame, results_schema

SLICE = ("setup", "level", "history")


@pytest.fixture(scope="module", params=["incidence", "user_mean"])
def study(request):
    return ranked.study(request.param)


@pytest.fixture(scope="module")
def uneven(study):
    """One ranking fewer, so that the models differ in their tasks; incomplete rankings are dropped."""
    return study._replace(rankings=study.rankings.slice(1)).scored_with(fill="drop")


def _rows(study: ranked.Ranked) -> list[dict[str, Any]]:
    return results.summarise(study.tasks, study.scores, study.settings).to_pylist()


def _parts(study: ranked.Ranked) -> Iterator[tuple[dict[str, Any], pl.DataFrame]]:
    """Every row of the results, and the scores that it sums up."""
    rows = [
        (task["task_id"], task["setup"], task["level"], str(len(task["history"]))) for task in study.tasks.to_pylist()
    ]
    about = pl.DataFrame(rows, schema=["task_id", *SLICE], orient="row")
    scored = frame(study.scores).join(about, on="task_id", maintain_order="left")
    for row in _rows(study):
        wanted = {name: row[name] for name in ("model", "fill", *SLICE) if row[name] != "all"}
        yield row, scored.filter(pl.col(name) == value for name, value in wanted.items())


def _kept(part: pl.DataFrame) -> pl.DataFrame:
    return part.filter(pl.col("cross_entropy").is_not_nan())


def _wide(part: pl.DataFrame) -> pl.DataFrame:
    """What counts for a skill: tasks in which chance is far enough from perfect."""
    return part.filter(pl.col("chance") - pl.col("entropy") >= 0.02 * math.log(2))


def test_results_sum_up_each_slice(study):
    assert results.summarise(study.tasks, study.scores, study.settings).schema == results_schema()
    for row, part in _parts(study):
        assert row["tasks"] == part.height
        assert row["gap"] == pytest.approx((part["cross_entropy"] - part["entropy"]).mean())
        lost, attainable = (_wide(part)[name] - _wide(part)["entropy"] for name in ("cross_entropy", "chance"))
        assert row["skill"] == pytest.approx(1 - lost.sum() / attainable.sum())
        assert row["excluded"] == part.height - len(lost)
        assert row["validity"] == (1.0 if row["model"] == "full" else 0.5)


def test_every_mean_is_of_the_rankings_kept(uneven):
    for row, part in _parts(uneven):
        for name in ("entropy", "cross_entropy", "chance", "worst"):
            assert row[name] == (pytest.approx(_kept(part)[name].mean()) if _kept(part).height else None)
        assert row["dropped"] == part.height - _kept(part).height
        assert row["validity"] == pytest.approx(part["valid"].mean() / ranked.N)


def test_bounded_skill_is_measured_against_the_worst(uneven):
    for row, part in _parts(uneven):
        wide = _wide(_kept(part))
        lost, most = ((wide[name] - wide["entropy"]).sum() for name in ("cross_entropy", "worst"))
        assert row["bounded_skill"] == (pytest.approx(1 - lost / most) if wide.height else None)


def test_slices_are_a_partition(study):
    one = [row for row in _rows(study) if (row["model"], row["fill"]) == ("full", "chance")]
    pooled = next(row for row in one if {row[name] for name in SLICE} == {"all"})
    for name in SLICE:
        others = set(SLICE) - {name}
        parts = [row for row in one if row[name] != "all" and all(row[other] == "all" for other in others)]
        assert sum(row["tasks"] for row in parts) == pooled["tasks"]
        assert sum(row["tasks"] * row["gap"] for row in parts) == pytest.approx(pooled["tasks"] * pooled["gap"])


def test_tasks_are_counted_once_however_often_they_are_answered(study):
    twice = study._replace(scores=pa.concat_tables([study.scores, study.scores]).unify_dictionaries())
    assert [row["tasks"] for row in _rows(twice)] == [row["tasks"] for row in _rows(study)]


def test_dropped_rankings_are_counted_and_no_number(study):
    dropped = [row for row in _rows(study.scored_with(fill="drop")) if (row["model"], row["fill"]) == ("short", "drop")]
    assert dropped
    for row in dropped:
        assert row["dropped"] == row["tasks"]
        assert row["skill"] is row["gap"] is row["cross_entropy"] is row["inversion"] is None


def _curved(study: ranked.Ranked, model: str) -> Iterator[tuple[dict[str, Any], pl.DataFrame]]:
    """The rows of a model that have a curve, which are all tasks and each setup; their scores."""
    for row, part in _parts(study):
        if (row["level"], row["history"]) != ("all", "all"):
            assert row["inversion"] is row["area"] is row["outcome"] is None
        elif (row["model"], row["fill"]) == (model, "chance"):
            yield row, part


def _assert_curve(row: dict[str, Any], part: pl.DataFrame, entropy: pl.Series) -> None:
    """The row's figures are those of curves whose bins span the range of ``entropy``."""
    model, chance = (
        curves.curve(part["entropy"], part[name], bins=20, window=3, support=(entropy.min(), entropy.max()))
        for name in ("cross_entropy", "chance")
    )
    figures = [math.nan if row[name] is None else row[name] for name in ("inversion", "area")]
    assert row["outcome"] == model.outcome
    assert figures == pytest.approx([model.inversion, curves.area(model, chance)], nan_ok=True)


def test_curves_of_the_results_are_the_engines(study):
    drawn = list(_curved(study.scored_with(curve__bins=20, curve__window=3), "full"))
    assert {row["outcome"] for row, _ in drawn} & {"value", "censored"}
    for row, part in drawn:
        _assert_curve(row, part, part["entropy"])


def test_whether_a_curve_turns_is_tested_as_the_engine_does(study):
    for row, part in _curved(study, "full"):
        lines = inversion.two_lines(part["entropy"], part["cross_entropy"])
        assert row["two_lines"] == pytest.approx(lines.p, nan_ok=True) or (
            row["two_lines"] is None and lines.p != lines.p
        )
        room = (part["chance"] - part["best"]).to_numpy()
        counted = np.where(room >= 0.02 * math.log(2), room, 0)
        trend = inversion.trend(counted, part["cross_entropy"] - part["best"], part["entropy"])
        assert row["trend"] == (pytest.approx(trend.slope) if not math.isnan(trend.slope) else None)
        assert row["trend_p"] == (pytest.approx(trend.p) if not math.isnan(trend.p) else None)


def test_a_smooth_turns_only_where_the_test_says_so(study):
    for row, part in _curved(study, "full"):
        if part["entropy"].n_unique() == 1:
            assert row["lowess_outcome"] == "undefined"
            continue
        grid = np.linspace(part["entropy"].min(), part["entropy"].max(), results.GRID)
        turn = curves.turning_points(grid, curves.lowess(part["entropy"], part["cross_entropy"], grid))
        if inversion.two_lines(part["entropy"], part["cross_entropy"]).exists and not math.isnan(turn.x):
            assert row["lowess_inversion"] == pytest.approx(float(turn.x))
        else:
            assert row["lowess_inversion"] is None
            assert row["lowess_outcome"] != "value"


def test_the_ceiling_is_a_skill(study):
    for row, part in _parts(study):
        wide = _wide(part).filter(pl.col("ceiling").is_not_nan())
        lost, attainable = ((wide[name] - wide["best"]).sum() for name in ("ceiling", "chance"))
        assert row["ceiling"] == (pytest.approx(1 - lost / attainable) if wide.height else None)


def test_intervals_stand_beside_their_own_fill_and_figure(study):
    where = {"model": "full", "setup": "all", "level": "all", "history": "all"}
    ends = {"skill_low": 0.1, "skill_high": 0.3, "inversion_low": 1.0, "inversion_high": 2.0, "user_sd": 0.05}
    found = results.summarise(study.tasks, study.scores, study.settings, [where | ends]).to_pylist()
    for row in found:
        known = where.items() <= row.items() and row["fill"] == study.settings.fill
        assert row["skill_low"] == (0.1 if known else None)
        assert row["user_sd"] == (0.05 if known else None)
        assert row["inversion_low"] == (1.0 if known and row["outcome"] == "value" else None)
    assert sum(row["skill_low"] is not None for row in found) == 1


def test_bins_span_the_range_of_all_models(study):
    """One model answers the middle tasks alone; its bins are still those of the model that answers all."""
    wide = study.scored_with(curve__bins=20, curve__window=3)
    entropy = wide.scores["entropy"].to_numpy()
    low, high = np.quantile(entropy, [0.1, 0.9])
    answered = (frame(wide.scores)["model"] != "short").to_numpy() | ((entropy > low) & (entropy < high))
    some = wide._replace(scores=wide.scores.filter(pa.array(answered)))
    everything = {row["setup"]: part["entropy"] for row, part in _curved(wide, "short")}
    answers = {row["setup"]: part.height for row, part in _curved(some, "short")}
    assert sum(answers.get(setup, 0) < len(entropy) for setup, entropy in everything.items()) > 2
    for row, part in _curved(some, "short"):
        _assert_curve(row, part, everything[row["setup"]])
