"""Compiled scoring of complete lists of integer counts, 32 tasks at a time, at the limit of the hardware.

Imports as kernels/__init__.py says. Two value sorts are all that the scores need, and no index is ever sorted:

1. The entropy, chance and worst depend on the sorted counts alone, and equal counts are interchangeable.
2. The cross-entropy gives the r-th listed candidate the r-th slot, the others the slots after it in their own order.
   So put the key 32767 - r, which is above any count, in place of the r-th listed candidate's count and sort again:
   the keys take the first N places, in the list's order, and the unlisted counts follow in theirs. With the listed
   counts, kept aside as the keys were written, in front, that is the permutation which the definition asks for.

A sort of values is a fixed sequence of max and min (a comparator network). 32 tasks are transposed into one block with
a task per int16 lane, block[32 k + t] the k-th count of the t-th task, so one instruction compares two candidates of
all of them. The network is emitted as LLVM vectors, which LLVM maps to what the machine has.

Smoothing needs no arithmetic on the counts. With T[n] = log(n + alpha) from a table and S' = sum n + alpha K,

    CE = log S' - (sum_i n_i T[n_slot(i)] + alpha sum_r T[n_(r)]) / S',

where the last sum is the same for every list, and a candidate that nobody chose adds nothing to the first.

A count outside [0, 32767 - N] becomes -1 in its lane. Tasks with one, tasks without a positive count, and lists with
empty slots, repeated candidates or such as do not exist are reported as not scored, and left to kernels/scoring.py.
"""

import math

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils, utils
from numba.extending import intrinsic
from numba.np import arrayobj

LANES = 32
TOP = 32767
TOTAL, SHARED, SCALE, OWN, RANDOM, LAST, GIVEN = range(7)  # rows of the block of sums

_int16, _int32, _int64 = ir.IntType(16), ir.IntType(32), ir.IntType(64)
_Counts, _Reals = ir.VectorType(_int16, LANES), ir.VectorType(ir.DoubleType(), LANES)
_ZERO = ir.Constant(_Reals, [0.0] * LANES)


def _network(size):
    """Comparators (i, j), i < j: Batcher's odd-even merge sort (Knuth, TAOCP 3, 5.2.2) for the next power of two.

    Without those that touch places which do not exist. Each half is sorted on its own, so it stays in registers.
    """

    def merge(places):
        even, odd = places[::2], places[1::2]
        return [*merge(even), *merge(odd), *zip(odd, even[1:], strict=False)] if odd[1:] else [tuple(places)]

    def sort(places):
        half = len(places) // 2
        return [*sort(places[:half]), *sort(places[half:]), *merge(places)] if half else []

    return [(i, j) for i, j in sort(range(1 << (size - 1).bit_length())) if j < size]


def _given(context, builder, kind, value):
    """An argument as the pieces below get it: an array as a pointer, a literal as a constant."""
    if isinstance(kind, types.IntegerLiteral):
        return _int64(kind.literal_value)
    return arrayobj.make_array(kind)(context, builder, value).data if isinstance(kind, types.Array) else value


def _piece(returns=types.void):
    """Makes an intrinsic of emit(builder, *arguments)."""

    def decorate(emit):
        def typed(_typing, *kinds):
            def generate(context, builder, signature, arguments):
                pairs = zip(signature.args, arguments, strict=True)
                result = emit(builder, *(_given(context, builder, *pair) for pair in pairs))
                return context.get_dummy_value() if result is None else result

            return returns(*kinds), generate

        typed.__signature__ = utils.pysignature(emit)  # type: ignore[attr-defined]  # Numba matches arguments with it
        return intrinsic(prefer_literal=True)(typed)

    return decorate


def _vector_at(builder, pointer, place, kind):
    return builder.bitcast(builder.gep(pointer, [place]), kind.as_pointer())


def _load(builder, pointer, row, kind):
    """The row-th vector of a block."""
    place = _vector_at(builder, pointer, builder.mul(row, _int64(LANES)), kind)
    return builder.load(place, align=2 if kind == _Counts else 8)


