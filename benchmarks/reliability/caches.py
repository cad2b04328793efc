"""Whether what keeps answers gives them back to another question (bar 4): one thing changed at a time."""

from pathlib import Path
from typing import Any

from benchmarks.reliability.bar import Bar, Found, Size, of_each
from benchmarks.reliability.processes import run
from benchmarks.reliability.systems import Job, System

from habitus_runners.faults import FaultServer

_QUESTIONS = 20


def measure(system: System, folder: Path, size: Size) -> Found:
    """Answers given without a call although model, temperature, seed or endpoint are others."""
    del size
    with FaultServer() as server, FaultServer() as other:
        first = Job(folder / "first", _QUESTIONS, server.url, cache=folder / "cache")
        run(system.ask(first), first.folder)
        changed: dict[str, dict[str, Any]] = {
            "nothing": {},
            "model": {"model": "large"},
            "temperature": {"temperature": 1},
            "seed": {"seed": 7},
            "endpoint": {"url": other.url},
        }
        found = {}
        for name, changes in changed.items():
            job = first._replace(folder=folder / name, **changes)
            before = len(server.calls) + len(other.calls)
            ended = run(system.ask(job), job.folder)
            asked = len(server.calls) + len(other.calls) - before
            found[name] = {"from_cache": system.results(job).answered - asked, "status": ended.status}
    return {"questions": _QUESTIONS, "changed": found}


def say(found: Found) -> str:
    """In words."""
    served = {name: one["from_cache"] for name, one in found["changed"].items() if name != "nothing"}
    wrong = ", ".join(f"{name} {number}" for name, number in served.items())
    return f"of {found['questions']} answers, from another {wrong} (same question again: {_same(found)})"


def _same(found: Found) -> int:
    return int(found["changed"]["nothing"]["from_cache"])


BAR = Bar("4", "a cache serves another question's answers", "none", of_each(measure), say)
