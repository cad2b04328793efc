"""Polars expressions against the engine: golden vectors, any cut of a query, nulls, and the lines of errors."""

import doctest
import importlib
import itertools
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from tests import strategies
from tests.strategies import Case

import habitus
from habitus.entropy import ESTIMATORS
from habitus.scoring import FILLS, Fill
from habitus_bindings import polars as tongue

GOLDEN = Path(__file__).parents[1] / "golden" / "scores.parquet"
FIELDS = habitus.Scores._fields
SCORE = tongue.score("counts", "ranking")


def random_frame(rows: int, K: int = 50, N: int = 10, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.gamma(0.35, 8, (rows, K))).astype(np.int32)
    counts[:, 0] += 1
    rankings = rng.permuted(np.tile(np.arange(K, dtype=np.int16), (rows, 1)), axis=1)[:, :N]
    rankings[rng.random((rows, N)) < 0.1] = -1
    return pl.DataFrame({"counts": counts, "ranking": rankings, "model": rng.integers(0, 3, rows)})


def of_numpy(frame: pl.DataFrame, **options: Any) -> habitus.Scores:
    return habitus.score(frame["counts"].to_numpy(), frame["ranking"].to_numpy(), **options)


def assert_same(scores: pl.DataFrame, expected: habitus.Scores) -> None:
    assert scores.columns == list(FIELDS)
    for name, values in expected._asdict().items():
        assert_array_equal(scores[name].fill_null(math.nan).to_numpy(), values, err_msg=name)


def test_docstrings():
    assert doctest.testmod(importlib.import_module("habitus_bindings.polars")).failed == 0


@pytest.mark.parametrize("fill", FILLS)
def test_golden_vectors(fill: Fill) -> None:
    frame = pl.read_parquet(GOLDEN)
    for (alpha,), own in frame.group_by("alpha"):
        scores = own.select(tongue.score("counts", "ranking", alpha=alpha, fill=fill)).unnest("counts")
        for row, found in zip(own.iter_rows(named=True), scores.iter_rows(named=True), strict=True):
            expected = habitus.score([row["counts"]], [row["ranking"]], alpha=alpha, fill=fill)
            for name, values in expected._asdict().items():
                value = math.nan if found[name] is None else found[name]
                assert_array_equal(value, values[0], err_msg=name)


@given(strategies.cases(), st.sampled_from(FILLS))
def test_engine(case: Case, fill: Fill) -> None:
    rankings = [[None if item < 0 else item for item in row] for row in case.rankings.tolist()]
    kinds = {"counts": pl.List(pl.Int32), "ranking": pl.List(pl.Int16)}
    frame = pl.DataFrame({"counts": case.counts[case.task].tolist(), "ranking": rankings}, schema=kinds)
    found = frame.select(tongue.score("counts", "ranking", alpha=case.alpha, fill=fill)).unnest("counts")
    assert_same(found, habitus.score(case.counts[case.task], case.rankings, alpha=case.alpha, fill=fill))


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_estimator(estimator: str) -> None:
    frame = random_frame(50)
    found = frame.select(pl.col("counts").habitus.entropy(estimator=estimator)).to_series()
    assert_array_equal(found.to_numpy(), ESTIMATORS[estimator](frame["counts"].to_numpy()))


@pytest.mark.parametrize("kind", [pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64])
@pytest.mark.parametrize("of", [pl.List, lambda inner: pl.Array(inner, 3)])
def test_types(kind: Any, of: Any) -> None:
    frame = pl.DataFrame({"counts": [[3, 0, 1], [0, 2, 2]], "ranking": [[2, 0, None], [1, None, None]]})
    typed = frame.cast({"counts": of(kind), "ranking": of(kind)})
    rankings = [[2, 0, -1], [1, -1, -1]]
    assert_same(typed.select(SCORE).unnest("counts"), habitus.score([[3, 0, 1], [0, 2, 2]], rankings))


def test_the_largest_unsigned_number_is_no_empty_slot() -> None:
    frame = pl.DataFrame(
        {"counts": [[1, 1]], "ranking": [[2**64 - 1, None]]}, schema_overrides={"ranking": pl.List(pl.UInt64)}
    )
    with pytest.raises(ValueError, match=r"candidates in \[0, 2\)"):
        frame.select(SCORE)


