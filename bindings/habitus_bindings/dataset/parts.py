"""The folder of results: parts that appear whole or not at all, and a manifest that says what they were made from.

A part is on disk (temporary file, fsync, rename, fsync of the folder) before the manifest names it with its SHA-256. So
after a crash at any moment the manifest names whole parts only, and a file that it does not name is written again.
"""

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, Self

import pyarrow as pa
import pyarrow.parquet as pq

from habitus_bindings.dataset.sources import DatasetError

FORMAT, VERSION = "habitus.dataset", 1
# Rows in a row group of results.
_GROUP = 1 << 18
# Rows that are encoded at a time: 7 % faster than pyarrow's 2^10.
_BATCH = 1 << 16


class Position(NamedTuple):
    """How far the work is: rankings scored, tasks scored, where the next rankings' tasks are, files read so far."""

    rankings: int = 0
    tasks: int = 0
    cursor: int = 0
    ranking_files: int = 0
    task_files: int = 0


class Output:
    """The folder, held by one process at a time.

    Args:
        folder: made if it is not there; only its owner may enter.
        settings: what results depend on.
        inputs: fingerprints of files by table.

    Raises:
        DatasetError: another process works in it; it holds something else, or results of other settings or inputs.
    """

    def __init__(
        self, folder: Path, settings: Mapping[str, object], inputs: Mapping[str, list[dict[str, str | int]]]
    ) -> None:
        self.folder = folder
        self._manifest = folder / "manifest.json"
        held = self._read()
        self._parts: list[dict[str, Any]] = []
        if held and held["parts"]:
            self._parts = held["parts"]
            read = {
                name: max((part["end"][f"{name[:-1]}_files"] for part in held["parts"]), default=0) for name in inputs
            }
            was = {"settings": held["settings"], "inputs": _first(held["inputs"], read)}
            _refuse_drift(folder, was, {"settings": dict(settings), "inputs": _first(inputs, read)})
        self._header = {"format": FORMAT, "version": VERSION, "settings": dict(settings), "inputs": dict(inputs)}
        if not self._parts:
            self._record()

    @property
    def ends(self) -> list[Position]:
        """Where the parts end that were made."""
        return [Position(**part["end"]) for part in self._parts]

    def intact(self, number: int) -> bool:
        """Whether the files of a part are those that were written."""
        files: dict[str, str] = self._parts[number]["files"]
        return all(
            (self.folder / name).is_file() and _sha256(self.folder / name) == found for name, found in files.items()
        )

    def files(self) -> tuple[Path, ...]:
        """All that were written."""
        return tuple(self.folder / name for part in self._parts for name in part["files"])

    def commit(self, number: int, end: Position, names: list[str]) -> None:
        """Make a part's temporary files its files, and name them in the manifest."""
        hashes = {}
        for name in names:
            hashes[name] = _sha256(temporary(self.folder, name))
            _sync(temporary(self.folder, name))
            temporary(self.folder, name).replace(self.folder / name)
        _sync(self.folder)
        self._parts[number : number + 1] = [{"files": hashes, "end": end._asdict()}]
        self._record()

    def _record(self) -> None:
        values = {**self._header, "parts": self._parts}
        fresh = temporary(self.folder, self._manifest.name)
        with _private(fresh) as file:
            file.write(json.dumps(values, indent=1, ensure_ascii=False).encode())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._manifest)
        _sync(self.folder)

    def _read(self) -> dict[str, Any]:
        try:
            held = json.loads(self._manifest.read_text("utf-8"))
        except FileNotFoundError:
            strange = next((each.name for each in self.folder.glob("*.parquet")), None)
            if strange:
                raise DatasetError(
                    f"{self.folder}: expected a folder of results or an empty one, found {strange} and no manifest;"
                    " choose another"
                ) from None
            return {}
        except ValueError as error:
            raise DatasetError(f"{self._manifest}: expected JSON, got {error}; delete the folder") from None
        if not isinstance(held, dict) or held.get("format") != FORMAT or held.get("version") != VERSION:
            raise DatasetError(
                f"{self._manifest}: expected {FORMAT} of version {VERSION}, found something else; choose another folder"
            )
        return held


