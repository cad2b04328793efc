"""Comparing models: every figure recomputed plainly, what is compared of several runs, and what is said about it."""

import math
from collections.abc import Callable

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from tests.runners import ranked

from habitus_runners import comparison, paired
from habitus_runners.comparison import TIE, Comparison, Pair, compare, sentence, verdict
from habitus_runners.errors import HabitusError
from habitus_runners.paired import Paired, Run
from habitus_runners.significance import holm
from habitus_runners.tables import BIT, frame, scores_schema

CLUSTERS, TASKS = 30, 240


def scores(ce: np.ndarray, cluster: np.ndarray, names: tuple[str, ...] | None = None) -> Paired:
    """Tasks whose best list costs 2 nats and whose random lists cost 3, but for every tenth, which is flat."""
    labels = names or tuple("abcdefgh"[: len(ce)])
    chance = np.where(np.arange(ce.shape[1]) % 10 == 0, 2.001, 3.0)
    return Paired(labels, labels, ce, np.full(ce.shape[1], 2.0), chance, cluster, (), 0)


@pytest.fixture(scope="module")
def drawn() -> Paired:
    rng = np.random.default_rng(5)
    cluster = np.sort(np.concatenate([np.arange(CLUSTERS), rng.integers(0, 5, TASKS - CLUSTERS)]))
    level = rng.normal(0, 0.1, (3, CLUSTERS))[:, cluster]
    ce = 2.5 + level + rng.normal(0, 0.2, (3, TASKS)) + np.array([[0.4], [0.02], [0.0]])
    ce[0, :7] = ce[1, :7]
    return scores(ce, cluster)


@pytest.fixture(scope="module")
def found(drawn: Paired) -> Comparison:
    return compare(drawn, seed=3, flips=4999)


