"""Scores of Parquet files are those of habitus.score, to the bit, however files are cut, and whatever interrupts."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from tests import strategies
from tests.bindings.parquet import (
    OF_RANKINGS,
    OF_TASKS,
    assert_scores,
    in_memory,
    lists,
    random_case,
    results,
    task_name,
    write,
)
from tests.strategies import Case

import habitus
from habitus.scoring import FILLS
from habitus_bindings.dataset import inputs, joining, score_dataset, sources
from habitus_runners import tables

GOLDEN = Path(__file__).parents[1] / "golden" / "scores.parquet"


@given(
    case=strategies.cases(),
    group=st.integers(1, 5),
    files=st.integers(1, 3),
    chunk=st.integers(1, 7),
    part=st.integers(1, 7),
    by_id=st.booleans(),
    fill=st.sampled_from(FILLS),
    limit=st.sampled_from([64, 1 << 10, 1 << 26]),
    block=st.sampled_from([1, 3, 1 << 16]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_nothing_depends_on_how_files_are_cut(
    tmp_path_factory: pytest.TempPathFactory,
    case: Case,
    group: int,
    files: int,
    chunk: int,
    part: int,
    by_id: bool,  # noqa: FBT001 - hypothesis draws it
    fill: str,
    limit: int,
    block: int,
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    paths = write(folder, case, group=group, files=files, by_id=by_id)
    with pytest.MonkeyPatch.context() as patched:
        for module in (sources, joining):
            patched.setattr(module, "LIMIT", limit)
        for module in (sources, joining, inputs):
            patched.setattr(module, "BLOCK", block)
        report = score_dataset(*paths, folder / "out", alpha=case.alpha, fill=fill, chunk=chunk, part=part)
    assert report[:2] == (len(case.rankings), len(case.counts))
    assert_scores(folder / "out", case, in_memory(case, alpha=case.alpha, fill=fill))


@pytest.mark.parametrize("key", ["task", "task_id"])
@pytest.mark.parametrize("order", ["of the tasks", "once for each of three models", "none"])
def test_rankings_may_come_in_any_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: str, key: str) -> None:
    case = random_case(1, 700, 2_100)
    if order == "none":
        case = case._replace(task=np.random.default_rng(2).permutation(case.task))
    if order == "once for each of three models":
        case = case._replace(task=np.tile(np.arange(700), 3))
    monkeypatch.setattr("habitus_bindings.dataset.joining.LIMIT", 2_000)
    paths = write(tmp_path, case, group=90, by_id=key == "task_id")
    report = score_dataset(*paths, tmp_path / "out", chunk=250, part=600)
    assert report[:2] == (2_100, 700)
    assert_scores(tmp_path / "out", case, in_memory(case))


def test_tasks_are_scored_with_their_rankings_and_not_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = random_case(16, 700, 7_000)
    scored, score = list[int](), habitus.score

    def counting(counts: np.ndarray, *arguments: Any, **named: Any) -> habitus.Scores:
        scored.append(len(counts))
        return score(counts, *arguments, **named)

    monkeypatch.setattr(habitus, "score", counting)
    score_dataset(*write(tmp_path, case), tmp_path / "out", chunk=500)
    monkeypatch.undo()
    assert len(scored) == 14 + (case.task[-1] < 699)
    assert sum(scored) < 700 + len(scored)
    assert_scores(tmp_path / "out", case, in_memory(case))


@pytest.mark.parametrize("needed", [range(100, 120), [3, 4, 5, 6, 399, 400, 401], [*range(40), *range(200, 700)]])
@pytest.mark.parametrize("group", [1 << 20, 90])
def test_tasks_that_no_ranking_needs_are_scored_too(tmp_path: Path, needed: Any, group: int) -> None:
    case = random_case(15, 700, len(needed))._replace(task=np.array(needed))
    paths = write(tmp_path, case, group=group)
    assert score_dataset(*paths, tmp_path / "out", chunk=50, part=200).tasks == 700
    assert_scores(tmp_path / "out", case, in_memory(case))


@pytest.mark.parametrize(
    ("fill", "column"), [("optimistic", "optimistic"), ("chance", "cross_entropy"), ("worst", "filled_worst")]
)
def test_golden_vectors(tmp_path: Path, fill: str, column: str) -> None:
    golden = pq.read_table(GOLDEN)
    sizes = [
        (alpha, len(counts), len(ranking))
        for alpha, counts, ranking in zip(
            *(golden[name].to_pylist() for name in ("alpha", "counts", "ranking")), strict=True
        )
    ]
    scored = 0
    for number, size in enumerate(sorted(set(sizes))):
        rows = golden.filter(pa.array([each == size for each in sizes]))
        file = tmp_path / f"{number}.parquet"
        pq.write_table(rows.select(["counts", "ranking"]), file)
        score_dataset(file, None, tmp_path / str(number), alpha=size[0], fill=fill)
        found = results(tmp_path / str(number), "rankings")
        for name, expected in {**{each: each for each in OF_TASKS}, "cross_entropy": column}.items():
            assert_allclose(found[name], rows[expected], rtol=0, atol=1e-12)
        scored += len(found)
    assert scored == 600


def test_the_tables_of_a_run_go_in_as_they_are(tmp_path: Path) -> None:
    case = random_case(3, 40, 120)
    schema = tables.tasks_schema(12, ["age"])
    of_tasks = {"task_id": [task_name(task) for task in range(40)], "counts": case.counts.tolist()}
    columns = [pa.array(of_tasks.get(field.name, [None] * 40), field.type) for field in schema]
    pq.write_table(pa.table(columns, schema=schema), tmp_path / "tasks.parquet", compression="zstd")
    schema = tables.rankings_schema(5)
    of_rankings: dict[str, list[Any]] = {
        "answer_id": [f"answer {row}" for row in range(120)],
        "task_id": [task_name(task) for task in case.task],
        "model": ["random"] * 60 + ["perfect"] * 60,
        "ranking": case.rankings.tolist(),
        "match_levels": [[0] * 5] * 120,
    }
    columns = [pa.array(of_rankings.get(field.name, [None] * 120), field.type) for field in schema]
    pq.write_table(pa.table(columns, schema=schema), tmp_path / "rankings.parquet", compression="zstd")
    score_dataset(tmp_path / "tasks.parquet", tmp_path / "rankings.parquet", tmp_path / "out", joined=True, part=50)
    found, expected = results(tmp_path / "out", "rankings"), in_memory(case)
    assert found["answer_id"].to_pylist() == of_rankings["answer_id"]
    assert found["model"].to_pylist() == of_rankings["model"]
    assert found["match_levels"].to_pylist() == of_rankings["match_levels"]
    assert results(tmp_path / "out", "tasks")["task_id"].to_pylist() == of_tasks["task_id"]
    assert_array_equal(found["cross_entropy"], expected.cross_entropy)
    assert_array_equal(found["worst"], expected.worst[case.task])
    assert found.schema.field("entropy").metadata == {b"unit": b"nats"}


PEAK = """
import sys
from pathlib import Path
from habitus_bindings.dataset import score_dataset
def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024
folder = Path(sys.argv[1])
score_dataset(folder / "small.parquet", None, folder / "first", threads=1)
before = peak()
print(score_dataset(folder / "large.parquet", None, folder / "second", threads=1).rankings, peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_a_small_file_that_expands_takes_little_memory(tmp_path: Path) -> None:
    """A million rows of 50 counts in one row group: 200 MB, and as much again to decode, from ten kilobytes."""
    rows, candidates = 1_000_000, 50
    for name, size in {"small": 100, "large": rows}.items():
        counts = pa.array(np.ones(size * candidates, np.int32))
        ranking = pa.array(np.zeros(size, np.int16))
        columns = [pa.FixedSizeListArray.from_arrays(counts, candidates), pa.FixedSizeListArray.from_arrays(ranking, 1)]
        table = pa.table(columns, names=["counts", "ranking"])
        pq.write_table(table, tmp_path / f"{name}.parquet", row_group_size=rows, compression="zstd")
    assert (tmp_path / "large.parquet").stat().st_size < 1 << 16
    done = subprocess.run([sys.executable, "-c", PEAK, tmp_path], check=True, capture_output=True, text=True)
    scored, more = map(int, done.stdout.split())
    assert scored == rows
    assert more < 250


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "habitus_bindings.dataset", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_command(tmp_path: Path) -> None:
    case = random_case(12, 20, 60)
    tasks, rankings = write(tmp_path, case)
    done = run(tasks, rankings, tmp_path / "out", "--fill", "worst", "--alpha", 0.5, "--carry", "answer")
    assert done.returncode == 0
    assert done.stdout == f"60 rankings of 20 tasks scored; 2 files in {tmp_path / 'out'}\n"
    assert_scores(tmp_path / "out", case, in_memory(case, fill="worst", alpha=0.5))
    assert results(tmp_path / "out", "rankings").column_names == ["answer", *OF_RANKINGS]
    again = run(tasks, rankings, tmp_path / "out", "--fill", "worst", "--alpha", 0.5, "--carry", "answer")
    assert "scored, 60 of them before;" in again.stdout
    refused = run(tasks, rankings, tmp_path / "out", "--ranking", "list")
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"{rankings / '000.parquet'}: expected a column 'list'")
    assert refused.stderr.count("\n") == 1
    assert "Traceback" in run(tasks, rankings, tmp_path / "out", "--ranking", "list", "--debug").stderr


def test_command_on_a_table_of_both(tmp_path: Path) -> None:
    case = random_case(14, 20, 20)._replace(task=np.arange(20))
    file = tmp_path / "rows.parquet"
    columns = {"counts": lists(case.counts), "ranking": lists(case.rankings), "answer": np.arange(20)}
    pq.write_table(pa.table(columns), file)
    done = run(file, "-", tmp_path / "out")
    assert done.stdout == f"20 rankings of 0 tasks scored; 1 files in {tmp_path / 'out'}\n"
    found, expected = results(tmp_path / "out", "rankings"), in_memory(case)
    assert found.column_names == ["answer", *OF_TASKS, *OF_RANKINGS]
    for column in (*OF_TASKS, *OF_RANKINGS):
        assert_array_equal(found[column], getattr(expected, column))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": 0}, "alpha: expected a finite pseudo-count > 0"),
        ({"fill": "best"}, "fill: expected one of chance"),
        ({"threads": 0}, "threads: expected at least 1, got 0"),
        ({"chunk": 0}, "chunk: expected at least 1, got 0"),
    ],
)
def test_options_out_of_range(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        score_dataset("tasks", "rankings", tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()
