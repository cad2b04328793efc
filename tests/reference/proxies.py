"""Random groups in plain Python: permutations by Fisher and Yates, and the entropy of an image from sets of items."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from tests.reference.resampling import GOLDEN, WORD, mixed


def permutation(strata: Sequence[int], seed: int, resample: int) -> list[int]:
    """Who takes the place of each user."""
    state = mixed((seed + resample * GOLDEN) % WORD)
    images = [-1] * len(strata)
    for stratum in sorted(set(strata)):
        users = [user for user, number in enumerate(strata) if number == stratum]
        shuffled = list(users)
        for i in reversed(range(1, len(users))):
            state = (state + GOLDEN) % WORD
            j = int((mixed(state) >> 11) / 2**53 * (i + 1))
            shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
        for user, image in zip(users, shuffled, strict=True):
            images[user] = image
    return images


def entropy(
    knows: dict[int, set[int]], users: Iterable[int], candidates: Sequence[int], *, per_user: bool, alpha: float
) -> float:
    """Of what these users did with the candidates, in nats; NaN if nothing."""
    people = list(users)
    weights: Counter[int] = Counter()
    for user in people:
        known = knows[user].intersection(candidates)
        for item in known:
            weights[item] += 1 / len(known) if per_user else 1  # type: ignore[assignment]
    if not weights:
        return math.nan
    scale = len(people) / weights.total() if per_user else 1
    values = [scale * weights[item] + alpha for item in candidates]
    return -sum(value / sum(values) * math.log(value / sum(values)) for value in values)


def by_activity(knows: dict[int, set[int]], pool: Sequence[int], history: Iterable[int]) -> list[int]:
    """Users by pool, then by how many items outside the history they know, then by number."""
    outside = {user: len(items.difference(history)) for user, items in knows.items()}
    return sorted(knows, key=lambda user: (pool[user], outside[user], user))
