"""How every loader reads: text to lines, lines to fields, ids to row numbers. What is wrong is counted, never hidden.

No file is opened here (archive.py does) and no data set is known here.
"""

from codecs import BOM_UTF8
from typing import Any, NamedTuple, NoReturn, TypeVar

import polars as pl
from pydantic import ValidationError

from habitus_runners.datasets.dataset import Finding
from habitus_runners.errors import HabitusError
from habitus_runners.settings import Section, first_problem

CONTROL = r"[\p{Cc}\x{2028}\x{2029}\x{202A}-\x{202E}\x{2066}-\x{2069}]"
EXAMPLE_LENGTH = 200
LOOSEN = "loosen the filters of the data set"

Options = TypeVar("Options", bound=Section)


class Findings:
    """What was wrong, per kind and file in the order of discovery, each with a count and its first example.

    A frame that is checked has a ``line`` (or ``row``, where a file has no lines) and ``text``: the row as it came.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Finding] = {}

    def note(self, kind: str, count: int, example: str, file: str = "") -> None:
        """Add ``count`` cases; the first example of a kind and file stays."""
        if count:
            before = self._found.get((kind, file), Finding(kind, 0, printable(example)))
            self._found[kind, file] = Finding(kind, before.count + count, before.example)

    def mark(self, frame: pl.DataFrame, wrong: pl.Expr, kind: str, file: str) -> pl.Series:
        """Count the rows where ``wrong`` is true or cannot be told; a mask of them."""
        bad = frame.select(wrong.fill_null(value=True)).to_series()
        if bad.any():
            first = frame.row(int(bad.arg_max() or 0), named=True)
            self.note(kind, int(bad.sum()), f"{file} {_described(first)}", file)
        return bad

    def drop(self, frame: pl.DataFrame, wrong: pl.Expr, kind: str, file: str) -> pl.DataFrame:
        """Count the rows where ``wrong`` is true or cannot be told, and leave them out."""
        bad = self.mark(frame, wrong, kind, file)
        return frame.filter(~bad) if bad.any() else frame

    def distinct(self, frame: pl.DataFrame, columns: list[str], kind: str, file: str) -> pl.DataFrame:
        """Keep the first row of each combination of ``columns``, count the others."""
        return self.drop(frame, ~pl.struct(columns).is_first_distinct(), kind, file)

    def found(self) -> tuple[Finding, ...]:
        """All findings, in the order of discovery."""
        return tuple(self._found.values())


def printable(text: str) -> str:
    """Text from a file, safe to show in one line."""
    plain = text.replace("\t", " ")
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in plain)
    return shown if len(shown) <= EXAMPLE_LENGTH else shown[: EXAMPLE_LENGTH - 1] + "…"


def _described(row: dict[str, Any]) -> str:
    place, text = "line" if "line" in row else "row", row["text"]
    if isinstance(text, dict):
        text = ", ".join("" if value is None else str(value) for value in text.values())
    return f"{place} {row[place]}: {text}"


def decoded(data: bytes, file: str, expected: str, findings: Findings) -> str:
    """Text of a file published in ``expected``; valid UTF-8 beyond ASCII in its place is a finding, and read rightly.

    Raises:
        HabitusError: the bytes are neither.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if expected == "utf-8":
            raise HabitusError(f"{file}: expected utf-8 text, got {error}; save it again in utf-8") from None
        return _mixed(data, file, expected, findings)
    if expected != "utf-8" and not data.isascii():
        findings.note("encoding", 1, f"{file}: expected {expected}, got UTF-8; read as UTF-8", file)
    return text


def _mixed(data: bytes, file: str, expected: str, findings: Findings) -> str:
    """Text whose lines are each in ``expected`` or in UTF-8."""
    if data.startswith(BOM_UTF8):
        findings.note("byte order mark", 1, f"{file}: expected {expected}, got a UTF-8 byte order mark; left out", file)
        data = data.removeprefix(BOM_UTF8)
    text = []
    for number, line in enumerate(data.split(b"\n"), 1):
        other = not line.isascii() and _is_utf8(line)
        text.append(line.decode("utf-8" if other else expected))
        if other:
            example = f"{file} line {number}: expected {expected}, got UTF-8; read as UTF-8: {text[-1]}"
            findings.note("encoding", 1, example, file)
    return "\n".join(text)


