"""Compiled scoring of lists by integer counts, 32 tasks at a time, at the limit of the hardware.

Imports as kernels/__init__.py says. Two value sorts are all that the scores need, and no index is ever sorted:

1. The entropy, chance and worst depend on the sorted counts alone, and equal counts are interchangeable.
2. The cross-entropy gives the r-th listed candidate the r-th slot, the others the slots after it in their own order.
   So move the listed counts aside, in the list's order, put -1 in their places, which is below any count, and sort
   again: the others come first, in their order. Both together are the permutation which the definition asks for.

A sort of values is a fixed sequence of max and min (a comparator network). 32 tasks are transposed into one block with
a task per int16 lane, block[32 k + t] the k-th count of the t-th task, so one instruction compares two candidates of
all of them; tasks with counts above 32767 are scored 16 at a time in int32 lanes.

Smoothing needs no arithmetic on the counts. With T[n] = log(n + alpha) - log(alpha) and S' = sum n + alpha K,

    CE = log S' - log alpha - (sum_i n_i T[n_slot(i)] + alpha sum_r T[n_(r)]) / S',

where the last sum is the same for every list, and T[0] = 0: candidates that nobody chose cost nothing.

A list with empty slots has its listed candidates first; what the others are expected to get is built up slot by slot in
those lanes that have a slot to fill (method, section 4), so that full lists and others share a block.

Tasks with a count that no lane holds or without a positive one, and lists that repeat a candidate or hold one that does
not exist, are reported as not scored, and left to kernels/scoring.py, which names them.
"""

import math
import threading

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils

from habitus.kernels import vectors

CHANCE, OPTIMISTIC, WORST, DROP = range(4)
_BYTE = 8
TOTAL, SHARED, SCALE, OWN, RANDOM, LAST, GIVEN = range(7)  # rows of the block of sums


@vectors.piece()
def _begin(builder, ordered, used, logs, alpha, smoothing, sums):
    """What the scores of a task share, and its own expected logarithm. Counts beyond the first `used` are 0."""
    reals = vectors.reals_of(ordered)

    def counted(row, total, shared, products):
        n, log = vectors.counts(builder, ordered, row), vectors.load(builder, logs, row, reals)
        return builder.fadd(total, n), builder.fadd(shared, log), vectors.call(builder, "fmuladd", n, log, products)

    total, shared, products = vectors.accumulate(builder, used, [vectors.constant(reals, 0.0)] * 3, counted)
    scale = builder.fdiv(vectors.constant(reals, 1.0), builder.fadd(total, vectors.spread(builder, smoothing, reals)))
    shared = builder.fmul(shared, vectors.spread(builder, alpha, reals))
    for row, vector in ((TOTAL, total), (SHARED, shared), (SCALE, scale)):
        vectors.store(builder, vector, sums, vectors.int64(row))
    _finish(builder, products, sums, OWN)


def _finish(builder, products, sums, row):
    """The expected logarithm, from the sum of count * logarithm."""
    shared, scale = (vectors.load(builder, sums, vectors.int64(common), products.type) for common in (SHARED, SCALE))
    vectors.store(builder, builder.fmul(builder.fadd(products, shared), scale), sums, vectors.int64(row))


def _products(builder, counts, first, step, logs, slot, rows, total):
    """Total + sum of count * logarithm: rows first, first + step, ... of counts in slots slot, slot + 1, ..."""

    def product(row, total):
        n = vectors.counts(builder, counts, builder.add(first, builder.mul(step, row)))
        log = vectors.load(builder, logs, builder.add(slot, row), total.type)
        return [vectors.call(builder, "fmuladd", n, log, total)]

    return vectors.accumulate(builder, rows, [total], product)[0]


@vectors.piece()
def _worst(builder, ordered, used, length, logs, sums, K):
    """Expected logarithm if the last `length` in order are listed, the last first."""
    nothing, one, last = vectors.int64(0), vectors.int64(1), builder.sub(K, vectors.int64(1))
    skipped = builder.sub(K, used)  # counts of 0
    listed = vectors.between(builder, builder.sub(length, skipped), nothing, length)
    total = vectors.constant(vectors.reals_of(ordered), 0.0)
    total = _products(builder, ordered, builder.sub(last, skipped), vectors.int64(-1), logs, skipped, listed, total)
    unlisted = vectors.between(builder, builder.sub(used, length), nothing, builder.sub(K, length))
    _finish(builder, _products(builder, ordered, nothing, one, logs, length, unlisted, total), sums, LAST)


