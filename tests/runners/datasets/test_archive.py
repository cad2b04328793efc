"""Folders, zips and tar archives: the same bytes from each, and one clear line from a broken one."""

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from habitus_runners.datasets import archive
from habitus_runners.errors import HabitusError

TEXT = b"one\ntwo\n" * 50


def zipped(path: Path, name: str = "inside/a.dat") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, TEXT)
    return path


def tarred(path: Path) -> Path:
    with tarfile.open(path, "w:gz") as file:
        info = tarfile.TarInfo("inside/a.dat")
        info.size = len(TEXT)
        file.addfile(info, io.BytesIO(TEXT))
    return path


def test_every_kind_of_source_gives_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "top").mkdir()
    (tmp_path / "top" / "a.dat").write_bytes(TEXT)
    sources = [tmp_path, tmp_path / "top", zipped(tmp_path / "a.zip"), tarred(tmp_path / "a.tar.gz")]
    assert [archive.content(source, "a.dat") for source in sources] == [TEXT] * 4


def test_a_missing_member_is_named_with_those_there(tmp_path: Path) -> None:
    for source in (zipped(tmp_path / "a.zip"), tarred(tmp_path / "a.tar.gz")):
        with pytest.raises(HabitusError, match=r"expected b\.dat in it, got inside/a\.dat"):
            archive.content(source, "b.dat")
    with pytest.raises(HabitusError, match=r"expected b\.dat in it"):
        archive.content(tmp_path, "b.dat")


def test_an_empty_member_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.dat").touch()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("inside/a.dat", "")
    for source in (tmp_path, tmp_path / "a.zip"):
        with pytest.raises(HabitusError, match=r"expected lines in a\.dat, got an empty file; fetch it again"):
            archive.content(source, "a.dat")


def test_an_absent_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(HabitusError, match="nowhere: expected a folder or archive"):
        archive.content(tmp_path / "nowhere", "a.dat")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(st.data())
@pytest.mark.parametrize("make", [zipped, tarred])
def test_a_damaged_archive_is_read_rightly_or_refused_in_one_line(
    make: Callable[[Path], Path], tmp_path: Path, data: st.DataObject
) -> None:
    path = make(tmp_path / "a")
    raw = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        raw = raw[: data.draw(st.integers(0, len(raw) - 1))]
    else:
        for _ in range(data.draw(st.integers(1, 4))):
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw)
    try:
        read = archive.content(path, "a.dat")
    except HabitusError as error:
        assert str(path) in str(error)  # noqa: PT017 -- both outcomes are allowed
        assert "\n" not in str(error)  # noqa: PT017 -- as above
    else:
        assert read == TEXT


@given(st.binary(max_size=300), st.integers(1, 40))
def test_batches_are_whole_lines_and_lose_nothing(data: bytes, size: int) -> None:
    digest = hashlib.md5(usedforsecurity=False)
    parts = list(archive.batches(io.BytesIO(data), digest, size))
    assert b"".join(parts) == data
    assert all(part.endswith(b"\n") for part in parts[:-1])
    assert digest.digest() == hashlib.md5(data, usedforsecurity=False).digest()
