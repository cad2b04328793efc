"""From rankings to scores: against formulas written out, and against the engine called by hand."""

import math

import numpy as np
import polars as pl
import pytest
from tests.runners import ranked

import habitus
from habitus_runners.tables import frame, scores_schema


@pytest.fixture(scope="module", params=["incidence", "user_mean"])
def study(request):
    return ranked.study(request.param)


@pytest.fixture(scope="module")
def target(study):
    """(tasks, K) what the scores are of: every count plus 1/K, or as many observations as the group has users."""
    if study.settings.target.kind == "incidence":
        observed = np.array(study.tasks["counts"].to_pylist(), np.float64)
    else:
        observed = np.array(study.tasks["target"].to_pylist()) * study.tasks["group_size"].to_numpy()[:, None]
    smoothed = observed + 1 / 12
    return smoothed / smoothed.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("fill", ["chance", "optimistic", "worst"])
def test_scores_are_the_formulas(study, target, fill):
    assert study.scores.schema == scores_schema()
    part = frame(study.scores).filter(pl.col("fill") == fill)
    assert part["answer_id"].to_list() == study.rankings["answer_id"].to_pylist()
    for number, ranking in enumerate(study.rankings["ranking"].to_pylist()[:40]):
        p = target[study.rows[part["task_id"][number]]]
        assert part["entropy"][number] == pytest.approx(-(p * np.log(p)).sum(), abs=1e-12)
        if part["model"][number] == "full":
            slots = np.argsort(-p, kind="stable")
            rest = [item for item in slots if item not in ranking]
            value = -sum(p[item] * math.log(p[slot]) for item, slot in zip([*ranking, *rest], slots, strict=True))
            assert part["cross_entropy"][number] == pytest.approx(value, abs=1e-12)
        assert part["valid"][number] == sum(item >= 0 for item in ranking)


@pytest.mark.parametrize("fill", ["chance", "optimistic", "worst"])
def test_every_fill_is_the_engines(study, target, fill):
    task = np.array([study.rows[task] for task in study.rankings["task_id"].to_pylist()])
    lists = np.array(study.rankings["ranking"].to_pylist())
    expected = habitus.score_values(target, target, lists, task=task, fill=fill)
    part = frame(study.scores).filter(pl.col("fill") == fill)
    assert part["cross_entropy"].to_numpy() == pytest.approx(expected.cross_entropy, abs=1e-12)
    assert part["chance"].to_numpy() == pytest.approx(expected.chance[task], abs=1e-12)
    assert part["worst"].to_numpy() == pytest.approx(expected.worst[task], abs=1e-12)


def test_alpha_is_the_settings():
    study = ranked.study("incidence")
    other = study.scored_with(target__alpha=2.0).scores
    assert set(other["alpha"].to_pylist()) == {2.0}
    expected = habitus.entropy.plug_in(np.array(study.tasks["counts"].to_pylist()), alpha=2.0)
    found = np.array([expected[study.rows[task]] for task in other["task_id"].to_pylist()])
    assert np.allclose(other["entropy"].to_numpy(), found, atol=1e-12)
    assert not np.allclose(other["entropy"].to_numpy(), study.scores["entropy"].to_numpy())
