"""Jobs timed in turn on one core, and the machine that they ran on."""

import functools
import gc
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

PACKAGES = (
    "numpy",
    "numba",
    "pandas",
    "polars",
    "duckdb",
    "torch",
    "pyarrow",
    "scipy",
    "pytrec-eval-terrier",
    "ir-measures",
    "ranx",
)

_THREADS = ("POLARS_MAX_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")

TURN = 0.15
TWO_THREADS = ", two threads"


class Contestant(NamedTuple):
    """``run`` does so many (rankings, tasks, resamples); with more than one thread it may use every core."""

    run: Callable[[], object]
    size: int
    threads: int = 1


class Cost(NamedTuple):
    """Nanoseconds for each: time that the processor worked, all threads together, and time on the clock."""

    processor: float
    clock: float

    def of(self, name: str) -> float:
        """The one that compares: threads are there to save time on the clock, the rest shares the core with others."""
        return self.clock if name.endswith(TWO_THREADS) else self.processor


def one_core() -> None:
    """Keep this process on one core, and libraries to one thread.

    They read how many when they are imported, so the process starts again, once.
    """
    if any(os.environ.get(name) != "1" for name in _THREADS):
        os.execve(sys.executable, sys.orig_argv, os.environ | dict.fromkeys(_THREADS, "1"))  # noqa: S606 - itself
    if hasattr(os, "sched_setaffinity"):
        cores()
        os.sched_setaffinity(0, {max(cores())})


@functools.cache
def cores() -> frozenset[int]:
    """The cores that this process was given."""
    given = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    return frozenset(given)


@contextmanager
def on_every_core() -> Iterator[None]:
    """Threads started within may use all cores; they inherit from the thread that starts them."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    kept = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores())
    try:
        yield
    finally:
        os.sched_setaffinity(0, kept)


def timed(contestant: Contestant) -> Cost:
    """One run."""
    worked, start = time.process_time(), time.perf_counter()
    contestant.run()
    spent = time.process_time() - worked, time.perf_counter() - start
    return Cost(*(seconds / contestant.size * 1e9 for seconds in spent))


def turn_of(contestant: Contestant) -> Cost:
    """The median of as many runs as take 0.15 s, of one at least."""
    gc.collect()
    with on_every_core() if contestant.threads > 1 else nullcontext():
        costs, until = [timed(contestant)], time.perf_counter() + TURN
        while time.perf_counter() < until:
            costs.append(timed(contestant))
    return median(costs)


def median(costs: Sequence[Cost]) -> Cost:
    """Of each clock."""
    return Cost(*map(statistics.median, zip(*costs, strict=True)))


def in_turn(contestants: Mapping[str, Contestant], rounds: int) -> dict[str, Cost]:
    """Medians of so many rounds, which alternate between all, so that a busy machine slows all of them.

    A first round, which compiles and warms, does not count.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in contestants}
    gc.freeze()
    for turn in range(rounds + 1):
        for name, contestant in contestants.items():
            cost = turn_of(contestant)
            if turn:
                costs[name].append(cost)
        progress(f"round {turn} of {rounds}" if turn else "warmed up")
    gc.unfreeze()
    return {name: median(found) for name, found in costs.items()}


def beside(contestants: Mapping[str, Contestant], first: str, rounds: int = 9) -> None:
    """Print what a ranking costs each, on one core, and how many times the first's that is."""
    costs = in_turn(contestants, rounds)
    for name, cost in costs.items():
        ratio = cost.processor / costs[first].processor
        print(f"{name:27} {cost.processor:8.1f} ns per ranking {ratio:7.3f} x {first}")


def progress(line: str) -> None:
    """To the terminal, not into what is kept of the output."""
    print(line, file=sys.stderr, flush=True)


def machine() -> dict[str, str]:
    """Processor, cores, and versions: what makes numbers of two runs comparable."""
    found = {"processor": _processor(), "cores": str(len(cores())), "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    text = information.read_text("utf-8") if information.exists() else ""
    model = next((line.split(":")[1].strip() for line in text.splitlines() if line.startswith("model name")), "")
    return (model or platform.processor() or platform.machine()) + (" with AVX-512" if "avx512bw" in text else "")
