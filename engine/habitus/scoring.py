"""Scores of ranked lists against what groups did: entropy, cross-entropy, chance, worst and skill (method, section 4).

Arguments are checked and work is cut into pieces here; all scores are in nats. Complete lists of integer counts are
scored by lanes.py, 32 tasks at a time; what it leaves, more candidates and real numbers by kernels/scoring.py.
"""

import math
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from habitus import arguments, lanes
from habitus.threads import over_chunks, share

Fill = Literal["chance", "optimistic", "worst", "drop"]
FILLS: tuple[Fill, ...] = ("chance", "optimistic", "worst", "drop")

MIN_GAP = 0.02 * math.log(2)

# Sizes of a piece, in candidates: the sorted targets of one piece stay in the second-level cache.
_TASK_CELLS = 1 << 15
_RANKING_CELLS = 1 << 20
# A piece of lanes takes half a millisecond or more, a call of the kernel 30 microseconds.
_LANE_CELLS = 1 << 19

_Rows = NDArray[np.int64]
_Target = Callable[[_Rows], tuple[NDArray[np.float64], NDArray[np.float64]]]


class Scores(NamedTuple):
    """In nats: (tasks,) ``entropy``, ``chance``, ``worst``; (rankings,) ``cross_entropy``, and ``valid`` candidates."""

    entropy: NDArray[np.float64]
    chance: NDArray[np.float64]
    worst: NDArray[np.float64]
    cross_entropy: NDArray[np.float64]
    valid: NDArray[np.int32]


class Skill(NamedTuple):
    """``value`` from ``tasks`` rankings; ``excluded`` more had no cross-entropy, or chance too near to H."""

    value: float
    tasks: int
    excluded: int


class _Piece(NamedTuple):
    """Rankings and the tasks they are about; ``own`` are those whose entropy, chance and worst are wanted."""

    tasks: _Rows
    own: NDArray[np.bool_]
    rankings: _Rows


