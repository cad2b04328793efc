"""Scores in plain Python, straight from the formulas of the method, section 4, and by enumeration."""

import itertools
import math
from collections.abc import Sequence


def smoothed(counts: Sequence[int], alpha: float) -> list[float]:
    total = sum(counts) + alpha * len(counts)
    return [(n + alpha) / total for n in counts]


def descending(values: Sequence[float]) -> list[int]:
    return sorted(range(len(values)), key=lambda i: (-values[i], i))


def surprisals(values: Sequence[float]) -> list[float]:
    return [-math.log(values[i]) for i in descending(values)]


def of_order(weights: Sequence[float], values: Sequence[float], order: Sequence[int]) -> float:
    """The candidate at place r is given the r-th largest value."""
    return math.fsum(weights[i] * surprisal for i, surprisal in zip(order, surprisals(values), strict=True))


def entropy(weights: Sequence[float], values: Sequence[float]) -> float:
    return math.fsum(-t * math.log(v) for t, v in zip(weights, values, strict=True))


def completed(values: Sequence[float], listed: Sequence[int]) -> list[int]:
    return [*listed, *(i for i in descending(values) if i not in listed)]


def shared(weights: Sequence[float], values: Sequence[float], listed: Sequence[int]) -> list[float]:
    """Candidates that are not listed weigh as much as others of the same value (in the logarithm) do in the mean."""
    mine, logs = list(weights), [math.log(value) for value in values]
    for log in set(logs):
        tied = [i for i in range(len(values)) if logs[i] == log and i not in listed]
        for i in tied:
            mine[i] = math.fsum(weights[j] for j in tied) / len(tied)
    return mine


def optimistic(weights: Sequence[float], values: Sequence[float], ranking: Sequence[int]) -> float:
    listed = [i for i in ranking if i != -1]
    return of_order(shared(weights, values, listed), values, completed(values, listed))


def filled_worst(weights: Sequence[float], values: Sequence[float], ranking: Sequence[int]) -> float:
    listed = [i for i in ranking if i != -1]
    rest = [i for i in reversed(descending(values)) if i not in listed]
    filled = listed + rest[: len(ranking) - len(listed)]
    return of_order(shared(weights, values, listed), values, completed(values, filled))


def filled_by_chance(weights: Sequence[float], values: Sequence[float], ranking: Sequence[int]) -> float:
    """With k valid items, the other n = N - k slots random: the hypergeometric formula."""
    listed = [i for i in ranking if i != -1]
    L = surprisals(values)
    k, n = len(listed), len(ranking) - len(listed)
    R = len(values) - k
    terms = [weights[i] * L[r] for r, i in enumerate(listed)]
    weights = shared(weights, values, listed)
    rest = [weights[i] for i in descending(values) if i not in listed]
    if n:
        terms.append(math.fsum(rest) / R * math.fsum(L[k : k + n]))
    for i, p in enumerate(rest, start=1):
        for x in range(max(0, n + i - R), min(n, i - 1) + 1):
            share = math.comb(i - 1, x) * math.comb(R - i, n - x) / math.comb(R - 1, n)
            terms.append((1 - n / R) * p * share * L[k + n + i - x - 1])
    return math.fsum(terms)


def filled_by_enumeration(weights: Sequence[float], values: Sequence[float], ranking: Sequence[int]) -> float:
    """The mean over every way to fill the empty slots."""
    listed = [i for i in ranking if i != -1]
    rest = [i for i in range(len(values)) if i not in listed]
    ways = [
        optimistic(weights, values, [*listed, *fill])
        for fill in itertools.permutations(rest, len(ranking) - len(listed))
    ]
    return math.fsum(ways) / len(ways)


def chance(weights: Sequence[float], values: Sequence[float], length: int) -> float:
    return filled_by_chance(weights, values, [-1] * length)


def worst(weights: Sequence[float], values: Sequence[float], length: int) -> float:
    return filled_worst(weights, values, [-1] * length)


FILLS = {"chance": filled_by_chance, "optimistic": optimistic, "worst": filled_worst}
