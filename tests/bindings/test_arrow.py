"""The engine on Arrow: golden vectors to the bit, every public function as on NumPy, nulls, results, refusals."""

import doctest
import functools
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from tests import strategies
from tests.strategies import Case

import habitus
from habitus.groups import Groups, Proxies
from habitus.members import Members
from habitus.proxies import ByActivity
from habitus.scoring import FILLS, Fill
from habitus_bindings import arrow
from habitus_bindings.columns import Column, Table

# As plain Python (NUMBA_DISABLE_JIT=1) the kernels' generator warns that its 64-bit words wrap.
pytestmark = pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")

GOLDEN = Path(__file__).parents[1] / "golden" / "scores.parquet"
COLUMNS: dict[Fill, str] = {"optimistic": "optimistic", "chance": "cross_entropy", "worst": "filled_worst"}
SCORING = ("score", "score_values", "cross_entropy", "skill", "bounded_skill")
MODULES = [name for name in habitus.__all__ if inspect.ismodule(getattr(habitus, name))]


def as_arrow(value: Any) -> Any:
    """Arrays of numbers as columns of pyarrow, alone or in named tuples; others as they are."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(as_arrow, value))
    if isinstance(value, np.ndarray) and value.ndim == 1:
        return pa.array(value)
    if isinstance(value, np.ndarray) and value.ndim == 2 and value.shape[1]:
        return pa.FixedSizeListArray.from_arrays(pa.array(value.reshape(-1)), value.shape[1])
    return value


def assert_same(found: Any, expected: Any) -> None:
    """To the bit, and every array exports Arrow."""
    if isinstance(expected, np.ndarray) and expected.ndim:
        assert isinstance(found, Column)
        assert found.to_numpy().dtype == expected.dtype
        assert_array_equal(found.to_numpy(), expected)
        assert pa.array(found).to_numpy(zero_copy_only=False).shape == expected.shape[:1]
    elif isinstance(expected, tuple):
        assert getattr(found, "_fields", None) == getattr(expected, "_fields", None)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif not callable(expected):
        assert_array_equal(found, expected)


@pytest.mark.parametrize("fill", COLUMNS)
def test_golden_vectors_to_the_bit(fill: Fill) -> None:
    table = pq.read_table(GOLDEN)
    assert len(table) == 600
    for i, row in enumerate(table.to_pylist()):
        one = table.slice(i, 1)
        scores = arrow.score(one["counts"], one.select(["ranking"]), alpha=row["alpha"], fill=fill)
        expected = habitus.score([row["counts"]], [row["ranking"]], alpha=row["alpha"], fill=fill)
        assert_same(tuple(scores), tuple(expected))
        assert abs(scores.cross_entropy[0] - row[COLUMNS[fill]]) < 1e-12


@given(strategies.cases(), st.sampled_from(FILLS))
def test_scores_are_those_of_arrays(case: Case, fill: Fill) -> None:
    expected = habitus.score(case.counts, case.rankings, task=case.task, alpha=case.alpha, fill=fill)
    rows = [[None if item < 0 else item for item in row] for row in case.rankings.tolist()]
    for rankings in (pa.array(rows, pa.list_(pa.uint8())), pl.Series(rows, dtype=pl.List(pl.Int64)), case.rankings):
        scores = arrow.score(as_arrow(case.counts), rankings, task=pa.array(case.task), alpha=case.alpha, fill=fill)
        assert_same(tuple(scores), tuple(expected))
        options = {"task": pl.Series(case.task), "min_gap": 0.001}
        skill = habitus.skill(expected, task=case.task, min_gap=0.001)
        bounded = habitus.bounded_skill(expected, task=case.task, min_gap=0.001)
        assert_array_equal(arrow.skill(scores, **options), skill)
        assert_array_equal(arrow.skill(expected, **options), skill)
        assert_array_equal(arrow.bounded_skill(scores, **options), bounded)


@given(st.data())
def test_scores_of_real_targets_are_those_of_arrays(data: st.DataObject) -> None:
    case = data.draw(strategies.cases(max_candidates=6))
    candidates = case.counts.shape[1]
    weights = np.stack([data.draw(strategies.distributions(candidates)) for _ in case.counts])
    values = np.stack([data.draw(strategies.distributions(candidates, least=0.01)) for _ in case.counts])
    numbers, columns = (weights, values, case.rankings), map(as_arrow, (weights, values, case.rankings))
    given = tuple(columns)
    expected = habitus.score_values(*numbers, task=case.task)
    assert_same(tuple(arrow.score_values(*given, task=pa.array(case.task))), tuple(expected))
    assert_same(arrow.cross_entropy(*given, task=case.task), expected.cross_entropy)


@pytest.mark.parametrize("cells", [1, 1 << 40])
@given(strategies.cases(), st.data())
def test_chunks_change_nothing(cells: int, case: Case, data: st.DataObject) -> None:
    rows = len(case.rankings)
    counts = case.counts[case.task]
    cuts, others = (data.draw(st.lists(st.integers(0, rows), max_size=3).map(sorted)) for _ in range(2))
    expected = habitus.score(counts, case.rankings)
    weights = (counts + 1) / (counts + 1).sum(axis=1, keepdims=True)
    values = habitus.score_values(weights, weights, case.rankings)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(arrow, "_CELLS", cells)
        for cut in (cuts, others):
            rankings = pa.chunked_array([as_arrow(part) for part in np.split(case.rankings, cut)])
            scores = arrow.score(pa.chunked_array([as_arrow(part) for part in np.split(counts, cuts)]), rankings)
            assert_same(tuple(scores), tuple(expected))
            column = pa.chunked_array([as_arrow(part) for part in np.split(weights, cut)])
            assert_same(tuple(arrow.score_values(column, column, rankings)), tuple(values))


def test_a_refusal_names_the_row_of_the_column_not_of_the_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow, "_CELLS", 1)
    counts, wrong = pa.chunked_array([[[1, 2]], [[3, 4], [5, -6]]]), pa.chunked_array([[[0]], [[1], [7]]])
    with pytest.raises(ValueError, match="got -6 for task 2, candidate 1"):
        arrow.score(counts, pa.chunked_array([[[0]], [[1], [1]]]))
    with pytest.raises(ValueError, match=r"expected -1 or candidates in \[0, 2\), row 2 holds 7"):
        arrow.score(pa.chunked_array([[[1, 2]], [[3, 4], [5, 6]]]), wrong)
    with pytest.raises(ValueError, match="rankings: expected a list in every row, row 2 is null"):
        arrow.score(counts, pa.chunked_array([[[0]], [[1], None]]))


def test_scores_are_a_table_with_a_row_per_ranking() -> None:
    counts, rankings = pa.array([[9, 1, 0], [2, 2, 5]]), pa.array([[0, 1], [2, None], [1, 0]])
    scores = arrow.score(counts, rankings, task=pa.array([1, 0, 1]))
    table = pa.table(scores.table())
    assert table.column_names == ["entropy", "chance", "worst", "cross_entropy", "valid"]
    for name in ("entropy", "chance", "worst"):
        assert table[name].to_pylist() == getattr(scores, name).to_numpy()[[1, 0, 1]].tolist()
    assert table["valid"].to_pylist() == [2, 1, 2]
    assert pa.record_batch(arrow.table(scores)).to_pydict() == table.to_pydict()
    assert pl.DataFrame(scores.table()).to_dict(as_series=False) == table.to_pydict()
    assert pa.RecordBatchReader.from_stream(scores).read_all().equals(table)
    assert pa.schema(scores).names == table.column_names
    in_order = arrow.score(counts, rankings[:2])
    assert pa.table(in_order.table())["entropy"].to_pylist() == in_order.entropy.to_numpy().tolist()


def test_other_results_are_tables_where_their_columns_have_one_length() -> None:
    means = arrow.aggregation.group_means(pa.array([0, 1, 0]), pa.array([1.0, 5.0, None]))
    assert isinstance(arrow.table(means), Table)
    assert pl.DataFrame(arrow.table(means)).to_dict(as_series=False) == {"mean": [1.0, 5.0], "count": [1, 1]}
    line = arrow.curves.fit(pa.array([0.0, 1.0]), pa.array([1.0, 3.0]), 1)
    with pytest.raises(TypeError, match=r"expected a result of columns alone, got {'domain': 'tuple'}"):
        arrow.table(line)
    with pytest.raises(TypeError, match=r"expected a result of columns alone, got {'result': 'float'}"):
        arrow.table(1.0)
    assert line.at(1.0) == pytest.approx(3.0)


def functions(name: str) -> dict[str, Callable[..., Any]]:
    """The public functions of a module of the engine."""
    module = getattr(habitus, name)
    public = getattr(module, "__all__", None) or [
        key for key, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__
    ]
    return {key: getattr(module, key) for key in public if key[0] != "_" and inspect.isfunction(getattr(module, key))}


def test_everything_public_is_there() -> None:
    assert set(habitus.__all__) <= set(arrow.__all__)
    assert set(SCORING) | set(MODULES) | {"Scores", "Skill"} == set(habitus.__all__)
    for name in MODULES:
        lifted = getattr(arrow, name)
        assert lifted.__doc__ == getattr(habitus, name).__doc__
        for key, function in functions(name).items():
            assert getattr(lifted, key).__wrapped__ is function
            assert getattr(lifted, key).__doc__ == function.__doc__
    for name in SCORING:
        assert list(inspect.signature(getattr(arrow, name)).parameters) == list(
            inspect.signature(getattr(habitus, name)).parameters
        )
        assert getattr(arrow, name).__doc__
    assert arrow.sampling.RULES is habitus.sampling.RULES
    assert arrow.curves.Fit is habitus.curves.Fit
    for name, estimator in arrow.entropy.ESTIMATORS.items():
        counts = np.array([[3, 0, 2]])
        assert_same(estimator(as_arrow(counts)), habitus.entropy.ESTIMATORS[name](counts))
    assert not isinstance(arrow.entropy.ESTIMATORS, dict)


class Call(NamedTuple):
    """A call on arrays."""

    arguments: tuple[Any, ...]
    options: Mapping[str, Any] = {}


@functools.cache
def calls() -> dict[str, Call]:
    """One of each public function; made in a test, as a generator's words wrap when it runs as plain Python."""
    rng = np.random.default_rng(7)
    counts = rng.integers(1, 9, (20, 6)).astype(np.int32)
    population = np.full((20, 6), 1 / 6)
    x, y = rng.random(400), rng.random(400)
    x[3], y[9] = np.nan, np.nan
    some, models = np.arange(400) % 20, rng.random((2, 400))
    models[1, 5] = np.nan
    grid = np.linspace(0.2, 0.8, 15)
    users, items = np.nonzero(rng.random((30, 12)) < 0.6)
    log = habitus.interactions.index(users, items, (30, 12))
    start = np.array([0, 7, 12], np.int64)
    group = Groups(start, np.concatenate([np.arange(7), np.arange(9, 14)]).astype(np.int32))
    history, drawn = np.array([[0], [1]], np.int32), np.array([[2, 3, 4, 5], [6, 7, 8, 9]], np.int32)
    cell, cells, seed = np.arange(30) % 3, np.array([0, 2]), habitus.sampling.seeds(1, np.arange(2))
    inventory = np.arange(12)
    images = habitus.proxies.permutations(np.zeros(30, np.int64), resamples=3, seed=1)
    known = rng.integers(0, 64, (12, 1)).astype(np.uint8)
    people = Members(start, group.users, known, 6)
    halves = habitus.members.halves(people, seed, 0)
    fitted = habitus.curves.fit(grid, (grid - 0.5) ** 2, 2)
    line = habitus.curves.curve(x, y, bins=20, window=3)
    moving = habitus.resampling.points(x, models)
    heights = np.stack([(grid - 0.5) ** 2, grid])

    def add(part: slice, sums: np.ndarray) -> None:
        sums[0, 0] += (x[10:20][part].sum(), part.stop - part.start)

    return {
        "aggregation.group_means": Call((some, y), {"groups": 25}),
        "aggregation.group_variances": Call((some, y)),
        "aggregation.summed": Call((add, 10, 1, 1)),
        "curves.bin_means": Call((x, y), {"bins": 10}),
        "curves.rolling_mean": Call((y, 5)),
        "curves.fit": Call((grid, grid**2), {"degree": 2}),
        "curves.turning_point": Call((fitted,)),
        "curves.curve": Call((x, y), {"bins": 20, "window": 3}),
        "curves.lowess": Call((x, y, grid), {"weights": np.ones(400)}),
        "curves.turning_points": Call((grid, heights)),
        "curves.area": Call((line, line)),
        **{f"entropy.{name}": Call((counts,)) for name in functions("entropy")},
        "interactions.index": Call((users, items, (30, 12))),
        "interactions.starts": Call((np.array([3, 4]),)),
        "interactions.words": Call((70,)),
        "inversion.two_lines": Call((x, y), {"clusters": some}),
        "inversion.trend": Call((np.abs(x), y, x), {"clusters": some}),
        "members.halves": Call((people, seed, 0)),
        "members.subsample": Call((people, rng.random(30) < 0.5)),
        "members.half_samples": Call((30, 4), {"seed": 3}),
        "members.effective_counts": Call((halves.first,), {"per_user": True}),
        "permutation.sign_flips": Call((rng.normal(size=(12, 2)),), {"resamples": 99, "seed": 1}),
        "proxies.permutations": Call((cell,), {"resamples": 3, "seed": 1}),
        "proxies.permuted_entropies": Call((log, group, drawn, images), {"order": ByActivity(cell, history)}),
        "resampling.multiplicities": Call((4, 400), {"seed": 1, "clusters": some}),
        "resampling.points": Call((x, models)),
        "resampling.sample": Call((moving, 5, 1, None, some)),
        "resampling.patterns": Call((np.isnan(models),)),
        "resampling.drawn": Call((1, 0, 3, np.arange(8, dtype=np.uint32), 8)),
        "sampling.candidates": Call((log, group, history, seed, inventory), {"length": 4}),
        "sampling.counts": Call((log, group, drawn)),
        "sampling.groups": Call((log, cell, cells, history, 1)),
        "sampling.histories": Call((seed, inventory, 3), {"weights": np.arange(1, 13)}),
        "sampling.seeds": Call((1, np.arange(3))),
        "sampling.shuffled": Call((drawn, seed)),
        "sampling.targets": Call((log, group, drawn), {"per_user": True}),
        "sampling.tasks": Call((log, Proxies(cell, cells, history, 1), seed, inventory), {"length": 4}),
        "shrinkage.concentration": Call((counts, population)),
        "shrinkage.shrink": Call((counts, population, np.linspace(0.5, 2, 20))),
        "uncertainty.bootstrap_curves": Call((x, models), {"seed": 1, "resamples": 3, "clusters": some, "bins": 20}),
        "uncertainty.bootstrap_lowess": Call((x, models), {"weights": np.ones((3, 400)), "grid": grid}),
    }


