"""libhabitus gives the engine's own bits, and the engine's own messages."""

import math
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
import pytest
from benchmarks.competitors import synthetic
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from tests import strategies
from tests.libhabitus import Library, NativeError
from tests.strategies import Case

import habitus
from habitus import curves, interactions, sampling, uncertainty
from habitus.candidates import RULES
from habitus.entropy import ESTIMATORS
from habitus.scoring import FILLS
from habitus_bindings.native.build import VARIANTS

GOLDEN = Path(__file__).parents[1] / "golden" / "scores.parquet"
close = {"rtol": 0, "atol": 1e-12}
integers = st.sampled_from([np.int8, np.int16, np.int32, np.int64])


@pytest.fixture(scope="session")
def variants(libhabitus: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Library]:
    """The library once for every processor that this one can stand in for: which is chosen when a copy is loaded."""
    folder, held = tmp_path_factory.mktemp("variants"), {}
    with pytest.MonkeyPatch.context() as patched:
        for variant in VARIANTS:
            patched.setenv("HABITUS_VARIANT", variant)
            copy = shutil.copy(libhabitus / "lib" / "libhabitus.so", folder / f"{variant}.so")
            library = Library(copy)
            held[library.variant] = library
    return held


def same(found: habitus.Scores, expected: habitus.Scores) -> None:
    for name, ours, theirs in zip(found._fields, found, expected, strict=True):
        assert_array_equal(ours, theirs, err_msg=name)


def golden() -> Iterator[tuple[dict[str, object], np.ndarray, np.ndarray]]:
    for row in pq.read_table(GOLDEN).to_pylist():
        yield row, np.array([row["counts"]], np.int32), np.array([row["ranking"]], np.int16)


def test_golden_vectors_to_the_bit(library: Library) -> None:
    for row, counts, ranking in golden():
        for fill in FILLS:
            expected = habitus.score(counts, ranking, alpha=row["alpha"], fill=fill)
            same(library.score(counts, ranking, alpha=row["alpha"], fill=fill), expected)


def test_golden_vectors_on_every_processor(variants: dict[str, Library]) -> None:
    assert "x86-64-v2" in variants or "generic" in variants
    columns = {"optimistic": "optimistic", "chance": "cross_entropy", "worst": "filled_worst"}
    for library in variants.values():
        for row, counts, ranking in golden():
            for fill, column in columns.items():
                scores = library.score(counts, ranking, alpha=row["alpha"], fill=fill)
                found = [scores.entropy[0], scores.chance[0], scores.worst[0], scores.cross_entropy[0]]
                assert_allclose(found, [row["entropy"], row["chance"], row["worst"], row[column]], **close)


@given(case=strategies.cases(), fill=st.sampled_from(FILLS), kinds=st.tuples(integers, integers))
def test_any_case(library: Library, case: Case, fill: str, kinds: tuple[type, type]) -> None:
    counts = np.minimum(case.counts.astype(np.int64), np.iinfo(kinds[0]).max).astype(kinds[0])
    lists = case.rankings.astype(kinds[1])
    expected = habitus.score(counts, lists, task=case.task, alpha=case.alpha, fill=fill)  # type: ignore[arg-type]
    same(library.score(counts, lists, case.task, case.alpha, fill), expected)


@pytest.mark.parametrize("candidates", [1, 2, 7, 10, 16, 20, 31, 33, 50, 64, 100, 129, 1000, 4097])
@pytest.mark.parametrize("top", [1, 2_000, 2**33])
def test_every_number_of_candidates_and_size_of_count(library: Library, candidates: int, top: int) -> None:
    rng, tasks = np.random.default_rng(candidates), 4 if candidates > 1000 else 70
    counts = rng.poisson(rng.gamma(0.5, 6, (tasks, candidates)))
    counts[:, 0] += 1
    counts[::5] *= top
    task = rng.integers(0, tasks, 3 * tasks)
    lists = np.stack([rng.permutation(candidates)[: min(candidates, 12)] for _ in task])
    lists[rng.random(lists.shape) < 0.1] = -1
    for of in (task, np.sort(task)):
        for fill in FILLS:
            same(library.score(counts, lists, of, fill=fill), habitus.score(counts, lists, task=of, fill=fill))


