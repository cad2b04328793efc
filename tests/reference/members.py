"""What the users of groups did, in plain Python: sets, dicts and exact fractions."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from tests.reference.resampling import GOLDEN, WORD, mixed


class Sums(NamedTuple):
    """As habitus.members.Sums, of one task."""

    total: list[Fraction]
    users: int
    active: int
    incidences: int
    squares: Fraction


def known(row: bytes, candidates: int) -> set[int]:
    """The candidates that a row of bits names."""
    bits = int.from_bytes(row, "little")
    return {i for i in range(candidates) if bits >> i & 1}


def sums(rows: Iterable[set[int]], candidates: int, *, per_user: bool) -> Sums:
    rows = list(rows)
    active = [row for row in rows if row]
    total = [
        sum((Fraction(1, len(row)) if per_user else Fraction(1) for row in active if i in row), Fraction(0))
        for i in range(candidates)
    ]
    squares = sum((len(row) * Fraction(1, len(row)) ** 2 for row in active), Fraction(0))
    return Sums(total, len(rows), len(active), sum(map(len, rows)), squares)


def chosen(base: int, wanted: int, units: int) -> list[bool]:
    """Unit by unit: taken with probability (how many are wanted) / (how many are left)."""
    out: list[bool] = []
    for unit in range(units):
        number = mixed((base + (1 + unit) * GOLDEN) % WORD) >> 32
        out.append(number * (units - unit) // 2**32 < wanted - sum(out))
    return out


def halves(rows: Sequence[set[int]], seed: int, split: int) -> tuple[list[bool], int] | None:
    """Who is in the second half, and how many draws were thrown away; None where there are no halves."""
    base = mixed((mixed(seed) + split * GOLDEN) % WORD)
    for attempt in range(100):
        drawn = mixed((base + attempt * GOLDEN) % WORD)
        second = chosen(drawn, (len(rows) + (drawn >> 63)) // 2, len(rows))
        if len({side for row, side in zip(rows, second, strict=True) if row}) == 2:
            return second, attempt
    return None


def half_sample(users: int, seed: int, resample: int) -> list[bool]:
    return chosen(mixed((mixed(seed) + resample * GOLDEN) % WORD), users // 2, users)


def effective_counts(rows: Sequence[set[int]], candidates: int) -> list[Fraction]:
    """Method, section 6, from each user's own distance to the mean, not from sums."""
    active = [row for row in rows if row]
    n = len(active)
    if n == 0:
        return [Fraction(0)] * candidates
    shares = [[Fraction(i in row, len(row)) for i in range(candidates)] for row in active]
    p = [sum(column, Fraction(0)) / n for column in zip(*shares, strict=True)]
    spread = sum(((x - q) ** 2 for share in shares for x, q in zip(share, p, strict=True)), Fraction(0))
    most = Fraction(sum(map(len, active)))
    draws = most if spread == 0 else (1 - sum(q * q for q in p)) * n * (n - 1) / spread
    m = Fraction(1) if n == 1 else min(max(draws, Fraction(n)), most)
    return [q * m for q in p]
