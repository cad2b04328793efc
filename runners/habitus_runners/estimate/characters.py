"""Tokens from characters, where there is no tokenizer: weights per kind of character, measured on real tokenizers.

benchmarks/calibrate_tokens.py makes the weights and tells how well they hold. On 120 studies (of 20 prompts, or of 20
answers) for each of 17 sources of titles, by weights made from the 16 others, the bounds held the true count of all
studies with Latin titles (of MovieLens-1M and the world with errors of at most 8 %), and of 94 % or more of those
in other scripts, for each tokenizer. The bounds for an unknown tokenizer held GPT-3's, which no weight was made from,
in 97.9 % and 93.5 %.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from habitus_runners.estimate.interval import Interval, hull

# Letters up to U+024F, those of them that are not ASCII, letters of two bytes, characters of three or more, digits,
# runs of ASCII punctuation. Line breaks follow; they are counted apart.
_KINDS = tuple(
    re.compile(pattern)
    for pattern in (
        "[A-Za-z\u00aa-\u024f]",
        "[\u0080-\u024f]",
        "[\u0250-\u07ff]",
        "[\u0800-\U0010ffff]",
        "[0-9]",
        "[!-/:-@[-`{-~]+",
    )
)
_BREAKS = len(_KINDS)
_BEYOND = [1, 2, 3]  # the kinds beyond ASCII, of which tokenizers and languages differ most


class Weights(NamedTuple):
    """Tokens per character or run of each kind."""

    letter: float
    accent: float
    two_bytes: float
    more_bytes: float
    digit: float
    marks: float
    line_break: float


TOKENIZERS: Mapping[str, Weights] = {
    "o200k_base": Weights(0.212, 1.428, 0.375, 0.558, 0.289, 1.441, 0.000),
    "cl100k_base": Weights(0.202, 1.978, 0.700, 1.039, 0.236, 1.606, 0.000),
    "claude": Weights(0.217, 2.410, 0.794, 1.260, 0.016, 1.562, 0.876),
    "tekken": Weights(0.222, 1.275, 0.363, 0.575, 0.818, 1.487, 0.000),
    "sentencepiece": Weights(0.222, 1.747, 0.588, 0.869, 0.791, 1.748, 0.889),
}

_MARGIN = 0.15
_LESS_BEYOND, _MORE_BEYOND = 0.5, 1.0  # Greek is half as much again as the other scripts that share its weight


def count(texts: Iterable[str], tokenizer: str | None = None) -> Interval:
    """Tokens that all texts hold together.

    Args:
        texts: what is counted.
        tokenizer: one of TOKENIZERS; None: not known, so the bounds hold those of all.
    """
    found = kinds(texts)
    if tokenizer:
        return bounds(found, TOKENIZERS[tokenizer])
    return hull(bounds(found, weights) for weights in TOKENIZERS.values())


def bounds(counts: NDArray[np.float64], weights: Weights) -> Interval:
    """Tokens of texts with these kinds of characters, by one tokenizer's weights."""
    each = counts * np.array(weights)
    middle = float(each.sum())
    beyond = float(each[_BEYOND].sum())
    margin = _MARGIN * (middle - beyond)
    return Interval(middle - margin - _LESS_BEYOND * beyond, middle, middle + margin + _MORE_BEYOND * beyond)


def kinds(texts: Iterable[str]) -> NDArray[np.float64]:
    """How many of each kind, in the order of Weights, all texts hold together."""
    lines: Counter[str] = Counter()
    breaks = 0
    for text in texts:
        parts = text.split("\n")
        lines.update(parts)
        breaks += len(parts) - 1
    counts = np.zeros(_BREAKS + 1)
    for line, times in lines.items():
        for kind, pattern in enumerate(_KINDS):
            counts[kind] += times * len(pattern.findall(line))
    counts[_BREAKS] = breaks
    return counts
