"""The processor's time that an answer costs (bar 14), next to OpenAI's own client that does nothing else.

Each command runs with few and with many questions, in turn, against a server of its own, round after round. Whatever
else the machine does adds to a run and never takes away: the least of all rounds counts. The difference of many and
few, divided by the difference in questions, leaves out what starting takes.
"""

import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import timing
from benchmarks.reliability import ours
from benchmarks.reliability.bar import Bar, Found, Size
from benchmarks.reliability.processes import Command, run
from benchmarks.reliability.systems import CONCURRENCY, Job, System, written

from habitus_runners.faults import FaultServer

BARE = "bare AsyncOpenAI"
_SIMULATED = ", a simulated model"
_FEW = 50


class Seconds(NamedTuple):
    """Processor time of a command with few and with many questions."""

    few: float
    many: float


def measure(systems: Sequence[System], folder: Path, size: Size) -> Mapping[str, Found]:
    """Milliseconds, and how many times the bare client's that is."""
    commands: dict[str, Callable[[Job], Command]] = {BARE: bare}
    for system in systems:
        commands[system.name] = system.ask
        if isinstance(system, ours.Habitus):
            commands[system.name + _SIMULATED] = system.offline
    spent: dict[str, list[Seconds]] = {name: [] for name in commands}
    for turn in range(size.rounds + 1):
        for number, (name, command) in enumerate(commands.items()):
            places = (folder / f"{turn}-{number}-{kind}" for kind in ("few", "many"))
            few, many = map(functools.partial(_seconds, command), places, (_FEW, _FEW + size.answers))
            if turn:
                spent[name].append(Seconds(few, many))
        timing.progress(f"processor time: round {turn} of {size.rounds}" if turn else "processor time: warmed up")
    an_answer = {name: _milliseconds(rounds, size.answers) for name, rounds in spent.items()}
    return {system.name: _summary(system.name, an_answer, spent) for system in systems}


def bare(job: Job) -> Command:
    """OpenAI's client."""
    script = str(Path(__file__).with_name("bare_client.py"))
    return Command((sys.executable, script, job.url, str(written(job)), str(CONCURRENCY)), job.environment)


def say(found: Found) -> str:
    """In words."""
    rest = f", {found['rest_ms']:.2f} of them to draw, read and score" if "rest_ms" in found else ""
    return f"{found['ms']:.2f} ms an answer{rest}; {found['times_bare']:.2f} × the bare client's {found['bare_ms']:.2f}"


def _milliseconds(rounds: Sequence[Seconds], answers: int) -> float:
    return (min(one.many for one in rounds) - min(one.few for one in rounds)) / answers * 1000


def _seconds(command: Callable[[Job], Command], folder: Path, questions: int) -> float:
    with FaultServer() as server:
        job = Job(folder, questions, server.url)
        ended = run(command(job), folder)
    if ended.status:
        raise RuntimeError(f"expected {questions} answers, {ended.status} came: {ended.last_line!r}")
    return ended.processor


def _summary(name: str, an_answer: Mapping[str, float], spent: Mapping[str, Sequence[Seconds]]) -> Found:
    found: dict[str, Any] = {
        "ms": round(an_answer[name], 3),
        "bare_ms": round(an_answer[BARE], 3),
        "times_bare": round(an_answer[name] / an_answer[BARE], 3),
        "seconds": [[round(seconds, 2) for seconds in one] for one in spent[name]],
    }
    simulated = an_answer.get(name + _SIMULATED)
    return found if simulated is None else {**found, "rest_ms": round(simulated, 3)}


BAR = Bar("14", "processor time an answer", "≤ 1.5 × the bare client", measure, say)