FUNCTIONS = [f"{module}.{name}" for module in MODULES for name in functions(module)]


def test_no_call_is_of_a_function_that_is_gone() -> None:
    assert set(calls()) == set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_gives_what_it_gives_on_arrays(name: str) -> None:
    module, function = name.split(".")
    given = calls()[name]
    lifted = getattr(getattr(arrow, module), function)
    expected = getattr(getattr(habitus, module), function)(*given.arguments, **given.options)
    options = {key: as_arrow(value) for key, value in given.options.items()}
    found = lifted(*map(as_arrow, given.arguments), **options)
    if name == "interactions.index":
        assert_same(Column(found.user_items), expected.user_items)
        return
    assert_same(found, expected)
    positional = dict(zip(inspect.signature(lifted).parameters, map(as_arrow, given.arguments), strict=False))
    assert_same(lifted(**positional, **options), expected)


def test_results_go_back_in() -> None:
    counts = pa.array([[5, 1, 2, 0], [3, 3, 0, 1], [1, 0, 0, 9], [2, 2, 2, 3]])
    entropies = arrow.entropy.plug_in(counts)
    scores = arrow.score(counts, pa.array([[0], [1], [2], [3]]))
    assert_array_equal(entropies, habitus.entropy.plug_in(np.array(counts.to_pylist())))
    bins = arrow.curves.bin_means(entropies, scores.cross_entropy, bins=2)
    again = habitus.curves.bin_means(entropies.to_numpy(), scores.cross_entropy.to_numpy(), bins=2)
    assert_same(bins, again)
    assert_same(arrow.curves.rolling_mean(bins.mean, 1), again.mean)
    fitted = arrow.curves.fit(bins.center, bins.mean, 1)
    assert arrow.curves.turning_point(fitted) == habitus.curves.turning_point(
        habitus.curves.fit(again.center, again.mean, 1)
    )


