"""What a benchmark asks of a system, in terms that hold for all of them."""

import functools
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from benchmarks.reliability.processes import Command

from habitus_runners import asking, datasets, tasks
from habitus_runners.cli.options import changes
from habitus_runners.settings import settings

LEVELS = 5
CONCURRENCY = 16


class Job(NamedTuple):
    """What a system is to do.

    Attributes:
        folder: everything that is written belongs here or to ``home``.
        questions: a multiple of five; the same questions for every system.
        url: the service's base URL.
        model: its name at the service.
        temperature: of the answers.
        seed: of the answers.
        key: for the service.
        debug: as talkative as the system can be made.
        cache: what keeps paid answers; may be shared by jobs. Default: in ``folder``.
    """

    folder: Path
    questions: int
    url: str
    model: str = "small"
    temperature: float = 0
    seed: int = 0
    key: str = "not-needed"
    debug: bool = False
    cache: Path | None = None

    @property
    def kept(self) -> Path:
        """Where paid answers are kept."""
        return self.cache or self.folder / "cache"

    @property
    def environment(self) -> dict[str, str]:
        """Of every command: a home of its own, beside the job's folder, which jobs may share."""
        home = self.folder.parent / "home"
        home.mkdir(parents=True, exist_ok=True)
        return {name: str(home) for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "TMPDIR")}


class Results(NamedTuple):
    """What a finished command left: answers in its results, and whether there is a file of results at all."""

    answered: int
    file: bool


class System(Protocol):
    """One program that asks a model many questions."""

    @property
    def name(self) -> str:
        """With the version."""

    def lacks(self) -> str | None:
        """Why it cannot be run here."""

    def ask(self, job: Job) -> Command:
        """Begin the job."""

    def resume(self, job: Job) -> Command:
        """Go on with a job that was interrupted, in the way that the program's own documentation advises."""

    def results(self, job: Job) -> Results:
        """What is in the files for the user."""

    def kept(self, job: Job) -> bytes:
        """The texts of all answers that are on the disk and would not be paid for again, among whatever else."""

    def shown(self, job: Job) -> list[Command]:
        """Commands that print what its packed files hold."""

    def help(self) -> Command:
        """The program's own --help."""

    def offline(self, job: Job) -> Command:
        """The whole job with a model that needs no network."""


def world(questions: int) -> tuple[str, ...]:
    """Settings of Habitus that make so many tasks, each with a prompt of its own.

    Raises:
        ValueError: not a multiple of five, or more than there are.
    """
    if questions % LEVELS or not 0 < questions <= 210 * LEVELS:
        raise ValueError(f"expected a multiple of {LEVELS} up to {210 * LEVELS}, got {questions}")
    return (
        "data.users=300",
        "data.items=80",
        "history.lengths=[2]",
        "draws.count=400",
        f"draws.cap={questions // LEVELS}",
    )


@functools.cache
def prompts(questions: int) -> tuple[str, ...]:
    """What is asked, as Habitus words it."""
    wanted = settings(overrides=changes(list(world(questions))))
    dataset = datasets.load("world", None, seed=wanted.seed, options=wanted.data)
    asked = asking.requests(dataset, wanted, tasks.generate(dataset, wanted).tasks, "text")
    return tuple(request.prompt for request in asked)


def written(job: Job) -> Path:
    """The job's prompts in a file, an object with ``prompt`` in each line."""
    path = job.folder / "questions.jsonl"
    job.folder.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({"prompt": text}) + "\n" for text in prompts(job.questions)), "utf-8")
    return path


@contextmanager
def copied(database: Path) -> Iterator[Path]:
    """A copy of a database and what stands beside it: reading it in place would mend what a kill left, and so help."""
    with tempfile.TemporaryDirectory() as folder:
        for path in database.parent.glob(f"{database.name}*"):
            if path.is_file():
                shutil.copy(path, folder)
        yield Path(folder) / database.name