@vectors.piece()
def _given(builder, chosen, ordered, used, length, logs, sums):
    """Expected logarithm if `chosen` are listed and the others follow as ordered."""
    nothing, one, total = vectors.int64(0), vectors.int64(1), vectors.constant(vectors.reals_of(ordered), 0.0)
    total = _products(builder, chosen, nothing, one, logs, nothing, length, total)
    unlisted = vectors.between(builder, builder.sub(used, length), nothing, used)
    _finish(builder, _products(builder, ordered, nothing, one, logs, length, unlisted, total), sums, GIVEN)


@vectors.piece()
def _given_partly(builder, chosen, ordered, used, length, logs, expected, sums):
    """Expected logarithm if `chosen` are listed and the i-th other's is expected[i]; those taken out count nothing."""
    reals, nothing = vectors.reals_of(ordered), vectors.int64(0)
    total = _products(builder, chosen, nothing, vectors.int64(1), logs, nothing, length, vectors.constant(reals, 0.0))

    def product(row, total):
        left = vectors.call(
            builder,
            "smax",
            vectors.load(builder, ordered, row, vectors.row_of(ordered)),
            vectors.constant(vectors.row_of(ordered), 0),
        )
        return [
            vectors.call(
                builder, "fmuladd", builder.sitofp(left, reals), vectors.load(builder, expected, row, reals), total
            )
        ]

    _finish(builder, vectors.accumulate(builder, used, [total], product)[0], sums, GIVEN)


@vectors.piece()
def _random(builder, ordered, used, length, every, share, start, slot, logs, sums):
    """Expected logarithm over all lists of the length.

    A candidate is in each listed slot with probability `every`. The i-th pair in order is in slots slot[i] and after
    with probabilities share[2 start[i]:2 start[i + 1]], two by two: a logarithm that is loaded serves both.
    """
    reals = vectors.reals_of(ordered)

    def at(array, place):
        return builder.load(builder.gep(array, [place]))

    def weighted(probabilities, place, sums):
        log = vectors.load(builder, logs, place, reals)
        terms = zip(probabilities, sums, strict=True)
        return [
            vectors.call(builder, "fmuladd", vectors.spread(builder, each, reals), log, total) for each, total in terms
        ]

    slots = vectors.between(builder, used, vectors.int64(0), length)
    zero = vectors.constant(reals, 0.0)
    listed = vectors.accumulate(builder, slots, [zero], lambda row, total: weighted([every], row, [total]))

    def pair(row, products):
        first, begin = at(start, row), at(slot, row)
        width = builder.sub(at(start, builder.add(row, vectors.int64(1))), first)
        width = vectors.between(builder, builder.sub(used, begin), vectors.int64(0), width)

        def unlisted(column, *sums):
            place = builder.shl(builder.add(first, column), vectors.int64(1))
            both = at(share, place), at(share, builder.add(place, vectors.int64(1)))
            return weighted(both, builder.add(begin, column), sums)

        for which, expected in enumerate(vectors.accumulate(builder, width, listed * 2, unlisted)):
            n = vectors.counts(builder, ordered, builder.add(builder.shl(row, vectors.int64(1)), vectors.int64(which)))
            products = vectors.call(builder, "fmuladd", n, expected, products)
        return [products]

    pairs = builder.lshr(builder.add(used, vectors.int64(1)), vectors.int64(1))
    _finish(builder, vectors.accumulate(builder, pairs, [zero], pair)[0], sums, RANDOM)


@vectors.piece()
def _take_out(builder, lists, width, signed, rows, length, keyed, chosen, K):
    """Move the listed counts to `chosen`, -1 in their place; row K stands in for candidates that do not exist."""
    lanes, taken = vectors.int64(vectors.row_of(keyed).count), ir.Constant(keyed.type.pointee, -1)
    for kind in vectors.widths(builder, width):
        items = builder.bitcast(lists, kind.as_pointer())
        with cgutils.for_range(builder, lanes) as lane:
            start = builder.mul(builder.load(builder.gep(rows, [lane.index])), length)
            with cgutils.for_range(builder, length) as slot:
                item = builder.load(builder.gep(items, [builder.add(start, slot.index)]))
                if kind.width == _BYTE:  # an empty slot of one byte, taken as 255, might exist
                    item = builder.select(signed, builder.sext(item, vectors.int64), builder.zext(item, vectors.int64))
                item = builder.zext(item, vectors.int64) if item.type.width < K.type.width else item
                row = builder.select(builder.icmp_unsigned("<", item, K), item, K)
                cell = builder.gep(keyed, [builder.add(builder.mul(row, lanes), lane.index)])
                place = builder.add(builder.mul(slot.index, lanes), lane.index)
                builder.store(builder.load(cell), builder.gep(chosen, [place]))
                builder.store(taken, cell)