def score(
    counts: ArrayLike,
    rankings: ArrayLike,
    *,
    task: ArrayLike | None = None,
    alpha: float | None = None,
    fill: Fill = "chance",
    threads: int | None = None,
) -> Scores:
    """Score lists of candidates against how many users chose each candidate, in nats.

    p = (n + alpha) / (sum n + alpha K), sorted p_(1) >= ... >= p_(K). The r-th listed candidate is given p_(r), the
    others p_(N+1)...p_(K) in their own order: H = -sum_i p_i log p_i, CE = -sum_i p_i log p_slot(i) >= H. Chance is the
    expected CE of a random list of N, worst the largest CE. Saha & Choudhury (2025), eq. 1 and 2.

    Args:
        counts: (tasks, K) integers >= 0, at least one positive per row.
        rankings: (rankings, N) candidate positions in [0, K), best first, -1 = empty slot; 1 <= N <= K. Empty slots
            move to the end of the list.
        task: (rankings,) integers in [0, tasks), the task of each ranking. Default: one ranking per task, in order.
        alpha: pseudo-count, > 0. Default 1/K: one interaction shared by all candidates, the least that keeps every
            cross-entropy finite.
        fill: what empty slots are given. ``chance``: the expectation over random candidates, so an empty list scores
            exactly chance; ``worst``: the least likely candidates; ``optimistic``: nothing, the list is shorter (an
            empty one scores as perfect); ``drop``: the cross-entropy is NaN.
        threads: default one per core. The result is the same to the bit.

    Raises:
        TypeError: counts, rankings or task are not integers.
        ValueError: shapes do not fit; a negative count; a row of zeros; alpha <= 0; a task out of range; an unknown
            fill; a ranking that repeats a candidate or holds one that does not exist. The message names the row.

    Example:
        >>> scores = score([[3, 0, 1]], [[0, 2]])
        >>> bool(scores.cross_entropy[0] - scores.entropy[0] < 1e-12)
        True
    """
    array = arguments.integer_matrix("counts", counts)
    candidates = array.shape[1]
    added = arguments.pseudo_count(alpha, candidates)

    def target(tasks: _Rows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        from habitus.kernels import scoring as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

        counted = arguments.counts(array[tasks], tasks)
        smoothed = np.empty_like(counted)
        kernels.smooth(counted, added, smoothed)
        return smoothed, smoothed

    request = _request(target, array.shape, rankings, task, fill)
    if lanes.hold(candidates):
        return _score_lanes(request, array, added, threads)
    return _score_pieces(request, threads)


def score_values(
    weights: ArrayLike,
    values: ArrayLike,
    rankings: ArrayLike,
    *,
    task: ArrayLike | None = None,
    fill: Fill = "chance",
    threads: int | None = None,
) -> Scores:
    """Score lists against real-valued or held-out targets, in nats: order and slots from v, expectation under t.

    CE = -sum_i t_i log v_slot(i); entropy is that of the order of v itself, -sum_i t_i log v_i, which is H for t = v.
    Chance and worst follow from ``score`` with t, in the order of v, in place of p. Method, section 4, general form.

    Args:
        weights: t, (tasks, K) numbers >= 0, rows sum to 1.
        values: v, (tasks, K) numbers > 0, rows sum to 1.
        rankings: see ``score``.
        task: see ``score``.
        fill: see ``score``.
        threads: see ``score``.

    Raises:
        TypeError: weights or values are not real numbers, rankings or task not integers.
        ValueError: a row of weights or values is not finite, not of its sign or does not sum to 1 within 1e-9; shapes
            do not fit; otherwise as ``score``.

    Example:
        >>> score_values([[0.5, 0.5]], [[0.75, 0.25]], [[0]]).entropy.round(4)
        array([0.837])
    """
    expected = arguments.real_matrix("weights", weights)
    predicted = arguments.real_matrix("values", values)
    if expected.shape != predicted.shape:
        raise ValueError(f"expected weights and values of one shape, got {expected.shape} and {predicted.shape}")

    def target(tasks: _Rows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return (
            arguments.distribution("weights", expected[tasks], tasks, positive=False),
            arguments.distribution("values", predicted[tasks], tasks, positive=True),
        )

    return _score_pieces(_request(target, predicted.shape, rankings, task, fill), threads)


def cross_entropy(
    weights: ArrayLike,
    values: ArrayLike,
    rankings: ArrayLike,
    *,
    task: ArrayLike | None = None,
    fill: Fill = "chance",
    threads: int | None = None,
) -> NDArray[np.float64]:
    """(rankings,) the cross-entropy of ``score_values``, in nats."""
    return score_values(weights, values, rankings, task=task, fill=fill, threads=threads).cross_entropy


def skill(scores: Scores, *, task: ArrayLike | None = None, min_gap: float = MIN_GAP) -> Skill:
    """How far from chance towards perfect: S = 1 - sum(CE - H) / sum(chance - H), sums over one model's rankings.

    Args:
        scores: one model's.
        task: (rankings,) the task of each ranking. Default: one ranking per task, in order.
        min_gap: nats; tasks with chance - H below it are excluded: they cannot tell a good list from a random one.
            Default 0.02 bits.

    Returns:
        1 perfect, 0 chance, below 0 worse than chance; NaN where no ranking is left.

    Raises:
        TypeError: task is not of integers.
        ValueError: task does not fit the scores.

    Example:
        >>> skill(score([[9, 1, 0, 0]], [[0, 1]])).value
        1.0
    """
    return _skill(scores, scores.chance, task, min_gap)


def bounded_skill(scores: Scores, *, task: ArrayLike | None = None, min_gap: float = MIN_GAP) -> Skill:
    """How far from worst towards perfect: 1 - sum(CE - H) / sum(worst - H), in [0, 1]; rankings as in ``skill``."""
    return _skill(scores, scores.worst, task, min_gap)


def _skill(scores: Scores, reference: NDArray[np.float64], task: ArrayLike | None, min_gap: float) -> Skill:
    from habitus.kernels import scoring as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    of = arguments.task_of_rows(task, len(scores.cross_entropy), len(scores.entropy))
    columns = scores.entropy, scores.chance, reference, scores.cross_entropy
    entropy, chance, reference, crossed = (np.ascontiguousarray(column, np.float64) for column in columns)
    if not entropy.shape == chance.shape == reference.shape:
        raise ValueError(f"expected entropy, chance and worst of one shape, got {[len(each) for each in columns[:3]]}")
    sums = np.empty(2)
    kept = kernels.skill_sums(entropy, chance, reference, crossed, of, float(min_gap), sums)
    return Skill(float(1 - sums[0] / sums[1]) if kept else math.nan, kept, len(of) - kept)


class _Request(NamedTuple):
    """A checked call. ``of``: the task of each ranking, None if ranking s is about task s."""

    target: _Target
    tasks: int
    candidates: int
    lists: NDArray[np.integer]
    of: _Rows | None
    fill: Fill
    out: Scores


def _request(
    target: _Target, shape: tuple[int, ...], rankings: ArrayLike, task: ArrayLike | None, fill: Fill
) -> _Request:
    tasks, candidates = shape
    lists = arguments.integer_matrix("rankings", rankings)
    if lists.shape[1] > candidates:
        raise ValueError(f"rankings: expected lists of at most {candidates} candidates, got {lists.shape[1]} slots")
    if fill not in FILLS:
        raise ValueError(f"fill: expected one of {', '.join(FILLS)}, got {fill!r}")
    rows = len(lists)
    of = None if task is None and rows == tasks else arguments.task_of_rows(task, rows, tasks)
    out = Scores(np.empty(tasks), np.empty(tasks), np.empty(tasks), np.empty(rows), np.empty(rows, np.int32))
    return _Request(target, tasks, candidates, lists, of, fill, out)


def _score_lanes(request: _Request, counts: NDArray[np.integer], alpha: float, threads: int | None) -> Scores:
    lists, out = request.lists, request.out
    partly = bool(lists.size and lists.min() < 0)
    scorer = lanes.Scorer(request.candidates, lists.shape[1], alpha, FILLS.index(request.fill), partly=partly)
    whole: lanes.InOrder | lanes.ByTask = lanes.InOrder(request.tasks)
    if request.of is not None:
        whole, lists = lanes.ByTask(request.of, request.tasks), np.ascontiguousarray(lists)
    step = share(whole.size, max(1, _LANE_CELLS // request.candidates), threads)

    def work(first: int, last: int) -> None:
        part = whole.part(first, last)
        tasks, rows = part.tasks, part.rows
        scored = np.empty(tasks.stop - tasks.start, np.uint8)
        of_tasks = lanes.OfTasks(scored, out.entropy[tasks], out.chance[tasks], out.worst[tasks])
        of_rankings = lanes.OfRankings(out.cross_entropy[rows], out.valid[rows])
        if not scorer(counts[tasks], lists[rows], part.lanes, (of_tasks, of_rankings)):
            rankings = part.rankings()
            own = np.flatnonzero(scored == 0) + tasks.start
            _score_rest(request, own, rankings[out.valid[rankings] < 0])

    over_chunks(work, whole.size, step, threads)
    return out


def _score_rest(request: _Request, own: _Rows, rankings: _Rows) -> None:
    """What does not fit into lanes: counts above 2**31, and whatever is faulty."""
    about = _task_of(request, rankings)
    tasks = np.union1d(own, about)
    step = max(1, _TASK_CELLS // request.candidates)
    for first in range(0, len(tasks), step):
        part = tasks[first : first + step]
        here = rankings[(about >= part[0]) & (about <= part[-1])]
        _score_piece(request, _Piece(part, np.isin(part, own), here))


def _task_of(request: _Request, rankings: _Rows) -> _Rows:
    return rankings if request.of is None else request.of[rankings]


def _score_pieces(request: _Request, threads: int | None) -> Scores:
    """Everything one by one."""
    of, rows = request.of, len(request.lists)
    by_task = None if of is None or (of[1:] >= of[:-1]).all() else np.argsort(of, kind="stable")
    sorted_of = np.arange(rows) if of is None else of if by_task is None else of[by_task]
    pieces = list(_pieces(sorted_of, request.tasks, request.candidates))

    def work(first: int, last: int) -> None:
        for tasks, start, stop in pieces[first:last]:
            rankings = np.arange(start, stop) if by_task is None else by_task[start:stop]
            own = np.ones(tasks.stop - tasks.start, bool)
            _score_piece(request, _Piece(np.arange(tasks.start, tasks.stop), own, rankings))

    over_chunks(work, len(pieces), 1, threads)
    return request.out


def _pieces(of: NDArray[np.int64], tasks: int, candidates: int) -> Iterator[tuple[slice, int, int]]:
    """Consecutive tasks with their rankings; a task with very many rankings is in several pieces."""
    step, limit = max(1, _TASK_CELLS // candidates), max(1, _RANKING_CELLS // candidates)
    edges = np.append(np.arange(0, tasks, step), tasks)
    starts = np.searchsorted(of, edges)
    for a, b, first, last in zip(edges, edges[1:], starts, starts[1:], strict=False):
        for start in range(first, max(last, first + 1), limit):
            yield slice(a, b), start, min(start + limit, last)


def _score_piece(request: _Request, piece: _Piece) -> None:
    from habitus.kernels import scoring as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    weights, values = request.target(piece.tasks)
    tasks, candidates = values.shape
    lists, out, which = request.lists, request.out, piece.rankings
    rank = np.empty(values.shape, np.int32)
    weight, surprisal, expected = np.empty(values.shape), np.empty(values.shape), np.empty(candidates)
    kernels.targets(weights, values, np.empty((2, candidates), np.int32), rank, weight, surprisal)
    entropy, chance, worst = np.empty(tasks), np.empty(tasks), np.empty(tasks)
    kernels.task_scores(weight, surprisal, lists.shape[1], expected, entropy, chance, worst)
    # A task that is in several pieces is written by each, with the same bits.
    for field, own in ((out.entropy, entropy), (out.chance, chance), (out.worst, worst)):
        field[piece.tasks[piece.own]] = own[piece.own]
    rankings, valid = _inspected(lists[which], which, candidates)
    scored = np.empty(len(rankings))
    mark = np.empty(candidates, np.int64)
    of = np.searchsorted(piece.tasks, _task_of(request, which))
    kernels.ranking_scores(rank, weight, surprisal, rankings, of, FILLS.index(request.fill), mark, expected, scored)
    if request.fill == "drop":
        scored[valid < rankings.shape[1]] = math.nan
    out.cross_entropy[which], out.valid[which] = scored, valid


def _inspected(rows: NDArray[np.integer], which: _Rows, candidates: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    from habitus.kernels import scoring as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    # The largest uint64 would become -1, an empty slot.
    rankings = np.ascontiguousarray(np.minimum(rows, candidates) if rows.dtype == np.uint64 else rows, dtype=np.int64)
    valid, fault = np.empty(len(rows), np.int32), np.full(2, -1)
    kernels.inspect(rankings, np.empty(candidates, np.int64), fault, valid)
    row, column = fault
    if row >= 0:
        number, item = which[row], rows[row, column]
        if rankings[row, column] in rankings[row, :column]:
            raise ValueError(f"rankings: expected each candidate once, row {number} lists {item} twice")
        raise ValueError(f"rankings: expected -1 or candidates in [0, {candidates}), row {number} holds {item}")
    return rankings, valid