def test_no_results_are_copied() -> None:
    counts = pa.array([[5, 1, 2, 0]] * 3)
    scores = arrow.score(counts, pa.array([[0]] * 3))
    for column in scores:
        assert pa.array(column).buffers()[1].address == column.to_numpy().__array_interface__["data"][0]


def test_too_many_arguments_are_refused_as_by_the_engine() -> None:
    with pytest.raises(TypeError, match="positional argument"):
        arrow.entropy.plug_in(pa.array([[1, 2]]), 0.5)
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        arrow.entropy.plug_in(pa.array([[1, 2]]), beta=pa.array([1]))


@pytest.mark.parametrize(
    ("counts", "rankings", "task", "error", "says"),
    [
        ([[1, None]], [[0]], None, ValueError, "counts: expected int64 at every place, row 0 is null at place 1"),
        ([[1, 2], None], [[0], [1]], None, ValueError, "counts: expected a list in every row, row 1 is null"),
        ([[1, 2], [1]], [[0], [1]], None, ValueError, "counts: expected lists of 2 in every row, row 1 holds 1"),
        ([[1, 2]] * 2, [[0], None], None, ValueError, "rankings: expected a list in every row, row 1 is null"),
        ([[1, 2]], [[None]], None, TypeError, "rankings: expected lists of numbers, got list<item: na>"),
        ([[1, 2]], [[0]], [None], TypeError, "task: expected a column of numbers, got na"),
        ([[1, 2]], [[0], [0]], [0, None], ValueError, "task: expected int64 in every row, row 1 is null"),
        ([[1, -2]], [[0]], None, ValueError, "counts: expected counts >= 0, got -2 for task 0, candidate 1"),
        ([[1.0, 2.0]], [[0]], None, TypeError, "counts: expected integers, got float64"),
        ([[1, 2]], [[2]], None, ValueError, r"expected -1 or candidates in \[0, 2\), row 0 holds 2"),
        ([[1, 2]], [0], None, TypeError, "rankings: expected lists of numbers, got int64"),
        (["a"], [[0]], None, TypeError, "counts: expected lists of numbers, got string"),
        ([[1, 2]], [["a"]], None, TypeError, "rankings: expected lists of numbers, got list<item: string>"),
    ],
)
def test_refusals_name_column_row_and_place(counts, rankings, task, error, says) -> None:
    with pytest.raises(error, match=says):
        arrow.score(pa.array(counts), pa.array(rankings), task=None if task is None else pa.array(task))


