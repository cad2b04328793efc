"""Inspect: `inspect eval` of a task that only generates, with its cache, and `inspect eval-retry`."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.reliability.processes import Command, run, said
from benchmarks.reliability.systems import CONCURRENCY, Job, Results, written

_TASK = """
import json
from pathlib import Path

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.solver import generate


@task
def questions():
    lines = Path(__file__).with_name("questions.jsonl").read_text("utf-8").splitlines()
    samples = [Sample(input=json.loads(line)["prompt"], id=number) for number, line in enumerate(lines)]
    return Task(dataset=MemoryDataset(samples), solver=generate())
"""
_VERSION = "import importlib.metadata as m; print(m.version('inspect-ai'))"


class Inspect(NamedTuple):
    """Installed beside ``python``."""

    python: Path

    @property
    def name(self) -> str:
        """With the version."""
        return f"Inspect {said(str(self.python), '-c', _VERSION) or '(not installed)'}"

    def lacks(self) -> str | None:
        """The package, where it is not installed."""
        return None if said(str(self.python), "-c", _VERSION) else f"{self.python} has no inspect-ai"

    def ask(self, job: Job) -> Command:
        """Evaluate; answers are also kept in the cache."""
        model = ("--model", f"openai-api/service/{job.model}", "--model-base-url", job.url)
        return self._command(job, ("eval", _task(job), *model, *_options(job)))

    def resume(self, job: Job) -> Command:
        """Retry the newest log; if a kill left none that can be read, begin again."""
        logs = sorted((job.folder / "logs").glob("*.eval"))
        if not logs:
            return self.ask(job)
        limits = ("--max-connections", str(CONCURRENCY), "--log-dir", str(job.folder / "logs"), "--display", "plain")
        return self._command(job, ("eval-retry", str(logs[-1]), *limits))

    def results(self, job: Job) -> Results:
        """Samples without an error, of the newest log."""
        logs = sorted((job.folder / "logs").glob("*.eval"))
        if not logs:
            return Results(0, file=False)
        dumped = run(self._command(job, ("log", "dump", str(logs[-1]))), job.folder)
        try:
            log: dict[str, Any] = json.loads(dumped.output)
        except ValueError:
            return Results(0, file=False)
        samples = log.get("samples") or []
        answered = [one for one in samples if not one.get("error") and one["output"]["choices"]]
        return Results(len(answered), log["status"] == "success")

    def kept(self, job: Job) -> bytes:
        """The files of the cache."""
        return b"\n".join(path.read_bytes() for path in job.kept.rglob("*") if path.is_file())

    def shown(self, job: Job) -> list[Command]:
        """Every log, unpacked."""
        logs = sorted((job.folder / "logs").glob("*.eval"))
        return [self._command(job, ("log", "dump", str(log))) for log in logs]

    def help(self) -> Command:
        """Of the whole program."""
        return Command((str(self.python.with_name("inspect")), "--help"), {})

    def offline(self, job: Job) -> Command:
        """Its mock model."""
        return self._command(job, ("eval", _task(job), "--model", "mockllm/model", *_options(job)))

    def _command(self, job: Job, words: tuple[str, ...]) -> Command:
        places = {"INSPECT_CACHE_DIR": str(job.kept)}
        return Command(
            (str(self.python.with_name("inspect")), *words), {**job.environment, **places, "SERVICE_API_KEY": job.key}
        )


def _task(job: Job) -> str:
    """A path that holds in the job's folder: Inspect takes no other."""
    written(job)
    (job.folder / "questions.py").write_text(_TASK, "utf-8")
    return "questions.py"


def _options(job: Job) -> tuple[str, ...]:
    sampling = ("--temperature", str(job.temperature), "--seed", str(job.seed), "--max-connections", str(CONCURRENCY))
    kept = ("--cache", "7D", "--log-dir", str(job.folder / "logs"), "--display", "plain")
    return (*sampling, *kept, *(("--log-level", "debug", "--log-model-api") if job.debug else ()))