class PartWriter:
    """One part's rows on their way to disk; ``columns`` of each table come with the first rows."""

    def __init__(self, folder: Path, number: int) -> None:
        self._folder, self.number = folder, number
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._waiting: dict[str, list[pa.Table]] = {}

    def add(self, name: str, rows: pa.Table) -> None:
        """Rows of ``tasks`` or ``rankings``."""
        file = f"{name}-{self.number:05}.parquet"
        waiting = self._waiting.setdefault(file, [])
        waiting.append(rows)
        if sum(table.num_rows for table in waiting) >= _GROUP:
            self._write(file)

    def close(self) -> list[str]:
        """Names of the files, which are complete, but temporary still."""
        for file in self._waiting:
            if self._waiting[file] or file not in self._writers:
                self._write(file)
            self._writers[file].close()
        return list(self._writers)

    def abandon(self) -> None:
        """Forget what was written."""
        for file, writer in self._writers.items():
            with contextlib.suppress(OSError, pa.ArrowException):
                writer.close()
            temporary(self._folder, file).unlink(missing_ok=True)

    def _write(self, file: str) -> None:
        rows = pa.concat_tables(self._waiting[file])
        self._waiting[file] = []
        if file not in self._writers:
            path = temporary(self._folder, file)
            _private(path).close()
            self._writers[file] = pq.ParquetWriter(path, rows.schema, **_encodings(rows.schema))
        self._writers[file].write_table(rows, _GROUP)


class Committer:
    """Parts become final in the background, one after the other; at most one is on its way."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._thread = ThreadPoolExecutor(1)
        self._pending: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

    def part(self, number: int) -> PartWriter:
        """Writes the rows of a part."""
        return PartWriter(self._output.folder, number)

    def commit(self, writer: PartWriter, end: Position) -> None:
        """Hand over a part, once the one before it is final."""
        names = writer.close()
        self.wait()
        self._pending = self._thread.submit(self._output.commit, writer.number, end, names)

    def wait(self) -> None:
        """Until all that was handed over is final."""
        if self._pending is not None:
            self._pending.result()
            self._pending = None


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """The folder, made if need be; nobody else may work in it meanwhile.

    Raises:
        DatasetError: somebody does.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        import fcntl  # noqa: PLC0415 - not on Windows, where a folder is not held
    except ImportError:
        yield
        return
    with _private(folder / ".lock") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DatasetError(f"{folder}: another process is at work in it; wait, or choose another") from None
        yield


@contextlib.contextmanager
def room(folder: Path) -> Iterator[None]:
    """Where the folder's disk has none left, says so in one line."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        full = "the disk is full; make room, and the same call goes on after the last part that is complete"
        raise OSError(error.errno, full, str(folder)) from error


def temporary(folder: Path, name: str) -> Path:
    """The same for the same file: what a crash leaves is overwritten, and does not add up."""
    return folder / f".{name}.partial"


def _private(path: Path) -> Any:  # noqa: ANN401 - a file, open for bytes
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    return os.fdopen(descriptor, "wb")


def _encodings(schema: pa.Schema) -> dict[str, Any]:
    """What takes little time, then little room. Floats do not compress, and lists are left as they are.

    Measured, per number: 4.5 ns for integers that go up as differences, and 2 for the least and the largest of them, by
    which rows are found; 1 ns for small integers in LZ4, 3 by a dictionary, and 1 for extremes that nobody needs.
    """
    flat = [field for field in schema if not pa.types.is_floating(field.type) and not pa.types.is_nested(field.type)]
    rising = [field.name for field in flat if pa.types.is_int64(field.type)]
    packed = [field.name for field in flat if not pa.types.is_int64(field.type)]
    text = [field.name for field in flat if not pa.types.is_integer(field.type)]
    return {
        "column_encoding": dict.fromkeys(rising, "DELTA_BINARY_PACKED") or None,
        "use_dictionary": text or False,
        "compression": dict.fromkeys(packed, "lz4") or "none",
        "write_statistics": [*rising, *text],
        "write_batch_size": _BATCH,
    }


def _sha256(path: Path) -> str:
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _first(inputs: Mapping[str, Any], read: Mapping[str, int]) -> dict[str, Any]:
    """The files that results were made from: others may change, or be added."""
    return {name: inputs.get(name, [])[:many] for name, many in read.items()}


def _refuse_drift(folder: Path, was: object, now: object) -> None:
    changes = list(_changes("", was, now))
    if changes:
        raise DatasetError(
            f"{folder}: expected the settings and inputs that its results were made with; {'; '.join(changes)}."
            " Restore them, choose another folder, or delete this one"
        )


def _changes(name: str, was: object, now: object) -> Iterator[str]:
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted(was.keys() | now.keys()):
            yield from _changes(f"{name}.{key}" if name else key, was.get(key), now.get(key))
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for place, pair in enumerate(zip(was, now, strict=True)):
            yield from _changes(f"{name}[{place}]", *pair)
    elif was != now:
        yield f"{name} was {json.dumps(was)}, is {json.dumps(now)}"
