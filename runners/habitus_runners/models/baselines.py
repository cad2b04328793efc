"""Preferences that need no language model (method, section 7): (tasks, K) scores, higher = listed earlier."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from habitus_runners.columns import Ragged
from habitus_runners.models.draws import Draws
from habitus_runners.models.evidence import Evidence

Floats = NDArray[np.float64]
_Words = NDArray[np.uint64]

_WORDS_AT_ONCE = 2**21


def at_random(evidence: Evidence, draws: Draws) -> Floats:
    """Every order is equally likely."""
    return draws.uniform("order", evidence.candidates.shape[1])


def popularity(evidence: Evidence, draws: Draws) -> Floats:  # noqa: ARG001 - all preferences are called alike
    """Users per item in the whole data set, the task's group included."""
    return evidence.popularity[evidence.candidates].astype(np.float64)


def group_popularity(evidence: Evidence, draws: Draws) -> Floats:  # noqa: ARG001 - all preferences are called alike
    """Users per item among the users of the shown cell who are not in the group.

    Where the group is the whole cell (no history) all users outside the group count instead; where it is everybody,
    nobody is left and the order is random.
    """
    everybody = evidence.popularity[evidence.candidates]
    sizes = evidence.cells.sum(axis=1)
    per_cell = (evidence.incidence.T @ evidence.cells.T.astype(np.int32)).T
    cell = np.take_along_axis(per_cell[evidence.cell], evidence.candidates, axis=1)
    whole = sizes[evidence.cell] == evidence.groups.size
    return np.asarray(np.where(whole[:, None], everybody, cell) - evidence.group_counts(), np.float64)


def item_knn(evidence: Evidence, draws: Draws) -> Floats:  # noqa: ARG001 - all preferences are called alike
    """Sum over the shown history of the cosine between two items' users, counting only users outside the group.

    cos(i, j) = |U_i & U_j| / sqrt(|U_i| |U_j|), 0 where an item has no users. Without a history: users per item outside
    the group. The group is left out because its members chose the very candidates that are to be ranked.
    """
    user, item = (np.asarray(numbers, np.int64) for numbers in evidence.incidence.nonzero())
    users, items = evidence.dataset.users.height, evidence.dataset.items.height
    bits = _packed(item, user, (items, users))
    out = np.empty(evidence.candidates.shape)
    for tasks in _pieces(len(out), evidence.candidates.shape[1] * bits.shape[1]):
        group = evidence.groups.part(tasks)
        outside = ~_packed(group.row, group.values, (len(group.size), users))
        out[tasks] = _similarity(bits, outside, evidence.candidates[tasks], _padded(evidence.histories.part(tasks)))
    return out


def perfect(evidence: Evidence, draws: Draws) -> Floats:  # noqa: ARG001 - all preferences are called alike
    """What the group did: its cross-entropy is the target's entropy."""
    return evidence.weights


def reverse(evidence: Evidence, draws: Draws) -> Floats:  # noqa: ARG001 - all preferences are called alike
    """The least likely first."""
    return -evidence.weights


def held_out_half(evidence: Evidence, draws: Draws) -> Floats:
    """What floor(n / 2) of the group's n users did, drawn for each task: how far a sample of the group goes.

    It is scored against all n, its own half among them, so it flatters in small groups: an upper mark, not a rival.

    Under ``user_mean`` each user's row is normalised, as in the target.
    """
    groups = evidence.groups
    row = groups.row
    order = np.lexsort((draws.uniform_for("half", row, groups.values), row))
    place = np.arange(len(row)) - groups.start[row]
    weights = np.zeros(len(row))
    weights[order] = place < groups.size[row] // 2
    if evidence.settings.target.kind == "user_mean":
        weights /= np.maximum(evidence.rows_per_member(), 1)
    return evidence.group_counts(weights)


def _similarity(bits: _Words, outside: _Words, candidates: NDArray[np.int64], histories: NDArray[np.int64]) -> Floats:
    users = bits[candidates] & outside[:, None]
    size = np.bitwise_count(users).sum(axis=2, dtype=np.int64)
    score = np.zeros(candidates.shape)
    for items in histories.T:
        shown = np.flatnonzero(items >= 0)
        of_item = bits[items[shown]] & outside[shown]
        both = np.bitwise_count(users[shown] & of_item[:, None]).sum(axis=2, dtype=np.int64)
        product = size[shown] * np.bitwise_count(of_item).sum(axis=1, dtype=np.int64)[:, None]
        score[shown] += both / np.sqrt(np.maximum(product, 1))
    without = ~(histories >= 0).any(axis=1)
    score[without] = size[without]
    return score


def _padded(histories: Ragged) -> NDArray[np.int64]:
    """(tasks, longest) item numbers, -1 where a history is shorter."""
    size = histories.size
    out = np.full((len(size), size.max(initial=0)), -1, np.int64)
    out[np.arange(out.shape[1]) < size[:, None]] = histories.values
    return out


def _packed(row: NDArray[np.int64], column: NDArray[np.int64], shape: tuple[int, int]) -> _Words:
    """A matrix of bits in words of 64: bit ``column`` of each ``row`` is set."""
    width = -(-shape[1] // 64)
    words = np.zeros(shape[0] * width, np.uint64)
    place = row * width + column // 64
    np.bitwise_or.at(words, place, np.uint64(1) << (column % 64).astype(np.uint64))
    return words.reshape(shape[0], width)


def _pieces(rows: int, width: int) -> Iterator[slice]:
    step = max(1, _WORDS_AT_ONCE // width)
    return (slice(lower, min(lower + step, rows)) for lower in range(0, rows, step))