def _store(builder, vector, pointer, row):
    place = _vector_at(builder, pointer, builder.mul(row, _int64(LANES)), vector.type)
    builder.store(vector, place, align=2 if vector.type == _Counts else 8)


def _real(builder, pointer, row):
    """A row of counts as real numbers."""
    return builder.sitofp(_load(builder, pointer, row, _Counts), _Reals)


def _resized(builder, value, kind):
    """A whole number, or a vector of them, in another width."""
    old, new = (getattr(each, "element", each).width for each in (value.type, kind))
    return value if old == new else (builder.sext if old < new else builder.trunc)(value, kind)


def _spread(builder, number, kind):
    """A vector with the number in every lane."""
    number = number if kind == _Reals else _resized(builder, number, kind.element)
    vector = builder.insert_element(ir.Constant(kind, ir.Undefined), number, _int32(0))
    return builder.shuffle_vector(vector, vector, ir.Constant(ir.VectorType(_int32, kind.count), [0] * kind.count))


def _call(builder, name, *vectors):
    """One of LLVM's functions of vectors of one type."""
    kind = vectors[0].type
    function = ir.FunctionType(kind, [kind] * len(vectors))
    name = f"llvm.{name}.v{kind.count}{'i16' if kind.element == _int16 else 'f64'}"
    return builder.call(cgutils.get_or_insert_function(builder.module, function, name), vectors)


def _accumulate(builder, count, start, term):
    """The vectors after `count` steps of sums = term(row, sums) from `start` on; they stay in registers."""
    sums = [cgutils.alloca_once_value(builder, vector) for vector in start]
    with cgutils.for_range(builder, count) as loop:
        for cell, vector in zip(sums, term(loop.index, *map(builder.load, sums)), strict=True):
            builder.store(vector, cell)
    return [builder.load(cell) for cell in sums]


def _widths(builder, width):
    """Yields every integer type, inside a branch that is taken if `width` is its number of bytes."""
    for size in (1, 2, 4, 8):
        with builder.if_then(builder.icmp_signed("==", width, _int64(size))):
            yield ir.IntType(8 * size)


@_piece()
def _prefetch(builder, source, place):
    """Ask for the byte's line to be brought into the second-level cache; never faults."""
    kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer(), _int32, _int32, _int32])
    prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    builder.call(prefetch, [builder.gep(source, [place]), _int32(0), _int32(2), _int32(1)])