def _rows(drawn: Paired, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
    first, second = (drawn.cross_entropy[drawn.labels.index(name)] for name in (pair.first, pair.second))
    return first, second


def test_models_are_ranked_by_their_mean(drawn: Paired, found: Comparison) -> None:
    means = dict(zip(drawn.labels, drawn.cross_entropy.mean(axis=1) / BIT, strict=True))
    assert [model.name for model in found.models] == sorted(means, key=means.__getitem__)
    for model in found.models:
        assert model.cross_entropy == pytest.approx(means[model.name])
        assert model.gap == pytest.approx(means[model.name] - 2 / BIT)
    assert [(pair.first, pair.second) for pair in found.pairs] == [("c", "b"), ("c", "a"), ("b", "a")]
    assert [(pair.first, pair.second) for pair in found.neighbours] == [("c", "b"), ("b", "a")]


def test_each_figure_of_a_pair(drawn: Paired, found: Comparison) -> None:
    counts = drawn.chance > 2.5
    for pair in found.pairs:
        first, second = _rows(drawn, pair)
        assert pair.difference == pytest.approx((first - second).mean() / BIT)
        assert pair.skill == pytest.approx((second[counts] - first[counts]).sum() / counts.sum())
        assert pair.wins == sum(a < b - TIE for a, b in zip(first, second, strict=True))
        assert pair.losses == sum(a > b + TIE for a, b in zip(first, second, strict=True))
        assert pair.wins + pair.ties + pair.losses == found.tasks == TASKS
        assert pair.low < pair.difference < pair.high
        assert pair.skill_low < pair.skill < pair.skill_high
    assert {pair.ties for pair in found.pairs} == {0, 7}
    assert found.clusters == CLUSTERS


def test_p_is_scipys_of_the_sums_of_clusters(drawn: Paired, found: Comparison) -> None:
    for pair in found.pairs:
        sums = [np.bincount(drawn.cluster, row) for row in _rows(drawn, pair)]
        theirs = stats.permutation_test(
            sums, lambda a, b, axis: (a - b).sum(axis=axis), permutation_type="samples", vectorized=True,
            n_resamples=4999, rng=np.random.default_rng(0),
        ).pvalue  # fmt: skip
        assert pair.p == pytest.approx(theirs, abs=0.002 + 8 * math.sqrt(theirs * (1 - theirs) / 4999))


def test_intervals_are_scipys_of_clusters(drawn: Paired, found: Comparison) -> None:
    tasks, counts = np.bincount(drawn.cluster), drawn.chance > 2.5
    room = np.bincount(drawn.cluster, counts)

    def ratio(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
        return a.sum(axis=axis) / b.sum(axis=axis)

    for pair in found.pairs:
        first, second = _rows(drawn, pair)
        for low, high, above, below in (
            (pair.low, pair.high, (first - second) / BIT, tasks),
            (pair.skill_low, pair.skill_high, (second - first) * counts, room),
        ):
            sums = np.bincount(drawn.cluster, above)
            theirs = stats.bootstrap(
                (sums, below), ratio, paired=True, vectorized=True, n_resamples=2000, method="percentile",
                rng=np.random.default_rng(0),
            )  # fmt: skip
            error = 4 * theirs.standard_error / math.sqrt(200)
            assert (low, high) == pytest.approx(tuple(theirs.confidence_interval), abs=error)


def test_the_smallest_difference_is_found_in_80_of_100_studies() -> None:
    """A true difference of that size, planted anew: how often the test finds it, of 400 studies."""
    rng = np.random.default_rng(1)
    cluster = np.repeat(np.arange(60), 5)
    noise = rng.normal(0, 0.3, (400, 60))[:, cluster] + rng.normal(0, 0.2, (400, 300))
    error = math.sqrt(0.3**2 + 0.2**2 / 5) / math.sqrt(60)
    planted = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * error
    results = [
        compare(scores(np.array([2.5 - planted + one, np.full(300, 2.5)]), cluster), seed=seed, flips=999, resamples=2)
        for seed, one in enumerate(noise)
    ]
    assert np.mean([one.pairs[0].detectable for one in results]) == pytest.approx(planted / BIT, rel=0.02)
    share = np.mean([one.pairs[0].decided and one.models[0].name == "a" for one in results])
    low, high = stats.binom.interval(0.99, 400, 0.8)
    assert low / 400 <= share <= high / 400


@pytest.mark.parametrize("pairs", [1, 2, 10, 66])
def test_holm_is_that_of_statsmodels(pairs: int) -> None:
    p_values = np.round(np.random.default_rng(pairs).beta(0.3, 3, pairs), 2)
    assert holm(p_values.tolist()) == pytest.approx(multipletests(p_values, method="holm")[1].tolist())


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_raises_p_and_keeps_their_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(p <= q <= min(1, len(p_values) * p) for p, q in zip(p_values, adjusted, strict=True))
    assert sorted(adjusted) == [q for _, q in sorted(zip(p_values, adjusted, strict=True))]


def test_equal_models_have_no_order() -> None:
    ce = np.tile(np.random.default_rng(0).normal(2.5, 0.1, 40), (2, 1))
    found = compare(scores(ce, np.arange(40)), seed=0, flips=99)
    (pair,) = found.pairs
    assert (pair.p, pair.ties, pair.difference, pair.detectable) == (1, 40, 0, 0)
    assert sentence(pair, found.tasks) == ("a before b: this order is none, their scores are the same on all 40 tasks.")


def test_one_cluster_shows_nothing() -> None:
    ce = np.array([np.full(9, 2.4), np.full(9, 2.6)])
    found = compare(scores(ce, np.zeros(9, np.int64)), seed=0)
    (pair,) = found.pairs
    assert found.exact
    assert found.flips == 2
    assert pair.p == 1
    assert math.isnan(pair.low)
    assert math.isnan(pair.detectable)
    assert verdict(found) == (
        "The order of the 2 models is not decided by 9 tasks: they are about too few proxies to show any difference."
    )


def test_what_is_said(found: Comparison) -> None:
    undecided, decided = found.neighbours
    assert not undecided.decided
    assert decided.decided
    assert (
        sentence(decided, 240)
        == f"b before a: this order is decided by 240 tasks ({-decided.difference:.3f} bits, p < 0.001)."
    )
    assert sentence(undecided, 240).endswith(
        f"the smallest difference they could have shown is {undecided.detectable:.3f} bits."
    )
    assert verdict(found) == (
        "The order of the 3 models is not decided by 240 tasks: 1 of 2 pairs of neighbours is not told apart, and the"
        f" smallest difference they could have shown is {undecided.detectable:.3f} bits."
    )
    two = found._replace(models=found.models[1:])
    assert verdict(two) == "The order of the 2 models is decided by 240 tasks."
    alone = undecided._replace(p=0.03, adjusted=0.09)
    assert "(0.036 bits, p = 0.090, p = 0.030 were it the only pair)" in sentence(alone._replace(difference=-0.036), 9)


def test_a_model_is_known_without_its_parameter() -> None:
    rng = np.random.default_rng(0)
    names = ("mixture:0.3", "openai:perfect", "random")
    found = compare(scores(rng.normal(2.5, 0.1, (3, 20)), np.arange(20), names), seed=0, flips=99)
    assert {model.kind for model in found.models} == {"mixture", "openai", "random"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1234, "0.123"),
        (-0.00123, "-0.0012"),
        (12.3, "12.300"),
        (0.0, "0.000"),
        (math.nan, "nan"),
        (1e-12, "0.000000000"),
    ],
)
def test_bits_have_digits_that_count(value: float, text: str) -> None:
    assert comparison.bits(value) == text