@pytest.mark.parametrize("candidates", [129, 201, 256, 1000])
def test_slots_of_one_byte(library: Library, candidates: int) -> None:
    counts, lists = np.ones((3, candidates), np.int32), np.array([[3, -1], [4, 5], [-1, -1]], np.int8)
    same(library.score(counts, lists), habitus.score(counts, lists.astype(np.int16)))
    with pytest.raises(NativeError, match="row 2 holds -56"):
        library.score(counts, np.array([[0, 1], [2, 3], [1, -56]], np.int8))


def test_one_task_with_very_many_rankings(library: Library) -> None:
    counts, lists = synthetic(3, 50, 10)[0], synthetic(5000, 50, 10)[1]
    task = np.r_[np.zeros(4990, np.int64), np.ones(9, np.int64), 2]
    same(library.score(counts, lists, task), habitus.score(counts, lists, task=task))


def test_no_tasks(library: Library) -> None:
    scores = library.score(np.empty((0, 5), np.int32), np.empty((0, 2), np.int16))
    assert all(len(field) == 0 for field in scores)


@given(data=st.data(), candidates=st.integers(1, 8), fill=st.sampled_from(FILLS))
def test_values(library: Library, data: st.DataObject, candidates: int, fill: str) -> None:
    rows = data.draw(st.integers(1, 4))
    weights = np.stack([data.draw(strategies.distributions(candidates)) for _ in range(rows)])
    values = np.stack([data.draw(strategies.distributions(candidates, least=0.01)) for _ in range(rows)])
    task = np.array(data.draw(st.lists(st.integers(0, rows - 1), max_size=5)), np.int64)
    length = data.draw(st.integers(1, candidates))
    lists = np.array([data.draw(strategies.ranking(candidates, length)) for _ in task], np.int32).reshape(-1, length)
    expected = habitus.score_values(weights, values, lists, task=task, fill=fill)  # type: ignore[arg-type]
    same(library.score_values(weights, values, lists, task, fill), expected)


def test_skill(library: Library) -> None:
    counts, lists = synthetic(300, 50, 10)
    scores, task = habitus.score(counts, lists), np.arange(300)[::-1].copy()
    for of in (None, task):
        assert library.skill(scores, scores.chance, of) == habitus.skill(scores, task=of)
        assert library.skill(scores, scores.worst, of, 0.5) == habitus.bounded_skill(scores, task=of, min_gap=0.5)
    nothing = library.skill(scores, scores.chance, min_gap=100.0)
    assert math.isnan(nothing.value)
    assert nothing[1:] == (0, 300)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("kind", [np.int8, np.int64, np.float64])
def test_entropies(library: Library, estimator: str, kind: type) -> None:
    if kind is np.float64 and estimator not in {"dirichlet", "nsb"}:
        with pytest.raises(NativeError, match="expected integers"):
            library.entropy(np.ones((1, 2)), estimator)
        return
    counts = np.random.default_rng(0).poisson(1.5, (3000, 12)).astype(kind)
    counts[:, 3] += 1
    if kind is np.float64:
        counts *= 0.77
    assert_array_equal(library.entropy(counts, estimator), ESTIMATORS[estimator](counts))
    assert_array_equal(library.entropy(counts[:, 3:4].copy(), estimator), ESTIMATORS[estimator](counts[:, 3:4]))


def test_pseudo_counts_of_entropies(library: Library) -> None:
    counts = np.array([[3, 0, 1]], np.int16)
    for alpha in (0.0, 2.5):
        assert library.entropy(counts, "plug-in", alpha) == habitus.entropy.plug_in(counts, alpha=alpha)
    assert library.entropy(counts, "dirichlet", 2.5) == habitus.entropy.dirichlet(counts, alpha=2.5)


