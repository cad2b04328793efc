"""Commands run as a user would run them, with what they took and what they said."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

_LOOK_S = 0.005


class Command(NamedTuple):
    """A program with its arguments, and what it finds in the environment beside PATH."""

    words: tuple[str, ...]
    environment: Mapping[str, str]

    def behind(self, *words: str) -> "Command":
        """This command as the argument of another, such as unshare."""
        return self._replace(words=(*words, *self.words))

    def told(self, **environment: str) -> "Command":
        """This command with more in its environment."""
        return self._replace(environment={**self.environment, **environment})


class Ended(NamedTuple):
    """How a command ended.

    ``status`` is minus the signal's number where one ended it; ``processor``, in seconds, counts its own children in;
    ``output`` is what it wrote to both streams.
    """

    status: int
    seconds: float
    processor: float
    output: str

    @property
    def last_line(self) -> str:
        """What stands at the end of a terminal, rules and frames left out."""
        return self._last(r"[^\W_]")

    @property
    def complaint(self) -> str:
        """The last line that names an error, else the last."""
        return self._last(r"\w(Error|Exception)\b") or self.last_line

    def _last(self, pattern: str) -> str:
        lines = [line.strip() for line in self.output.replace("\r", "\n").split("\n") if re.search(pattern, line)]
        return lines[-1] if lines else ""


class Child:
    """A command that runs. Its group gets the signals, so that none of its own children stays."""

    def __init__(self, command: Command, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._output = folder / f"output-{len(list(folder.glob('output-*.txt')))}.txt"
        self._how: Ended | None = None
        self._began = time.perf_counter()
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - the commands of the systems that are compared
                command.words,
                env={"PATH": os.environ["PATH"], **command.environment},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def ended(self) -> Ended | None:
        """How it ended, None while it runs."""
        if self._how is not None:
            return self._how
        number, status, used = os.wait4(self._process.pid, os.WNOHANG)
        if number == 0:
            return None
        self._process.returncode = os.waitstatus_to_exitcode(status)
        seconds, text = time.perf_counter() - self._began, self._output.read_text("utf-8", "replace")
        self._how = Ended(self._process.returncode, seconds, used.ru_utime + used.ru_stime, text)
        return self._how

    def wait(self, seconds: float) -> Ended | None:
        """How it ended, None if it still runs after so many seconds."""
        until = time.perf_counter() + seconds
        while True:
            found = self.ended()
            if found is not None or time.perf_counter() > until:
                return found
            time.sleep(_LOOK_S)

    def signal(self, number: int) -> None:
        """Signal its whole group."""
        os.killpg(self._process.pid, number)

    def kill(self) -> Ended:
        """SIGKILL: nothing of it gets to run again."""
        found = self.ended()
        while found is None:
            self.signal(signal.SIGKILL)
            found = self.wait(1)
        return found


def run(command: Command, folder: Path, *, limit_s: float = 300) -> Ended:
    """Run a command to its end, or kill it at the limit."""
    child = Child(command, folder)
    return child.wait(limit_s) or child.kill()


def said(*words: str) -> str:
    """What a short command prints; nothing where it fails."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=True)  # noqa: S603 - as above
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
