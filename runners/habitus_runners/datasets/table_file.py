"""Opens one table of a user's, Parquet or text, as strings under its own column names. Knows no meaning of a column."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from habitus_runners.datasets.tabular_config import Table
from habitus_runners.errors import HabitusError

PARQUET = {".parquet", ".pq"}


def read(table: Table, folder: Path, columns: Sequence[str], max_cells: int) -> pl.DataFrame:
    """``columns`` of a table as strings, with ``row`` (1 = the first below the header) in front.

    Raises:
        HabitusError: no file, a broken or too large one, another encoding, or a column that is not there.
    """
    wanted = list(dict.fromkeys(columns))
    path = folder / table.path
    with _readable(path):
        if path.suffix.lower() in PARQUET:
            _check(path, pq.read_schema(path).names, wanted)
            _cap(path, pq.read_metadata(path).num_rows * len(wanted), max_cells)
            frame = pl.read_parquet(path, columns=wanted)
        else:
            data = _utf8(path, table)
            _check(path, _header(data, table), wanted)
            frame = _text(data, table, columns=wanted, infer_schema=False)
        return frame.select(pl.col(wanted).cast(pl.String)).with_row_index("row", offset=1)


def read_matrix(table: Table, folder: Path, ids: str, max_cells: int) -> pl.DataFrame:
    """All columns: ``ids`` as strings, the others as float32, null where no number stands.

    Raises:
        HabitusError: as ``read``.
    """
    path = folder / table.path
    with _readable(path):
        if path.suffix.lower() in PARQUET:
            names = pq.read_schema(path).names
            _check(path, names, [ids])
            _cap(path, pq.read_metadata(path).num_rows * len(names), max_cells)
            frame = pl.read_parquet(path)
        else:
            data = _utf8(path, table)
            names = _header(data, table)
            _check(path, names, [ids])
            _cap(path, data.count(b"\n") * len(names), max_cells)
            types = {name: pl.String if name == ids else pl.Float32 for name in names}
            frame = _text(data, table, schema_overrides=types, ignore_errors=True)
        return frame.select(pl.col(ids).cast(pl.String), pl.exclude(ids).cast(pl.Float32, strict=False))


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    # A panic of Polars is a BaseException: an `except Exception` above would let it pass.
    try:
        yield
    except (OSError, pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise HabitusError(f"{path}: expected a readable table, got {first[:300]}") from error


def _utf8(path: Path, table: Table) -> bytes:
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig" if table.encoding == "utf-8" else table.encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise HabitusError(
            f"{path}: expected {table.encoding}, got byte 0x{data[error.start]:02x} on line {line};"
            f' say which encoding it has, as in encoding = "latin-1"'
        ) from None
    if "\0" in text:
        raise HabitusError(f'{path}: expected {table.encoding} text, got NUL bytes; perhaps encoding = "utf-16"')
    return text.encode()


def _text(data: bytes, table: Table, **how: object) -> pl.DataFrame:
    return pl.read_csv(data, separator=table.divider, quote_char=table.quote or None, **how)  # type: ignore[arg-type]  # what else read_csv takes


def _header(data: bytes, table: Table) -> list[str]:
    return _text(data.partition(b"\n")[0] + b"\n", table, infer_schema=False).columns


def _check(path: Path, names: Sequence[str], wanted: Sequence[str]) -> None:
    for name in wanted:
        if name not in names:
            there = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")  # noqa: PLR2004 -- as many as fit a line
            raise HabitusError(f"{path}: expected a column {name!r}, got {there}")
    known = set(names)
    for name in names:
        # How Polars names the second column of a name.
        original, mark, number = name.rpartition("_duplicated_")
        if mark and number.isdigit() and original in known:
            raise HabitusError(f"{path}: expected every column once, got {original!r} again")


def _cap(path: Path, cells: int, most: int) -> None:
    if cells > most:
        raise HabitusError(
            f"{path}: expected at most {most:,} cells, got {cells:,}; raise data.max_cells if you trust it"
        )
