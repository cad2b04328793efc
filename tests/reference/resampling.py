"""Drawing with replacement in plain Python, from the published definition of splitmix64."""

WORD = 2**64
GOLDEN = 0x9E3779B97F4A7C15


def mixed(z: int) -> int:
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % WORD
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % WORD
    return z ^ (z >> 31)


def draws(seed: int, resample: int, units: int, words: int = 1024) -> list[int]:
    """The units drawn: a block of up to `words` draws takes the low halves of its words and then the high ones."""
    base = mixed((seed + resample * GOLDEN) % WORD)
    drawn: list[int] = []
    while len(drawn) < units:
        first = len(drawn) // 2
        block = [mixed((base + (first + i) * GOLDEN) % WORD) for i in range((min(words, units - len(drawn)) + 1) // 2)]
        drawn += [(z % 2**32) * units >> 32 for z in block] + [(z >> 32) * units >> 32 for z in block]
    return drawn[:units]
