"""Sign flips in plain Python, from the published definition of splitmix64 and the definition of p."""

from collections.abc import Sequence
from itertools import product

WORD = 2**64
GOLDEN = 0x9E3779B97F4A7C15


def mixed(z: int) -> int:
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % WORD
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % WORD
    return z ^ (z >> 31)


def signs(seed: int, resample: int, clusters: int) -> list[int]:
    """Of every cluster in one resample: bit resample % 64 of its word in block resample // 64; a set bit is a minus."""
    block, lane = divmod(resample, 64)
    base = mixed((seed + block * GOLDEN) % WORD)
    return [-1 if mixed((base + c * GOLDEN) % WORD) >> lane & 1 else 1 for c in range(clusters)]


def every(clusters: int) -> list[tuple[int, ...]]:
    return list(product((1, -1), repeat=clusters))


def as_far(differences: Sequence[int], patterns: Sequence[Sequence[int]]) -> int:
    """How many patterns give a sum as far from zero as the one observed; whole numbers, so that ties are ties."""
    observed = abs(sum(differences))
    return sum(abs(sum(s * d for s, d in zip(pattern, differences, strict=True))) >= observed for pattern in patterns)