@pytest.mark.parametrize(("points", "bins"), [(0, 7), (1, 1), (3000, 200), (400_000, 200), (150_000, 5000)])
def test_bins_and_rolling_means(library: Library, points: int, bins: int) -> None:
    rng = np.random.default_rng(points)
    x, y = rng.normal(4, 1, points), rng.normal(5, 1, points)
    y[::7] = math.nan
    for support in (None, (3.0, 4.5)):
        expected = curves.bin_means(x, y, bins=bins, support=support)
        center, mean, count = library.bin_means(x, y, bins, *(support or ()))
        held = count > 0
        for found, wanted in zip((center[held], mean[held], count[held]), expected, strict=True):
            assert_array_equal(found, wanted)
        assert np.isnan(mean[~held]).all()
    for window in (1, 30, points + 1):
        assert_array_equal(library.rolling_mean(x, window), curves.rolling_mean(x, window))


@pytest.mark.parametrize(("turn", "outcome"), [(4.4, "value"), (9.0, "censored"), (0.0, "none")])
def test_curves(library: Library, turn: float, outcome: str) -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(3, 6, 5000)
    y = 0.4 * (x - turn) ** 2 + rng.normal(0, 0.05, 5000)
    grid = np.linspace(2.5, 6.5, 50)
    place, kind, fitted = library.curve(x, y, grid)
    drawn = uncertainty.bootstrap_curves(x, [y], weights=np.ones((1, 5000)), grid=grid)
    plain = curves.curve(x, y)
    assert curves.OUTCOMES[kind] == plain.outcome == outcome
    assert_allclose(place, plain.inversion, rtol=0, atol=1e-9)
    assert_allclose(place, drawn.turning_point[0, 0], **close)
    assert_allclose(fitted, drawn.fitted[0, 0], **close)
    assert library.curve(x[:20].copy(), y[:20].copy(), grid)[1] == curves.OUTCOMES.index("undefined")


class Log(NamedTuple):
    """A random log with cells and histories."""

    pairs: tuple[np.ndarray, np.ndarray]
    shape: tuple[int, int]
    proxies: sampling.Proxies
    seeds: np.ndarray


