"""Calibrated characters: every kind is counted once, by plain loops too; the bounds of a known count hold it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus_runners.estimate import characters
from habitus_runners.estimate.characters import TOKENIZERS, Weights, count, kinds

TEXTS = st.lists(st.text(st.sampled_from("aZéŁжя中😀09 .,\"[]-\n'_\t"), max_size=80), max_size=6)

# Counted by the tokenizers themselves (tiktoken 0.14, sentencepiece 0.2 with Mistral's first vocabulary).
ANSWER = '["Toy Story (1995)", "Postman of Valparaíso, The (1962)", "Heat (1995)"]'
RULES = "Reply with one JSON array of exactly 10 strings and nothing else: no explanation, no numbering, no Markdown.\n"


def by_loops(texts):
    """The same counts, one character at a time."""
    found = np.zeros(7)
    for text in texts:
        before = ""
        for sign in text:
            code = ord(sign)
            mark = code < 128 and sign.isprintable() and not sign.isalnum() and sign != " "
            found[0] += (code < 128 and sign.isalpha()) or 0xAA <= code < 0x250
            found[1] += 0x80 <= code < 0x250
            found[2] += 0x250 <= code < 0x800
            found[3] += code >= 0x800
            found[4] += sign in "0123456789"
            found[5] += mark and not before
            found[6] += sign == "\n"
            before = sign if mark else ""
    return found


@given(TEXTS)
def test_kinds_are_those_that_loops_count(texts):
    assert kinds(texts).tolist() == by_loops(texts).tolist()


@given(TEXTS, TEXTS)
def test_texts_together_hold_the_tokens_of_each(one, other):
    both = count(one + other, "o200k_base")
    assert both.middle == pytest.approx(count(one, "o200k_base").middle + count(other, "o200k_base").middle)


@given(TEXTS)
def test_an_unknown_tokenizer_may_be_any(texts):
    unknown = count(texts)
    for name in TOKENIZERS:
        known = count(texts, name)
        assert 0 <= known.low <= known.middle <= known.high
        assert unknown.low <= known.low
        assert known.high <= unknown.high


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        (ANSWER, {"o200k_base": 27, "cl100k_base": 28, "sentencepiece": 36}),
        (RULES, {"o200k_base": 23, "cl100k_base": 23, "sentencepiece": 28}),
    ],
)
def test_bounds_hold_what_tokenizers_counted(text, tokens):
    for name, true in tokens.items():
        low, _, high = count([text] * 20, name)
        assert low <= 20 * true <= high


def test_other_scripts_have_wider_bounds():
    weights = Weights(1, 1, 1, 1, 1, 1, 1)
    latin, greek = (characters.bounds(kinds([text]), weights) for text in ("abc", "αβγ"))
    assert latin.middle == greek.middle == 3
    assert greek.high - greek.low > latin.high - latin.low
