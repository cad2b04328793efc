"""Intervals: replicates against the engine on repeated tasks, laws of the arithmetic, and what a row holds."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runners import ranked

import habitus
from habitus import curves
from habitus_runners import populations
from habitus_runners.intervals import Points, Replicates, Study, interval, intervals, of_tasks, shared, spread
from habitus_runners.settings import settings
from habitus_runners.tables import INTERVALS, POOLED, results_schema
from habitus_runners.targets import Scorer

RESAMPLES = 12


def drawn(kind: str = "incidence", **changes: object) -> Study:
    made = ranked.study(kind)
    wanted = {"uncertainty.resamples": RESAMPLES} | {key.replace("__", "."): value for key, value in changes.items()}
    return Study(made.tasks, made.members, made.rankings, made.settings.changed(wanted))


def planted(rng: np.random.Generator, tasks: int = 300) -> Points:
    """Two models: one turns at 4, the other only rises."""
    x = rng.uniform(3, 5, tasks)
    heights = x + np.stack([0.5 * (x - 4.5) ** 2 + 0.2, 0.3 * np.ones(tasks)]) + rng.normal(0, 0.02, (2, tasks))
    return Points(x[None], x[None], x[None] + 0.9, heights[None], np.ones((1, tasks)))


def test_weights_are_draws_within_level_and_length() -> None:
    study = drawn()
    weights, about = study.replicates.weights, study.tasks
    assert weights.shape == (RESAMPLES, about.num_rows)
    level, length = about["level"].to_pylist(), about["history"].combine_chunks().value_lengths().to_pylist()
    for stratum in set(zip(level, length, strict=True)):
        inside = [pair == stratum for pair in zip(level, length, strict=True)]
        assert (weights[:, inside].sum(axis=1) == sum(inside)).all()


def test_views_of_one_draw_come_together() -> None:
    made = ranked.study("incidence")
    column = made.tasks.column_names.index("seed")
    seed = np.arange(made.tasks.num_rows, dtype=np.uint64) // np.uint64(3)
    tasks = made.tasks.set_column(column, "seed", [seed])
    study = Study(tasks, made.members, made.rankings, made.settings.changed({"uncertainty.resamples": RESAMPLES}))
    level = np.array(made.tasks["level"].to_pylist())
    for number in np.unique(seed):
        together = np.flatnonzero(seed == number)
        if len(set(level[together])) == 1:
            assert (study.replicates.weights[:, together] == study.replicates.weights[:, together[:1]]).all()


def test_replicates_of_tasks_are_the_engine_on_repeated_tasks() -> None:
    rng = np.random.default_rng(0)
    full = planted(rng)
    weights = rng.integers(0, 3, (4, 300)).astype(float)
    chosen = settings("paper", {"curve.window": 5, "curve.bins": 40})
    rows = intervals(Replicates(full, weights, None, None), chosen, drawn=True)
    repeated = [np.repeat(np.arange(300), times) for times in weights.astype(int)]
    for model in range(2):
        y = full.cross_entropy[0, model]
        scores = [
            habitus.Scores(full.best[0, row], full.chance[0, row], full.chance[0, row], y[row], np.ones(len(row)))
            for row in repeated
        ]
        skill = np.array([habitus.skill(one).value for one in scores])
        assert rows[model]["task_sd"] == pytest.approx(skill.std(ddof=1))
        full_skill = habitus.skill(scores[0]._replace(**columns(full, y))).value
        away = np.quantile(skill - skill.mean(), [0.025, 0.975])
        ends = [rows[model]["skill_low"], rows[model]["skill_high"]]
        assert ends == pytest.approx(full_skill + away)
        gap = np.array([(y - full.best[0])[row].mean() for row in repeated])
        assert rows[model]["gap_high"] == pytest.approx(
            (y - full.best[0]).mean() + np.quantile(gap - gap.mean(), 0.975)
        )
        support = (full.entropy.min(), full.entropy.max())
        turn = [curves.curve(full.entropy[0, row], y[row], bins=40, window=5, support=support) for row in repeated]
        assert rows[model]["inversion_share"] == np.mean([one.outcome == "value" for one in turn])


def columns(points: Points, cross_entropy: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "entropy": points.best[0],
        "chance": points.chance[0],
        "worst": points.chance[0],
        "cross_entropy": cross_entropy,
        "valid": np.ones(len(cross_entropy)),
    }


def test_a_planted_turn_has_an_interval_and_a_rise_has_none() -> None:
    rng = np.random.default_rng(1)
    weights = rng.multinomial(300, np.full(300, 1 / 300), 100).astype(float)
    turned, rising = intervals(Replicates(planted(rng), weights, None, None), settings("sound"), drawn=True)
    for name, place in (("inversion", 3.5), ("lowess_inversion", 3.5)):
        assert turned[f"{name}_share"] == 1
        assert turned[f"{name}_low"] < place + 0.1
        assert turned[f"{name}_high"] > place - 0.1
        assert turned[f"{name}_high"] - turned[f"{name}_low"] < 0.6
        assert rising[f"{name}_low"] is None
        assert rising[f"{name}_high"] is None
    assert turned["user_sd"] is None


def test_users_who_are_shared_stretch_the_interval() -> None:
    rng = np.random.default_rng(2)
    full = planted(rng)
    weights = rng.multinomial(300, np.full(300, 1 / 300), 50).astype(float)
    shift, own = rng.normal(0, 0.05, (50, 1, 1)), rng.normal(0, 0.05, (50, 1, 300))
    together, apart = (
        Points(*(np.repeat(part, 50, axis=0) for part in full[:3]), full.cross_entropy + moved, np.ones((50, 300)))
        for moved in (shift, own)
    )
    alone, both = (
        intervals(Replicates(full, weights, *users), settings("paper"), drawn=False)[0]
        for users in ((None, None), (together, apart))
    )
    by_user = spread(1 - ((together.loss - full.loss) / 0.9).mean(axis=-1)[:, 0])
    assert both["user_sd"] == pytest.approx(by_user, rel=0.05)
    assert both["task_sd"] == alone["task_sd"]
    value = 1 - (full.loss[0, 0] / 0.9).mean()
    for end in ("skill_low", "skill_high"):
        assert abs(both[end] - value) == pytest.approx(math.hypot(alone[end] - value, 1.959964 * both["user_sd"]))


@pytest.mark.parametrize("kind", ["incidence", "user_mean"])
def test_rows_are_those_of_the_results(kind: str) -> None:
    study = drawn(kind)
    rows = list(study.rows())
    known = set(results_schema().names)
    setups = set(study.tasks["setup"].to_pylist())
    pooled = [row for row in rows if (row["setup"], row["level"], row["history"]) == (POOLED,) * 3]
    assert {row["model"] for row in pooled} == set(study.models)
    assert setups < {row["setup"] for row in rows}
    for row in rows:
        assert set(row) <= known
        for name in INTERVALS:
            low, high = row[f"{name}_low"], row[f"{name}_high"]
            assert (low is None) == (high is None)
            assert low is None or low <= high
        if "user_sd" in row and row["user_sd"] is not None:
            assert row["user_sd"] >= 0
    for row in pooled:
        assert row["skill_low"] < row["skill_high"]


def test_the_same_seed_gives_the_same_rows_for_any_number_of_threads() -> None:
    made = ranked.study("incidence")
    wanted = made.settings.changed({"uncertainty.resamples": RESAMPLES})
    several = [list(Study(made.tasks, made.members, made.rankings, wanted, threads=n).rows()) for n in (1, 3)]
    assert several[0] == several[1]


def test_events_have_no_users() -> None:
    study = drawn("user_mean", target__kind="events")
    assert study.replicates.together is None
    assert all(row.get("user_sd") is None for row in study.rows())


def test_without_replicates_there_are_no_intervals() -> None:
    assert all(row[f"{name}_low"] is None for row in drawn(uncertainty__resamples=0).rows() for name in INTERVALS)


def test_a_part_is_the_same_as_its_tasks_alone() -> None:
    whole, some = drawn().replicates, np.array([3, 1, 8])
    part = of_tasks(whole, some)
    assert np.array_equal(part.full.cross_entropy, whole.full.cross_entropy[..., some], equal_nan=True)
    assert np.array_equal(part.weights, whole.weights[:, some])
    assert part.together is not None
    assert part.together.entropy.shape == (RESAMPLES // 2, 3)


def test_replicates_of_users_are_shrunk_to_their_own_population() -> None:
    study = drawn("user_mean", target__smoothing="population")
    scorer, halves = Scorer(study.tasks, study.everyone, study.settings), study._halves
    fixed = scorer.score(study._lists, study._task, kept=halves[0])
    scorer.population = populations.halved(study.tasks, study.everyone, halves).of(0)
    own = scorer.score(study._lists, study._task, kept=halves[0])
    together = study.replicates.together
    assert together is not None
    assert together.best[0] == pytest.approx(own.best, nan_ok=True)
    assert not np.allclose(fixed.best, own.best, equal_nan=True)


def test_draws_with_too_few_users_are_left_out_and_their_stratum_keeps_its_weight() -> None:
    study = drawn("user_mean", group__min_users=3)
    size = np.diff(study._scorer.group_members.start)
    assert study._asked(size) == pytest.approx(np.ones(len(size)))
    fewer = size.copy()
    seeds, level = study.tasks["seed"].to_numpy(), np.array(study.tasks["level"].to_pylist())
    least = {seed: size[seeds == seed].min() for seed in seeds.tolist()}
    out = np.array([number % 3 == 0 for number in range(len(seeds))])
    fewer[out] = 2
    weights = study._asked(fewer)
    lost = np.isin(seeds, seeds[out]) | np.array([least[seed] < 3 for seed in seeds.tolist()])
    assert ((weights == 0) == lost).all()
    length = study.tasks["history"].combine_chunks().value_lengths().to_numpy()
    length = np.array([length[seeds == seed].max() for seed in seeds.tolist()])
    for stratum in set(zip(level, length, strict=True)):
        inside = np.array([pair == stratum for pair in zip(level, length, strict=True)])
        assert weights[inside].sum() == pytest.approx(inside.sum() * (not lost[inside].all()))


reals = st.lists(st.floats(-5, 5), min_size=3, max_size=40).map(np.array)


@given(reals, st.floats(-5, 5), st.floats(0, 3), st.floats(-3, 3))
def test_intervals_hold_the_estimate_and_move_with_it(
    by_task: np.ndarray, value: float, user_sd: float, moved: float
) -> None:
    low, high = interval(value, by_task, user_sd)
    assert low <= high
    assert interval(value + moved, by_task + moved, user_sd) == pytest.approx((low + moved, high + moved), abs=1e-6)
    alone = interval(value, by_task, 0)
    assert high - low >= alone[1] - alone[0] - 1e-9


@pytest.mark.parametrize(("missing", "known"), [(0, True), (5, True), (6, False), (100, False)])
def test_more_than_one_in_twenty_without_a_turn_leaves_no_interval(missing: int, known: bool) -> None:  # noqa: FBT001
    by_task = np.random.default_rng(0).normal(size=100)
    by_task[:missing] = np.nan
    low, high = interval(4.0, by_task, 0.1)
    assert math.isnan(low) != known
    assert math.isnan(high) != known
    assert math.isnan(interval(math.nan, by_task, 0.1)[0])


def test_what_users_share_is_never_negative() -> None:
    few, many = np.array([0.0, 1, 2]), np.array([0.0, 5, 10])
    assert shared(few, many) == 0
    assert shared(many, few) == pytest.approx(math.sqrt(24))
    assert shared(None, None) == 0
