"""Parquet files as one long table, read piece by piece; a piece knows the file and the row that it came from.

What a row group will take in memory is known from the file's metadata before anything of it is read: a small one is
read whole, several very small ones together, a large one in batches.
"""

import functools
import glob
import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]

# Of what is read at a time, at most, in bytes.
LIMIT = 1 << 26
# Rows that are decoded at a time, and rankings that are scored at a time: their arrays stay in the cache, and are
# allocated from what the rows before left. A list of 10 is read in 37 ns, in a whole row group of 2^18 in 45.
BLOCK = 1 << 16
# Bytes of a large row group that are held beside what is decoded; with 0, whole columns of it are.
_BUFFER = 1 << 20
# A number or a level takes no more.
_WIDEST = 8
_LONGEST = 1 << 20


class DatasetError(ValueError):
    """Files, rows or a folder are not as expected; one line that says where, what came, and how to mend it."""


class Columns(NamedTuple):
    """Names of columns. Rankings are joined by ``task_id`` where both files have it, else by ``task``, a row number."""

    task_id: str = "task_id"
    task: str = "task"
    counts: str = "counts"
    ranking: str = "ranking"


class Place(NamedTuple):
    """Where rows come from: a file, and the first row there."""

    path: Path
    row: int

    def fault(self, row: int, reason: str) -> DatasetError:
        """What is wrong with a row, counted from the first."""
        return DatasetError(f"{self.path}, row {self.row + row}: {reason}")


class Piece(NamedTuple):
    """Consecutive rows of the ``file``-th file; ``start``: the number of the first among the rows of all files."""

    table: pa.Table
    file: int
    place: Place
    start: int

    @property
    def stop(self) -> int:
        """Number of the row after the last."""
        return self.start + int(self.table.num_rows)

    def part(self, first: int, last: int) -> "Piece":
        """Rows first to last - 1, counted from the piece's first."""
        table = self.table.slice(first, last - first)
        place = self.place._replace(row=self.place.row + first)
        return self._replace(table=table, place=place, start=self.start + first)

    def fault(self, row: int, reason: str) -> DatasetError:
        """What is wrong with a row of the piece."""
        return self.place.fault(row, reason)


class File(NamedTuple):
    """A Parquet file. ``start``: rows in the files before it."""

    path: Path
    metadata: pq.FileMetaData
    schema: pa.Schema
    start: int

    def fingerprint(self) -> dict[str, str | int]:
        """What tells this content from another without reading it all: size, time, and the SHA-256 of the footer."""
        status = self.path.stat()
        with self.path.open("rb") as file:
            file.seek(-8, os.SEEK_END)
            length = int.from_bytes(file.read(4), "little")
            file.seek(-8 - length, os.SEEK_END)
            footer = hashlib.sha256(file.read(length)).hexdigest()
        return {
            "file": str(self.path),
            "bytes": status.st_size,
            "modified_ns": status.st_mtime_ns,
            "footer_sha256": footer,
        }


class Source:
    """Files with the same columns, one after the other.

    Args:
        name: for messages: tasks or rankings.
        paths: a file, a folder (its *.parquet), a glob, or a list of them; folders and globs in the order of names.

    Raises:
        DatasetError: there is no such file, one is not Parquet, or columns differ between files.
    """

    def __init__(self, name: str, paths: Paths) -> None:
        self.name, self.files, self.rows = name, list[File](), 0
        for path in _found(name, paths):
            file = _opened(path, self.rows)
            self.files.append(file)
            self.rows += file.metadata.num_rows
        if not self.rows:
            raise DatasetError(f"{self.files[0].path}: expected {name}, found no row")
        self._of_thread = threading.local()

    @property
    def schema(self) -> pa.Schema:
        """That of the first file."""
        return self.files[0].schema

    def require(self, columns: Sequence[str]) -> None:
        """Check that all files have these columns, of the types that the first file has.

        Raises:
            DatasetError: names the file and the column.
        """
        for file in self.files:
            missing = [name for name in columns if name not in file.schema.names]
            if missing:
                raise DatasetError(
                    f"{file.path}: expected a column {missing[0]!r} in the {self.name}, found "
                    f"{', '.join(file.schema.names)}; rename it, or say which it is"
                )
            for name in columns:
                wanted, found = self.schema.field(name).type, file.schema.field(name).type
                if found != wanted:
                    raise DatasetError(
                        f"{file.path}: expected {name} of {wanted}, as in {self.files[0].path}, got {found}; cast it"
                    )

    def width(self, column: str) -> int:
        """How long the lists of integers in a column are, by its type or the first row.

        Raises:
            DatasetError: it holds no lists of integers, or empty ones.
        """
        kind, file = self.schema.field(column).type, next(file for file in self.files if file.metadata.num_rows)
        lists = pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind)
        if not lists or not pa.types.is_integer(kind.value_type):
            raise DatasetError(f"{self.files[0].path}: expected {column} to be lists of integers, got {kind}; cast it")
        if pa.types.is_fixed_size_list(kind):
            length = kind.list_size
        else:
            _bounded(file, column, _LONGEST)
            first = next(_reader(file, _BUFFER).iter_batches(1, columns=[column]))[column]
            length = len(first[0]) if first.null_count == 0 else 0
        if length == 0:
            raise DatasetError(f"{file.path}, row 0: expected {column} to hold at least one number, got none")
        for each in self.files:
            _bounded(each, column, length)
        return int(length)

    def pieces(self, columns: Sequence[str], first: int, rows: int) -> Iterator[Callable[[], Piece]]:
        """Calls that read the table from row ``first`` on, about ``rows`` at a time.

        A call may be made by any thread. Large row groups are read while the iterator goes on, not by the call.
        """
        for number, file in enumerate(self.files):
            for unit in _units(file, columns, rows):
                stop = file.start + unit.row + unit.rows
                if stop <= first:
                    continue
                skipped = max(0, first - file.start - unit.row)
                if unit.batch is None:
                    yield functools.partial(self._whole, number, unit, list(columns), skipped)
                else:
                    yield from self._batches(number, unit, list(columns), skipped)

    def _whole(self, number: int, unit: "_Unit", columns: list[str], skipped: int) -> Piece:
        held: dict[str, Any] = self._of_thread.__dict__
        if held.get("number") != number:
            held.update(number=number, reader=_reader(self.files[number], 0))
        file = self.files[number]
        with _readable(file.path):
            batches = held["reader"].iter_batches(BLOCK, list(unit.groups), columns, use_threads=False)
            table = pa.Table.from_batches(batches)
        piece = Piece(table, number, Place(file.path, unit.row), file.start + unit.row)
        return piece.part(skipped, unit.rows) if skipped else piece

    def _batches(self, number: int, unit: "_Unit", columns: list[str], skipped: int) -> Iterator[Callable[[], Piece]]:
        file, row = self.files[number], unit.row
        batches = _reader(file, _BUFFER).iter_batches(
            unit.batch, row_groups=list(unit.groups), columns=columns, use_threads=False
        )
        while True:
            with _readable(file.path):
                batch = next(batches, None)
            if batch is None:
                return
            piece = Piece(pa.Table.from_batches([batch]), number, Place(file.path, row), file.start + row)
            behind = min(batch.num_rows, max(0, skipped - (row - unit.row)))
            row += batch.num_rows
            if behind < batch.num_rows:
                yield functools.partial(piece.part, behind, batch.num_rows)


