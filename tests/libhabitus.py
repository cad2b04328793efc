"""libhabitus through ctypes, for tests and benchmarks: arguments and results as those of `habitus.score` and others."""

import ctypes
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import habitus
from habitus import sampling
from habitus.candidates import RULES
from habitus.entropy import ESTIMATORS
from habitus.scoring import FILLS

TYPES = {np.dtype(name): code for code, name in enumerate(("int8", "int16", "int32", "int64", "float64"), start=1)}
STATUSES = ("OK", "BAD_SHAPE", "BAD_VALUE", "BAD_INDEX", "BAD_ARGUMENT", "NO_MEMORY", "BAD_CPU")


class Mistake(NamedTuple):
    """What the library said."""

    status: str
    row: int
    column: int
    message: str


class NativeError(ValueError):
    """A status that is not HABITUS_OK."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake.message)
        self.mistake = mistake


class _Error(ctypes.Structure):
    _fields_ = [
        ("status", ctypes.c_int32),
        ("row", ctypes.c_int64),
        ("column", ctypes.c_int64),
        ("message", ctypes.c_char * 256),
    ]


class Library:
    """The functions of one copy of the library; arrays are passed by address, whole numbers as int64."""

    def __init__(self, path: Path) -> None:
        self._held = ctypes.CDLL(str(path))
        for name in ("habitus_variant", "habitus_version"):
            getattr(self._held, name).restype = ctypes.c_char_p
        self._held.habitus_candidates.restype = ctypes.POINTER(ctypes.c_int64)

    @property
    def variant(self) -> str:
        """The processor that its kernels are for."""
        return str(self._held.habitus_variant().decode())

    @property
    def version(self) -> str:
        """Of habitus, when it was built."""
        return str(self._held.habitus_version().decode())

    @property
    def candidates(self) -> list[int]:
        """The numbers of candidates that have a kernel of their own."""
        numbers, held = self._held.habitus_candidates(), []
        while numbers[len(held)]:
            held.append(numbers[len(held)])
        return held

    def call(self, name: str, *arguments: Any) -> None:
        """Call a function that ends with an error; raises NativeError."""
        error = _Error()
        status = getattr(self._held, f"habitus_{name}")(*map(_passed, arguments), ctypes.byref(error))
        if status != error.status:
            raise AssertionError((name, status, error.status))
        if status:
            raise NativeError(Mistake(STATUSES[status], error.row, error.column, error.message.decode()))

    def score(
        self,
        counts: NDArray[np.integer],
        rankings: NDArray[np.integer],
        task: NDArray[np.int64] | None = None,
        alpha: float = math.nan,
        fill: str = "chance",
    ) -> habitus.Scores:
        """As `habitus.score`."""
        out = _room(len(counts), len(rankings))
        lists = (rankings, TYPES[rankings.dtype], *rankings.shape)
        fields = (*lists, task, float(alpha), FILLS.index(fill), *out)  # type: ignore[arg-type]  # any name
        self.call("score", counts, TYPES[counts.dtype], *counts.shape, *fields)
        return out

    def score_values(
        self, weights: Any, values: Any, rankings: Any, task: Any = None, fill: str = "chance"
    ) -> habitus.Scores:
        """As `habitus.score_values`."""
        out = _room(len(values), len(rankings))
        lists = (rankings, TYPES[rankings.dtype], *rankings.shape)
        self.call("score_values", weights, values, *values.shape, *lists, task, FILLS.index(fill), *out)  # type: ignore[arg-type]
        return out

    def skill(
        self, scores: habitus.Scores, reference: Any, task: Any = None, min_gap: float = math.nan
    ) -> habitus.Skill:
        """As `habitus.skill`, against any reference."""
        value, numbers = np.empty(1), np.empty((2, 1), np.int64)
        lists = (scores.cross_entropy, len(scores.cross_entropy), task, float(min_gap))
        self.call("skill", scores.entropy, scores.chance, reference, len(reference), *lists, value, *numbers)
        return habitus.Skill(float(value[0]), *numbers[:, 0].tolist())

    def entropy(self, counts: Any, estimator: str, alpha: float = math.nan) -> NDArray[np.float64]:
        """As the function of `habitus.entropy`."""
        out = np.empty(len(counts))
        number = list(ESTIMATORS).index(estimator)
        self.call("entropy", counts, TYPES[counts.dtype], *counts.shape, number, float(alpha), out)
        return out

    def bin_means(
        self, x: Any, y: Any, bins: int, low: float = math.nan, high: float = math.nan
    ) -> tuple[Any, Any, Any]:
        """Center, mean and count of every bin."""
        center, mean, count = np.empty(bins), np.empty(bins), np.empty(bins, np.int64)
        self.call("bin_means", x, y, len(x), bins, float(low), float(high), center, mean, count)
        return center, mean, count

    def rolling_mean(self, values: Any, window: int) -> NDArray[np.float64]:
        """As `curves.rolling_mean`."""
        out = np.empty(max(0, len(values) - window + 1))
        self.call("rolling_mean", values, len(values), window, out)
        return out

    def curve(
        self, x: Any, y: Any, grid: Any, *, bins: int = 200, window: int = 30, degree: int = 4, low: float = math.nan,
        high: float = math.nan,
    ) -> tuple[float, int, NDArray[np.float64]]:  # fmt: skip
        """Turning point, outcome, the fit on the grid."""
        turn, outcome, fitted = np.empty(1), np.empty(1, np.int32), np.empty(len(grid))
        sizes = (len(x), bins, window, degree, float(low), float(high))
        self.call("curve", x, y, *sizes, grid, len(grid), turn, outcome, fitted)
        return float(turn[0]), int(outcome[0]), fitted

    def seeds(self, base: int, first: int, size: int) -> NDArray[np.uint64]:
        """As `sampling.seeds` of consecutive draws."""
        out = np.empty(size, np.uint64)
        self.call("seeds", base, first, size, out)
        return out

    def histories(self, seeds: NDArray[np.uint64], inventory: NDArray[np.int32], length: int) -> NDArray[np.int32]:
        """As `sampling.histories` without weights."""
        out = np.empty((len(seeds), length), np.int32)
        self.call("histories", seeds, len(seeds), inventory, len(inventory), length, out)
        return out

    def tasks(
        self,
        pairs: tuple[NDArray[np.int32], NDArray[np.int32]],
        shape: tuple[int, int],
        proxies: sampling.Proxies,
        seeds: NDArray[np.uint64],
        inventory: NDArray[np.int32],
        *,
        min_users: int = 1,
        length: int = 50,
        rule: str = "half",
    ) -> sampling.Tasks:
        """As `sampling.tasks`."""
        cell, cells = (np.ascontiguousarray(each, np.int32) for each in (proxies.cell_of_user, proxies.cells))
        size, (items, counts) = np.empty(len(seeds), np.int64), np.empty((2, len(seeds), length), np.int32)
        history = proxies.history
        asked = (cell, cells, history, *history.shape, proxies.needed, seeds, inventory, len(inventory))
        self.call(
            "tasks", *pairs, len(pairs[0]), *shape, *asked, min_users, length, RULES.index(rule),  # type: ignore[arg-type]
            size, items, counts,
        )  # fmt: skip
        return sampling.Tasks(size, items, counts)


def _room(tasks: int, lists: int) -> habitus.Scores:
    return habitus.Scores(np.empty(tasks), np.empty(tasks), np.empty(tasks), np.empty(lists), np.empty(lists, np.int32))


def _passed(argument: Any) -> Any:
    if isinstance(argument, np.ndarray):
        if not argument.flags.c_contiguous:
            raise TypeError("expected a contiguous array: the library is told of no strides")
        return argument.ctypes.data_as(ctypes.c_void_p)
    if isinstance(argument, float):
        return ctypes.c_double(argument)
    return argument if argument is None else ctypes.c_int64(argument)