@njit(nogil=True, error_model="numpy")
def _write_tasks(LANES, task, start, held, fits, totals, smoothing, base, sums, out):
    """The scores of tasks; the sum of counts in row TOTAL becomes its logarithm. Returns how many have none."""
    scored, entropy, chance, worst = out
    missing = 0
    for t in range(held):
        total, row = sums[TOTAL * LANES + t], np.uint64(task[start + t])
        log = totals[np.uint64(total)] if 0 <= total < totals.shape[0] else math.log(total + smoothing) - base
        sums[TOTAL * LANES + t] = log
        scored[row] = fits >> t & 1
        missing += 1 - (fits >> t & 1)
        entropy[row] = log - sums[OWN * LANES + t]
        chance[row] = log - sums[RANDOM * LANES + t]
        worst[row] = log - sums[LAST * LANES + t]
    return missing


@njit(nogil=True, error_model="numpy")
def _choose(LANES, first, start, held, order, m, rows):
    """Each lane's m-th list; one that has none repeats its last, or takes any."""
    for t in range(LANES):
        lane = np.uint64(start + min(t, held - 1))
        last = first[lane + np.uint64(1)] - 1
        rows[t] = order[np.uint64(max(0, min(first[lane] + m, last)))]


@njit(nogil=True, error_model="numpy")
def _take_out_partly(LANES, lists, width, signed, rows, length, keyed, chosen, K, listed):
    """_take_out for lists with empty slots, which move to the end. Returns the lanes whose lists are faulty."""
    faulty = 0
    chosen[: length * LANES] = 0
    for t in range(LANES):
        listed[t] = 0
        for slot in range(length):
            item = vectors.number(lists, width, rows[t] * length + slot)
            if signed and item == -1:
                continue
            if item < 0 or item >= K or keyed[item * LANES + t] < 0:
                faulty |= 1 << t
                break
            chosen[listed[t] * LANES + t] = keyed[item * LANES + t]
            keyed[item * LANES + t] = -1
            listed[t] += 1
    return faulty


@njit(nogil=True, error_model="numpy")
def _fill_at_random(LANES, used, K, slot, listed, log, expected):
    """Of m candidates left, the slot takes the i-th itself, one of the i before it or one of the m - 1 - i after it."""
    m = K - slot
    for i in range(min(m, used) - 1, -1, -1):
        for t in range(LANES):
            before = i * expected[(i - 1) * LANES + t] if i > 0 else 0.0
            mean = (log[slot * LANES + t] + before + (m - 1 - i) * expected[i * LANES + t]) * (1.0 / m)
            expected[i * LANES + t] = mean if listed[t] <= slot else expected[i * LANES + t]


@njit(nogil=True, error_model="numpy")
def _expect(LANES, used, length, K, fill, listed, log, expected):
    """expected[i] = logarithm that the i-th candidate not listed gets, empty slots filled as kernels/scoring.py does.

    Lanes take part in as many steps as they have slots to fill.
    """
    known = max(used, length)
    for i in range(used):
        slot = length + i if i < K - length else K - 1 - i if fill == WORST else known
        for t in range(LANES):
            expected[i * LANES + t] = log[slot * LANES + t] if slot < known else 0.0
    for slot in range(length - 1, min(listed) - 1, -1):
        if fill == CHANCE:
            _fill_at_random(LANES, used, K, slot, listed, log, expected)
        elif fill == OPTIMISTIC:
            for j in range(used * LANES):
                own = log[slot * LANES + j] if slot + j // LANES < known else 0.0
                expected[j] = own if listed[j % LANES] <= slot else expected[j]


@njit(nogil=True, error_model="numpy")
def _write_rankings(LANES, first, start, held, m, rows, complete, fill, length, listed, sums, out):
    cross_entropy, valid = out
    missing = 0
    for t in range(held):
        lane = np.uint64(start + t)
        if first[lane] + m < first[lane + np.uint64(1)]:
            row, scored = np.uint64(rows[t]), complete >> t & 1
            unknown = fill == DROP and listed[t] < length
            cross_entropy[row] = math.nan if unknown else sums[TOTAL * LANES + t] - sums[GIVEN * LANES + t]
            valid[row] = listed[t] if scored else -1
            missing += 1 - scored
    return missing


Bytes, Rows, Reals = (types.Array(kind, 1, "C", readonly=True) for kind in (types.uint8, types.int64, types.float64))


