"""Ways to compute entropy and cross-entropy of complete lists: one table for the tests (they agree) and the benchmarks.

A competitor is given counts (tasks, K), rankings (tasks, N) without empty slots, and alpha. It turns them into whatever
suits it best, which is not timed, and returns a job, which is: entropy and cross-entropy per ranking, in nats, on one
thread. Those that compute another metric of the same rankings are in peers.py.
"""

import functools
import importlib.util
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from benchmarks import arrays, c_limit, frames
from benchmarks.arrays import Counts, Job, Pair, Rankings

import habitus


class Competitor(NamedTuple):
    """``rankings``: how many are timed at once, a tenth of a second or so; time per ranking is compared.

    ``lacks``: why it cannot run here; nothing if it can. ``shape``: the only (K, N) that it knows.
    """

    prepare: Callable[[Counts, Rankings, float], Job]
    rankings: int
    lacks: str = ""
    shape: tuple[int, int] | None = None

    def score(self, counts: Counts, rankings: Rankings, alpha: float) -> Pair:
        """Prepare and run."""
        return self.prepare(counts, rankings, alpha)()


def synthetic(tasks: int, K: int = 50, N: int = 10, seed: int = 0, *, dense: bool = False) -> tuple[Counts, Rankings]:
    """Counts as groups give them (about 45 % zeros), or ``dense`` ones without a zero; and random lists."""
    rng = np.random.default_rng(seed)
    rates = rng.gamma(2, 10, (tasks, K)) if dense else rng.gamma(0.35, 8, (tasks, K))
    counts = rng.poisson(rates.astype(np.float32)).astype(np.int32)
    counts[:, slice(None) if dense else 0] += 1
    rankings = np.empty((tasks, N), np.int16)
    for start in range(0, tasks, 1 << 14):
        part = rankings[start : start + (1 << 14)]
        part[:] = np.argpartition(rng.random((len(part), K), np.float32), min(N, K - 1), axis=1)[:, :N]
    return counts, rankings


def absent(*modules: str) -> str:
    """Why a competitor that needs these modules cannot run here; nothing if it can."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    return f"{', '.join(missing)} not installed" if missing else ""


def engine(counts: Counts, rankings: Rankings, alpha: float) -> Job:
    """Habitus on one thread; it computes chance, worst and validity as well."""

    def run() -> Pair:
        scores = habitus.score(counts, rankings, alpha=alpha, threads=1)
        return scores.entropy, scores.cross_entropy

    return run


def limit(counts: Counts, rankings: Rankings, alpha: float) -> Job:
    """What the hardware allows: c_limit.c."""
    return functools.partial(c_limit.score, counts, rankings, alpha)


def limit_of_all(counts: Counts, rankings: Rankings, alpha: float) -> Job:
    """The same with chance and worst, as much as Habitus computes."""
    return lambda: c_limit.score_all(counts, rankings, alpha)[:2]


_NO_LIMIT = "" if c_limit.available() else "needs gcc and AVX-512"

EVERY: Mapping[str, Competitor] = {
    "habitus": Competitor(engine, 200_000),
    "C limit": Competitor(limit, 200_000, _NO_LIMIT, (50, 10)),
    "C limit, all outputs": Competitor(limit_of_all, 200_000, _NO_LIMIT, (50, 10)),
    "numpy, value sorts": Competitor(arrays.value_sorts, 200_000),
    "torch, value sorts": Competitor(arrays.torch_sorts, 50_000, absent("torch")),
    "numpy, two argsorts": Competitor(arrays.two_argsorts, 50_000),
    "numba, argsorts": Competitor(arrays.numba_argsorts, 50_000),
    "polars, lists": Competitor(frames.polars_lists, 50_000, absent("polars")),
    "polars, long": Competitor(frames.polars_long, 20_000, absent("polars")),
    "numpy, per ranking": Competitor(arrays.per_ranking, 10_000),
    "duckdb, long": Competitor(frames.duckdb, 20_000, absent("duckdb", "pyarrow")),
    "pandas": Competitor(frames.pandas, 10_000),
}

COMPETITORS: Mapping[str, Competitor] = {name: one for name, one in EVERY.items() if not one.lacks}
"""Those that can run here."""
