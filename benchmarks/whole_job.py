"""`python -m benchmarks.whole_job`: rankings of ten models, from Parquet to Parquet, in constant memory.

Beside the job, reading the same files alone and scoring as much from memory alone are timed, with as many threads: the
job should take at most twice the larger of the two, and less than 1 GiB. `--rankings 100_000_000` is the real run;
`--keep` keeps what it measures in benchmarks/measured/whole_job.json.
"""

import argparse
import datetime as dt
import functools
import json
import math
import multiprocessing
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks import tables, timing

KEPT = Path(__file__).parent / "measured" / "whole_job.json"
LEAST_SPARE = 3  # times the size of the files
BYTES_PER_RANKING = 26  # on disk, in and out: 25.1 measured


class Spent(NamedTuple):
    """Seconds on the clock and of the processor, and the largest resident set, in MiB."""

    clock: float
    processor: float
    peak: float


class Outcome(NamedTuple):
    """``within``: the job's time over the larger of the other two."""

    rankings: int
    read: Spent
    score: Spent
    job: Spent

    @property
    def within(self) -> float:
        """At most 2 is wanted."""
        return self.job.clock / max(self.read.clock, self.score.clock)

    def lines(self) -> list[str]:
        """For the terminal."""
        named = {"read alone": self.read, "score alone": self.score, "the whole job": self.job}
        return [
            f"{self.rankings:,} rankings of {tables.MODELS} models, {os.cpu_count()} threads",
            *(
                f"{name:16}{spent.clock:9.2f} s{spent.processor:9.2f} s of processor time{spent.peak:8.0f} MiB at most"
                for name, spent in named.items()
            ),
            f"{'time':16}{self.within:9.2f} x the larger, <= 2 wanted: {'met' if self.within <= 2 else 'MISSED'}",
            f"{'memory':16}{self.job.peak:9.0f} MiB, < 1024 wanted: {'met' if self.job.peak < 1024 else 'MISSED'}",
        ]


def measure(rankings: int, folder: Path, rounds: int) -> Outcome:
    """Rounds alternate between the three; each runs in a process of its own, whose memory is its alone."""
    timing.progress(f"writing {rankings:,} rankings into {folder}")
    _apart(functools.partial(functools.partial, tables.write, folder, rankings))
    jobs = {"read": tables.reading, "score": tables.scoring, "job": tables.whole}
    spent: dict[str, list[Spent]] = {name: [] for name in jobs}
    for turn in range(rounds):
        for name, job in jobs.items():
            spent[name].append(_apart(functools.partial(job, folder)))
            timing.progress(f"round {turn + 1} of {rounds}: {name} {spent[name][-1].clock:.2f} s")
    return Outcome(
        rankings, **{name: Spent(*map(statistics.median, zip(*of, strict=True))) for name, of in spent.items()}
    )


def _apart(prepare: Callable[[], tables.Job]) -> Spent:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_spent, (prepare,))


def _spent(prepare: Callable[[], tables.Job]) -> Spent:
    job = prepare()
    tables.warm()
    worked, start = time.process_time(), time.perf_counter()
    job()
    return Spent(time.perf_counter() - start, time.process_time() - worked, _peak())


def _peak() -> float:
    """Of this process image: getrusage would count what its parent had. NaN where there is no /proc."""
    status = Path("/proc/self/status")
    if not status.exists():
        return math.nan
    lines = status.read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rankings", type=lambda text: int(text.replace("_", "")), default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", action="store_true", help=f"in {KEPT.name}")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        free = shutil.disk_usage(folder).free
        if free < LEAST_SPARE * BYTES_PER_RANKING * given.rankings:
            parser.error(f"{folder} has {free / 1e9:.1f} GB left, too little for {given.rankings:,} rankings")
        outcome = measure(given.rankings, Path(folder), given.rounds)
    print(*outcome.lines(), sep="\n")
    if given.keep:
        measured = {"read": outcome.read, "score": outcome.score, "job": outcome.job}
        spent = {name: {of: round(value, 3) for of, value in one._asdict().items()} for name, one in measured.items()}
        held: dict[str, object] = {
            "date": dt.datetime.now(dt.UTC).date().isoformat(),
            "machine": timing.machine(),
            "rankings": outcome.rankings,
        }
        KEPT.write_text(json.dumps(held | spent, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
