"""How long --help takes (bar 10), and whether all works where there is no network (bar 12)."""

import shutil
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.reliability.bar import Bar, Found, Size, of_each
from benchmarks.reliability.processes import Command, run
from benchmarks.reliability.systems import Job, System

Way = Callable[[Command], Command]

_BLOCKED = """
import socket
import sys


def refuse(event, arguments):
    internet = {socket.AF_INET, socket.AF_INET6}
    if event == "socket.getaddrinfo" or (event == "socket.connect" and arguments[0].family in internet):
        raise OSError(f"the network is blocked: {event} {arguments[1:]}")


sys.addaudithook(refuse)
"""


def help_time(systems: Sequence[System], folder: Path, size: Size) -> Mapping[str, Found]:
    """Medians of runs in turn; a first round, which fills the caches of the disk, does not count."""
    spent: dict[str, list[tuple[float, float]]] = {system.name: [] for system in systems}
    for turn in range(2 * size.rounds + 1):
        for system in systems:
            ended = run(system.help(), folder)
            if ended.status:
                raise RuntimeError(f"expected the help of {system.name}, it said {ended.last_line!r}")
            if turn:
                spent[system.name].append((ended.seconds, ended.processor))
    return {name: _medians(values) for name, values in spent.items()}


def say_help(found: Found) -> str:
    """In words."""
    return f"{found['seconds']:.2f} s ({found['processor_s']:.2f} s of processor)"


def offline(system: System, folder: Path, size: Size) -> Found:
    """The whole job on a model that needs no network, in a namespace without any, and with calls refused."""
    found = {}
    for way, words in _ways(folder).items():
        job = Job(folder / way / "job", size.questions, "http://127.0.0.1:9/v1")
        command = words(system.offline(job))
        ended = run(command, job.folder)
        answered, file = system.results(job)
        complaint = ended.complaint if answered < size.questions else ""
        found[way] = {"status": ended.status, "answered": answered, "file": file, "complaint": complaint}
    return {"questions": size.questions, "ways": found}


def say_offline(found: Found) -> str:
    """In words."""
    return "; ".join(f"{way}: {_outcome(one, found['questions'])}" for way, one in found["ways"].items())


def _outcome(one: Found, questions: int) -> str:
    said = f" (“{one['complaint']}”)" if one["answered"] < questions else ""
    return f"{one['answered']} of {questions}, exit {one['status']}{said}"


def _ways(folder: Path) -> dict[str, Way]:
    hook = folder / "hook"
    hook.mkdir(parents=True, exist_ok=True)
    (hook / "sitecustomize.py").write_text(_BLOCKED, "utf-8")
    ways: dict[str, Way] = {"calls refused": lambda command: command.told(PYTHONPATH=str(hook))}
    unshare = shutil.which("unshare")
    if unshare and run(Command((unshare, "-rn", "true"), {}), folder).status == 0:
        ways["no interface"] = lambda command: command.behind(unshare, "-rn")
    return ways


def _medians(values: Sequence[tuple[float, float]]) -> Found:
    seconds, processor = (round(statistics.median(column), 3) for column in zip(*values, strict=True))
    return {"seconds": seconds, "processor_s": processor, "runs": len(values)}


HELP = Bar("10", "`--help`", "≤ 0.3 s", help_time, say_help)
OFFLINE = Bar("12", "the network blocked, a model that needs none", "the whole pipeline", of_each(offline), say_offline)
