"""`python -m benchmarks.scaling`: time against how many rankings, candidates, threads and interactions there are.

An interrupted run goes on where it stopped. The points are kept in benchmarks/measured/scaling.json, the figures drawn
from them in benchmarks/figures; `--draw` draws them again and measures nothing.

More than a block of rankings is scored block by block, as from a file, so that memory is constant: always the same
block, which no cache holds. A competitor stops at the size that would take it more than a minute.
"""

import argparse
import functools
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from benchmarks import draw, sampled, timing
from benchmarks.competitors import COMPETITORS, Competitor, synthetic
from benchmarks.points import FOLDER, Points
from benchmarks.timing import Contestant

import habitus

ALPHA = 1 / 50
MOST_SECONDS = 60
# 226 bytes a ranking as arrays; about 10 KB as a long table while it is joined and sorted.
BLOCK, BLOCK_OF_ROWS = 1_000_000, 100_000
OF_CANDIDATES = ("habitus", "numpy, value sorts", "numpy, two argsorts", "numba, argsorts", "polars, lists")
MODELS = 10

# Users, items and interactions; the third and the fourth are MovieLens-1M and -10M.
LOGS = (
    (300, 700, 10**4),
    (1_500, 1_700, 10**5),
    (6_040, 3_900, 10**6),
    (71_600, 10_700, 10**7),
    (1_000_000, 100_000, 10**8),
)
# Histories are drawn from all items alike, as both presets do, or by popularity, which makes groups large.
SAMPLERS: Mapping[str, tuple[Callable[[sampled.Log, int], sampled.Run], int]] = {
    "habitus": (sampled.by_engine, 5_000),
    "habitus, popular histories": (sampled.by_engine, 2_000),
    "scipy": (sampled.by_scipy, 200),
    "scipy, popular histories": (sampled.by_scipy, 200),
}
USERS_IN_A_CELL = 20_000

Sweep = Callable[[Points, int], None]


def rankings(points: Points, largest: int) -> None:
    """Seconds of processor time."""
    sizes = [10**power for power in range(3, 9) if 10**power <= largest]
    for name, competitor in COMPETITORS.items():
        block = BLOCK if competitor.rankings >= 200_000 else BLOCK_OF_ROWS
        for size in sizes:
            spent = points.value("rankings", name, size)
            if spent is None:
                spent = seconds(competitor, size, block)
                points.add("rankings", name, size, spent)
            if spent * 10 > MOST_SECONDS:
                break


@functools.lru_cache(maxsize=2)
def _data(size: int) -> tuple[np.ndarray, np.ndarray]:
    return synthetic(size)


def seconds(competitor: Competitor, size: int, block: int) -> float:
    """Processor time of so many rankings, block by block."""
    job = competitor.prepare(*_data(min(size, block)), ALPHA)
    job()
    blocks = -(-size // block)
    if blocks == 1:
        return timing.turn_of(Contestant(job, 1)).processor * 1e-9

    def all_blocks() -> None:
        for _ in range(blocks):
            job()

    return timing.timed(Contestant(all_blocks, 1)).processor * 1e-9


def candidates(points: Points, largest: int) -> None:
    """Nanoseconds of processor time per ranking of 10, or of half the candidates where there are fewer than 20."""
    for K in (2**power for power in range(1, 11)):
        counts, lists = synthetic(max(1, min(largest, 200_000, 4_000_000 // K)), K, min(10, K // 2))
        for name in OF_CANDIDATES:
            if name in COMPETITORS and points.value("candidates", name, K) is None:
                job = COMPETITORS[name].prepare(counts, lists, ALPHA)
                job()
                points.add("candidates", name, K, timing.turn_of(Contestant(job, len(lists))).processor)


def threads(points: Points, largest: int) -> None:
    """Rankings per second on the clock, with up to twice as many threads as there are cores."""
    counts, lists = synthetic(min(largest, 1_000_000))
    task = np.arange(len(lists)) // MODELS
    score = functools.partial(habitus.score, rankings=lists, alpha=ALPHA)
    jobs = {
        "one model": functools.partial(score, counts),
        "ten models": functools.partial(score, counts[: -(-len(counts) // MODELS)], task=task),
    }
    wanted = sorted({1, 2, len(timing.cores()), 2 * len(timing.cores())})
    if all(points.value("threads", name, number) for name in jobs for number in wanted):
        return
    contestants = {
        f"{name}, {number}": Contestant(functools.partial(job, threads=number), len(lists), threads=len(wanted))
        for name, job in jobs.items()
        for number in wanted
    }
    costs = timing.in_turn(contestants, rounds=7)
    for name in jobs:
        for number in wanted:
            points.add("threads", name, number, 1e9 / costs[f"{name}, {number}"].clock)


def interactions(points: Points, largest: int) -> None:
    """Tasks drawn per second of processor time, from logs of this many interactions."""
    for users, items, size in LOGS:
        if size > largest or all(points.value("interactions", name, size) for name in SAMPLERS):
            continue
        log = sampled.synthetic(sampled.Shape(users, items, size, offset=30))
        for name, (prepare, draws) in SAMPLERS.items():
            if points.value("interactions", name, size) is None:
                popular, cells = name.endswith("popular histories"), max(1, users // USERS_IN_A_CELL)
                job = prepare(log._replace(shape=log.shape._replace(popular=popular, cells=cells)), draws)
                job()
                points.add("interactions", name, size, 1e9 / timing.turn_of(Contestant(job, draws)).processor)


SWEEPS: tuple[Sweep, ...] = (rankings, candidates, threads, interactions)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draw", action="store_true", help="draw what is kept")
    parser.add_argument("--fresh", action="store_true", help="begin anew, whatever an interrupted run has measured")
    parser.add_argument("--into", type=Path, default=FOLDER, help="where the points and figures are kept")
    parser.add_argument("--largest", type=int, default=10**8, help="rankings, and interactions; smaller ones are tried")
    given = parser.parse_args()
    if not given.draw:
        timing.one_core()
        points = Points.begun("scaling")
        points = points.without_any() if given.fresh else points
        for sweep in SWEEPS:
            sweep(points, given.largest)
        points.keep(given.into)
    for path in draw.figures(Points.kept(given.into), given.into):
        print(path)


if __name__ == "__main__":
    main()