@pytest.mark.parametrize("spread", [0.0, 0.2])
def test_type_1_error_on_null_pairs(spread: float) -> None:
    """1,000 pairs of mixtures of one mean skill, which varies by proxy value: rejected as often as 5 % allows."""
    base = paired.paired([_run(ranked.study("incidence"))])
    values, pairs, rng = base.cluster.max() + 1, 1000, np.random.default_rng(8)
    rejected = 0
    for pair in range(pairs):
        skill = np.clip(0.3 + spread * rng.normal(size=(2, values)), 0, 1)[:, base.cluster]
        lists = rng.normal(base.chance, 0.05, skill.shape)
        ce = np.where(rng.random(skill.shape) < skill, base.best, lists)
        null = base._replace(labels=("a", "b"), models=("a", "b"), cross_entropy=ce)
        rejected += compare(null, seed=pair, flips=499, resamples=2).pairs[0].p <= 0.05
    low, high = stats.binom.interval(0.95, pairs, 0.05)
    assert low <= rejected <= high


def _run(study: ranked.Ranked, name: str = "run", **changes: object) -> Run:
    return Run(name, study.tasks, study.scores, study.settings)._replace(**changes)


def _only(table: pa.Table, wanted: Callable[[dict], bool]) -> pa.Table:
    return table.filter(pa.array([wanted(row) for row in table.to_pylist()]))


@pytest.fixture(scope="module")
def study() -> ranked.Ranked:
    return ranked.study("incidence")


def test_the_settings_fill_is_compared(study: ranked.Ranked) -> None:
    for fill in ("chance", "worst"):
        run = _run(study, settings=study.settings.changed({"fill": fill}))
        found = paired.paired([run])
        rows = frame(study.scores).filter(pl.col("fill") == fill).sort("task_id")
        assert found.labels == ("full", "short")
        for name, row in zip(found.labels, found.cross_entropy, strict=True):
            np.testing.assert_array_equal(row, rows.filter(pl.col("model") == name)["cross_entropy"])
        np.testing.assert_array_equal(found.chance, rows.filter(pl.col("model") == "full")["chance"])


def _clusters_of(study: ranked.Ranked, rows: list[dict], **changes: object) -> list[tuple[dict, int]]:
    """The tasks of a study that has these alone, each with its cluster."""
    ids = {row["task_id"] for row in rows}
    run = _run(study, scores=_only(study.scores, lambda row: row["task_id"] in ids), **changes)
    return list(zip(sorted(rows, key=lambda row: row["task_id"]), paired.paired([run]).cluster.tolist(), strict=True))


def _cell(row: dict) -> tuple:
    return row["level"], *row["value"].values()


def _same_parts(clusters: list[tuple[dict, int]], key: Callable[[dict], tuple]) -> bool:
    """Whether two tasks are of one cluster just if their keys are the same."""
    keys, numbers = [key(row) for row, _ in clusters], [number for _, number in clusters]
    return len({*keys}) == len({*numbers}) == len({*zip(keys, numbers, strict=True)})


def test_a_cluster_is_a_value_of_a_proxy(study: ranked.Ranked) -> None:
    found = _clusters_of(study, study.tasks.to_pylist())
    assert _same_parts(found, _cell)
    assert len({number for _, number in found}) >= paired.FEW_VALUES


