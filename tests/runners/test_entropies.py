"""The groups by every estimator: means of what the engine gives for their counts."""

import math

import numpy as np
import pytest
from tests.runners import small

from habitus import entropy
from habitus_runners.entropies import SIZES, by_estimator
from habitus_runners.targets import Scorer


def test_means_are_the_engines_by_size_of_the_group():
    study = small.study()
    rows = by_estimator(study.tasks, Scorer(study.tasks, study.members, study.settings))
    counts = np.array(study.tasks["counts"].to_pylist())
    size = study.tasks["group_size"].to_numpy()
    assert len(rows) == len(entropy.ESTIMATORS) * len(SIZES)
    for row in rows:
        least, below = row["users"]
        part = (size >= least) & (size < below)
        assert row["tasks"] == part.sum()
        expected = entropy.ESTIMATORS[row["estimator"]](counts[part]).mean() if part.any() else None
        assert row["entropy"] == (None if expected is None else pytest.approx(expected))


def test_a_mean_over_users_counts_as_many_as_their_interactions():
    study = small.study("user_mean")
    found = Scorer(study.tasks, study.members, study.settings).entropies()
    shares = np.array(study.tasks["target"].to_pylist())
    total = np.array(study.tasks["counts"].to_pylist()).sum(axis=1, keepdims=True)
    assert found["nsb"] == pytest.approx(entropy.nsb(shares * total))
    assert all((column >= 0).all() for name, column in found.items() if name != "grassberger")
    assert (found["dirichlet"] <= math.log(small.K)).all()
