"""An engine without a model: bytes are its tokens, and what comes next is drawn from all bytes before, by a hash."""

import hashlib
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from habitus_runners.models.vllm_engine.engine import Refused, Said, Sampling


def next_bytes(before: Sequence[int]) -> NDArray[np.float64]:
    """Probabilities of all 256 bytes after these."""
    seed = int.from_bytes(hashlib.sha256(bytes(before)).digest()[:8])
    weights = np.random.default_rng(seed).exponential(size=256)
    return weights / weights.sum()


def log_probability(prompt: str, text: str) -> float:
    """Of ``text`` after ``prompt``, in nats, byte by byte."""
    before, rest = list(prompt.encode()), text.encode()
    return sum(math.log(next_bytes([*before, *rest[:at]])[byte]) for at, byte in enumerate(rest))


class Scripted:
    """An ``Engine``; it refuses what is longer than ``context`` bytes, and keeps what it was asked.

    A choice is the one of which the hash of text and seed is least: as far from the order of the choices as can be.
    """

    def __init__(self, context: int = 100_000) -> None:
        self.context = context
        self.batches: list[list[tuple[tuple[int, ...], Sampling]]] = []

    def encode(self, text: str) -> Sequence[int]:
        """Its bytes."""
        return list(text.encode())

    def chat(self, asked: Sequence[tuple[str, Sampling]]) -> list[Said | Refused]:
        """A prompt is its bytes, without any format."""
        return self.go_on([(self.encode(prompt), sampling) for prompt, sampling in asked])

    def go_on(self, asked: Sequence[tuple[Sequence[int], Sampling]]) -> list[Said | Refused]:
        """Choices, log-probabilities or some text, whatever is asked for."""
        self.batches.append([(tuple(ids), sampling) for ids, sampling in asked])
        return [self._said(tuple(ids), sampling) for ids, sampling in asked]

    def _said(self, before: tuple[int, ...], sampling: Sampling) -> Said | Refused:
        if len(before) >= self.context:
            return Refused(f"longer than {self.context} bytes")
        if sampling.children:
            chances = next_bytes(before)
            return Said(before, [0], "", children={token: math.log(chances[token]) for token in sampling.children})
        if sampling.choice:
            text = min(sampling.choice, key=lambda one: hashlib.sha256(f"{sampling.seed} {one}".encode()).digest())
            return Said(before, self.encode(text)[: sampling.max_tokens], text)
        text = f"answer to {len(before)} bytes"
        return Said(before, self.encode(text), text)
