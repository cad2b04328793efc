"""`python -m benchmarks.compare`: time per ranking of every competitor, and of Habitus with more threads and models.

Rounds alternate between them, so that a busy machine slows all of them; medians of one run are compared, as ratios to
Habitus on one thread. It computes chance, worst and validity as well, the others entropy and cross-entropy alone.
"""

import functools
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from benchmarks.competitors import COMPETITORS, synthetic

import habitus

ROUNDS = 9
RANKINGS = 200_000
MODELS = 10


class Contestant(NamedTuple):
    """``run`` scores so many rankings."""

    run: Callable[[], object]
    rankings: int


def contestants() -> dict[str, Contestant]:
    named = {}
    for name, competitor in COMPETITORS.items():
        rankings = min(competitor.rankings, RANKINGS)
        run = functools.partial(competitor.score, *synthetic(rankings), 1 / 50)
        named[name] = Contestant(run, rankings)
    counts, rankings = synthetic(RANKINGS)
    two = functools.partial(habitus.score, counts, rankings, threads=2)
    task = np.repeat(np.arange(RANKINGS // MODELS), MODELS)
    ten = functools.partial(habitus.score, counts[: RANKINGS // MODELS], rankings, task=task, threads=1)
    named["habitus, two threads"] = Contestant(two, RANKINGS)
    named["habitus, ten models on a task"] = Contestant(ten, RANKINGS)
    return named


def main() -> None:
    named = contestants()
    seconds: dict[str, list[float]] = {name: [] for name in named}
    for turn in range(ROUNDS + 1):
        for name, (run, rankings) in named.items():
            start = time.perf_counter()
            run()
            if turn:  # the first round compiles
                seconds[name].append((time.perf_counter() - start) / rankings)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    for name, median in medians.items():
        print(f"{name:30}{median * 1e9:10,.0f} ns per ranking {median / medians['habitus']:8.2f} x")


if __name__ == "__main__":
    main()