def random_log(users: int, items: int, share: float, length: int, draws: int = 1500) -> Log:
    rng = np.random.default_rng(users + items)
    known = rng.random((users, items)) < share * rng.uniform(0.1, 2, items)
    pairs = tuple(each.astype(np.int32) for each in np.nonzero(known))
    seeds = sampling.seeds(7, range(draws))
    history = sampling.histories(seeds, range(items), length)
    proxies = sampling.Proxies(rng.integers(-1, 3, users), rng.integers(0, 3, draws), history, -(-6 * length // 10))
    return Log(pairs, (users, items), proxies, seeds)  # type: ignore[arg-type]  # two arrays


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("users", "items", "share", "length"),
    [(300, 400, 0.2, 5), (3000, 4000, 0.0015, 1), (50, 70, 0.4, 0), (700, 90, 0.3, 20)],
)
def test_tasks_are_the_engines(library: Library, rule: str, users: int, items: int, share: float, length: int) -> None:
    log = random_log(users, items, share, length)
    inventory = np.random.default_rng(1).permutation(items)[: 9 * items // 10].astype(np.int32)
    expected = sampling.tasks(
        interactions.index(*log.pairs, log.shape), log.proxies, log.seeds, inventory, min_users=2, length=20, rule=rule,  # type: ignore[arg-type]
    )  # fmt: skip
    found = library.tasks(log.pairs, log.shape, log.proxies, log.seeds, inventory, min_users=2, length=20, rule=rule)
    assert (expected.candidates[:, 0] >= 0).any()
    for ours, theirs in zip(found, expected, strict=True):
        assert_array_equal(ours, theirs)


def test_seeds_and_histories(library: Library) -> None:
    seeds = library.seeds(2**63 + 5, 10, 100)
    assert_array_equal(seeds, sampling.seeds(2**63 + 5, range(10, 110)))
    inventory = np.arange(3, 40, dtype=np.int32)
    assert_array_equal(library.histories(seeds, inventory, 12), sampling.histories(seeds, inventory, 12))
    with pytest.raises(NativeError, match="expected distinct items, got 3 twice"):
        library.histories(seeds, np.full(2, 3, np.int32), 2)
    with pytest.raises(NativeError, match="expected items >= 0, got -6"):
        library.histories(seeds, np.array([3, -6], np.int32), 2)
    assert library.histories(seeds, inventory, 0).shape == (100, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pairs": ([0, 0], [1, 1])}, "expected distinct pairs, got user 0, item 1 twice"),
        ({"pairs": ([0, 9], [1, 1])}, r"users: expected numbers in \[0, 3\), got 9 at 1"),
        ({"pairs": ([0, 2], [1, -1])}, r"items: expected numbers in \[0, 4\), got -1 at 1"),
        ({"history": [[4]]}, r"history: expected numbers in \[0, 4\), got 4 at 0"),
        ({"inventory": [1, 1]}, "inventory: expected distinct items, got 1 twice"),
        ({"history": [[1, 1]], "needed": 1}, "history: expected distinct items, draw 0 has 1 twice"),
        ({"cells": [-1]}, "cells: expected numbers >= 0, got -1 for draw 0"),
        ({"needed": 2}, "expected 1 <= needed <= 1 items of the history, got 2"),
        ({"length": 0}, "expected from 1 to 32767 candidates, got 0"),
    ],
)
def test_mistakes_in_logs(library: Library, change: dict[str, object], message: str) -> None:
    given = {
        "pairs": ([0, 2], [1, 3]),
        "history": [[1]],
        "inventory": [0, 1, 2],
        "needed": 1,
        "length": 2,
        "cells": [0],
    } | change
    arrays = {name: np.array(given[name], np.int32) for name in ("history", "inventory")}
    proxies = sampling.Proxies(np.zeros(3), given["cells"], arrays["history"], given["needed"])  # type: ignore[arg-type]
    pairs = tuple(np.array(each, np.int32) for each in given["pairs"])  # type: ignore[attr-defined]
    with pytest.raises(NativeError, match=message):
        library.tasks(pairs, (3, 4), proxies, np.ones(1, np.uint64), arrays["inventory"], length=given["length"])  # type: ignore[arg-type]


def test_numbers_too_large_to_compute_with_are_refused(library: Library) -> None:
    one, huge = np.array([[1, 2]]), np.array([1e308, -1e308])
    with pytest.raises(NativeError, match="alpha: expected a finite"):
        library.score(one, np.array([[0]]), alpha=1e308)
    with pytest.raises(ValueError, match="alpha: expected a finite"):
        habitus.score(one, [[0]], alpha=1e308)
    with pytest.raises(NativeError, match="those of task 1 are too large"):
        library.entropy(np.array([[1.0, 2.0], [1e308, 1e308]]), "nsb")
    with pytest.raises(NativeError, match="expected a finite width"):
        library.bin_means(huge, huge, 4)
    scores = habitus.score([[9, 1, 0]], [[1]])
    with pytest.raises(NativeError, match="reference: expected finite numbers, got inf at 0"):
        library.skill(scores, np.array([math.inf]))


def test_threads_share_nothing(library: Library) -> None:
    counts, lists = synthetic(4000, 50, 10)
    expected = habitus.score(counts, lists)
    with ThreadPoolExecutor(8) as pool:
        for scores in pool.map(lambda _: library.score(counts, lists), range(40)):
            same(scores, expected)


MISTAKES = {
    "negative count": ([[1, 2], [3, -1]], [[0], [1]], {}, ("BAD_VALUE", 1, 1)),
    "row of zeros": ([[1, 2], [0, 0]], [[0], [1]], {}, ("BAD_VALUE", 1, -1)),
    "twice": ([[1, 2]], [[1, 1]], {}, ("BAD_INDEX", 0, 1)),
    "no such candidate": ([[1, 2], [1, 1]], [[0], [2]], {}, ("BAD_INDEX", 1, 0)),
    "below -1": ([[1, 2]], [[-2]], {}, ("BAD_INDEX", 0, 0)),
    "too many slots": ([[1, 2]], [[0, 1, -1]], {}, ("BAD_SHAPE", -1, -1)),
    "one ranking each": ([[1, 2], [1, 1]], [[0]], {}, ("BAD_SHAPE", -1, -1)),
    "no such task": ([[1, 2]], [[0], [1]], {"task": [0, 1]}, ("BAD_INDEX", 1, -1)),
    "alpha 0": ([[1, 2]], [[0]], {"alpha": 0.0}, ("BAD_ARGUMENT", -1, -1)),
    "alpha infinite": ([[1, 2]], [[0]], {"alpha": math.inf}, ("BAD_ARGUMENT", -1, -1)),
}


@pytest.mark.parametrize("case", MISTAKES)
@pytest.mark.parametrize("width", [0, 5000])
def test_mistakes_are_named_as_in_python(library: Library, case: str, width: int) -> None:
    counts, lists, options, expected = MISTAKES[case]
    # Candidates that nobody chose, more than lanes hold, make no other mistakes than these two good.
    if width and case in {"too many slots", "no such candidate"}:
        pytest.skip("not a mistake among so many candidates")
    wide = np.pad(counts, ((0, 0), (0, width)))
    arrays = {name: np.array(value) if name == "task" else value for name, value in options.items()}
    with pytest.raises(ValueError, match="expected") as ours:
        habitus.score(wide, np.array(lists), **options)
    with pytest.raises(NativeError) as theirs:
        library.score(wide, np.array(lists), **arrays)
    assert theirs.value.mistake[:3] == expected
    said, expected_line = theirs.value.mistake.message, str(ours.value)
    if case.startswith("alpha"):  # numbers are printed in C's way
        said, expected_line = (line.split(", got")[0] for line in (said, expected_line))
    assert said == expected_line


def test_mistakes_that_only_c_can_make(library: Library) -> None:
    counts, lists = np.array([[1, 2]]), np.array([[0]])
    out = [np.empty(1) for _ in range(4)]
    said = {}
    for name, arguments in {
        "null": (None, 4, 1, 2, lists, 4, 1, 1, None, math.nan, 0, *out, np.empty(1, np.int32)),
        "type": (counts, 9, 1, 2, lists, 4, 1, 1, None, math.nan, 0, *out, np.empty(1, np.int32)),
        "reals": (counts, 5, 1, 2, lists, 4, 1, 1, None, math.nan, 0, *out, np.empty(1, np.int32)),
        "size": (counts, 4, -1, 2, lists, 4, 1, 1, None, math.nan, 0, *out, np.empty(1, np.int32)),
        "huge": (counts, 4, 2**62, 2, lists, 4, 1, 1, None, math.nan, 0, *out, np.empty(1, np.int32)),
        "fill": (counts, 4, 1, 2, lists, 4, 1, 1, None, math.nan, 4, *out, np.empty(1, np.int32)),
        "output": (counts, 4, 1, 2, lists, 4, 1, 1, None, math.nan, 0, None, *out[1:], np.empty(1, np.int32)),
    }.items():
        with pytest.raises(NativeError, match="expected") as raised:
            library.call("score", *arguments)
        said[name] = raised.value.mistake.status
    wanted = dict.fromkeys(("null", "type", "reals", "fill", "output"), "BAD_ARGUMENT")
    assert said == wanted | {"size": "BAD_SHAPE", "huge": "BAD_SHAPE"}
