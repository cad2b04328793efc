"""What interrupts score_dataset, and what it refuses: nothing that is complete is lost, and one line says where."""

import errno
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.bindings.parquet import assert_scores, in_memory, lists, random_case, write

import habitus
from habitus_bindings.dataset import DatasetError, parts, score_dataset

# Runs the call in a process that kills itself before the n-th of what touches the disk for good.
KILLED = """
import os, signal, sys
from pathlib import Path
from habitus_bindings.dataset import parts, score_dataset
left = int(sys.argv[2])
def counted(call):
    def wrapped(*arguments, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **named)
    return wrapped
Path.replace, parts.os.fsync = counted(Path.replace), counted(os.fsync)
folder = Path(sys.argv[1])
score_dataset(folder / "tasks", folder / "rankings", folder / "out", part=100, chunk=30)
"""


@pytest.mark.parametrize("moment", [0, 2, 3, 5, 9, 12, 20])
def test_killed_at_any_moment_it_goes_on(tmp_path: Path, moment: int) -> None:
    case = random_case(4, 90, 500)
    paths = write(tmp_path, case, group=40, files=2)
    killed = subprocess.run([sys.executable, "-c", KILLED, tmp_path, str(moment)], check=False)
    assert killed.returncode == -9
    before = complete(tmp_path / "out")
    report = score_dataset(*paths, tmp_path / "out", part=100, chunk=77)
    assert report.resumed == 100 * before
    assert complete(tmp_path / "out") == 5
    assert_scores(tmp_path / "out", case, in_memory(case))
    assert not list((tmp_path / "out").glob("*.partial"))
    assert moment < 12 or before


def complete(out: Path) -> int:
    manifest = out / "manifest.json"
    return len(json.loads(manifest.read_text())["parts"]) if manifest.exists() else 0


def test_a_failure_loses_nothing_that_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = random_case(5, 90, 500)
    paths = write(tmp_path, case)
    calls = iter(range(1_000))

    def failing(*arguments: Any, **named: Any) -> habitus.Scores:
        if next(calls) == 16:
            raise MemoryError("injected")
        return score(*arguments, **named)

    score = habitus.score
    monkeypatch.setattr(habitus, "score", failing)
    with pytest.raises(MemoryError, match="injected"):
        score_dataset(*paths, tmp_path / "out", part=100, chunk=30, threads=1)
    monkeypatch.undo()
    assert 0 < complete(tmp_path / "out") < 5
    assert not list((tmp_path / "out").glob(".*.partial"))
    written = {file: file.stat().st_mtime_ns for file in (tmp_path / "out").glob("*.parquet")}
    score_dataset(*paths, tmp_path / "out", part=100)
    assert_scores(tmp_path / "out", case, in_memory(case))
    assert {file: file.stat().st_mtime_ns for file in written} == written


@pytest.mark.parametrize(("touched", "times"), [((pq.ParquetWriter, "write_table"), 5), ((parts.os, "fsync"), 7)])
def test_a_full_disk_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, touched: tuple[Any, str], times: int
) -> None:
    case = random_case(13, 90, 500)
    paths = write(tmp_path, case)
    calls, untouched = iter(range(1_000)), getattr(*touched)

    def full(*arguments: Any, **named: Any) -> Any:
        if next(calls) >= times:
            raise OSError(errno.ENOSPC, "No space left on device")
        return untouched(*arguments, **named)

    monkeypatch.setattr(*touched, full)
    with pytest.raises(OSError, match=r"the disk is full; make room, and the same call goes on .*out'$") as caught:
        score_dataset(*paths, tmp_path / "out", part=100)
    assert caught.value.errno == errno.ENOSPC
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    assert 0 < complete(tmp_path / "out") < 5
    assert score_dataset(*paths, tmp_path / "out", part=100).resumed > 0
    assert_scores(tmp_path / "out", case, in_memory(case))


