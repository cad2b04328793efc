"""c_limit.c, built on the fly where gcc and AVX-512 are: the yardstick for the compiled engine."""

import ctypes
import functools
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from habitus.kernels.vectors import in_order
from habitus.lanes import _band

BLOCK = 32


def available() -> bool:
    """Whether it can be built and run here."""
    processor = Path("/proc/cpuinfo")
    return shutil.which("gcc") is not None and processor.exists() and "avx512bw" in processor.read_text("utf-8")


def _network(size: int) -> str:
    lines = []

    def exchange(i: int, j: int) -> tuple[int, int]:
        lines.append(f"CX({i}, {j})\n")
        return i, j

    ranked = in_order(list(range(size)), exchange)
    return "".join([*lines, *(f"OUT({k}, {i})\n" for k, i in enumerate(ranked))])


@functools.cache
def _built() -> ctypes.CDLL:
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "limit.so"
        Path(folder, "network.h").write_text(_network(50), "utf-8")
        source = Path(__file__).with_name("c_limit.c")
        command = ["gcc", "-O3", "-march=native", "-fPIC", "-shared", "-I", folder, "-o", library, source, "-lm"]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - no outside input
        return ctypes.CDLL(str(library))


class Scores(NamedTuple):
    """In nats, (rankings,) each."""

    entropy: NDArray[np.float64]
    cross_entropy: NDArray[np.float64]
    chance: NDArray[np.float64]
    worst: NDArray[np.float64]


def score(
    counts: NDArray[np.int32], rankings: NDArray[np.int16], alpha: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Entropy and cross-entropy of lists of 10 of 50 candidates."""
    entropy, cross_entropy = _run(_built().score, 2, counts, rankings, alpha)
    return entropy, cross_entropy


def score_all(counts: NDArray[np.int32], rankings: NDArray[np.int16], alpha: float) -> Scores:
    """Entropy, cross-entropy, chance and worst of lists of 10 of 50 candidates: as much as Habitus computes."""
    return Scores(*_run(_built().score_all, 4, counts, rankings, alpha, _band(50, 10)))


def _run(
    function: Callable[..., None],
    outputs: int,
    counts: NDArray[np.int32],
    rankings: NDArray[np.int16],
    alpha: float,
    more: tuple[NDArray[np.generic], ...] = (),
) -> NDArray[np.float64]:
    rows = -len(counts) % BLOCK
    if rows:
        counts, rankings = (np.concatenate([array, array[-1:].repeat(rows, axis=0)]) for array in (counts, rankings))
    out = np.empty((outputs, len(counts)))
    arrays = [counts, rankings, *_tables(alpha), *out, *more]
    pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in arrays]
    function(*pointers[:2], ctypes.c_int64(len(counts)), *pointers[2:4], ctypes.c_double(alpha), *pointers[4:])
    return out[:, : len(counts) - rows]


@functools.cache
def _tables(alpha: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    numbers = np.arange(1 << 15)
    return np.log(numbers + alpha), np.log(numbers + 50 * alpha)
