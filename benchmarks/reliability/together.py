"""Two runners at once, the same questions, one ledger or cache: what is paid for twice."""

from pathlib import Path

from benchmarks.reliability.bar import Bar, Found, Size, of_each
from benchmarks.reliability.processes import Child
from benchmarks.reliability.systems import Job, System

from habitus_runners.faults import FaultServer

_LIMIT_S = 300


def measure(system: System, folder: Path, size: Size) -> Found:
    """Both begin at the same moment."""
    with FaultServer(latency_s=(0.03, 0.1)) as server:
        jobs = [Job(folder / name, size.questions, server.url, cache=folder / "cache") for name in ("one", "two")]
        children = [Child(system.ask(job), job.folder) for job in jobs]
        ends = [child.wait(_LIMIT_S) or child.kill() for child in children]
        generated = server.generated
    return {
        "questions": size.questions,
        "answers": sum(generated.values()),
        "paid_twice": sum(generated.values()) - len(generated),
        "answered": [system.results(job).answered for job in jobs],
        "statuses": [ended.status for ended in ends],
        "last_lines": [ended.last_line for ended in ends if ended.status],
    }


def say(found: Found) -> str:
    """In words."""
    answered = " and ".join(map(str, found["answered"]))
    statuses = " and ".join(map(str, found["statuses"]))
    return f"{found['paid_twice']} of {found['questions']} paid twice; {answered} answered, exit {statuses}"


BAR = Bar("–", "two runners at once on one ledger or cache", "nothing paid twice, both complete", of_each(measure), say)
