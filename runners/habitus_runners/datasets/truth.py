"""What the users of a synthetic world would do, by Monte-Carlo redraws of their noise (method, section 8). Arrays only.

A history is the first n_u arrivals of a race: item i arrives at E_i / exp(V_i), E_i ~ Exp(1), which is the order of
V_i + Gumbel noise. Redraws are conditioned on (Rao-Blackwell): given all other arrivals, item i is among the first n if
it arrives before the n-th of the others, at tau, which has the probability 1 - exp(-tau exp(V_i)).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_CELLS_AT_ONCE = 2**21
_CELLS_IN_CACHE = 2**16  # gathering in pieces that leave the cache takes 2.7 times as long
_ROWS_PER_TASK = 256  # the mean divergence from 6,000 redrawn rows is then 0.0005 bits
_MOST_REDRAWS = 64
_DENSE_FROM = 0.01  # of all users x items, in cells gathered: from here on matrix products are faster


class Race(NamedTuple):
    """One redraw of every history: (users, items), and the item that came last in each, (users,)."""

    first: NDArray[np.bool_]
    probability: Floats
    last: Integers


def race(utilities: Floats, activity: Integers, rng: np.random.Generator) -> Race:
    """Redraw the noise once; ``activity`` is n_u, from 1 to items - 1.

    ``probability[u, i]`` is P(i in the first n_u | all other arrivals of u); its mean over redraws is pi_ui.
    """
    rates = np.exp(utilities - utilities.max(axis=1, keepdims=True))
    arrivals = rng.standard_exponential(utilities.shape) / rates
    ordered = np.sort(arrivals, axis=1)
    nth = np.take_along_axis(ordered, activity[:, None] - 1, axis=1)
    after = np.take_along_axis(ordered, activity[:, None], axis=1)
    first = arrivals <= nth
    probability = -np.expm1(-rates * np.where(first, after, nth))
    return Race(first, probability, np.argmax(arrivals == nth, axis=1))


def inclusion(utilities: Floats, activity: Integers, rng: np.random.Generator, redraws: int) -> Floats:
    """pi_ui = P(i in the top n_u | V_u, n_u), (users, items)."""
    mean = np.zeros_like(utilities)
    for users in _pieces(np.arange(len(utilities)), utilities.shape[1]):
        for _ in range(redraws):
            mean[users] += race(utilities[users], activity[users], rng).probability
    return mean / redraws


def summed(inclusion: Floats, start: Integers, users: Integers, candidates: Integers) -> Floats:
    """Sum of pi_ui over the group for each candidate, (tasks, K). Group t is ``users[start[t]:start[t + 1]]``."""
    out = np.empty(candidates.shape)
    for tasks in _pieces(np.arange(len(candidates)), len(inclusion)):
        member = _members(start, users, tasks, len(inclusion))
        out[tasks] = np.take_along_axis(member @ inclusion, candidates[tasks], axis=1)
    return out


def normalised_rows(
    utilities: Floats,
    activity: Integers,
    rng: np.random.Generator,
    start: Integers,
    users: Integers,
    candidates: Integers,
) -> Floats:
    """Sum of E[x_ui / sum_j x_uj] over the group for each candidate, (tasks, K); an empty row counts as zeros.

    Given the other arrivals, the sum over the other candidates is known whenever i is among the first n, so the
    expectation is P(i among the first n) / (1 + that sum). Each group has at least 256 redrawn rows, or 64 redraws.
    """
    size = np.diff(start)
    redraws = np.minimum(-(-_ROWS_PER_TASK // size), _MOST_REDRAWS)
    large = size * candidates.shape[1] > utilities.size * _DENSE_FROM
    out = np.zeros(candidates.shape)
    for redraw in range(int(redraws.max())):
        drawn = race(utilities, activity, rng)
        for some in _batches(np.flatnonzero((redraws > redraw) & ~large), size * candidates.shape[1]):
            user = users[_spread(start, some)]
            rows = _rows(drawn, user, np.repeat(candidates[some], size[some], axis=0))
            out[some] += np.add.reduceat(rows, np.cumsum(size[some]) - size[some], axis=0)
        for some in _pieces(np.flatnonzero((redraws > redraw) & large), len(utilities)):
            out[some] += _summed_rows(drawn, _members(start, users, some, len(utilities)), candidates[some])
    return np.asarray(out / redraws[:, None])


def _rows(drawn: Race, users: Integers, candidates: Integers) -> Floats:
    cell = users[:, None] * drawn.first.shape[1] + candidates
    first = drawn.first.take(cell)
    count = first.sum(axis=1, keepdims=True)
    last = (candidates == drawn.last[users, None]).any(axis=1, keepdims=True)
    return np.asarray(drawn.probability.take(cell) / np.where(first, count, count - last + 1))


def _summed_rows(drawn: Race, member: Floats, candidates: Integers) -> Floats:
    """The same, summed over groups, by matrix products: faster where groups are large."""
    listed = np.zeros((len(member), drawn.first.shape[1]))
    np.put_along_axis(listed, candidates, 1.0, axis=1)
    count = listed @ drawn.first.T
    among = (member / np.maximum(count, 1)) @ np.where(drawn.first, drawn.probability, 0)
    beyond = (member / (count - listed[:, drawn.last] + 1)) @ np.where(drawn.first, 0, drawn.probability)
    return np.take_along_axis(among + beyond, candidates, axis=1)


def _members(start: Integers, users: Integers, tasks: Integers, everybody: int) -> Floats:
    """(tasks, users) 1 where the user is of the task's group."""
    member = np.zeros((len(tasks), everybody))
    member[np.repeat(np.arange(len(tasks)), np.diff(start)[tasks]), users[_spread(start, tasks)]] = 1.0
    return member


def _spread(start: Integers, tasks: Integers) -> Integers:
    """Where the users of these tasks stand, one task after the other."""
    size = np.diff(start)[tasks]
    return np.repeat(start[tasks] - np.cumsum(size) + size, size) + np.arange(size.sum())


def _pieces(rows: Integers, width: int) -> Iterator[Integers]:
    step = max(1, _CELLS_AT_ONCE // width)
    return (rows[lower : lower + step] for lower in range(0, len(rows), step))


def _batches(tasks: Integers, cost: Integers) -> list[Integers]:
    piece = np.cumsum(cost[tasks]) // _CELLS_IN_CACHE
    return np.split(tasks, np.flatnonzero(np.diff(piece)) + 1) if len(tasks) else []
