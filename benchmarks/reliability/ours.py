"""Habitus, as its users start it."""

import os
import sys
from importlib.metadata import version
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
from benchmarks.reliability.processes import Command
from benchmarks.reliability.systems import CONCURRENCY, Job, Results, copied, world

from habitus_runners.ledger import Ledger

_PROGRAM = (sys.executable, "-m", "habitus_runners")


class Habitus:
    """`habitus run`, and `habitus resume` once there is a run."""

    name = f"habitus {version('habitus')}"

    def lacks(self) -> str | None:
        """Nothing: this is the environment that it is installed in."""
        return None

    def ask(self, job: Job) -> Command:
        """Run."""
        model = ("--model", f"openai:{job.model}", "--base-url", job.url, "--ledger", str(ledger(job)))
        changes = (*_sampling(job), f"calls.concurrency={CONCURRENCY}")
        return _command(job, ("run", *model, *_study(job), *_sets(changes)))

    def resume(self, job: Job) -> Command:
        """Resume; a run that was killed before it was one is begun again."""
        manifest = folder(job) / "manifest.json"
        if not manifest.exists() or '"command"' not in manifest.read_text("utf-8"):
            return self.ask(job)
        return _command(job, ("resume", str(folder(job))))

    def results(self, job: Job) -> Results:
        """Answers are a table; the report is what a user opens."""
        answers = folder(job) / "answers.parquet"
        given = pc.sum(pc.is_null(pq.read_table(answers)["error"])).as_py() if answers.exists() else 0
        return Results(
            given or 0, (folder(job) / "results.parquet").exists() and (folder(job) / "report.html").exists()
        )

    def kept(self, job: Job) -> bytes:
        """The ledger's answers."""
        if not ledger(job).exists():
            return b""
        with copied(ledger(job)) as path, Ledger(path) as held:
            return "\n".join(text for (text,) in held.rows("SELECT text FROM answers")).encode()

    def shown(self, job: Job) -> list[Command]:
        """Of the ledger: all of it."""
        path = job.folder / "ledger.jsonl"
        export = ("ledger", "export", str(path), "--ledger", str(ledger(job)))
        return [_command(job, export), Command(("cat", str(path)), {})]

    def help(self) -> Command:
        """Of the whole program."""
        return Command((*_PROGRAM, "--help"), {})

    def offline(self, job: Job) -> Command:
        """A simulated model."""
        return _command(job, ("run", "--model", "noisy", *_study(job)))


def folder(job: Job) -> Path:
    """The run's."""
    return job.folder / "run"


def ledger(job: Job) -> Path:
    """Of paid answers."""
    return job.kept / "ledger.sqlite"


def repeats(job: Job) -> int:
    """How many answers the ledger itself says may have been paid for twice."""
    with copied(ledger(job)) as path, Ledger(path) as held:
        return held.repeats()


def _study(job: Job) -> tuple[str, ...]:
    return ("--dataset", "world", "--out", str(folder(job)), *_sets(world(job.questions)))


def _sampling(job: Job) -> tuple[str, ...]:
    return f"ask.temperature={job.temperature}", f"ask.seed={job.seed}"


def _sets(changes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for change in changes for word in ("--set", change))


def _command(job: Job, words: tuple[str, ...]) -> Command:
    debug = ("--debug",) if job.debug else ()
    code = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    return Command((*_PROGRAM, *words, *debug), {**job.environment, **code, "OPENAI_API_KEY": job.key})
