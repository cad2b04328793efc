"""Preferences with a known skill (method, section 8): (tasks, K) scores, higher = earlier; oracles need a World."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import ndtri

from habitus.interactions import starts
from habitus_runners.columns import Ragged
from habitus_runners.datasets.world import World
from habitus_runners.errors import HabitusError
from habitus_runners.models.baselines import at_random
from habitus_runners.models.draws import Draws
from habitus_runners.models.evidence import Evidence

Floats = NDArray[np.float64]

_SKILL_ABOVE_BREAK = 0.9
_FALL_BITS = 1.0
_TASKS_AT_ONCE = 1024
_PRIOR_USERS = 5.0


def mixture(evidence: Evidence, draws: Draws, share: float) -> Floats:
    """Perfect with probability ``share`` in each task, else random: the expected skill is exactly ``share``."""
    return _perfect_where(draws.uniform("perfect", 1)[:, 0] < share, evidence, draws)


def breakpoint_at(evidence: Evidence, draws: Draws, bits: float) -> Floats:
    """A planted inversion: a mixture whose skill is 0.9 where H >= ``bits`` and falls linearly to 0 one bit below.

    s(H) = 0.9 min(1, max(0, H - bits + 1)), so the cross-entropy rises again as H falls below ``bits``.
    """
    skill = _SKILL_ABOVE_BREAK * np.clip((evidence.entropies - bits) / _FALL_BITS + 1, 0, 1)
    return _perfect_where(draws.uniform("perfect", 1)[:, 0] < skill, evidence, draws)


def noisy(evidence: Evidence, draws: Draws, sigma: float) -> Floats:
    """Scores log p + sigma z with the smoothed target p and standard normal z: perfect at 0, random as sigma grows."""
    noise = ndtri(draws.uniform("noise", evidence.candidates.shape[1]))
    return np.asarray(np.log(evidence.probabilities) + sigma * noise)


def sampler(evidence: Evidence, draws: Draws) -> Floats:
    """Scores log p + Gumbel noise: the list is drawn from the smoothed target without replacement (Plackett-Luce)."""
    uniform = draws.uniform("noise", evidence.candidates.shape[1])
    return np.asarray(np.log(evidence.probabilities) - np.log(-np.log(uniform)))


def oracle(evidence: Evidence, draws: Draws) -> Floats:  # noqa: ARG001 - all preferences are called alike
    """The true target of the task's group."""
    return _truth(evidence, evidence.groups)


def demography_oracle(evidence: Evidence, draws: Draws) -> Floats:  # noqa: ARG001 - all preferences are called alike
    """The true target of everybody in the shown cell: knows the people, not their history."""
    return _truth(evidence, _ragged([evidence.cells[evidence.cell[tasks]] for tasks in _pieces(evidence)]))


def history_oracle(evidence: Evidence, draws: Draws) -> Floats:  # noqa: ARG001 - all preferences are called alike
    """The true target of everybody who matches the shown history: knows the history, not the people."""
    return _truth(evidence, _ragged([_matching(evidence, tasks) for tasks in _pieces(evidence)]))


def law(evidence: Evidence, others: Iterable[World]) -> Floats:
    """How people who fit the proxy behave, learned from others than those who are asked about.

    The target of the others who fit what the prompt shows, in units of users, and a little popularity, since there may
    be none. This is what a model can know; ``oracle`` knows the very people, and so lies above the noise ceiling.

    Args:
        evidence: of the study.
        others: other people in the same world, of the same number (``world.load(people=...)``).
    """
    everybody = evidence.popularity[evidence.candidates]
    out = _PRIOR_USERS * everybody / everybody.sum(axis=1, keepdims=True)
    for people in others:
        out += _fitting(replace(evidence, dataset=people))
    return np.asarray(out)


def _fitting(evidence: Evidence) -> Floats:
    """(tasks, K) the target, times their number, of all who fit what the prompt shows."""
    knows = evidence.incidence.toarray().astype(np.bool_)
    out = np.zeros(evidence.candidates.shape)
    for tasks in _pieces(evidence):
        fits = evidence.cells[evidence.cell[tasks]] & _matching(evidence, tasks)
        for row, mine in enumerate(fits, start=tasks.start):
            did = knows[mine][:, evidence.candidates[row]]
            size = did.sum(axis=1, keepdims=True) if evidence.settings.target.kind == "user_mean" else np.ones(1)
            out[row] = (did / np.maximum(size, 1)).sum(axis=0)
    return out


def _perfect_where(chosen: NDArray[np.bool_], evidence: Evidence, draws: Draws) -> Floats:
    return np.where(chosen[:, None], evidence.weights, at_random(evidence, draws))


def _truth(evidence: Evidence, groups: Ragged) -> Floats:
    if not isinstance(evidence.dataset, World):
        raise HabitusError(f"expected the data set world, whose truth is known, got {evidence.dataset.name}")
    kind = evidence.settings.target.kind
    return evidence.dataset.truth(groups.start, groups.values, evidence.candidates, kind=kind)


def _matching(evidence: Evidence, tasks: slice) -> NDArray[np.bool_]:
    """(tasks, users) who has at least the share of the history that the settings ask for; all where there is none."""
    histories = evidence.histories.part(tasks)
    shape = (len(histories.size), evidence.dataset.items.height)
    shown = csr_array((np.ones(len(histories.values), np.int32), histories.values, histories.start), shape=shape)
    known = (evidence.incidence @ shown.T).toarray().T
    needed = np.array([evidence.settings.history.needed(int(length)) for length in histories.size])
    return np.asarray(known >= needed[:, None])


def _pieces(evidence: Evidence) -> list[slice]:
    tasks = len(evidence.candidates)
    return [slice(lower, min(lower + _TASKS_AT_ONCE, tasks)) for lower in range(0, tasks, _TASKS_AT_ONCE)]


def _ragged(masks: list[NDArray[np.bool_]]) -> Ragged:
    size = np.concatenate([mask.sum(axis=1) for mask in masks])
    users = np.concatenate([np.nonzero(mask)[1] for mask in masks])
    return Ragged(starts(size), users)
