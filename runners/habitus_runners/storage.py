"""The run folder: tables and manifest on disk, written atomically, hashed, checked whenever they are opened."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from habitus_runners.errors import HabitusError
from habitus_runners.tables import NAMES, VERSION


@contextmanager
def atomic(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears whole or not at all: temporary file, fsync, rename, fsync of the folder.

    Raises:
        HabitusError: it cannot be written.
    """
    with _writable(path):
        _make(path.parent)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _sync(path.parent)


@contextmanager
def _writable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise HabitusError(
            f"cannot write {path}: {error.strerror or error}; make room, or choose another folder with --out"
        ) from error


def _make(folder: Path) -> None:
    """A folder that only its owner may enter, and so every parent that is not there yet."""
    for place in (*reversed(folder.parents), folder):
        if not place.exists():
            place.mkdir(mode=0o700, exist_ok=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class RunFolder:
    """A study's folder. Its manifest names every table with its SHA-256; a table it does not name does not exist."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FileLock(path / ".lock", timeout=0, mode=0o600)

    @contextmanager
    def held(self, *, new: bool = False) -> Iterator[None]:
        """Nobody else may work in this folder meanwhile.

        Args:
            new: whether it may be made; else it must hold a run.

        Raises:
            HabitusError: it holds no run, another process works in it, or it cannot be written.
        """
        if not new and not (self.path / "manifest.json").exists():
            raise HabitusError(f"{self.path}: expected the folder of a run, found no manifest; `habitus run` makes one")
        with _writable(self.path):
            _make(self.path)
            try:
                self._lock.acquire()
            except Timeout:
                raise HabitusError(
                    f"{self.path}: another habitus is at work in it; wait for it, or choose another --out"
                ) from None
        try:
            yield
        finally:
            self._lock.release()

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest as it is on disk; empty where there is none.

        Raises:
            HabitusError: it is not readable JSON.
        """
        file = self.path / "manifest.json"
        try:
            values = json.loads(file.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, ValueError) as error:
            raise HabitusError(f"{file}: expected readable JSON, got {error}; restore it or start anew") from None
        if not isinstance(values, dict):
            raise HabitusError(f"{file}: expected a JSON object, got {type(values).__name__}; restore it or start anew")
        return values

    def record(self, **values: Any) -> None:  # noqa: ANN401 - whatever JSON holds
        """Set these keys of the manifest, and keep the others."""
        text = json.dumps(self.manifest | values, indent=1, ensure_ascii=False, sort_keys=True)
        with atomic(self.path / "manifest.json") as file:
            file.write(text.encode())

    def has(self, name: str) -> bool:
        """Whether the table was written."""
        return name in self.manifest.get("tables", {}) and self._file(name).exists()

    def write(self, name: str, table: pa.Table) -> None:
        """Write a table and record its hash; the tables made from it are no longer valid and are forgotten.

        The manifest goes first and knows the file before and after: a crash between the two leaves a readable run.
        """
        buffer = pa.BufferOutputStream()
        pq.write_table(table, buffer, compression="zstd")
        content = buffer.getvalue()
        tables: Mapping[str, Any] = self.manifest.get("tables", {})
        entry = {
            "file": self._file(name).name,
            "sha256": hashlib.sha256(content).hexdigest(),
            "before": self._valid_hash(name),
            "rows": table.num_rows,
            "version": VERSION,
        }
        earlier = {other: tables[other] for other in NAMES[: NAMES.index(name)] if other in tables}
        self.record(tables={**earlier, name: entry})
        with atomic(self._file(name)) as file:
            file.write(content)

    def read(self, name: str) -> pa.Table:
        """A table, after checking that it is the one that was written.

        Raises:
            HabitusError: it is missing, of another version, or not what was written.
        """
        entry = self.manifest.get("tables", {}).get(name)
        if entry is None:
            raise HabitusError(
                f"{self.path}: expected a run with a {name} table, found none;"
                f" `habitus run --out {self.path}` makes one"
            )
        path = self._file(name)
        if entry["version"] != VERSION:
            raise HabitusError(f"{path}: expected tables of version {VERSION}, got {entry['version']}; run it anew")
        if not path.is_file():
            raise HabitusError(f"{path}: expected the {name} table, found no such file; restore it, or run anew")
        # Arrow's own memory: a buffer over Python's is freed by an Arrow thread, which aborts a dying interpreter.
        with pa.OSFile(str(path)) as file:
            content = file.read_buffer()
        if not _vouched_for(entry, hashlib.sha256(content).hexdigest()):
            raise HabitusError(
                f"{path}: expected the file that was written (SHA-256 {entry['sha256'][:12]}…), got another;"
                f" restore it, or delete {self.path} and run anew"
            )
        return pq.read_table(pa.BufferReader(content))

    def _valid_hash(self, name: str) -> str | None:
        """SHA-256 of the table's file as it lies there, unless it is damaged or was forgotten."""
        entry = self.manifest.get("tables", {}).get(name)
        if entry is None or not self._file(name).is_file():
            return None
        found = hashlib.sha256(self._file(name).read_bytes()).hexdigest()
        return found if _vouched_for(entry, found) else None

    def _file(self, name: str) -> Path:
        return self.path / f"{name}.parquet"


def _vouched_for(entry: Mapping[str, Any], found: str) -> bool:
    """Whether this is the file that was written, or the one that was to be replaced when a crash came between."""
    return found in (entry["sha256"], entry["before"])
