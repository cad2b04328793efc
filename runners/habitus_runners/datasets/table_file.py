"""Opens one table of a user's, Parquet or text, and counts its malformed lines. Knows no meaning of a column."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from habitus_runners.datasets import reading
from habitus_runners.datasets.reading import Findings
from habitus_runners.datasets.tabular_config import Table
from habitus_runners.errors import HabitusError

PARQUET = {".parquet", ".pq"}
MISQUOTED = 'malformed line (quote not closed at the end of its field; quote = "" where quotes are text)'


class Grid(NamedTuple):
    """A wide table: the place and id of each row, and a column of finite float32 per further name."""

    places: pl.DataFrame
    ids: pl.Series
    cells: pl.DataFrame


def read(table: Table, folder: Path, columns: Mapping[str, str], max_cells: int, findings: Findings) -> pl.DataFrame:
    """``columns`` (new name -> the table's) as strings; in front of them every row's place and text, as in Findings.

    Raises:
        HabitusError: no file, a broken, empty or too large one, another encoding, or a column that is not there.
    """
    wanted = list(dict.fromkeys(columns.values()))
    places, frame = _loaded(table, folder, wanted, max_cells, findings)
    strings = frame.select(pl.col(wanted).cast(pl.String))
    if "text" not in places.columns:
        places = places.with_columns(strings.to_struct("text"))
    return places.hstack(strings.select(pl.col(column).alias(name) for name, column in columns.items()))


def read_matrix(table: Table, folder: Path, ids: str, max_cells: int, findings: Findings) -> Grid:
    """A whole table: ``ids`` as strings, the others as numbers; a cell that is none is counted and becomes 0.

    Raises:
        HabitusError: as ``read``.
    """
    places, frame = _loaded(table, folder, [ids], max_cells, findings, matrix=True)
    cells = frame.select(pl.exclude(ids).cast(pl.Float32, strict=False))
    bad = cells.select(~pl.all().is_finite().fill_null(value=False))
    count = sum(int(flags.sum()) for flags in bad.iter_columns())
    if count:
        row = int(bad.select(pl.any_horizontal(pl.all()).arg_max()).item())
        column = next(name for name, flag in bad.row(row, named=True).items() if flag)
        came = _fields(places["text"][row], table) if "text" in places.columns else frame.row(row)
        place = f"{places.columns[0]} {places.row(row)[0]}, column {column}"
        example = f"{table.path} {place}: {came[frame.get_column_index(column)] or 'nothing'}"
        findings.note("value that is no number", count, example, str(table.path))
        cells = cells.select(pl.when(pl.all().is_finite()).then(pl.all()).otherwise(0))
    return Grid(places.select(pl.first()), frame[ids].cast(pl.String), cells)


def _fields(record: str, table: Table) -> list[str]:
    if not table.quote:
        return record.split(table.divider)
    return next(csv.reader(io.StringIO(record), delimiter=table.divider, quotechar=table.quote))


class _Loaded(NamedTuple):
    """Rows of a table, and where each stands in the file."""

    places: pl.DataFrame
    frame: pl.DataFrame


def _loaded(
    table: Table, folder: Path, wanted: list[str], max_cells: int, findings: Findings, *, matrix: bool = False
) -> _Loaded:
    """The wanted columns as they are in Parquet, as strings in text; of a matrix also all others, as numbers."""
    path = folder / table.path
    parquet = path.suffix.lower() in PARQUET
    with _readable(path):
        data = b"" if parquet else _utf8(path, table)
        names = pq.read_schema(path).names if parquet else _header(data, table)
        _check(path, names, wanted)
        rows = pq.read_metadata(path).num_rows if parquet else data.count(b"\n")
        _cap(path, rows * len(names if matrix else wanted), max_cells)
        columns = names if matrix else wanted
        if parquet:
            frame = pl.read_parquet(path, columns=columns)
            places = frame.select(pl.int_range(1, pl.len() + 1).alias("row"))
        else:
            records = _records(data, len(names), table, findings)
            types = {name: pl.String if name in wanted else pl.Float32 for name in columns}
            frame = _text(records.data, table, columns=columns, schema_overrides=types, ignore_errors=matrix)
            places = records.places
    if frame.is_empty():
        reading.nothing_left(f"rows of {len(names)} fields below the header", str(path), findings, "the table is empty")
    if frame.height != places.height:
        raise HabitusError(f"{path}: expected {places.height:,} rows, as it has records, got {frame.height:,}")
    return _Loaded(places, frame)


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
    style = {"separator": table.divider, "quote_char": table.quote or None, "infer_schema": False}
    return pl.read_csv(data, **style, **how)  # type: ignore[arg-type]  # what else read_csv takes


def _header(data: bytes, table: Table) -> list[str]:
    return _text(data.partition(b"\n")[0] + b"\n", table).columns


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


class _Records(NamedTuple):
    """A text table whose every record has all its fields; ``line`` and ``text`` of each below the header."""

    data: bytes
    places: pl.DataFrame


def _records(data: bytes, width: int, table: Table, findings: Findings) -> _Records:
    """Leave out the lines that have not ``width`` fields, which Polars would refuse or fill up, and count them."""
    rows = reading.lines(data).with_columns(pl.col("text").alias("clean"))
    header, below = rows["text"][0], rows.slice(1)
    whole, bare = below, pl.col("clean")
    if table.quote and table.quote.encode() in data:
        whole = _mended(below, width, table, findings)
        quote = _escaped(table.quote)
        bare = bare.str.replace_all(f"{quote}[^{quote}]*{quote}", "")
    fields = bare.str.count_matches(table.divider, literal=True) + 1
    whole = findings.drop(whole, fields != width, f"malformed line (not {width} fields)", str(table.path))
    if whole is not below:
        data = "\n".join([header, *whole["clean"]]).encode()
    return _Records(data, whole.drop("clean"))


def _mended(rows: pl.DataFrame, width: int, table: Table, findings: Findings) -> pl.DataFrame:
    """One row per record, quoted as Polars wants it; lines whose quotes are out of order are counted and left out."""
    quote, separator, file = _escaped(table.quote), _escaped(table.divider), str(table.path)
    field = f"(?:{quote}(?:[^{quote}]|{quote}{quote})*{quote}|[^{quote}{separator}]*)"
    suspect = rows.filter(pl.col("text").str.contains(table.quote, literal=True)).filter(
        ~pl.col("text").str.contains(f"^{field}(?:{separator}{field})*$")
    )["line"]
    if suspect.is_empty():
        return rows
    lines, first = rows["text"].to_list(), int(rows["line"][0])
    taken: list[int] = []
    records: list[tuple[int, str, str]] = []
    for line in suspect:
        if taken and line <= taken[-1]:
            continue
        record = _record(lines, line - first, width, table)
        end = line + (record.lines if record else 1)
        came = "\n".join(lines[line - first : end - first])
        if record is None:
            findings.note(MISQUOTED, 1, f"{file} line {line}: {came}", file)
        else:
            findings.note(
                "record over several lines, read as one", int(record.lines > 1), f"{file} line {line}: {came}", file
            )
            records.append((line, came, record.clean))
        taken.extend(range(line, end))
    others = rows.filter(~pl.col("line").is_in(taken))
    return pl.concat([others, pl.DataFrame(records, rows.schema, orient="row")]).sort("line")


class _Record(NamedTuple):
    """How many lines a record has, and itself in one line with every quote where it should be."""

    lines: int
    clean: str


def _record(lines: list[str], start: int, width: int, table: Table) -> _Record | None:
    """The record that begins at ``start``; None: a quote does not end its field, or swallows whole lines."""
    ahead = (lines[number] + "\n" for number in range(start, len(lines)))
    reader = csv.reader(ahead, delimiter=table.divider, quotechar=table.quote, strict=True)
    try:
        fields = next(reader)
    except csv.Error:
        return None
    inner = lines[start + 1 : start + reader.line_num - 1]
    swallowed = len(fields) != width or any(line.count(table.divider) + 1 == width for line in inner)
    if reader.line_num > 1 and swallowed:
        return None
    flat = [field.replace("\n", " ") for field in fields]
    clean = io.StringIO()
    csv.writer(clean, delimiter=table.divider, quotechar=table.quote, lineterminator="").writerow(flat)
    return _Record(reader.line_num, clean.getvalue())


def _escaped(character: str) -> str:
    """A character as a regular expression, within brackets or without."""
    return rf"\x{{{ord(character):x}}}"