def lines(text: str | bytes, first: int = 1) -> pl.DataFrame:
    """One row per line: ``line`` (counted from ``first``) and ``text``. Splits at LF alone: names may hold a CR."""
    data = text.encode() if isinstance(text, str) else text
    return pl.read_lines(data, name="text", row_index_name="line", row_index_offset=first)


def utf8_lines(data: bytes, file: str, first: int, findings: Findings) -> pl.DataFrame:
    """As ``lines``; bytes that are not UTF-8 become U+FFFD and their lines are counted."""
    try:
        return lines(data, first)
    except pl.exceptions.ComputeError:
        rows = lines(data.decode("utf-8", "replace"), first)
        broken = [number for number, line in enumerate(data.split(b"\n"), first) if not _is_utf8(line)]
        if broken:
            text = rows["text"][broken[0] - first]
            findings.note("encoding", len(broken), f"{file} line {broken[0]}, expected UTF-8: {text}", file)
        return rows


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


class Layout(NamedTuple):
    """How the lines of a file are divided."""

    file: str
    separator: str
    names: tuple[str, ...]


def fields(rows: pl.DataFrame, layout: Layout, findings: Findings) -> pl.DataFrame:
    """Split ``text`` into the layout's columns; lines with another number of fields are counted and left out."""
    file, separator, names = layout
    found = pl.col("text").str.count_matches(separator, literal=True) + 1
    whole = findings.drop(rows, found != len(names), f"malformed line (not {len(names)} fields)", file)
    parts = pl.col("text").str.split_exact(separator, len(names) - 1).struct.rename_fields(names)
    return whole.with_columns(parts.alias("fields")).unnest("fields")


def cleaned(frame: pl.DataFrame, column: str, file: str, findings: Findings) -> pl.DataFrame:
    """``column`` without control characters (each run becomes a space; counted) and outer spaces."""
    bad = findings.mark(frame, pl.col(column).str.contains(CONTROL), f"control character in {column}, removed", file)
    plain = pl.col(column).str.replace_all(rf"(?:\s*{CONTROL})+\s*", " ") if bad.any() else pl.col(column)
    return frame.with_columns(plain.str.strip_chars())


def numbered(frame: pl.DataFrame, column: str, ids: pl.Series, file: str, findings: Findings) -> pl.DataFrame:
    """Replace the ids in ``column`` by their row in ``ids`` (int32); unknown ids are counted and left out."""
    number = pl.col(column).replace_strict(ids, pl.int_range(ids.len(), dtype=pl.Int32, eager=True), default=None)
    frame = frame.with_columns(number.cast(pl.Int32).alias("number"))
    known = findings.drop(frame, pl.col("number").is_null(), f"unknown {column}", file)
    return known.drop(column).rename({"number": column})


class Kept(NamedTuple):
    """Users that stay, and their interactions, numbered anew."""

    users: pl.DataFrame
    interactions: pl.DataFrame


def restricted(users: pl.DataFrame, interactions: pl.DataFrame, keep: pl.Series) -> Kept:
    """Keep the users where ``keep`` is true, in their order, and what they did, sorted by user and item."""
    new = (keep.cast(pl.Int32).cum_sum() - 1).set(~keep, None)
    moved = interactions.with_columns(user=new.gather(interactions["user"])).drop_nulls("user")
    columns = ("user", pl.col("item").cast(pl.Int32), pl.col("value").cast(pl.Float32))
    return Kept(users.filter(keep), moved.select(columns).sort("user", "item"))


def options(model: type[Options], dataset: str, **given: object) -> Options:
    """The loader's options, checked.

    Raises:
        HabitusError: a value out of its range.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        key, problem = first_problem(error)
        raise HabitusError(f"{dataset}: option {key}: {problem}") from None


def nothing_left(what: str, dataset: str, findings: Findings, otherwise: str = LOOSEN) -> NoReturn:
    """Say that no user or no interaction is left, and what was found wrong, or ``otherwise``.

    Raises:
        HabitusError: always.
    """
    wrong = "; ".join(f"{finding.kind}: {finding.count} ({finding.example})" for finding in findings.found()[:3])
    raise HabitusError(f"{dataset}: expected {what}, got none left; {wrong or otherwise}")
