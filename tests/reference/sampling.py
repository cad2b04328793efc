"""Slow, obvious twins of habitus.sampling: sets and loops, nothing shared with the engine."""

import math
from collections.abc import Collection, Mapping, Sequence

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
