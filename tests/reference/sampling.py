"""Slow, obvious twins of habitus.sampling: sets and loops, nothing shared with the engine."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations, islice

Log = Mapping[int, Collection[int]]


def group(log: Log, cell: Collection[int], history: Sequence[int], needed: int) -> list[int]:
    """Users of the cell who interacted with at least `needed` items of the history."""
    return [user for user in sorted(cell) if sum(item in log[user] for item in history) >= needed]


def counts(log: Log, users: Sequence[int], candidates: Sequence[int]) -> list[int]:
    """How many of the users interacted with each candidate."""
    return [sum(candidate in log[user] for user in users) for candidate in candidates]


def pools(
    log: Log, users: Sequence[int], history: Sequence[int], inventory: Sequence[int], rule: str
) -> list[set[int]]:
    """The set each part of the candidates is drawn from, by method section 3."""
    union = {item for user in users for item in log[user]}
    seen = set(history)
    free = set(inventory) - seen
    if rule == "half":
        return [free - union, free & union]
    if rule == "literal":
        return [union & set(inventory), free & union]
    if rule == "inventory":
        return [free, free & union]
    popularity = {item: sum(item in items for items in log.values()) for item in inventory}
    ascending = [item for item in sorted(inventory, key=lambda item: (popularity[item], item)) if item not in seen]
    fifth = {item: rank * 5 // len(ascending) for rank, item in enumerate(ascending)}
    return [{item for item in ascending if fifth[item] == part} for part in range(5)]


def quotas(length: int, parts: int) -> list[int]:
    """How many candidates each part is to give."""
    return [length * (part + 1) // parts - length * part // parts for part in range(parts)]


def candidates(seed: int, pools: Sequence[set[int]], inventory: Collection[int], length: int) -> list[int]:
    """The candidates of one draw, in the order drawn: random items tried, then what is left of short parts listed."""
    stream, chosen, missing = _splitmix(seed), [], quotas(length, len(pools))
    ascending = sorted(inventory)
    missed = 0
    while ascending and missed < 32 + len(ascending) // 128 and len(chosen) < length:
        item = ascending[_below(stream, len(ascending))]
        wanted_by = [part for part, pool in enumerate(pools) if missing[part] and item in pool]
        missed += 1
        if item not in chosen and wanted_by:
            missing[wanted_by[0]] -= 1
            chosen.append(item)
            missed = 0
    for pool, short in zip([*pools, set().union(*pools)], [*missing, length], strict=True):
        left = sorted(pool - set(chosen))
        for _ in range(min(short, len(left), length - len(chosen))):
            place = _below(stream, len(left))
            chosen.append(left[place])
            left[place] = left[0]
            del left[0]
    return chosen


def outcomes(pools: Sequence[set[int]], length: int) -> dict[frozenset[int], Fraction]:
    """Every set of candidates that a rule can draw, with its probability."""
    found = {frozenset[int](): Fraction(1)}
    for pool, quota in zip([*pools, set().union(*pools)], [*quotas(length, len(pools)), length], strict=True):
        after: dict[frozenset[int], Fraction] = {}
        for chosen, probability in found.items():
            left = pool - chosen
            more = list(combinations(sorted(left), min(quota, len(left), length - len(chosen))))
            for items in more:
                together = chosen | set(items)
                after[together] = after.get(together, Fraction(0)) + probability / len(more)
        found = after
    return found


def shuffled(seed: int, row: Sequence[int], order: int = 0) -> list[int]:
    """The row in the order of number `order` of the seed's sequence."""
    stream, out = _splitmix(next(islice(_splitmix(seed), order, None))), list(row)
    for last in range(len(out) - 1, 0, -1):
        place = int((next(stream) >> 11) / 2**53 * (last + 1))
        out[last], out[place] = out[place], out[last]
    return out


def _splitmix(state: int) -> Iterator[int]:
    """splitmix64, from its paper."""
    while True:
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        z = state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        yield z ^ (z >> 31)


def _below(stream: Iterator[int], n: int) -> int:
    """Uniform in [0, n): the high half of 32 bits times n, the first 2^32 mod n of the low halves passed over."""
    while True:
        high, low = divmod((next(stream) >> 32) * n, 2**32)
        if low >= 2**32 % n:
            return high


def user_mean(log: Log, users: Sequence[int], candidates: Sequence[int]) -> list[float]:
    """Each user's row over the candidates normalised, then averaged over the users who have one."""
    rows = []
    for user in users:
        row = [float(candidate in log[user]) for candidate in candidates]
        if sum(row):
            rows.append([value / sum(row) for value in row])
    if not rows:
        return [math.nan] * len(candidates)
    return [sum(row[i] for row in rows) / len(rows) for i in range(len(candidates))]
