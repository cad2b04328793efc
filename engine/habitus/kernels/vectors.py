"""What kernels/lanes.py does with whole vectors, emitted as LLVM's, which LLVM maps to what the machine has.

A block holds rows of 512 bits of counts, 32 of int16 or 16 of int32, or as many real numbers: row k has the k-th number
of every lane's task. Each function here is an intrinsic: Numba calls it while it compiles, and it writes instructions
into the kernel. No kernel is compiled here, so nothing is cached: a kernel that calls these closes over SOURCE.
"""

import hashlib
from pathlib import Path

from llvmlite import ir
from numba import types
from numba.core import cgutils, utils
from numba.extending import intrinsic
from numba.np import arrayobj

TABLE = 1 << 15  # entries of a table of logarithms
SOURCE = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()

_int8, _int16, _int32, int64 = (ir.IntType(width) for width in (8, 16, 32, 64))
_real = ir.DoubleType()

# log(1 + f) = 2 s + s (c_1 s^2 + c_2 s^4 + ...), s = f / (2 + f): the coefficients of fdlibm's e_log.c (Sun, 1993).
_LOG = (
    0.6666666666666735130, 0.3999999999940941908, 0.2857142874366239149, 0.2222219843214978396,
    0.1818357216161805012, 0.1531383769920937332, 0.1479819860511658591,
)  # fmt: skip
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_ROOT_HALF = 0x3FE6A09E667F3BCD  # the bits of sqrt(1/2): mantissas are in [sqrt(1/2), sqrt(2))


def piece(returns=types.void):
    """Makes an intrinsic of emit(builder, *arguments): arrays come as pointers, literals as constants."""

    def given(context, builder, kind, value):
        if isinstance(kind, types.IntegerLiteral):
            return int64(kind.literal_value)
        return arrayobj.make_array(kind)(context, builder, value).data if isinstance(kind, types.Array) else value

    def decorate(emit):
        def typed(_typing, *kinds):
            def generate(context, builder, signature, arguments):
                pairs = zip(signature.args, arguments, strict=True)
                result = emit(builder, *(given(context, builder, *pair) for pair in pairs))
                return context.get_dummy_value() if result is None else result

            return returns(*kinds), generate

        typed.__signature__ = utils.pysignature(emit)  # type: ignore[attr-defined]  # Numba matches arguments with it
        return intrinsic(prefer_literal=True)(typed)

    return decorate


