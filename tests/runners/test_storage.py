"""The run folder: what is written is what is read, whatever happens in between."""

import json

import pyarrow as pa
import pytest

from habitus_runners.errors import HabitusError
from habitus_runners.storage import RunFolder, atomic


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


def test_a_crash_between_manifest_and_file_leaves_the_old_table(tmp_path):
    folder = RunFolder(tmp_path)
    folder.write("tasks", _table(3))
    before = (tmp_path / "tasks.parquet").read_bytes()
    folder.write("tasks", _table(4))
    (tmp_path / "tasks.parquet").write_bytes(before)
    assert folder.read("tasks").num_rows == 3


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


def test_tables_of_another_version_are_refused(tmp_path):
    folder = RunFolder(tmp_path)
    folder.write("tasks", _table(1))
    manifest = folder.manifest
    manifest["tables"]["tasks"]["version"] = "0"
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(HabitusError, match="expected tables of version 1, got 0"):
        folder.read("tasks")


def test_a_folder_without_a_run_is_not_made(tmp_path):
    with pytest.raises(HabitusError, match="expected the folder of a run"), RunFolder(tmp_path / "run").held():
        pass
    assert not (tmp_path / "run").exists()


def test_two_cannot_work_in_one_folder(tmp_path):
    with (
        RunFolder(tmp_path / "run").held(new=True),
        pytest.raises(HabitusError, match="another habitus is at work in it"),
        RunFolder(tmp_path / "run").held(new=True),
    ):
        pass
    with RunFolder(tmp_path / "run").held(new=True):
        assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700
