"""Which runners live. Each holds a file's lock for as long as it does; the kernel lets go of it even after kill -9."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from habitus_runners.errors import HabitusError
from habitus_runners.ledger.schema import BUSY_S


@contextmanager
def alone(ledger: Path) -> Iterator[None]:
    """Nobody else opens the ledger meanwhile.

    Raises:
        HabitusError: somebody has been doing so for a minute.
        OSError: the folder beside the ledger cannot be made.
    """
    folder = _folder(ledger)
    folder.mkdir(mode=0o700, exist_ok=True)
    lock = _lock(folder / "opening.lock")
    try:
        lock.acquire(timeout=BUSY_S)
    except Timeout:
        raise HabitusError(f"{ledger}: another habitus has been opening it for {BUSY_S:.0f} s; end that one") from None
    try:
        yield
    finally:
        lock.release()


class Runner:
    """This process among those that use a ledger. Made while ``alone``, and before anything is written in its name.

    Args:
        ledger: the ledger's path; the locks lie beside it.
    """

    def __init__(self, ledger: Path) -> None:
        self._folder = _folder(ledger)
        self.name = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self._lock = _lock(self._file(self.name))
        self._lock.acquire(timeout=0)
        self._dead: set[str] = set()

    def close(self) -> None:
        """Be alive no longer."""
        self._lock.release()
        self._file(self.name).unlink(missing_ok=True)

    def lives(self, name: str) -> bool:
        """Whether the runner of that name is still at work. The dead stay dead."""
        if name == self.name:
            return True
        if name in self._dead:
            return False
        file = self._file(name)
        if file.exists():
            lock = _lock(file)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                return True
            lock.release()
        self._dead.add(name)
        return False

    def others(self) -> list[str]:
        """The other runners that live; what the dead left is swept away. To be called while ``alone``."""
        names = {file.stem for file in self._folder.glob("*-*.lock")} - {self.name}
        living = sorted(name for name in names if self.lives(name))
        for name in names - set(living):
            self._file(name).unlink(missing_ok=True)
        return living

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.lock"


def _folder(ledger: Path) -> Path:
    return ledger.with_name(f"{ledger.name}.runners")


def _lock(file: Path) -> FileLock:
    return FileLock(file, mode=0o600, thread_local=False)