class _Unit(NamedTuple):
    """Row groups that are read at once, or one that is read in batches of ``batch`` rows."""

    groups: range
    row: int
    rows: int
    batch: int | None


class _readable:  # noqa: N801 - a context, used as a function
    """Reading a file; what Arrow says of a broken one becomes one line."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, pa.ArrowException | OSError):
            said = " ".join(str(error).split())
            raise DatasetError(f"{self._path}: expected a readable Parquet file, got: {said}; restore it") from error


def _found(name: str, paths: Paths) -> list[Path]:
    if isinstance(paths, str | os.PathLike):
        path = Path(paths)
        if path.is_dir():
            found = sorted(path.glob("*.parquet"))
        elif path.exists():
            found = [path]
        else:
            found = [Path(each) for each in sorted(glob.glob(os.fspath(paths), recursive=True))]  # noqa: PTH207 - absolute ones too
    else:
        found = [file for each in paths for file in _found(name, each)]
    if not found:
        raise DatasetError(f"{name}: expected Parquet files, found none at {paths}")
    return found


def _opened(path: Path, start: int) -> File:
    with _readable(path), pq.ParquetFile(path) as file:
        return File(path, file.metadata, file.schema_arrow, start)


def _reader(file: File, buffer: int) -> pq.ParquetFile:
    with _readable(file.path):
        return pq.ParquetFile(file.path, metadata=file.metadata, buffer_size=buffer, pre_buffer=False)


def _leaves(file: File, column: str) -> list[int]:
    schema = file.metadata.schema
    return [leaf for leaf in range(len(schema)) if schema.column(leaf).path.split(".")[0] == column]


def _bounded(file: File, column: str, length: int) -> None:
    """No list is longer, as far as the metadata say: a small file can hold a list of any length."""
    row = 0
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        for leaf in _leaves(file, column):
            if group.column(leaf).num_values > group.num_rows * length:
                last = row + group.num_rows - 1
                raise DatasetError(
                    f"{file.path}, rows {row} to {last}: expected {column} to be lists of {length}, one is longer"
                )
        row += group.num_rows


def _units(file: File, columns: Sequence[str], rows: int) -> Iterator[_Unit]:
    """Row groups joined up to ``rows`` rows and LIMIT bytes."""
    leaves = [leaf for column in columns for leaf in _leaves(file, column)]
    first, row, held, size = 0, 0, 0, 0
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        taken = sum(
            max(group.column(leaf).num_values * _WIDEST, group.column(leaf).total_uncompressed_size) for leaf in leaves
        )
        if held and (held + group.num_rows > rows or size + taken > LIMIT):
            yield _Unit(range(first, number), row, held, None)
            first, row, held, size = number, row + held, 0, 0
        if taken > LIMIT:
            batch = max(1, min(rows, LIMIT // (2 * taken // group.num_rows + 1)))
            yield _Unit(range(number, number + 1), row, group.num_rows, batch)
            first, row = number + 1, row + group.num_rows
        else:
            held, size = held + group.num_rows, size + taken
    if held:
        yield _Unit(range(first, file.metadata.num_row_groups), row, held, None)