def test_of_few_values_what_has_no_cell_is_parted_by_history(study: ranked.Ranked) -> None:
    rows = [row for row in study.tasks.to_pylist() if row["level"] in {"none", "gender"}]

    def key(row: dict) -> tuple:
        shown = row["history"] or row["candidates"]
        return _cell(row) if row["level"] == "gender" else ("none", bool(row["history"]), *sorted(shown))

    assert _same_parts(_clusters_of(study, rows), key)
    nested = study.settings.changed({"history.nested": True})
    bare = [row for row in rows if row["level"] == "none" and row["history"]]
    assert _same_parts(_clusters_of(study, bare, settings=nested), lambda row: (row["history"][0],))


def test_several_answers_are_averaged_and_tasks_without_one_left_out(study: ranked.Ranked) -> None:
    rows = study.scores.to_pylist()
    again = [row | {"cross_entropy": row["cross_entropy"] + 0.2} for row in rows if row["model"] == "full"]
    lost = rows[0]["task_id"]
    kept = [row for row in rows if row["task_id"] != lost or row["model"] == "full"]
    table = pa.Table.from_pylist(kept + again, schema=scores_schema())
    before, found = paired.paired([_run(study)]), paired.paired([_run(study, scores=table)])
    assert found.left_out == 1
    assert found.lacking == ("short",)
    whole = [task != lost for task in sorted({row["task_id"] for row in rows})]
    np.testing.assert_allclose(found.cross_entropy[0], before.cross_entropy[0][whole] + 0.1)
    np.testing.assert_array_equal(found.cross_entropy[1], before.cross_entropy[1][whole])


def test_runs_are_joined_by_task(study: ranked.Ranked) -> None:
    parts = [
        _run(study, name, scores=_only(study.scores, lambda row, model=model: row["model"] == model))
        for name, model in (("here", "full"), ("there", "short"))
    ]
    one, both = paired.paired([_run(study)]), paired.paired(parts)
    assert both.labels == ("full", "short")
    np.testing.assert_array_equal(both.cross_entropy, one.cross_entropy)
    np.testing.assert_array_equal(both.cluster, one.cluster)
    assert paired.paired([_run(study), *parts]).labels == ("full", "short")


def test_other_answers_of_a_model_are_another_model(study: ranked.Ranked) -> None:
    worse = [
        row | {"cross_entropy": row["cross_entropy"] + 0.1 * (row["model"] == "full")}
        for row in study.scores.to_pylist()
    ]
    runs = [_run(study, "x"), _run(study, "x", scores=pa.Table.from_pylist(worse, schema=scores_schema()))]
    assert paired.paired(runs).labels == ("full (x #1)", "full (x #2)", "short")
    assert paired.paired(runs, ["full"]).labels == ("full (x #1)", "full (x #2)")
    assert paired.paired(runs, ["short", "full (x #2)"]).labels == ("full (x #2)", "short")
    assert paired.paired(runs).models == ("full", "full", "short")


def test_what_cannot_be_compared_is_said_in_one_line(study: ranked.Ranked) -> None:
    run = _run(study)
    with pytest.raises(HabitusError, match="--model none: expected one of full, short"):
        paired.paired([run], ["none"])
    with pytest.raises(HabitusError, match="expected at least two models to compare, got short"):
        paired.paired([run], ["short"])
    with pytest.raises(HabitusError, match="run: expected scores with fill 'drop', found none"):
        paired.paired([run._replace(settings=study.settings.changed({"fill": "drop"}))])
    halves = [set(study.tasks["task_id"].to_pylist()[part::2]) for part in range(2)]
    mine = [
        _run(
            study,
            name,
            scores=_only(
                study.scores, lambda row, model=model, half=half: row["model"] == model and row["task_id"] in half
            ),
        )
        for name, model, half in zip("xy", ("full", "short"), halves, strict=True)
    ]
    with pytest.raises(
        HabitusError, match=r"tasks that all models answered, found none; answered: full \d+, short \d+"
    ):
        paired.paired(mine)
    others = _run(study, "z", tasks=study.tasks.slice(0, 0), scores=mine[1].scores)
    with pytest.raises(HabitusError, match="expected runs of the same tasks, x and z share none"):
        paired.paired([mine[0], others])
    other = _run(study.scored_with(target__alpha=2.0), "other")
    with pytest.raises(HabitusError, match=r"the same targets in every run, run and other differ in \d+ tasks"):
        paired.paired([run, other])
