"""Answers of ten million characters, made to be slow to read (bar 7)."""

from pathlib import Path
from typing import Any

from benchmarks.reliability.bar import Bar, Found, Size, of_each
from benchmarks.reliability.processes import run
from benchmarks.reliability.systems import Job, System

from habitus_runners.faults import FaultServer
from habitus_runners.faults.answers import answer_text

_QUESTIONS = 15
SHAPES = {"brackets": "[", "quotes": '"', "backslashes": "\\", "unclosed lists": '["a'}
_LENGTHS = {"10 MB": 10_000_000, "1 MB": 1_000_000}


class Hostile:
    """Every fifth question gets the text, however often it is asked."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._order: dict[str, int] = {}

    def __call__(self, body: dict[str, Any], key: str, seed: int) -> str:
        """The answer to a request."""
        number = self._order.setdefault(key, len(self._order))
        return answer_text(body, key, seed) if number % 5 else self._text


def measure(system: System, folder: Path, size: Size) -> Found:
    """The same questions with and without: processor time, answers, the way it ended."""
    lengths = dict(list(_LENGTHS.items())[: size.rounds])
    _one(system, folder / "warm", "")
    found = {"plain": _one(system, folder / "plain", "")}
    for shape, piece in SHAPES.items():
        for words, length in lengths.items():
            text = (piece * (length // len(piece) + 1))[:length]
            found[f"{shape}, {words}"] = _one(system, folder / f"{shape}-{length}".replace(" ", "-"), text)
    return {"questions": _QUESTIONS, "hostile": -(-_QUESTIONS // 5), "found": found}


def say(found: Found) -> str:
    """In words."""
    runs = dict(found["found"])
    plain = runs.pop("plain")
    slowest = max(runs, key=lambda name: runs[name]["processor_s"])
    more = (runs[slowest]["processor_s"] - plain["processor_s"]) / found["hostile"]
    ends = sorted({one["status"] for one in runs.values()})
    fewest = min(one["answered"] for one in runs.values())
    return (
        f"{more:.2f} s of processor an answer ({slowest}); {fewest} of {found['questions']} answered at least,"
        f" exit {', '.join(map(str, ends))}"
    )


def _one(system: System, folder: Path, text: str) -> dict[str, Any]:
    with FaultServer(answer=Hostile(text) if text else answer_text) as server:
        job = Job(folder, _QUESTIONS, server.url)
        ended = run(system.ask(job), folder, limit_s=180)
        answered, file = system.results(job)
        calls = len(server.calls)
    return {
        "processor_s": round(ended.processor, 2),
        "seconds": round(ended.seconds, 1),
        "status": ended.status,
        "answered": answered,
        "file": file,
        "calls": calls,
    }


BAR = Bar("7", "hostile answers of 10 MB and 1 MB", "linear time, capped", of_each(measure), say)
