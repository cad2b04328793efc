"""Tongues that are other programs: built, started, and asked line by line.

score FILL ALPHA K N COUNTS... RANKING...  ->  ok H CHANCE WORST CE VALID | error WHY
bad NUMBER                                 ->  error WHY | ok, if it was accepted | end, if there is none
load FOLDER ROWS                           ->  ok
run                                        ->  ok NANOSECONDS-OF-PROCESSOR-PER-RANKING LAST-CE
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from benchmarks.tongues.cases import Answer, Case

HERE = Path(__file__).parent
BINDINGS = HERE.parents[1] / "bindings"


class MissingError(Exception):
    """A tongue cannot be tried here."""


class Ran(NamedTuple):
    """What scoring the table cost, and the last ranking's cross-entropy."""

    nanoseconds: float
    last: float


class Program:
    """A program that answers."""

    def __init__(self, built: "Built") -> None:
        self._process = subprocess.Popen(  # noqa: S603 - built here
            built.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | built.environment
        )

    def ask(self, question: str) -> str:
        """One line for one line."""
        if self._process.stdin is None or self._process.stdout is None:
            raise MissingError("it has no pipes")
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline()
        if not said:
            raise MissingError(f"it died of {question[:80]!r}, with status {self._process.wait()}")
        return said.strip()

    def score(self, case: Case) -> Answer:
        """One ranking."""
        verdict, _, rest = self.ask(case.line()).partition(" ")
        return Answer(tuple(map(float, rest.split()))) if verdict == "ok" else Answer((), rest)

    def bad(self) -> list[str]:
        """What was said to its own bad calls; empty where one was accepted."""
        said = []
        while (line := self.ask(f"bad {len(said)}")) != "end":
            said.append(line.removeprefix("error ") if line.startswith("error ") else "")
        return said

    def run(self) -> Ran:
        """Score the table."""
        return Ran(*map(float, self.ask("run").split()[1:]))

    def stop(self) -> None:
        """Once."""
        self._process.communicate()


class Built(NamedTuple):
    """How it is run."""

    command: list[str]
    environment: dict[str, str]


def build_c(prefix: Path, folder: Path, source: Path) -> Built:
    """With gcc."""
    _needed("gcc")
    program, flags = folder / "program", [f"-I{prefix}/include", f"-L{prefix}/lib", f"-Wl,-rpath,{prefix}/lib"]
    _run(["gcc", "-O2", "-Wall", "-Wextra", str(source), *flags, "-lhabitus", "-lm", "-o", str(program)])
    return Built([str(program)], {})


def build_r(prefix: Path, folder: Path, source: Path) -> Built:
    """The package is installed into a library of its own."""
    _needed("Rscript")
    found = {"PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig"), "HABITUS_PREFIX": str(prefix)}
    package, installed = folder / "r", folder / "r-library"
    shutil.copytree(BINDINGS / "r" / "habitus", package)
    installed.mkdir()
    _run(["R", "CMD", "INSTALL", "--no-docs", f"--library={installed}", str(package)], **found)
    return Built(["Rscript", str(source)], {"R_LIBS": str(installed)})


def build_node(prefix: Path, folder: Path, source: Path) -> Built:
    """The package is installed with npm; a program that stands inside may import it by name."""
    _needed("npm")
    package = folder / "node"
    shutil.copytree(BINDINGS / "node", package, ignore=shutil.ignore_patterns("node_modules"))
    _run(["npm", "ci", "--omit=dev", "--no-audit", "--no-fund"], cwd=package)
    copy = shutil.copy(source, package / source.name)
    return Built(["node", str(copy)], {"HABITUS_LIBRARY": str(prefix / "lib" / "libhabitus.so")})


def _needed(command: str) -> None:
    if not shutil.which(command):
        raise MissingError(f"{command} is not installed")


def _run(command: list[str], cwd: Path | None = None, **environment: str) -> None:
    done = subprocess.run(  # noqa: S603 - built here
        command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise MissingError(f"{' '.join(command[:3])} failed: {done.stderr.strip()[-500:]}")


PROGRAMS = {"C": (build_c, "answer.c"), "R": (build_r, "answer.R"), "JavaScript": (build_node, "answer.mjs")}