@_piece()
def _narrow(builder, source, width, task, limit, tile, lane, K):
    """A task's K counts into the lane's row of the tile; -1 for those outside [0, limit]."""
    size, lanes, short = K.constant, min(K.constant, LANES), ir.VectorType(_int16, min(K.constant, LANES))
    first, start = builder.mul(task, _int64(size)), builder.mul(lane, _int64(-(-size // LANES) * LANES))
    for kind in _widths(builder, width):
        counts, vector = builder.bitcast(source, kind.as_pointer()), ir.VectorType(kind, lanes)
        for column in (*range(0, size - lanes, LANES), size - lanes):  # the last may overlap the one before
            value = builder.load(_vector_at(builder, counts, builder.add(first, _int64(column)), vector), align=1)
            value = value if kind.width > short.element.width else _resized(builder, value, short)
            fits = builder.icmp_unsigned("<=", value, _spread(builder, limit, value.type))
            value = builder.select(fits, _resized(builder, value, short), ir.Constant(short, [-1] * lanes))
            place = _vector_at(builder, tile, builder.add(start, _int64(column)), short)
            builder.store(value, place, align=2)


@_piece()
def _transpose(builder, tile, block, K):
    """block[k] = the k-th count of each task; a task is a row of the tile, padded to a multiple of LANES.

    Five perfect shuffles: each rotates the ten bits of (row, column) by one place, so rows and columns change places.
    """
    pairs = [place for i in range(LANES) for place in (i, LANES + i)]
    low, high = (ir.Constant(ir.VectorType(_int32, LANES), half) for half in (pairs[:LANES], pairs[LANES:]))
    size, stride = K.constant, -(-K.constant // LANES)
    for column in range(stride):
        rows = [_load(builder, tile, _int64(task * stride + column), _Counts) for task in range(LANES)]
        for _shuffle in range(LANES.bit_length() - 1):
            halves = zip(rows[: LANES // 2], rows[LANES // 2 :], strict=True)
            rows = [builder.shuffle_vector(a, b, half) for a, b in halves for half in (low, high)]
        for k, row in enumerate(rows[: size - column * LANES], column * LANES):
            _store(builder, row, block, _int64(k))


@_piece()
def _sort(builder, block, ordered, K):
    """ordered[k] = the k-th largest of block[0..K) in each lane."""
    name = f"sort_{K.constant}_lanes"
    if name not in builder.module.globals:  # called twice, emitted once
        function = ir.Function(builder.module, ir.FunctionType(ir.VoidType(), [block.type, ordered.type]), name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        inner = ir.IRBuilder(function.append_basic_block())
        rows = [_load(inner, function.args[0], _int64(k), _Counts) for k in range(K.constant)]
        for i, j in _network(K.constant):
            rows[i], rows[j] = (_call(inner, extreme, rows[i], rows[j]) for extreme in ("smax", "smin"))
        for k, row in enumerate(rows):
            _store(inner, row, function.args[1], _int64(k))
        inner.ret_void()
    builder.call(builder.module.globals[name], [block, ordered])


@_piece(types.int64)
def _within(builder, rows, first, count, limit):
    """Bit t: whether all of `count` rows are in [0, limit] in lane t. As unsigned numbers, keys and -1 are above it."""

    def term(row, top):
        return [_call(builder, "umax", top, _load(builder, rows, builder.add(first, row), _Counts))]

    top = _accumulate(builder, count, [ir.Constant(_Counts, [0] * LANES)], term)[0]
    fits = builder.icmp_unsigned("<=", top, _spread(builder, limit, _Counts))
    return builder.zext(builder.bitcast(fits, ir.IntType(LANES)), _int64)


@_piece()
def _begin(builder, ordered, used, logs, rows, alpha, smoothing, sums):
    """What the scores of a task share, and its own expected logarithm. Counts beyond the first `used` are 0."""

    def counted(row, total, products):
        n = _real(builder, ordered, row)
        return builder.fadd(total, n), _call(builder, "fmuladd", n, _load(builder, logs, row, _Reals), products)

    total, products = _accumulate(builder, used, [_ZERO] * 2, counted)
    # All rows, one by one, whatever `used` is: so a task scores the same to the bit beside any other.
    shared = _accumulate(builder, rows, [_ZERO], lambda row, s: [builder.fadd(s, _load(builder, logs, row, _Reals))])
    shared = builder.fmul(shared[0], _spread(builder, alpha, _Reals))
    scale = builder.fdiv(ir.Constant(_Reals, [1.0] * LANES), builder.fadd(total, _spread(builder, smoothing, _Reals)))
    for row, vector in ((TOTAL, total), (SHARED, shared), (SCALE, scale)):
        _store(builder, vector, sums, _int64(row))
    _finish(builder, products, sums, _int64(OWN))


def _finish(builder, products, sums, row):
    """The expected logarithm, from the sum of count * logarithm."""
    shared, scale = (_load(builder, sums, _int64(common), _Reals) for common in (SHARED, SCALE))
    _store(builder, builder.fmul(builder.fadd(products, shared), scale), sums, row)


@_piece()
def _in_slots(builder, head, first, step, length, rest, rest_first, rest_rows, logs, sums, out):
    """Expected logarithm if slots 0..length-1 get rows first, first + step, ... of head, the others those of rest."""

    def products(counts, row, slot, total):
        log = _load(builder, logs, slot, _Reals)
        return [_call(builder, "fmuladd", _real(builder, counts, row), log, total)]

    def listed(row, total):
        return products(head, builder.add(first, builder.mul(step, row)), row, total)

    def unlisted(row, total):
        return products(rest, builder.add(rest_first, row), builder.add(length, row), total)

    total = _accumulate(builder, length, [_ZERO], listed)
    _finish(builder, _accumulate(builder, rest_rows, total, unlisted)[0], sums, out)


@_piece()
def _at_random(builder, ordered, rows, length, every, share, start, slot, logs, sums, out):
    """Expected logarithm over all lists of the length.

    A candidate is in each listed slot with probability `every`, and the i-th in order is in slots slot[i] and after
    with probabilities share[start[i]:start[i + 1]].
    """

    def at(array, place):
        return builder.load(builder.gep(array, [place]))

    def weighted(probability, place, sums):
        log = _load(builder, logs, place, _Reals)
        return [_call(builder, "fmuladd", _spread(builder, probability, _Reals), log, sums)]

    listed = _accumulate(builder, length, [_ZERO], lambda row, sums: weighted(every, row, sums))

    def candidate(row, products):
        first, width = at(start, row), builder.sub(at(start, builder.add(row, _int64(1))), at(start, row))

        def unlisted(column, sums):
            return weighted(at(share, builder.add(first, column)), builder.add(at(slot, row), column), sums)

        (expected,) = _accumulate(builder, width, listed, unlisted)
        return [_call(builder, "fmuladd", _real(builder, ordered, row), expected, products)]

    _finish(builder, _accumulate(builder, rows, [_ZERO], candidate)[0], sums, out)


@_piece()
def _write_keys(builder, lists, width, rows, length, keyed, chosen, K):
    """Keys in place of the listed counts, which go to `chosen`; row K stands in for candidates that do not exist."""
    for kind in _widths(builder, width):
        items = builder.bitcast(lists, kind.as_pointer())
        with cgutils.for_range(builder, _int64(LANES)) as lane:
            start = builder.mul(builder.load(builder.gep(rows, [lane.index])), length)
            with cgutils.for_range(builder, length) as slot:
                item = _resized(builder, builder.load(builder.gep(items, [builder.add(start, slot.index)])), _int64)
                row = builder.select(builder.icmp_unsigned("<", item, K), item, K)
                cell = builder.gep(keyed, [builder.add(builder.mul(row, _int64(LANES)), lane.index)])
                place = builder.add(builder.mul(slot.index, _int64(LANES)), lane.index)
                builder.store(builder.load(cell), builder.gep(chosen, [place]))
                builder.store(builder.sub(_int16(TOP), _resized(builder, slot.index, _int16)), cell)


@njit(nogil=True, error_model="numpy")
def _write_tasks(task, start, held, fits, total_logs, smoothing, sums, scored, entropy, chance, worst, left):
    """The scores of tasks; the sum of counts in row TOTAL becomes its logarithm."""
    for t in range(held):
        total, row = sums[TOTAL * LANES + t], np.uint64(task[start + t])
        log = total_logs[np.uint64(total)] if 0 <= total <= TOP else math.log(total + smoothing)
        sums[TOTAL * LANES + t] = log
        scored[row] = fits >> t & 1
        left[0] += 1 - (fits >> t & 1)
        entropy[row] = log - sums[OWN * LANES + t]
        chance[row] = log - sums[RANDOM * LANES + t]
        worst[row] = log - sums[LAST * LANES + t]


@njit(nogil=True, error_model="numpy")
def _choose(first, start, held, order, m, rows):
    """Each lane's m-th list; one that has none repeats its last, or takes any. Returns how many have one."""
    having = 0
    for t in range(LANES):
        lane = np.uint64(start + min(t, held - 1))
        last = first[lane + np.uint64(1)] - 1
        having += first[lane] + m <= last
        rows[t] = order[np.uint64(max(0, min(first[lane] + m, last)))]
    return having


@njit(nogil=True, error_model="numpy")
def _write_rankings(first, start, held, m, rows, complete, length, sums, left, cross_entropy, valid):
    for t in range(held):
        lane = np.uint64(start + t)
        if first[lane] + m < first[lane + np.uint64(1)]:
            row, scored = np.uint64(rows[t]), complete >> t & 1
            cross_entropy[row] = sums[TOTAL * LANES + t] - sums[GIVEN * LANES + t]
            valid[row] = length if scored else -1
            left[0] += 1 - scored


Bytes, Rows, Reals = (types.Array(kind, 1, "C", readonly=True) for kind in (types.uint8, types.int64, types.float64))
SIGNATURE = types.void(
    types.Tuple([Bytes, types.int64]),
    types.Tuple([Bytes, types.int64, types.int64]),
    types.Tuple([Rows] * 3),
    types.Tuple([Reals, Reals, types.float64]),
    types.Tuple([Reals, Rows, Rows]),
    types.Tuple([types.int16[::1]] * 5 + [types.float64[::1]] * 2 + [types.int64[::1]]),
    types.Tuple([types.uint8[::1], *[types.float64[::1]] * 3, types.int64[::1], types.float64[::1], types.int32[::1]]),
)


def _scorer(K):
    @njit(SIGNATURE, cache=True, nogil=True, error_model="numpy")
    def score(counts, lists, lanes, tables, band, scratch, out):
        (counts, count_width), (lists, list_width, length), (task, first, order) = counts, lists, lanes
        (logs, total_logs, alpha), (share, share_start, share_slot) = tables, band
        tile, block, keyed, ordered, chosen, log, sums, rows = scratch
        limit, end = TOP - length, task.shape[0]
        block[K * LANES : (K + 1) * LANES] = -1
        for start in range(0, end, LANES):
            held, m = min(LANES, end - start), 0
            for t in range(LANES):
                _narrow(counts, count_width, task[start + min(t, held - 1)], limit, tile, t, K)
                ahead = task[min(start + LANES + t, end - 1)] * K * count_width
                for place in range(0, K * count_width, 64):
                    _prefetch(counts, ahead + place)
            _transpose(tile, block, K)
            _sort(block, ordered, K)
            fits = _within(ordered, K - 1, 1, limit) & ~_within(ordered, 0, 1, 0)
            used = K
            while used > 1 and _within(ordered, used - 1, 1, 0) == (1 << LANES) - 1:
                used -= 1
            for j in range(used * LANES):
                log[j] = logs[ordered[j] & TOP]
            log[used * LANES : K * LANES] = logs[0]
            _begin(ordered, used, log, K, alpha, alpha * K, sums)
            unlisted = min(used, K - length)
            _in_slots(ordered, K - 1, -1, length, ordered, 0, unlisted, log, sums, LAST)
            _at_random(ordered, used, length, 1.0 / K, share, share_start, share_slot, log, sums, RANDOM)
            _write_tasks(task, start, held, fits, total_logs, alpha * K, sums, *out[:5])
            while order.shape[0] > 0 and _choose(first, start, held, order, m, rows) > 0:
                for j in range((K + 1) * LANES):
                    keyed[j] = block[j]
                _write_keys(lists, list_width, rows, length, keyed, chosen, K)
                _sort(keyed, ordered, K)
                _in_slots(chosen, 0, 1, length, ordered, length, unlisted, log, sums, GIVEN)
                complete = fits & _within(chosen, 0, length, limit)
                _write_rankings(first, start, held, m, rows, complete, length, sums, *out[4:])
                m += 1

    return score


class _Compiled(dict):  # type: ignore[type-arg]  # Numba's dispatchers have no type
    """Kernels by number of candidates: compiled, or read from the cache on disk, when first asked for."""

    def __missing__(self, K):
        self[K] = _scorer(K)
        return self[K]


score = _Compiled()
