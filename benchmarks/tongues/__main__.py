"""`python -m benchmarks.tongues`: golden vectors, time and bad input of every tongue, in one table.

`--readme` keeps what was measured in measured/tongues.json and writes the table of bindings/README.md from it.
libhabitus is built first (a minute), unless HABITUS_LIBRARY names one or this installation holds one.
"""

import argparse
import datetime as dt
import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import timing
from benchmarks.tongues import cases, programs, python
from benchmarks.tongues.cases import Answer, Case
from benchmarks.tongues.table import KEPT, Tried, in_readme, lines

from habitus_bindings.native.__main__ import install

ROWS, ROUNDS = 1_000_000, 7
ENGINE = "Python"

Score = Callable[[Case], Answer]
Run = Callable[[], float]


def golden(score: Score) -> cases.Golden:
    """All vectors.

    Raises:
        AssertionError: an answer is farther than 1e-12 from the independent implementation's.
    """
    vectors, farthest, other = 0, 0.0, 0
    for case, expected in cases.golden():
        values = score(case).values
        vectors += 1
        farthest = max(farthest, *(abs(ours - theirs) for ours, theirs in zip(values[:4], expected, strict=True)))
        other += not cases.same_bits(values, cases.of_engine(case))
    if farthest > cases.WIDEST:
        raise AssertionError(f"expected the golden vectors within {cases.WIDEST}, got {farthest}")
    return cases.Golden(vectors, farthest, other)


def refusals(score: Score, own: list[str]) -> list[str]:
    """What was said to each bad call, in one line; empty where it was accepted."""
    return [*(score(case).said for case in cases.BAD), *own]


def of_python(made: python.Tongue, rows: int) -> tuple[cases.Golden, list[str], Run]:
    """A tongue of this process."""
    contestant = timing.Contestant(made.job(*cases.rankings(rows)), rows)
    said = refusals(made.score, [python.refused(call) for call in made.bad])
    return golden(made.score), said, lambda: timing.timed(contestant).processor


def of_program(program: programs.Program, rows: int, folder: Path) -> tuple[cases.Golden, list[str], Run]:
    """A tongue of another one.

    Raises:
        AssertionError: the last ranking of the table has another cross-entropy than the engine's.
    """
    counts, rankings = cases.rankings(rows)
    counts.tofile(folder / "counts")
    rankings.tofile(folder / "rankings")
    program.ask(f"load {folder} {rows}")
    expected = cases.last_cross_entropy(counts, rankings)
    if program.run().last != expected:
        raise AssertionError(f"expected {expected} for the last ranking, got {program.run().last}")
    return golden(program.score), refusals(program.score, program.bad()), lambda: program.run().nanoseconds


def measure(folder: Path, rows: int) -> tuple[dict[str, Tried], dict[str, str]]:
    """All tongues that can be tried here, and why others cannot; times of all are taken in turn."""
    install(folder)
    tried = {ENGINE: of_python(python.NUMPY, rows)}
    missing: dict[str, str] = {}
    started: list[programs.Program] = []
    for name, tongue in python.TONGUES.items():
        timing.progress(f"{name}: golden vectors, bad input")
        tried[name] = of_python(tongue, rows)
    for name, (build, source) in programs.PROGRAMS.items():
        timing.progress(f"{name}: building, golden vectors, bad input")
        try:
            started.append(programs.Program(build(folder, folder, programs.HERE / source)))
            tried[name] = of_program(started[-1], rows, folder)
        except programs.MissingError as error:
            missing[name] = str(error)
    spent = in_turn({name: run for name, (_, _, run) in tried.items()})
    for program in started:
        program.stop()
    return {
        name: Tried(found, said, spent[name], spent[name] / spent[ENGINE]) for name, (found, said, _) in tried.items()
    }, missing


def in_turn(runs: dict[str, Run]) -> dict[str, float]:
    """Medians of rounds that go from one tongue to the next; a first round warms."""
    costs: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(ROUNDS + 1):
        for name, run in runs.items():
            cost = run()
            if turn:
                costs[name].append(cost)
        timing.progress(f"round {turn} of {ROUNDS}")
    return {name: statistics.median(found) for name, found in costs.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=lambda text: int(text.replace("_", "")), default=ROWS)
    parser.add_argument("--readme", action="store_true")
    parser.add_argument("--said", action="store_true", help="what each tongue said to each bad call")
    given = parser.parse_args()
    timing.one_core()
    with tempfile.TemporaryDirectory() as name:
        found, missing = measure(Path(name), given.rows)
    print(*lines(found, missing), sep="\n")
    if given.said:
        print(*(f"{name}: {said or 'ACCEPTED'}" for name, each in found.items() for said in each.said), sep="\n")
    if given.readme:
        held = {
            "date": dt.datetime.now(dt.UTC).date().isoformat(),
            "machine": timing.machine(),
            "rows": given.rows,
            "tongues": {name: each.as_json() for name, each in found.items()},
            "missing": missing,
        }
        KEPT.write_text(json.dumps(held, indent=1) + "\n", "utf-8")
        in_readme()
    sys.exit(any(not said for each in found.values() for said in each.said))


if __name__ == "__main__":
    main()
