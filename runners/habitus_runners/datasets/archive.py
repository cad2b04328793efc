"""Finds a data set's files in a folder, a zip or a tar archive, and reads them as bytes. Unpacks nothing to disk."""

import hashlib
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

from habitus_runners.datasets.reading import Findings, printable
from habitus_runners.errors import HabitusError

LARGEST = 1 << 30
DAMAGE = (
    OSError,
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    tarfile.TarError,
    NotImplementedError,
    UnicodeDecodeError,
)
BATCH = 8 << 20


class Member(NamedTuple):
    """An open file and its length in bytes."""

    file: IO[bytes]
    size: int


@contextmanager
def member(source: Path, name: str) -> Iterator[Member]:
    """Open ``name`` in ``source``, at the top or in a folder below.

    Raises:
        HabitusError: the source is absent, broken or lacks the file, or the file is empty.
    """
    try:
        if source.is_dir():
            opened = _in_folder(source, name)
        elif not source.exists():
            raise HabitusError(f"{source}: expected a folder or archive with {name}, got nothing there; check --source")
        elif tarfile.is_tarfile(source):
            opened = _in_tar(source, name)
        else:
            opened = _in_zip(source, name)
        with opened as found:
            if not found.size:
                raise HabitusError(f"{source}: expected lines in {name}, got an empty file; fetch it again")
            yield found
    except DAMAGE as error:
        got = printable(str(error) or "a broken one")
        raise HabitusError(
            f"{source}: expected a readable folder, zip or tar archive with {name}, got {got}; fetch it again"
        ) from error


@contextmanager
def _in_folder(source: Path, name: str) -> Iterator[Member]:
    places = [source / name, *sorted(source.glob(f"*/{name}"))]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise _missing(source, name, sorted(path.name for path in source.iterdir()))
    with found.open("rb") as file:
        yield Member(file, found.stat().st_size)


@contextmanager
def _in_zip(source: Path, name: str) -> Iterator[Member]:
    with zipfile.ZipFile(source) as archive:
        inside = [info for info in archive.infolist() if not info.filename.endswith("/")]
        found = next((info for info in inside if PurePosixPath(info.filename).name == name), None)
        if found is None:
            raise _missing(source, name, [info.filename for info in inside])
        if found.flag_bits & 1:
            raise HabitusError(f"{source}: expected a plain zip, got {name} encrypted; unpack it and pass the folder")
        with archive.open(found) as file:
            yield Member(file, found.file_size)


@contextmanager
def _in_tar(source: Path, name: str) -> Iterator[Member]:
    with tarfile.open(source) as archive:
        seen = []
        for info in archive:
            file = archive.extractfile(info) if PurePosixPath(info.name).name == name else None
            if file is not None:
                with file:
                    yield Member(file, info.size)
                break
            seen.append(info.name)
        else:
            raise _missing(source, name, seen)
        # The compressed stream's own checksum stands at its end and is compared only when that is read.
        while archive.fileobj is not None and archive.fileobj.read(BATCH):
            pass


def _missing(source: Path, name: str, present: list[str]) -> HabitusError:
    there = printable(", ".join(present[:6])) + (", …" if len(present) > 6 else "")  # noqa: PLR2004 -- as many as fit a line
    return HabitusError(f"{source}: expected {name} in it, got {there or 'nothing'}; check --source")


def content(source: Path, name: str) -> bytes:
    """All bytes of ``name`` in ``source``.

    Raises:
        HabitusError: as ``member``, or the file is larger than 1 GiB.
    """
    with member(source, name) as (file, _):
        # A zip's header can lie about the length: trust what comes out.
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise HabitusError(f"{source}: expected {name} of at most {LARGEST:,} bytes, got more; check --source")
    return data


def batches(file: IO[bytes], digest: Any, size: int = BATCH) -> Iterator[bytes]:  # noqa: ANN401 -- hashlib's type is private
    """Whole lines of about ``size`` bytes at a time; every byte also goes into ``digest``."""
    rest = b""
    while chunk := file.read(size):
        digest.update(chunk)
        whole, newline, tail = chunk.rpartition(b"\n")
        if newline:
            yield rest + whole + newline
            rest = tail
        else:
            rest += chunk
            if len(rest) > LARGEST:
                raise HabitusError(f"expected lines of at most {LARGEST:,} bytes, got a longer one; check --source")
    if rest:
        yield rest


def md5(path: Path) -> str:
    """Checksum of a file as its publisher states it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def compare(name: str, expected: str, got: str, findings: Findings) -> None:
    """Note a checksum that is not the published one."""
    if got != expected:
        findings.note("checksum", 1, f"{name}: expected md5 {expected}, got {got}", name)
