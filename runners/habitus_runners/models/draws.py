"""Random numbers that belong to a task, not to its place: they depend on its id, the model and the seed alone."""

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from habitus import sampling

Floats = NDArray[np.float64]
_Words = NDArray[np.uint64]


class Draws:
    """Counter-based draws for T tasks (``habitus.sampling.seeds``)."""

    def __init__(self, task_ids: Iterable[str], model: str, seed: int) -> None:
        self._tasks = np.array([_word(task) for task in task_ids], np.uint64)
        self._stream = f"{model}\n{seed}"

    def uniform(self, purpose: str, columns: int) -> Floats:
        """(T, columns) in the open interval (0, 1); one table per purpose."""
        return _unit(sampling.seeds(self._keys(purpose)[:, None], np.arange(columns)))

    def uniform_for(self, purpose: str, rows: NDArray[np.int64], number: NDArray[np.int64]) -> Floats:
        """A draw in (0, 1) for each pair of a task's row and any number, such as a user's."""
        return _unit(sampling.seeds(self._keys(purpose)[rows], number))

    def _keys(self, purpose: str) -> _Words:
        return sampling.seeds(self._tasks ^ np.uint64(_word(f"{self._stream}\n{purpose}")), 0)


def _word(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _unit(words: _Words) -> Floats:
    return ((words >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