def _signature(LANES):
    block = {32: types.int16[::1], 16: types.int32[::1]}[LANES]
    return types.void(
        types.Tuple([Bytes, types.int64, types.int64]),
        types.Tuple([Bytes, types.int64, types.boolean, types.int64]),
        types.Tuple([Rows] * 3),
        types.Tuple([Reals, Reals, types.float64]),
        types.Tuple([Reals, Rows, Rows]),
        Rows,
        types.int64,
        types.Tuple([*[block] * 5, *[types.float64[::1]] * 3, *[types.int64[::1]] * 2]),
        types.Tuple([types.uint8[::1], *[types.float64[::1]] * 3]),
        types.Tuple([types.float64[::1], types.int32[::1]]),
        types.int64[::1],
    )


def _scorer(FIXED, LANES, PARTLY, PIECES):
    """FIXED: the number of candidates, or 0 for any, which are then sorted by a table."""

    @njit(_signature(LANES), cache=True, nogil=True, error_model="numpy")
    def score(counts, lists, lanes, tables, band, network, fill, scratch, of_tasks, of_rankings, left):
        _ = PIECES  # Numba's key of a cached kernel holds what it closes over, so an edit of vectors.py is noticed
        (counts, count_width, candidates), (lists, width, signed, length), (task, first, order) = counts, lists, lanes
        K = FIXED or candidates
        (logs, totals, alpha), (share, share_start, share_slot) = tables, band
        tile, block, keyed, ordered, chosen, log, expected, sums, rows, listed = scratch
        end, base = task.shape[0], math.log(alpha)
        ordered[K * LANES : (K + 1) * LANES] = 0  # the second of the last pair, if K is odd
        for start in range(0, end, LANES):
            held = min(LANES, end - start)
            for t in range(LANES):
                vectors.narrow(counts, count_width, task[start + min(t, held - 1)], tile, t, K)
                ahead = task[min(start + LANES + t, end - 1)] * K * count_width
                for place in range(0, K * count_width, 64):
                    vectors.prefetch(counts, ahead + place)
            vectors.transpose(tile, block, K)
            vectors.sort(block, ordered, K, network, network.shape[0] >> 1)
            fits = vectors.at_least(ordered, K - 1, 0) & vectors.at_least(ordered, 0, 1)
            used = K
            while used > 1 and vectors.at_least(ordered, used - 1, 1) == 0:
                used -= 1
            vectors.logarithms(ordered, used, logs, alpha, base, log)
            log[used * LANES : max(used, length) * LANES] = 0.0
            _begin(ordered, used, log, alpha, alpha * K, sums)
            _worst(ordered, used, length, log, sums, K)
            _random(ordered, used, length, 1.0 / K, share, share_start, share_slot, log, sums)
            left[0] += _write_tasks(LANES, task, start, held, fits, totals, alpha * K, base, sums, of_tasks)
            most = 0
            for t in range(held):
                most = max(most, first[np.uint64(start + t + 1)] - first[np.uint64(start + t)])
            for m in range(most):
                _choose(LANES, first, start, held, order, m, rows)
                for j in range(K * LANES):
                    keyed[j] = block[j]
                _take_out(lists, width, signed, rows, length, keyed, chosen, K)
                vectors.sort(keyed, ordered, K, network, network.shape[0] >> 1)
                _given(chosen, ordered, used, length, log, sums)
                listed[:] = length
                whole = fits & ~vectors.at_least(ordered, K - length, 0)
                if PARTLY and whole != fits:  # a list with empty slots, or a faulty one
                    for j in range(K * LANES):
                        keyed[j] = block[j]
                    faulty = _take_out_partly(LANES, lists, width, signed, rows, length, keyed, chosen, K, listed)
                    vectors.sort(keyed, ordered, K, network, network.shape[0] >> 1)
                    _expect(LANES, used, length, K, fill, listed, log, expected)
                    _given_partly(chosen, ordered, used, length, log, expected, sums)
                    whole = fits & ~faulty
                left[0] += _write_rankings(
                    LANES, first, start, held, m, rows, whole, fill, length, listed, sums, of_rankings
                )

    return score


class _Compiled(dict):  # type: ignore[type-arg]  # Numba's dispatchers have no type
    """Kernels by (candidates, lanes, whether lists may have empty slots), compiled or loaded when first asked for."""

    def __init__(self):
        super().__init__()
        self._lock = threading.Lock()

    def __missing__(self, key):
        with self._lock:  # threads that come meanwhile wait for the one that compiles
            if key not in self:
                candidates, lanes, partly = key
                self[key] = _scorer(candidates, lanes, partly, vectors.SOURCE)
        return self[key]


score = _Compiled()
