"""The run folder: what is written is what is read, whatever happens in between."""

import errno
import json
import os
import stat
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest

from habitus_runners import storage
from habitus_runners.errors import HabitusError
from habitus_runners.storage import RunFolder, atomic

CANNOT_WRITE = r"cannot write \S*{}: No space left on device; make room, or choose another folder with --out"


@pytest.fixture
def crash(monkeypatch):
    """Writes a table and dies when the given number of files has been written: 0 before the manifest, 1 after it."""

    def dying(folder: RunFolder, name: str, table: pa.Table, files: int) -> None:
        real, written = storage.atomic, []

        @contextmanager
        def failing(path: Path):
            if len(written) == files:
                raise KeyboardInterrupt
            written.append(path)
            with real(path) as file:
                yield file

        with monkeypatch.context() as patch:
            patch.setattr(storage, "atomic", failing)
            with pytest.raises(KeyboardInterrupt):
                folder.write(name, table)

    return dying


def _table(rows: int) -> pa.Table:
    return pa.table({"task_id": [f"t{row}" for row in range(rows)], "row": list(range(rows))})


def test_a_table_comes_back_as_it_was(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.write("tasks", _table(3))
    assert folder.read("tasks").equals(_table(3))
    assert folder.manifest["tables"]["tasks"]["rows"] == 3


def test_any_flipped_bit_is_found(tmp_path):
    folder = RunFolder(tmp_path)
    folder.write("tasks", _table(50))
    path = tmp_path / "tasks.parquet"
    written = path.read_bytes()
    for place in range(0, len(written), 7):
        changed = bytearray(written)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        with pytest.raises(HabitusError, match="expected the file that was written"):
            folder.read("tasks")


@pytest.mark.parametrize("files", [0, 1])
def test_a_crash_at_either_file_leaves_the_old_table(tmp_path, crash, files):
    folder = RunFolder(tmp_path)
    folder.write("tasks", _table(3))
    crash(folder, "tasks", _table(4), files)
    assert folder.read("tasks").num_rows == 3
    folder.write("tasks", _table(5))
    assert folder.read("tasks").num_rows == 5


@pytest.mark.parametrize("rows", [4, 5])
def test_two_crashes_in_a_row_lose_nothing(tmp_path, crash, rows):
    folder = RunFolder(tmp_path)
    folder.write("tasks", _table(3))
    crash(folder, "tasks", _table(4), 1)
    crash(folder, "tasks", _table(rows), 1)
    assert folder.read("tasks").num_rows == 3


def test_a_crash_brings_no_forgotten_table_back(tmp_path, crash):
    folder = RunFolder(tmp_path)
    folder.write("answers", _table(2))
    folder.write("rankings", _table(2))
    folder.write("answers", _table(3))
    crash(folder, "rankings", _table(3), 1)
    with pytest.raises(HabitusError, match="expected the file that was written"):
        folder.read("rankings")


def test_a_crash_makes_no_damaged_table_good(tmp_path, crash):
    folder = RunFolder(tmp_path)
    folder.write("tasks", _table(3))
    (tmp_path / "tasks.parquet").write_bytes(b"damaged")
    crash(folder, "tasks", _table(4), 1)
    with pytest.raises(HabitusError, match="expected the file that was written"):
        folder.read("tasks")


def test_a_new_table_forgets_what_was_made_from_the_old(tmp_path):
    folder = RunFolder(tmp_path)
    for name in ("tasks", "members", "answers", "rankings"):
        folder.write(name, _table(2))
    folder.write("answers", _table(3))
    assert folder.has("members")
    assert not folder.has("rankings")


def test_a_failed_write_leaves_nothing(tmp_path):
    def fail() -> None:
        with atomic(tmp_path / "report.html") as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_file_and_folder_are_on_disk_before_a_write_ends(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(stat.S_ISDIR(os.fstat(handle).st_mode)))
    with atomic(tmp_path / "x") as file:
        file.write(b"x")
    assert synced == [False, True]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full, a disk that is always full")
def test_a_full_disk_is_named_and_leaves_the_old_table(tmp_path, monkeypatch):
    folder = RunFolder(tmp_path)
    folder.write("tasks", _table(3))
    make = storage.tempfile.mkstemp

    def on_a_full_disk(**where: object) -> tuple[int, str]:
        handle, name = make(**where)
        os.close(handle)
        return os.open("/dev/full", os.O_WRONLY), name

    with monkeypatch.context() as patch:
        patch.setattr(storage.tempfile, "mkstemp", on_a_full_disk)
        with pytest.raises(HabitusError, match=CANNOT_WRITE.format("manifest.json")):
            folder.write("tasks", _table(4))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest.json", "tasks.parquet"]
    assert folder.read("tasks").num_rows == 3


@pytest.mark.parametrize(
    ("place", "name"), [(os, "fsync"), (os, "open"), (Path, "replace"), (Path, "mkdir"), (storage.tempfile, "mkstemp")]
)
def test_whatever_fails_while_writing_is_named(tmp_path, monkeypatch, place, name):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(place, name, full)
        with pytest.raises(HabitusError, match=CANNOT_WRITE.format("x")), atomic(tmp_path / "run" / "x") as file:
            file.write(b"x")


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(HabitusError, match=r"cannot write .*choose another folder with --out"):
        RunFolder(tmp_path / "file" / "run").write("tasks", _table(1))


@pytest.mark.parametrize("text", ["{", "[1]", "\x00"])
def test_a_broken_manifest_is_named(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(HabitusError, match=r"manifest\.json: expected"):
        _ = RunFolder(tmp_path).manifest


def test_a_missing_table_says_how_to_make_it(tmp_path):
    with pytest.raises(HabitusError, match="found none; `habitus run"):
        RunFolder(tmp_path).read("scores")


def test_a_table_whose_file_is_gone_was_not_written(tmp_path):
    folder = RunFolder(tmp_path)
    folder.write("tasks", _table(1))
    (tmp_path / "tasks.parquet").unlink()
    assert not folder.has("tasks")
    with pytest.raises(HabitusError, match=r"tasks\.parquet: expected the tasks table, found no such file"):
        folder.read("tasks")


def test_a_manifest_cannot_send_the_reader_elsewhere(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.write("tasks", _table(1))
    (tmp_path / "run" / "tasks.parquet").rename(tmp_path / "elsewhere.parquet")
    manifest = folder.manifest
    manifest["tables"]["tasks"]["file"] = "../elsewhere.parquet"
    (tmp_path / "run" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(HabitusError, match=r"run/tasks\.parquet: expected the tasks table, found no such file"):
        folder.read("tasks")


def test_tables_of_another_version_are_refused(tmp_path):
    folder = RunFolder(tmp_path)
    folder.write("tasks", _table(1))
    manifest = folder.manifest
    manifest["tables"]["tasks"]["version"] = "0"
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(HabitusError, match="expected tables of version 2, got 0"):
        folder.read("tasks")


def test_a_folder_without_a_run_is_neither_made_nor_touched(tmp_path):
    (tmp_path / "there").mkdir()
    for name in ("there", "not there"):
        with pytest.raises(HabitusError, match="expected the folder of a run"), RunFolder(tmp_path / name).held():
            pass
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


def test_a_new_folder_is_made_for_its_owner_alone(tmp_path):
    with RunFolder(tmp_path / "runs" / "run").held(new=True):
        for folder in (tmp_path / "runs", tmp_path / "runs" / "run"):
            assert folder.stat().st_mode & 0o777 == 0o700


def test_two_cannot_work_in_one_folder(tmp_path):
    with (
        RunFolder(tmp_path / "run").held(new=True),
        pytest.raises(HabitusError, match="another habitus is at work in it"),
        RunFolder(tmp_path / "run").held(new=True),
    ):
        pass
    with RunFolder(tmp_path / "run").held(new=True):
        pass