@pytest.mark.parametrize("lists", [False, True])
def test_any_cut_gives_the_same_bits(lists: bool) -> None:  # noqa: FBT001 - a case
    frame = random_frame(5000)
    expected = of_numpy(frame)
    if lists:
        frame = frame.with_columns(pl.col("counts", "ranking").arr.to_list())
    edges = [0, 1, 2, 33, 34, 1000, 1031, 4999, 5000]
    chunked = pl.concat([frame[a:b] for a, b in itertools.pairwise(edges)], rechunk=False)
    assert chunked["counts"].n_chunks() == len(edges) - 1
    query = chunked.lazy().select(SCORE).unnest("counts")
    with pl.Config() as config:
        config.set_streaming_chunk_size(77)
        for frame in (chunked.select(SCORE).unnest("counts"), query.collect(), query.collect(engine="streaming")):
            assert_same(frame, expected)
        for size in (7, 1024):
            config.set_streaming_chunk_size(size)
            assert_same(query.collect(engine="streaming"), expected)


def test_a_slice_is_not_copied() -> None:
    frame = random_frame(100)
    for part in (frame, frame[13:57], frame.with_columns(pl.col("counts").arr.to_list())[13:57]):
        held = tongue._lists("counts", part["counts"])
        assert held.numbers.ctypes.data == part["counts"].explode().to_numpy().ctypes.data
    whole, part = (tongue._lists("counts", each["counts"]).numbers.ctypes.data for each in (frame, frame[13:57]))
    assert part - whole == 13 * 50 * 4


def test_lazy_schema_is_declared() -> None:
    query = random_frame(3).lazy().select(SCORE, own=tongue.entropy("counts"))
    skill = query.unnest("counts").select("chance", "cross_entropy", "entropy").select(tongue.skill())
    assert query.collect_schema() == {"counts": tongue.SCORES, "own": pl.Float64}
    assert query.collect().schema == query.collect_schema()
    assert skill.collect_schema() == skill.collect().schema == {"entropy": tongue.SKILL}


def test_empty_frames() -> None:
    frame = random_frame(3).head(0)
    assert frame.select(SCORE).unnest("counts").shape == (0, 5)
    assert frame.lazy().select(tongue.chance("counts", 4)).collect(engine="streaming").shape == (0, 1)


def test_in_groups_and_over() -> None:
    frame = random_frame(200)
    expected = frame.select("model", ce=pl.Series(of_numpy(frame).cross_entropy))
    mean = tongue.cross_entropy("counts", "ranking").mean().alias("ce")
    for query in (
        frame.group_by("model").agg(mean),
        frame.lazy().group_by("model").agg(mean).collect(engine="streaming"),
    ):
        found = query.sort("model")["ce"].to_numpy()
        np.testing.assert_allclose(found, expected.group_by("model").mean().sort("model")["ce"].to_numpy(), rtol=1e-14)
    over = frame.select(tongue.cross_entropy("counts", "ranking").over("model"))
    assert_array_equal(over.to_series().to_numpy(), expected["ce"].to_numpy())
    below = frame.filter(tongue.cross_entropy("counts", "ranking") < 2)
    assert_array_equal(below.height, (expected["ce"] < 2).sum())


def test_null_rows_are_null() -> None:
    frame = pl.DataFrame({"counts": [[1, 2], None, [3, 4], [1, 1]], "ranking": [[0], [1], None, [1]]})
    for table in (frame, frame.cast({"counts": pl.Array(pl.Int64, 2), "ranking": pl.Array(pl.Int64, 1)})):
        scores = table.select(SCORE).to_series()
        assert scores.is_null().to_list() == [False, True, True, False]
        expected = habitus.score([[1, 2], [1, 1]], [[0], [1]])
        assert_same(scores.drop_nulls().struct.unnest(), expected)
        entropies = table.select(pl.col("counts").habitus.entropy()).to_series()
        assert entropies.is_null().to_list() == [False, True, False, False]
    nothing = pl.DataFrame(
        {"counts": [None, None], "ranking": [[1], [0]]}, schema_overrides={"counts": pl.List(pl.Int8)}
    )
    assert nothing.select(tongue.cross_entropy("counts", "ranking")).to_series().null_count() == 2


def test_rows_of_different_sizes() -> None:
    counts, rankings = [[5, 1], [1, 2, 3], [4, 4], [7, 1, 1, 1]], [[1], [0, 2], [0, 1], [3, 1]]
    scores = pl.DataFrame({"counts": counts, "ranking": rankings}).select(SCORE).unnest("counts")
    alone = [habitus.score([one], [ranking]) for one, ranking in zip(counts, rankings, strict=True)]
    assert_same(scores, habitus.Scores(*(np.concatenate(parts) for parts in zip(*alone, strict=True))))


