"""The noise ceiling is the skill of a known truth, where the truth and its noise are as it supposes."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from tests.runners import small

import habitus
from habitus_runners.ceiling import lost_to_noise
from habitus_runners.settings import settings
from habitus_runners.targets import Scorer

K, N, TASKS, STRENGTH = 20, 5, 3000, 8.0


class World:
    """Tasks whose truth is drawn from the very prior that the ceiling supposes, so that it must come out right."""

    def __init__(self, kind: str, split: int, users: int = 12) -> None:
        rng = np.random.default_rng(5)
        self.settings = settings(
            "paper",
            {
                "target.kind": kind,
                "users.split": split,
                "candidates.rule": "quintiles",
                "candidates.N": N,
                "candidates.K": K,
            },
        )
        prior = rng.dirichlet(np.full(K, 1.5), TASKS) * 6
        prior = np.clip(prior, 0.02, 0.9)
        self.population = prior / prior.sum(axis=1, keepdims=True)
        parts = 2 if split else 1
        self._size = users * parts
        if kind == "incidence":
            self.truth = rng.beta(STRENGTH * prior, STRENGTH * (1 - prior))
            halves = [rng.binomial(users, self.truth) for _ in range(parts)]
        else:
            self.truth = np.array([rng.dirichlet(STRENGTH * row) for row in self.population])
            halves = [rng.multinomial(users, self.truth) for _ in range(parts)]
        for half in halves:
            half[~half.any(axis=1), 0] = 1
        self.halves, self.counts = halves, sum(halves).astype(np.float64)
        self.concentration = np.full(TASKS, STRENGTH)
        self.strata = [np.arange(TASKS)]
        self.tasks = pa.table({"group_size": np.full(TASKS, self._size, np.int32)})

    def smoothed(self, counts: np.ndarray) -> np.ndarray:
        """Plus 1/K."""
        added = counts + 1 / K
        return added / added.sum(axis=1, keepdims=True)

    def scored(self) -> SimpleNamespace:
        """What the list of the truth itself loses, and what there is to lose."""
        lists = np.argsort(-self.truth, axis=1)[:, :N]
        values = self.smoothed(self.halves[0])
        weights = self.halves[-1] / self.halves[-1].sum(axis=1, keepdims=True) if len(self.halves) > 1 else values
        scores = habitus.score_values(weights, values, lists)
        gap = scores.chance - scores.entropy
        return SimpleNamespace(loss=scores.cross_entropy - scores.entropy, gap=gap)


@pytest.mark.parametrize("split", [0, 2])
@pytest.mark.parametrize("kind", ["incidence", "user_mean"])
def test_it_is_the_skill_of_the_truth(kind, split):
    world = World(kind, split)
    found = lost_to_noise(world.tasks, world)
    actual = world.scored()
    known = np.isfinite(found)
    ceiling = 1 - (found * actual.gap)[known].sum() / actual.gap[known].sum()
    truth = 1 - actual.loss.sum() / actual.gap.sum()
    spread = (actual.loss - (1 - truth) * actual.gap).std() * np.sqrt(TASKS) / actual.gap.sum()
    assert ceiling == pytest.approx(truth, abs=4 * spread + 0.01)


def test_whoever_knows_the_sample_is_above_it():
    study = small.study()
    scorer = Scorer(study.tasks, study.members, study.settings)
    share = lost_to_noise(study.tasks, scorer)
    assert (share[np.isfinite(share)] >= 0).all()
    assert 0.02 < np.nanmean(share) < 0.9
    assert np.array_equal(share, lost_to_noise(study.tasks, scorer), equal_nan=True)


def test_larger_groups_lose_less():
    few, many = (World("incidence", 0, users) for users in (5, 200))
    assert np.nanmean(lost_to_noise(many.tasks, many)) < 0.5 * np.nanmean(lost_to_noise(few.tasks, few))