def row_of(pointer):
    """The type of a row of this block of counts."""
    return ir.VectorType(pointer.type.pointee, 512 // pointer.type.pointee.width)


def reals_of(pointer):
    """The type of as many real numbers as this block of counts has lanes."""
    return ir.VectorType(_real, row_of(pointer).count)


def _vector_at(builder, pointer, place, kind):
    return builder.bitcast(builder.gep(pointer, [place]), kind.as_pointer())


def load(builder, pointer, row, kind):
    """The row-th vector of a block."""
    place = _vector_at(builder, pointer, builder.mul(row, int64(kind.count)), kind)
    return builder.load(place, align=8)


def store(builder, vector, pointer, row):
    """Overwrite the row-th vector of a block."""
    place = _vector_at(builder, pointer, builder.mul(row, int64(vector.type.count)), vector.type)
    builder.store(vector, place, align=8)


def counts(builder, pointer, row):
    """A row of counts as real numbers."""
    return builder.sitofp(load(builder, pointer, row, row_of(pointer)), reals_of(pointer))


def resized(builder, value, kind):
    """A whole number, or a vector of them, in another width."""
    old, new = (getattr(each, "element", each).width for each in (value.type, kind))
    return value if old == new else (builder.sext if old < new else builder.trunc)(value, kind)


def spread(builder, number, kind):
    """A vector with the number in every lane."""
    number = number if kind.element == _real else resized(builder, number, kind.element)
    vector = builder.insert_element(ir.Constant(kind, ir.Undefined), number, _int32(0))
    return builder.shuffle_vector(vector, vector, ir.Constant(ir.VectorType(_int32, kind.count), [0] * kind.count))


def constant(kind, number):
    """A vector with a number known now in every lane."""
    return ir.Constant(kind, [number] * kind.count)


def call(builder, name, *vectors):
    """One of LLVM's functions of vectors of one type."""
    kind = vectors[0].type
    function = ir.FunctionType(kind, [kind] * len(vectors))
    name = f"llvm.{name}.v{kind.count}{'f64' if kind.element == _real else f'i{kind.element.width}'}"
    return builder.call(cgutils.get_or_insert_function(builder.module, function, name), vectors)


def accumulate(builder, count, start, term):
    """The vectors after `count` steps of sums = term(row, *sums) from `start` on; they stay in registers."""
    sums = [cgutils.alloca_once_value(builder, vector) for vector in start]
    with cgutils.for_range(builder, count) as loop:
        for cell, vector in zip(sums, term(loop.index, *map(builder.load, sums)), strict=True):
            builder.store(vector, cell)
    return [builder.load(cell) for cell in sums]


def between(builder, number, low, high):
    """A whole number, or the end of [low, high] that it is beyond; low if the interval is empty."""
    for end, outside in ((high, ">"), (low, "<")):
        number = builder.select(builder.icmp_signed(outside, number, end), end, number)
    return number


def widths(builder, width):
    """Yields every integer type, inside a branch that is taken if `width` is its number of bytes."""
    for kind in (_int8, _int16, _int32, int64):
        with builder.if_then(builder.icmp_signed("==", width, int64(kind.width // 8))):
            yield kind


@piece()
def prefetch(builder, source, place):
    """Ask for the byte's line to be brought into the second-level cache; never faults."""
    kind = ir.FunctionType(ir.VoidType(), [_int8.as_pointer(), _int32, _int32, _int32])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    builder.call(function, [builder.gep(source, [place]), _int32(0), _int32(2), _int32(1)])


@piece(types.int64)
def number(builder, source, width, place):
    """The place-th of whole numbers of so many bytes."""
    result = cgutils.alloca_once(builder, int64)
    for kind in widths(builder, width):
        value = builder.load(builder.gep(builder.bitcast(source, kind.as_pointer()), [place]), align=1)
        builder.store(resized(builder, value, int64), result)
    return builder.load(result)


@piece()
def narrow(builder, source, width, task, tile, lane, K):
    """A task's K counts into the lane's row of the tile; -1 for those that the tile's type cannot hold."""
    kind, lanes = tile.type.pointee, row_of(tile).count
    stride, first = _stride(builder, K, lanes), builder.mul(task, K)
    start = builder.mul(lane, builder.mul(stride, int64(lanes)))

    def columns(wide, held, steps):
        """`held` at a time; the last may overlap those before."""
        items, last = builder.bitcast(source, wide.as_pointer()), builder.sub(K, int64(held))
        vector, short = ir.VectorType(wide, held), ir.VectorType(kind, held)
        with cgutils.for_range(builder, steps) as loop:
            column = between(builder, builder.mul(loop.index, int64(held)), int64(0), last)
            value = builder.load(_vector_at(builder, items, builder.add(first, column), vector), align=1)
            value = value if wide.width > kind.width else resized(builder, value, short)
            largest = int64(2 ** (kind.width - 1) - 1)
            fits = builder.icmp_unsigned("<=", value, spread(builder, largest, value.type))
            value = builder.select(fits, resized(builder, value, short), constant(short, -1))
            builder.store(value, _vector_at(builder, tile, builder.add(start, column), short), align=2)

    for wide in widths(builder, width):
        if isinstance(K, ir.Constant):
            columns(wide, min(K.constant, lanes), stride)
            continue
        # A vector would reach beyond a row that is shorter, and beyond the caller's memory with the last row.
        with builder.if_else(builder.icmp_signed(">=", K, int64(lanes))) as (enough, few):
            with enough:
                columns(wide, lanes, stride)
            with few:
                columns(wide, 1, K)


def _stride(builder, K, lanes):
    """Rows of lanes that K counts take."""
    return builder.sdiv(builder.add(K, int64(lanes - 1)), int64(lanes))


@piece()
def transpose(builder, tile, block, K):
    """block[k] = the k-th count of each task; a task is a row of the tile, padded to a multiple of the lanes.

    Rows that differ in one bit of their number are interleaved word by word inside each quarter, as often as a quarter
    has bits, then quarter by quarter: each step changes one bit of the row's number for one of the column's. Shuffles
    that keep inside a quarter cost half of those that do not. Rows of the block beyond K are overwritten.
    """
    kind = row_of(tile)
    lanes, words = kind.count, kind.count // 4
    inside = [
        [words * part + half + at // 2 + lanes * (at % 2) for part in range(4) for at in range(words)]
        for half in (0, words // 2)
    ]
    across = [[words * part + at for part in (odd, odd + 2, odd + 4, odd + 6) for at in range(words)] for odd in (0, 1)]

    def step(rows, numbers, bit, masks):
        for low in (row for row in numbers if not row & bit):
            pair = rows[low], rows[low | bit]
            for row, mask in zip((low, low | bit), masks, strict=True):
                rows[row] = builder.shuffle_vector(*pair, ir.Constant(ir.VectorType(_int32, lanes), mask))

    stride = _stride(builder, K, lanes)
    with cgutils.for_range(builder, stride) as loop:
        places = [builder.add(builder.mul(stride, int64(task)), loop.index) for task in range(lanes)]
        rows = [load(builder, tile, place, kind) for place in places]
        for first in range(0, lanes, words):
            for bit in (4, 2, 1)[-(words.bit_length() - 1) :]:
                step(rows, range(first, first + words), bit, inside)
        for first in range(words):
            for bit in (words, 2 * words):
                step(rows, range(first, lanes, words), bit, across)
        for k, row in enumerate(rows):
            store(builder, row, block, builder.add(builder.mul(loop.index, int64(lanes)), int64(k)))


def merged(first, second, exchange):
    """Two descending lists as one: Batcher's odd-even merge of any two lengths (Knuth, TAOCP 3, 5.3.4).

    exchange(a, b) -> (the larger, the smaller). Nothing else looks at the values, so this is a comparator network.
    """
    if not first or not second:
        return [*first, *second]
    if len(first) == len(second) == 1:
        return list(exchange(first[0], second[0]))
    even, odd = merged(first[::2], second[::2], exchange), merged(first[1::2], second[1::2], exchange)
    pairs = [value for pair in zip(odd, even[1:], strict=False) for value in exchange(*pair)]
    return [even[0], *pairs, *odd[len(even) - 1 :], *even[len(odd) + 1 :]]


def in_order(values, exchange):
    """Descending. Each half is sorted on its own, so that it stays in registers."""
    half = (len(values) + 1) // 2
    if not values[1:]:
        return values
    return merged(in_order(values[:half], exchange), in_order(values[half:], exchange), exchange)


@piece()
def sort(builder, block, ordered, K, pairs, count):
    """ordered[k] = the k-th largest of block[0..K) in each lane.

    By a network written out, if K is known now; else by one that is a table of `count` pairs of places.
    """
    if not isinstance(K, ir.Constant):
        _sort_by_table(builder, block, ordered, K, pairs, count)
        return
    name = f"sort_{K.constant}_rows"
    if name not in builder.module.globals:  # called twice, emitted once
        function = ir.Function(builder.module, ir.FunctionType(ir.VoidType(), [block.type, ordered.type]), name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        inner = ir.IRBuilder(function.append_basic_block())
        rows = [load(inner, function.args[0], int64(k), row_of(block)) for k in range(K.constant)]
        ranked = in_order(rows, lambda a, b: (call(inner, "smax", a, b), call(inner, "smin", a, b)))
        for k, row in enumerate(ranked):
            store(inner, row, function.args[1], int64(k))
        inner.ret_void()
    builder.call(builder.module.globals[name], [block, ordered])


def _sort_by_table(builder, block, ordered, K, pairs, count):
    kind = row_of(block)
    with cgutils.for_range(builder, K) as loop:
        store(builder, load(builder, block, loop.index, kind), ordered, loop.index)
    with cgutils.for_range(builder, count) as loop:
        first = builder.shl(loop.index, int64(1))
        places = [builder.load(builder.gep(pairs, [builder.add(first, int64(end))])) for end in (0, 1)]
        pair = [load(builder, ordered, place, kind) for place in places]
        for place, extreme in zip(places, ("smax", "smin"), strict=True):
            store(builder, call(builder, extreme, *pair), ordered, place)


@piece(types.int64)
def at_least(builder, rows, row, limit):
    """Bit t: whether the row's number is at least `limit` in lane t."""
    kind = row_of(rows)
    enough = builder.icmp_signed(">=", load(builder, rows, row, kind), spread(builder, limit, kind))
    return builder.zext(builder.bitcast(enough, ir.IntType(kind.count)), int64)


@piece()
def logarithms(builder, ordered, used, logs, alpha, base, out):
    """Out = log(n + alpha) - log(alpha) of every count in the first rows; base = log(alpha).

    From the table if counts are int16. int32 counts would need one of 16 GiB, so theirs are computed.
    """
    kind, reals = row_of(ordered), reals_of(ordered)
    if kind.element == _int32:
        with cgutils.for_range(builder, used) as loop:
            n = counts(builder, ordered, loop.index)
            log = _log(builder, builder.fadd(n, spread(builder, alpha, reals)))
            log = builder.fsub(log, spread(builder, base, reals))
            some = builder.fcmp_ordered(">", n, constant(reals, 0.0))
            store(builder, builder.select(some, log, constant(reals, 0.0)), out, loop.index)
        return
    # Four counts to a load: extracting them is cheaper than loading each.
    quads, table, places = (builder.bitcast(each, int64.as_pointer()) for each in (ordered, logs, out))
    with cgutils.for_range(builder, builder.mul(used, int64(kind.count // 4))) as loop:
        word = builder.load(builder.gep(quads, [loop.index]))
        for place in range(4):
            count = builder.and_(builder.lshr(word, int64(16 * place)), int64(TABLE - 1))
            to = builder.add(builder.mul(loop.index, int64(4)), int64(place))
            builder.store(builder.load(builder.gep(table, [count])), builder.gep(places, [to]))


def _log(builder, x):
    """Log x of normal x > 0, within one unit in the last place (fdlibm, e_log.c)."""
    whole, reals = ir.VectorType(int64, x.type.count), x.type
    bits = builder.bitcast(x, whole)
    exponent = builder.ashr(builder.sub(bits, constant(whole, _ROOT_HALF)), constant(whole, 52))
    mantissa = builder.bitcast(builder.sub(bits, builder.shl(exponent, constant(whole, 52))), reals)
    exponent = builder.sitofp(builder.trunc(exponent, ir.VectorType(_int32, reals.count)), reals)
    f = builder.fsub(mantissa, constant(reals, 1.0))
    s = builder.fdiv(f, builder.fadd(f, constant(reals, 2.0)))
    z = builder.fmul(s, s)
    series = constant(reals, 0.0)
    for coefficient in reversed(_LOG):
        series = builder.fmul(z, builder.fadd(series, constant(reals, coefficient)))
    half = builder.fmul(builder.fmul(f, f), constant(reals, 0.5))
    low = builder.fmul(exponent, constant(reals, _LN2_LOW))
    terms = builder.fadd(builder.fmul(s, builder.fadd(half, series)), low)
    return builder.fadd(builder.fadd(builder.fsub(terms, half), f), builder.fmul(exponent, constant(reals, _LN2_HIGH)))