def test_length_fills_up_with_empty_slots() -> None:
    frame = pl.DataFrame({"counts": [[5, 1, 1], [1, 2, 3]], "ranking": [[1], [0, 2]]})
    found = frame.select(tongue.score("counts", "ranking", length=3)).unnest("counts")
    assert_same(found, habitus.score([[5, 1, 1], [1, 2, 3]], [[1, -1, -1], [0, 2, -1]]))


def test_dropped_is_null() -> None:
    frame = pl.DataFrame({"counts": [[5, 1], [1, 2]], "ranking": [[1, -1], [0, 1]]})
    dropped = frame.select(tongue.cross_entropy("counts", "ranking", fill="drop")).to_series()
    assert dropped.is_null().to_list() == [True, False]
    whole = frame.select(tongue.score("counts", "ranking", fill="drop")).to_series().struct.field("cross_entropy")
    assert whole.equals(dropped.rename("cross_entropy"), null_equal=True)


def test_one_task_for_all_rankings() -> None:
    frame = pl.DataFrame({"ranking": [[0], [1], [2]]})
    found = frame.select(tongue.score(pl.lit(pl.Series("counts", [[5, 1, 1]])), "ranking")).unnest("counts")
    assert_same(found, habitus.score([[5, 1, 1]] * 3, [[0], [1], [2]]))


def test_chance_and_worst() -> None:
    frame = random_frame(40)
    found = frame.select(
        chance=pl.col("counts").habitus.chance(10, alpha=0.3), worst=pl.col("counts").habitus.worst(10, alpha=0.3)
    )
    expected = of_numpy(frame, alpha=0.3)
    assert_array_equal(found["chance"].to_numpy(), expected.chance)
    assert_array_equal(found["worst"].to_numpy(), expected.worst)


def test_namespace_is_the_functions() -> None:
    frame, counts = random_frame(40), pl.col("counts").habitus
    for of_namespace, function in [
        (counts.entropy(alpha=0.5), tongue.entropy("counts", alpha=0.5)),
        (counts.cross_entropy("ranking", fill="worst"), tongue.cross_entropy("counts", "ranking", fill="worst")),
        (counts.score(pl.col("ranking"), length=12), tongue.score("counts", "ranking", length=12)),
    ]:
        assert frame.select(of_namespace).equals(frame.select(function))


def test_skill_of_each_model() -> None:
    frame = random_frame(300)
    scored = frame.select("model", SCORE).unnest("counts")
    for query in (scored.lazy(), frame.lazy().select("model", SCORE).unnest("counts")):
        found = (
            query.group_by("model")
            .agg(skill=tongue.skill(), bounded=tongue.bounded_skill())
            .collect(engine="streaming")
        )
        for model, skill, bounded in found.iter_rows():
            own = of_numpy(frame.filter(model=model))
            assert skill == habitus.skill(own)._asdict()
            assert bounded == habitus.bounded_skill(own)._asdict()


def test_skill_of_nothing_is_null() -> None:
    frame = pl.DataFrame({"entropy": [1.0], "chance": [2.0], "cross_entropy": pl.Series([None], dtype=pl.Float64)})
    assert frame.select(tongue.skill()).to_series().to_list() == [{"value": None, "tasks": 0, "excluded": 1}]


