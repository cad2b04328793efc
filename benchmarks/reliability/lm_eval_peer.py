"""lm-eval: `lm-eval run` of a task that only generates, with `--use_cache`, which is also how it goes on."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from benchmarks.reliability.processes import Command, said
from benchmarks.reliability.systems import CONCURRENCY, Job, Results, copied, written

_VERSION = "import importlib.metadata as m; print(m.version('lm_eval'))"


class LmEval(NamedTuple):
    """Installed beside ``python``."""

    python: Path

    @property
    def name(self) -> str:
        """With the version."""
        return f"lm-eval {said(str(self.python), '-c', _VERSION) or '(not installed)'}"

    def lacks(self) -> str | None:
        """The package, where it is not installed."""
        return None if said(str(self.python), "-c", _VERSION) else f"{self.python} has no lm-eval"

    def ask(self, job: Job) -> Command:
        """Evaluate, with a cache of answers."""
        where = f"base_url={job.url}/chat/completions,num_concurrent={CONCURRENCY},seed={job.seed}"
        return self._command(job, "local-chat-completions", f"model={job.model},{where}")

    def resume(self, job: Job) -> Command:
        """The same command: what is in the cache is not asked again."""
        return self.ask(job)

    def results(self, job: Job) -> Results:
        """The newest file of samples, beside which the newest of results stands."""
        samples = sorted((job.folder / "results").rglob("samples_*.jsonl"))
        lines = samples[-1].read_text("utf-8").splitlines() if samples else []
        answered = [line for line in lines if json.loads(line)["resps"][0][0]]
        return Results(len(answered), any((job.folder / "results").rglob("results_*.json")))

    def kept(self, job: Job) -> bytes:
        """The rows of the cache, which are pickled; texts stand in them as they are."""
        if not _cache(job).exists():
            return b""
        with copied(_cache(job)) as path, closing(sqlite3.connect(path)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'unnamed'").fetchone():
                return b""
            return b"\n".join(bytes(value) for (value,) in connection.execute("SELECT value FROM unnamed"))

    def shown(self, job: Job) -> list[Command]:
        """None of its files is packed."""
        del job
        return []

    def help(self) -> Command:
        """Of the whole program."""
        return Command((str(self.python.with_name("lm-eval")), "--help"), {})

    def offline(self, job: Job) -> Command:
        """Its dummy model."""
        return self._command(job, "dummy", "")

    def _command(self, job: Job, model: str, arguments: str) -> Command:
        folder = _task(job).parent
        job.kept.mkdir(parents=True, exist_ok=True)
        words = ["run", "--model", model, *(("--model_args", arguments) if arguments else ())]
        words += ["--tasks", "questions", "--include_path", str(folder), "--apply_chat_template"]
        words += ["--gen_kwargs", f"temperature={job.temperature}", "--use_cache", str(job.kept / "answers")]
        words += ["--output_path", str(job.folder / "results"), "--log_samples"]
        offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
        debug = {"LMEVAL_LOG_LEVEL": "DEBUG"} if job.debug else {}
        environment = {**job.environment, **offline, **debug, "OPENAI_API_KEY": job.key}
        return Command((str(self.python.with_name("lm-eval")), *words), environment)


def _cache(job: Job) -> Path:
    return job.kept / "answers_rank0.db"


def _task(job: Job) -> Path:
    """JSON is YAML too."""
    task = {
        "task": "questions",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": str(written(job))},
        "test_split": "train",
        "output_type": "generate_until",
        "doc_to_text": "{{prompt}}",
        "doc_to_target": "",
        "generation_kwargs": {"until": [], "max_gen_toks": 1024, "temperature": job.temperature},
        "metric_list": [{"metric": "bypass"}],
    }
    path = job.folder / "tasks" / "questions.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(task), "utf-8")
    return path