@pytest.mark.parametrize("table", ["tasks", "rankings"])
@pytest.mark.parametrize("damage", ["flipped bit", "gone"])
def test_a_damaged_part_is_made_again_and_no_other(tmp_path: Path, table: str, damage: str) -> None:
    case = random_case(6, 90, 500)
    paths = write(tmp_path, case, group=40)
    score_dataset(*paths, tmp_path / "out", part=100, chunk=30)
    file = tmp_path / "out" / f"{table}-00002.parquet"
    times = {each: each.stat().st_mtime_ns for each in (tmp_path / "out").glob("*.parquet")}
    if damage == "gone":
        file.unlink()
    else:
        content = bytearray(file.read_bytes())
        content[40] ^= 4
        file.write_bytes(content)
    report = score_dataset(*paths, tmp_path / "out", part=100, chunk=11)
    assert report.resumed == 400
    assert_scores(tmp_path / "out", case, in_memory(case))
    anew = {each.name for each, made in times.items() if each.stat().st_mtime_ns != made}
    assert anew == {"tasks-00002.parquet", "rankings-00002.parquet"}
    assert score_dataset(*paths, tmp_path / "out", part=100).resumed == 500


def test_other_settings_and_inputs_are_refused_with_what_differs(tmp_path: Path) -> None:
    case = random_case(7, 20, 60)
    tasks, rankings = write(tmp_path, case)
    score_dataset(tasks, rankings, tmp_path / "out")
    with pytest.raises(DatasetError, match=r'settings.fill was "chance", is "worst".* choose another folder'):
        score_dataset(tasks, rankings, tmp_path / "out", fill="worst")
    with pytest.raises(DatasetError, match=r"settings.alpha was null, is 0.5"):
        score_dataset(tasks, rankings, tmp_path / "out", alpha=0.5)
    pq.write_table(pq.read_table(rankings / "000.parquet").slice(0, 50), rankings / "000.parquet")
    with pytest.raises(DatasetError, match=r"inputs.rankings\[0\].bytes was \d+, is \d+"):
        score_dataset(tasks, rankings, tmp_path / "out")
    assert_scores(tmp_path / "out", case, in_memory(case))


def test_files_that_were_added_are_scored_too(tmp_path: Path) -> None:
    case = random_case(8, 20, 60)
    tasks, rankings = write(tmp_path, case, files=3)
    first = [rankings / "000.parquet", rankings / "001.parquet"]
    assert score_dataset(tasks, first, tmp_path / "out", part=25).rankings == 40
    assert score_dataset(tasks, rankings, tmp_path / "out", part=25).resumed == 40
    assert_scores(tmp_path / "out", case, in_memory(case))


def test_a_later_file_may_be_mended(tmp_path: Path) -> None:
    case = random_case(9, 20, 60)
    tasks, rankings = write(tmp_path, case, files=3)
    good = pq.read_table(rankings / "002.parquet")
    broken = case.rankings.copy()
    broken[57, 2] = 12
    pq.write_table(good.set_column(1, "ranking", lists(broken[40:])), rankings / "002.parquet")
    with pytest.raises(DatasetError, match=r"002.parquet, row 17: expected -1 or candidates in \[0, 12\), got 12"):
        score_dataset(tasks, rankings, tmp_path / "out", part=20, chunk=20)
    pq.write_table(good, rankings / "002.parquet")
    assert score_dataset(tasks, rankings, tmp_path / "out", part=20, chunk=20).resumed == 40
    assert_scores(tmp_path / "out", case, in_memory(case))


def test_one_process_at_a_time(tmp_path: Path) -> None:
    paths = write(tmp_path, random_case(10, 5, 5))
    with parts.held(tmp_path / "out"), pytest.raises(DatasetError, match="another process is at work"):
        score_dataset(*paths, tmp_path / "out")