def test_nulls_are_refused_where_they_mean_nothing() -> None:
    half, ranking = pa.array([[0.5, None]]), pa.array([[0]])
    with pytest.raises(ValueError, match="weights: expected float64 at every place, row 0 is null at place 1"):
        arrow.score_values(half, pa.array([[0.5, 0.5]]), ranking)
    with pytest.raises(ValueError, match="values: expected float64 at every place, row 0 is null at place 1"):
        arrow.score_values(pa.array([[0.5, 0.5]]), half, ranking)
    with pytest.raises(ValueError, match="counts: expected int64 at every place, row 1 is null at place 0"):
        arrow.entropy.nsb(pa.array([[1, 2], [None, 3]]))
    people = Members(np.array([0, 2]), pa.array([1, None]), np.zeros((2, 1), np.uint8), 3)
    with pytest.raises(ValueError, match=r"members\.users: expected int64 in every row, row 1 is null"):
        arrow.members.subsample(people, np.ones(3, bool))


CELLS = st.one_of(st.none(), st.integers(-3, 9), st.floats(-2, 9), st.text(max_size=2), st.booleans())
ROWS = st.one_of(CELLS, st.lists(CELLS, max_size=3), st.lists(st.integers(-1, 4), min_size=2, max_size=2))


@st.composite
def anything(draw: st.DrawFn) -> pa.Array:
    """Whatever pyarrow makes of random rows; often what the engine takes."""
    rows = draw(st.one_of(st.lists(ROWS, max_size=4), st.lists(st.lists(st.integers(-1, 3), min_size=2, max_size=2))))
    try:
        return pa.array(rows)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([str(row) for row in rows])


@given(anything(), anything(), st.one_of(st.none(), anything()))
def test_no_column_crashes(counts: pa.Array, rankings: pa.Array, task: pa.Array | None) -> None:
    for score in (
        lambda: arrow.score(counts, rankings, task=task),
        lambda: arrow.score_values(counts, counts, rankings, task=task),
        lambda: arrow.entropy.plug_in(counts),
        lambda: arrow.aggregation.group_means(counts, rankings),
        lambda: arrow.curves.bin_means(counts, rankings),
    ):
        try:
            result = score()
        except (TypeError, ValueError) as error:
            assert str(error)  # noqa: PT017 - which one depends on what was drawn
        else:
            assert isinstance(result, (tuple, Column))


def test_docstrings() -> None:
    assert doctest.testmod(arrow).failed == 0