GOOD = {"counts": [[1, 2, 3], [4, 5, 6]], "ranking": [[0, 1], [1, 2]]}
BAD = [
    (
        {"counts": [[1, 2, 3], [4, -5, 6]]},
        ValueError,
        "counts: expected counts >= 0, got -5 for row 1 of its batch, candidate 1 (counts [4, -5, 6], ranking [1, 2])",
    ),
    (
        {"counts": [[1, 2, 3], [0, 0, 0]]},
        ValueError,
        (
            "counts: expected a positive count in every row, row 1 of its batch has none; leave it out "
            "(counts [0, 0, 0], ranking [1, 2])"
        ),
    ),
    (
        {"counts": [None, [1, None, 3]]},
        ValueError,
        "counts: expected a number for every candidate, row 1 of its batch has none for candidate 1",
    ),
    (
        {"ranking": [[0, 1], [2, 2]]},
        ValueError,
        "rankings: expected each candidate once, row 1 of its batch lists 2 twice (counts [4, 5, 6], ranking [2, 2])",
    ),
    (
        {"counts": [None, [4, 5, 6]], "ranking": [[0, 1], [0, 3]]},
        ValueError,
        "rankings: expected -1 or candidates in [0, 3), row 1 of its batch holds 3 (counts [4, 5, 6], ranking [0, 3])",
    ),
    (
        {"ranking": [[0, 1], [0, 1, 2, -1]]},
        ValueError,
        (
            "rankings: expected lists of at most 3 candidates, got 4 slots, in row 1 of its batch "
            "(counts [4, 5, 6], ranking [0, 1, 2, -1])"
        ),
    ),
    (
        {"ranking": [[0, 1], []]},
        ValueError,
        "rankings: expected at least one slot, got none, in row 1 of its batch (counts [4, 5, 6], ranking [])",
    ),
    (
        {"counts": [[1, 2, 3], []]},
        ValueError,
        (
            "counts: expected a 2-d array with at least one column, got shape (1, 0), in row 1 of its batch "
            "(counts [], ranking [1, 2])"
        ),
    ),
    ({"counts": [1, 2]}, TypeError, "counts: expected lists of integers, got Int64"),
    ({"counts": [["a"], ["b"]]}, TypeError, "counts: expected lists of integers, got List(String)"),
    ({"counts": [[1.0, 2.0], [0.5, 1.0]]}, TypeError, "counts: expected integers, got float64"),
    ({"ranking": [[0.0], [1.0]]}, TypeError, "rankings: expected integers, got float64"),
]


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
@pytest.mark.parametrize(("columns", "kind", "line"), BAD)
def test_a_bad_row_is_one_clear_line(columns: Any, kind: type[Exception], line: str, engine: Any) -> None:
    query = pl.DataFrame(GOOD | columns, strict=False).lazy().select(SCORE)
    with pytest.raises(kind) as caught:
        query.collect(engine=engine)
    found = str(caught.value).splitlines()[0]
    # A streaming query of two rows has two batches.
    assert (found.replace("row 0 of", "row 1 of") if engine == "streaming" else found) == line


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (
            lambda: tongue.entropy("n", estimator="best"),
            f"estimator: expected one of {', '.join(ESTIMATORS)}, got 'best'",
        ),
        (
            lambda: tongue.entropy("n", estimator="nsb", alpha=1),
            "alpha: expected none for nsb; only plug-in and dirichlet have a pseudo-count",
        ),
        (lambda: tongue.entropy("n", alpha=-1), "alpha: expected a finite pseudo-count > 0, got -1"),
        (lambda: tongue.score("n", "r", alpha=0), "alpha: expected a finite pseudo-count > 0, got 0"),
        (lambda: tongue.score("n", "r", fill="no"), "fill: expected one of chance, optimistic, worst, drop, got 'no'"),  # type: ignore[arg-type]
        (lambda: tongue.score("n", "r", length=0), "length: expected a whole number of slots >= 1, got 0"),
        (lambda: tongue.chance("n", 2.0), "length: expected a whole number of slots >= 1, got 2.0"),  # type: ignore[arg-type]
    ],
)
def test_a_bad_option_is_refused_before_the_query(make: Any, line: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole message is compared
        make()
    assert str(caught.value) == line


def test_types_are_checked(tmp_path: Path) -> None:
    program = tmp_path / "snippet.py"
    program.write_text(
        "import polars as pl\n"
        "from habitus_bindings.polars import cross_entropy, score, skill\n"
        'ok: pl.Expr = cross_entropy("counts", pl.col("ranking"), fill="worst")\n'
        "also: pl.Expr = skill()\n"
        'wrong: int = score("counts", "ranking")\n'
        'unknown = cross_entropy("counts", "ranking", fill="no")\n',
        encoding="utf-8",
    )
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-error-summary",
        "--cache-dir",
        str(tmp_path),
        str(program),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert [line.split("snippet.py:")[1].split(" ")[0] for line in done.stdout.splitlines()] == ["5:", "6:"], (
        done.stdout
    )


def test_without_polars() -> None:
    program = "import sys; sys.modules['polars'] = None; import habitus_bindings.polars"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == (
        "ImportError: habitus_bindings.polars: expected polars >= 2; pip install 'polars>=2'"
    )