COUNTS, RANKING = [[3, 1, 2]] * 4, [[0, 1]] * 4
BAD: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no counts": ({"count": COUNTS}, {}, r"tasks.parquet: expected a column 'counts' .* found count; rename it"),
    "no ranking": ({}, {"task": range(4)}, r"rankings.parquet: expected a column 'ranking'"),
    "no join": ({}, {"ranking": RANKING}, r"rankings.parquet: expected a column 'task', .* or 'task_id'"),
    "floats": ({"counts": [[0.5]]}, {}, r"tasks.parquet: expected counts to be lists of integers, got list<.*double"),
    "text": ({}, {"ranking": ["0, 1"] * 4}, r"rankings.parquet: expected ranking to be lists of integers, got string"),
    "null list": ({"counts": [*COUNTS[:3], None]}, {}, r"tasks.parquet, row 3: expected counts to be a list, got null"),
    "null count": ({"counts": [*COUNTS[:3], [1, None, 2]]}, {}, r"row 3: .* got null at 1"),
    "short": ({"counts": [*COUNTS[:3], [1, 2]]}, {}, r"tasks.parquet, row 3: .* lists of 3, got one of 2"),
    "long": ({"counts": [*COUNTS[:3], [1] * 4]}, {}, r"tasks.parquet, rows 0 to 3: .* lists of 3, one is longer"),
    "empty lists": (
        {"counts": pa.array([[]] * 4, pa.list_(pa.int32()))},
        {},
        r"tasks.parquet, row 0: expected counts to hold at least one number",
    ),
    "no rows": ({"counts": pa.array([], pa.list_(pa.int32()))}, {}, r"tasks.parquet: expected tasks, found no row"),
    "negative": ({"counts": [*COUNTS[:2], [1, -7, 2], [1, 1, 1]]}, {}, r"tasks.parquet, row 2: .* -7 for candidate 1"),
    "zeros": ({"counts": [*COUNTS[:2], [0, 0, 0], [1, 1, 1]]}, {}, r"tasks.parquet, row 2: .* got 3 zeros; leave"),
    "too many slots": ({}, {"ranking": [[0, 1, 2, -1]] * 4}, r"rankings.parquet: .* at most 3 candidates, got 4"),
    "candidate": ({}, {"ranking": [*RANKING[:3], [0, 3]]}, r"rankings.parquet, row 3: .* in \[0, 3\), got 3"),
    "below": ({}, {"ranking": [*RANKING[:3], [0, -2]]}, r"rankings.parquet, row 3: .* got -2"),
    "twice": ({}, {"ranking": [*RANKING[:1], [2, 2], *RANKING[2:]]}, r"rankings.parquet, row 1: .* got 2 twice"),
    "task": ({}, {"task": [0, 1, 4, 2]}, r"rankings.parquet, row 2: expected task to be a row .* 0 to 3, got 4"),
    "null task": ({}, {"task": [0, None, 1, 2]}, r"rankings.parquet, row 1: expected task to name a task, got null"),
    "task of text": ({}, {"task": list("abcd")}, r"rankings.parquet: expected task to be integers, .* got string"),
    "score's name": ({}, {"valid": [1] * 4}, r"rankings.parquet: expected no column called valid"),
    "unknown id": (
        {"task_id": list("abcd")},
        {"task_id": list("abce")},
        r"rankings.parquet, row 3: .* none called 'e'",
    ),
    "ids of other types": (
        {"task_id": list("abcd")},
        {"task_id": range(4)},
        r"expected task_id of string, .* got int64",
    ),
    "an id twice": (
        {"task_id": list("abca")},
        {"task_id": list("abca")},
        r"tasks.parquet, row 3: .* once, 'a' is twice",
    ),
}


@pytest.mark.parametrize("fault", BAD)
def test_bad_input_is_named_by_file_and_row(tmp_path: Path, fault: str) -> None:
    tasks, rankings, message = BAD[fault]
    default = {"ranking": RANKING, "task": range(4)}
    if fault in {"no ranking", "no join"}:
        default = {}
    pq.write_table(pa.table({"counts": COUNTS} | tasks if "count" not in tasks else tasks), tmp_path / "tasks.parquet")
    pq.write_table(pa.table(default | rankings), tmp_path / "rankings.parquet")
    with pytest.raises(DatasetError, match=message) as caught:
        score_dataset(tmp_path / "tasks.parquet", tmp_path / "rankings.parquet", tmp_path / "out")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_cut_off_is_named(tmp_path: Path) -> None:
    tasks, rankings = write(tmp_path, random_case(11, 50, 50))
    file = rankings / "000.parquet"
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(DatasetError, match=r"000.parquet: expected a readable Parquet file, got: .*; restore it"):
        score_dataset(tasks, rankings, tmp_path / "out")
    with pytest.raises(DatasetError, match=r"tasks: expected Parquet files, found none at .*nowhere"):
        score_dataset(tmp_path / "nowhere", rankings, tmp_path / "out")
