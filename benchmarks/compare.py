"""`python -m benchmarks.compare`: time per ranking of every competitor, interleaved, as ratios to habitus.

Rounds alternate between the competitors, so that a busy machine slows all of them; medians of one run are compared.
"""

import statistics
import time

from benchmarks.competitors import COMPETITORS, synthetic

ROUNDS = 5


def main() -> None:
    data = {name: synthetic(competitor.rankings // 5) for name, competitor in COMPETITORS.items()}
    seconds: dict[str, list[float]] = {name: [] for name in COMPETITORS}
    for turn in range(ROUNDS + 1):
        for name, competitor in COMPETITORS.items():
            start = time.perf_counter()
            competitor.score(*data[name], 1 / 50)
            if turn:  # the first round compiles
                seconds[name].append((time.perf_counter() - start) / len(data[name][1]))
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    for name, median in medians.items():
        print(f"{name:22}{median * 1e9:10,.0f} ns per ranking {median / medians['habitus']:8.1f} x")


if __name__ == "__main__":
    main()
