"""`python -m benchmarks.compare`: what a ranking of 10 out of 50 costs with Habitus, with others, and at the limit.

All run in one process, in turn, on one core; medians and their ratios are printed, and the bars beside them. Habitus
computes chance, worst and validity as well, the competitors entropy and cross-entropy alone, the peers NDCG@10.

`--readme` also keeps the medians in benchmarks/measured/compare.json and rewrites the table in the README from them;
`--draw` rewrites the table from what is kept, and measures nothing.
"""

import argparse
import datetime as dt
import functools
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from benchmarks import bars, c_limit, timing
from benchmarks import competitors as table
from benchmarks import peers as others
from benchmarks.arrays import Counts, Rankings
from benchmarks.competitors import synthetic
from benchmarks.kept import Comparison
from benchmarks.timing import TWO_THREADS, Contestant, Cost

import habitus

ROUNDS = 7
RANKINGS = 200_000
MODELS = 10
ALPHA = 1 / 50
COLUMNS = {"dense counts": True, "45 % zeros": False}


def competitors(scale: float, *, dense: bool) -> dict[str, Contestant]:
    """Everything that computes entropy and cross-entropy."""
    counts, rankings = synthetic(round(RANKINGS * scale), dense=dense)
    named = {}
    for name, competitor in table.COMPETITORS.items():
        few = slice(0, max(1, round(competitor.rankings * scale)))
        named[name] = Contestant(competitor.prepare(counts[few], rankings[few], ALPHA), len(counts[few]))
    return named | variants(counts, rankings)


def variants(counts: Counts, rankings: Rankings) -> dict[str, Contestant]:
    """Habitus with more threads, with more models, with lists half of whose slots are empty."""
    size = len(rankings)
    tasks = max(1, size // MODELS)
    task = np.arange(size) * tasks // size
    half = rankings.copy()
    half[:, rankings.shape[1] // 2 :] = -1
    score = functools.partial(habitus.score, alpha=ALPHA, threads=1)
    return (
        {
            f"habitus{TWO_THREADS}": Contestant(functools.partial(score, counts, rankings, threads=2), size, threads=2),
            "habitus, ten models on a task": Contestant(
                functools.partial(score, counts[:tasks], rankings, task=task), size
            ),
        }
        | {
            f"habitus, half-empty lists: {fill}": Contestant(functools.partial(score, counts, half, fill=fill), size)
            for fill in ("chance", "optimistic", "worst", "drop")
        }
        | limit_of_threads(counts, rankings)
    )


def limit_of_threads(counts: Counts, rankings: Rankings) -> dict[str, Contestant]:
    """What a second thread brings on this machine, whoever computes."""
    if not c_limit.available():
        return {}
    half = len(rankings) // 2

    def run() -> None:
        with ThreadPoolExecutor(2) as pool:
            for part in (slice(half), slice(half, None)):
                pool.submit(c_limit.score_all, counts[part], rankings[part], ALPHA)

    return {f"C limit, all outputs{TWO_THREADS}": Contestant(run, len(rankings), threads=2)}


def peers(scale: float) -> dict[str, Contestant]:
    """Everything that computes NDCG@10."""
    named = {}
    for name, peer in others.PEERS.items():
        size = max(1, round(peer.rankings * scale))
        named[name] = Contestant(peer.prepare(*synthetic(size)), size)
    return named


def measure(rounds: int, scale: float) -> Comparison:
    """Both columns, one after the other; the peers, whose time does not depend on zeros, in the second alone."""
    found = {}
    for column, dense in COLUMNS.items():
        timing.progress(column)
        contestants = competitors(scale, dense=dense) | ({} if dense else peers(scale))
        found[column] = timing.in_turn(contestants, rounds)
    lacking = {name: one.lacks for name, one in (table.EVERY | others.EVERY).items() if one.lacks}
    return Comparison(dt.datetime.now(dt.UTC).date().isoformat(), timing.machine(), found, lacking)


def lines(comparison: Comparison) -> list[str]:
    """All of it, for the terminal."""
    found = []
    for column, costs in comparison.columns.items():
        found += ["", f"{column:38}{'ns per ranking':>15}{'x habitus':>12}{'x C limit':>12}"]
        found += [_row(name, cost, costs) for name, cost in costs.items()]
        found += ["", f"bars, {column}", *map(bars.line, bars.judge(costs))]
    found += ["", *(f"{name}: {reason}" for name, reason in comparison.lacking.items())]
    return [*found, ", ".join(f"{what} {which}" for what, which in comparison.machine.items())]


def _row(name: str, cost: Cost, costs: Mapping[str, Cost]) -> str:
    spent, whole = cost.of(name), costs["habitus"].of(name)
    limit = f"{spent / costs['C limit'].of(name):12.2f}" if "C limit" in costs else ""
    return f"{name:38}{spent:15,.0f}{spent / whole:12.2f}{limit}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readme", action="store_true", help="keep what is measured, and rewrite the README's table")
    parser.add_argument("--draw", action="store_true", help="rewrite the README's table from what is kept")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of rankings; 0.01 tries everything")
    given = parser.parse_args()
    if not given.draw:
        timing.one_core()
        comparison = measure(given.rounds, given.scale)
        print(*lines(comparison), sep="\n")
        if given.readme:
            comparison.keep()
    if given.readme or given.draw:
        Comparison.read().write_readme()


if __name__ == "__main__":
    main()
