"""A service in trouble: one that refuses now and then (bar 2), and one whose account is empty (bar 3)."""

import signal
import time
from pathlib import Path

from benchmarks.reliability.bar import Bar, Found, Size, of_each
from benchmarks.reliability.processes import Child, Ended
from benchmarks.reliability.systems import CONCURRENCY, Job, System

from habitus_runners.faults import FaultServer, Mixture, Quota, Status, TooMany

LATENCY_S = (0.03, 0.1)
_LIMIT_S = 600


def weather(system: System, folder: Path, size: Size) -> Found:
    """10 % of calls get 429, 5 % get 500, whatever is tried before; once per round, with other draws."""
    runs = []
    for seed in range(size.rounds):
        plan = Mixture([(TooMany(form="ms", after=0.05), 0.1), (Status(500), 0.05)])
        with FaultServer(plan, latency_s=LATENCY_S, seed=seed) as server:
            job = Job(folder / f"{seed}", size.questions, server.url)
            child = Child(system.ask(job), job.folder)
            ended = child.wait(_LIMIT_S) or child.kill()
            answered, file = system.results(job)
            runs.append(
                {
                    "answered": answered,
                    "file": file,
                    "status": ended.status,
                    "calls": len(server.calls),
                    "paid": sum(server.paid.values()),
                    "seconds": round(ended.seconds, 1),
                }
            )
    return {"questions": size.questions, "runs": runs}


def say_weather(found: Found) -> str:
    """In words."""
    return "; ".join(
        f"{run['answered']} of {found['questions']} in {run['calls']} calls, exit {run['status']},"
        f" results file {'there' if run['file'] else 'MISSING'}"
        for run in found["runs"]
    )


def quota(system: System, folder: Path, size: Size) -> Found:
    """The account is empty after a third of the answers; who does not stop is interrupted (Ctrl-C) at the limit."""
    paid = size.questions // 3
    with FaultServer(Quota(after=paid), latency_s=LATENCY_S) as server:
        job = Job(folder, size.questions, server.url)
        child = Child(system.ask(job), folder)
        _until_refused(child, server)
        ended = child.wait(size.patience_s)
        calls = server.calls
        by_itself = ended is not None
        ended = ended or _interrupted(child)
    refused = [call for call in calls if call.status == 429]
    return {
        "answers": paid,
        "useless": len(refused),
        "in_flight": CONCURRENCY,
        "by_itself": by_itself,
        "patience_s": size.patience_s,
        "status": ended.status,
        "answered": system.results(job).answered,
        "last_line": ended.last_line,
    }


def say_quota(found: Found) -> str:
    """In words."""
    if not found["by_itself"]:
        return f"{found['useless']} useless calls in {found['patience_s']:g} s, and no end: interrupted"
    return f"{found['useless']} useless calls, exit {found['status']}: “{found['last_line']}”"


def _until_refused(child: Child, server: FaultServer) -> None:
    until = time.monotonic() + _LIMIT_S
    while time.monotonic() < until and child.wait(0.02) is None:
        if any(call.status == 429 for call in server.calls):
            return


def _interrupted(child: Child) -> Ended:
    child.signal(signal.SIGINT)
    return child.wait(10) or child.kill()


WEATHER = Bar("2", "10 % 429 and 5 % 500", "all answered; a results file always", of_each(weather), say_weather)
QUOTA = Bar(
    "3",
    "`insufficient_quota` in mid-run",
    "stops within the calls in flight, own exit code, says how to go on",
    of_each(quota),
    say_quota,
)
