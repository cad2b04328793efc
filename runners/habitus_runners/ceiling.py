"""The noise ceiling: the skill of whoever knows what a group is likely to do, judged by what it happened to do.

What the group is likely to do is drawn from its posterior; counts are drawn from that and scored like the real ones,
with the list that the draw itself would write (method, section 6). The method resamples from the posterior's mean,
which is flatter than any truth. A model above the ceiling knows the sample, not the people.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import habitus
from habitus import shrinkage
from habitus_runners.targets import Scorer

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Of tasks and replicates together: the skill of a whole study is then known to about 0.002.
_DRAWS, _MOST = 30_000, 40
_RARE = 1e-9


def lost_to_noise(tasks: pa.Table, scorer: Scorer) -> Floats:
    """(tasks,) the share of chance - best that the list of a known truth loses; NaN where chance is as good.

    Under `incidence` a count is binomial, how many of the group's users come to the candidate, and its rate is drawn
    from a beta posterior; under other targets the group's effective counts are multinomial, from a Dirichlet one. Both
    priors are the population's, as strong as empirical Bayes says. With a split one half gives values and order, the
    other judges. Candidates of the rule `half` were chosen by their counts, so that these are drawn on the same
    condition: none where there was none, at least one elsewhere.

    Args:
        tasks: the tasks table.
        scorer: of these tasks; its settings' seed is that of the draws.
    """
    size = tasks["group_size"].to_numpy().astype(np.int64)
    rng = np.random.default_rng([scorer.settings.seed, len(size)])
    counted = scorer.settings.target.kind == "incidence"
    draws = _of_users(scorer, size, rng) if counted else _of_shares(scorer, rng)
    loss, gap = np.zeros((2, len(size)))
    for _ in range(int(np.clip(_DRAWS // len(size), 2, _MOST))):
        scores = _scored(scorer, *next(draws))
        loss += scores.cross_entropy - scores.entropy
        gap += scores.chance - scores.entropy
    share: Floats = np.full(len(gap), np.nan)
    return np.divide(loss, gap, out=share, where=gap > 0)


def _of_users(scorer: Scorer, size: Integers, rng: np.random.Generator) -> Iterator[tuple[Floats, Integers, Integers]]:
    """Rates of candidates among users, and counts of those who say and those who judge."""
    users, total = size[:, None], scorer.counts.sum(axis=1, keepdims=True)
    prior = np.clip(scorer.population * total / users, _RARE, 1 - _RARE)
    strength = _strength(scorer, users, prior)
    chosen = scorer.settings.candidates.rule == "half"
    while True:
        rate = rng.beta(scorer.counts + strength * prior, users - scorer.counts + strength * (1 - prior))
        if scorer.settings.users.split:
            first, second = (rng.binomial(part, rate) for part in (users - users // 2, np.maximum(users // 2, 1)))
        else:
            first = rng.binomial(users, rate)
            first = np.where(scorer.counts > 0, np.maximum(first, 1), 0) if chosen else first
            second = first
        yield rate, _anything(first, rate, rng), _anything(second, rate, rng)


def _strength(scorer: Scorer, users: Integers, prior: Floats) -> Floats:
    """(tasks, 1) how many users the prior is worth, of a beta-binomial: one for all tasks of a stratum.

    Not kappa of the multinomial: counts near the group's size vary less than it says, and it would come out twice as
    large, and the ceiling lower by 0.015 of skill.
    """
    out = np.empty(users.shape)
    for rows in scorer.strata:
        yes, mean = scorer.counts[rows].ravel(), prior[rows].ravel()
        no = (users[rows] - scorer.counts[rows]).ravel()
        out[rows] = shrinkage.concentration(np.stack([yes, no], axis=1), np.stack([mean, 1 - mean], axis=1))
    return out


def _of_shares(scorer: Scorer, rng: np.random.Generator) -> Iterator[tuple[Floats, Integers, Integers]]:
    """Shares of candidates, and effective counts of those who say and those who judge."""
    parts = 2 if scorer.settings.users.split else 1
    total = np.maximum(np.rint(scorer.counts.sum(axis=1) / parts), 1).astype(np.int64)
    while True:
        drawn = rng.standard_gamma(scorer.counts + scorer.concentration[:, None] * scorer.population) + _RARE
        share = drawn / drawn.sum(axis=1, keepdims=True)
        first = rng.multinomial(total, share)
        yield share, first, rng.multinomial(total, share) if parts > 1 else first


def _anything(counts: Integers, likely: Floats, rng: np.random.Generator) -> Integers:
    """The same counts, but one user where there was none: a target needs one."""
    empty = np.flatnonzero(~counts.any(axis=1))
    counts[empty] = rng.multinomial(1, likely[empty] / likely[empty].sum(axis=1, keepdims=True))
    return counts


def _scored(scorer: Scorer, likely: Floats, first: Integers, second: Integers) -> habitus.Scores:
    lists = np.argsort(-likely, axis=1)[:, : scorer.settings.candidates.N].astype(np.int16)
    values = scorer.smoothed(first.astype(np.float64))
    weights = values if second is first else second / second.sum(axis=1, keepdims=True)
    return habitus.score_values(weights, values, lists)
