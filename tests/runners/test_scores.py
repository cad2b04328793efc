"""From rankings to scores and results: against the engine called by hand, and from tables alone."""

import math

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import habitus
from habitus import curves
from habitus_runners import results, scores, tasks
from habitus_runners.datasets import world
from habitus_runners.settings import settings
from habitus_runners.tables import rankings_schema, results_schema, scores_schema

CHANGES = {"history.lengths": [0, 2], "draws.cap": 40, "candidates.K": 12, "candidates.N": 4}


def _rankings(table: pa.Table, seed: int = 0) -> pa.Table:
    """Two models: one lists at random, one leaves slots empty."""
    rng = np.random.default_rng(seed)
    lists = np.argsort(rng.random((table.num_rows, 12)), axis=1)[:, :4].astype(np.int16)
    short = lists.copy()
    short[:, 2:] = -1
    order = rng.permutation(2 * table.num_rows)
    both = np.concatenate([lists, short])[order]
    names = np.repeat(["full", "short"], table.num_rows)[order].tolist()
    ids = table["task_id"].to_pylist() * 2
    ids = [ids[row] for row in order]
    width = pa.list_(pa.int16(), 4)
    columns = {
        "answer_id": [f"{name}-{task}" for name, task in zip(names, ids, strict=True)],
        "task_id": ids,
        "model": pa.array(names).dictionary_encode(),
        "parser": pa.array(["titles-1"] * len(ids)).dictionary_encode(),
        "ranking": pa.array(list(both), width),
        "verdict": pa.array(["ok"] * len(ids)).dictionary_encode(),
        "levels": pa.array(list((both >= 0).astype(np.int8)), pa.list_(pa.int8(), 4)),
    }
    return pa.table(columns, schema=rankings_schema(4))


@pytest.fixture(scope="module", params=["incidence", "user_mean"])
def study(request):
    wanted = settings("paper", CHANGES | {"target.kind": request.param})
    table = tasks.generate(world.load(users=300, items=80), wanted).tasks
    rankings = _rankings(table)
    return wanted, table, rankings, scores.score(table, rankings, wanted)


def test_scores_are_the_engines(study):
    wanted, table, rankings, scored = study
    assert scored.schema == scores_schema()
    counts = np.array(table["counts"].to_pylist())
    if wanted.target.kind == "incidence":
        p = (counts + 1 / 12) / (counts.sum(axis=1, keepdims=True) + 1)
    else:
        p = np.array(table["target"].to_pylist()) * table["group_size"].to_numpy()[:, None] + 1 / 12
        p /= p.sum(axis=1, keepdims=True)
    row = {task: number for number, task in enumerate(table["task_id"].to_pylist())}
    frame = pl.from_arrow(scored).with_columns(pl.col("model", "fill").cast(pl.String))
    for fill in ("chance", "optimistic", "worst"):
        part = frame.filter(pl.col("fill") == fill)
        assert part["answer_id"].to_list() == rankings["answer_id"].to_pylist()
        for number, ranking in enumerate(rankings["ranking"].to_pylist()[:40]):
            q = p[row[part["task_id"][number]]]
            assert part["entropy"][number] == pytest.approx(-(q * np.log(q)).sum(), abs=1e-12)
            if part["model"][number] == "full":
                slots = np.argsort(-q, kind="stable")
                rest = [item for item in slots if item not in ranking]
                value = -sum(q[item] * math.log(q[slot]) for item, slot in zip([*ranking, *rest], slots, strict=True))
                assert part["cross_entropy"][number] == pytest.approx(value, abs=1e-12)
            assert part["valid"][number] == sum(item >= 0 for item in ranking)


def test_results_sum_up_each_slice(study):
    wanted, table, _, scored = study
    summary = results.summarise(table, scored, wanted)
    assert summary.schema == results_schema()
    frame = pl.from_arrow(scored).with_columns(pl.col("model", "fill").cast(pl.String))
    setups = dict(zip(table["task_id"].to_pylist(), table["setup"].to_pylist(), strict=True))
    for row in summary.to_pylist():
        if row["level"] != "all" or row["history"] != "all":
            assert row["inversion"] is None
            continue
        part = frame.filter((pl.col("model") == row["model"]) & (pl.col("fill") == row["fill"]))
        if row["setup"] != "all":
            part = part.filter(pl.col("task_id").replace_strict(setups) == row["setup"])
        assert row["tasks"] == part.height
        assert row["gap"] == pytest.approx((part["cross_entropy"] - part["entropy"]).mean())
        kept = part.filter(pl.col("chance") - pl.col("entropy") >= 0.02 * math.log(2))
        lost, attainable = (kept[name] - kept["entropy"] for name in ("cross_entropy", "chance"))
        assert row["skill"] == pytest.approx(1 - lost.sum() / attainable.sum())
        assert row["excluded"] == part.height - kept.height
        assert row["validity"] == (1.0 if row["model"] == "full" else 0.5)


def test_slices_are_a_partition(study):
    wanted, table, _, scored = study
    rows = results.summarise(table, scored, wanted).to_pylist()
    one = [row for row in rows if (row["model"], row["fill"]) == ("full", "chance")]
    pooled = next(row for row in one if (row["setup"], row["level"], row["history"]) == ("all",) * 3)
    for name in ("setup", "level", "history"):
        others = {"setup", "level", "history"} - {name}
        parts = [row for row in one if row[name] != "all" and all(row[other] == "all" for other in others)]
        assert sum(row["tasks"] for row in parts) == pooled["tasks"]
        assert sum(row["tasks"] * row["gap"] for row in parts) == pytest.approx(pooled["tasks"] * pooled["gap"])


def test_dropped_rankings_are_counted_and_no_number(study):
    wanted, table, rankings, _ = study
    dropping = wanted.changed({"fill": "drop"})
    scored = scores.score(table, rankings, dropping)
    rows = results.summarise(table, scored, dropping).to_pylist()
    dropped = [row for row in rows if (row["model"], row["fill"]) == ("short", "drop")]
    assert dropped
    for row in dropped:
        assert row["dropped"] == row["tasks"]
        assert row["skill"] is row["gap"] is row["cross_entropy"] is row["inversion"] is None


def test_curve_of_the_results_is_the_engines(study):
    wanted, table, _, scored = study
    wide = wanted.changed({"curve.bins": 20, "curve.window": 3})
    rows = results.summarise(table, scored, wide).to_pylist()
    row = next(row for row in rows if (row["model"], row["fill"], row["setup"]) == ("full", "chance", "all"))
    frame = pl.from_arrow(scored).with_columns(pl.col("model", "fill").cast(pl.String))
    part = frame.filter((pl.col("model") == "full") & (pl.col("fill") == "chance"))
    curve = curves.curve(part["entropy"], part["cross_entropy"], bins=20, window=3)
    assert row["outcome"] == curve.outcome != "undefined"
    assert row["inversion"] == (pytest.approx(curve.inversion) if curve.outcome == "value" else None)
    chance = curves.curve(part["entropy"], part["chance"], bins=20, window=3)
    assert row["area"] == pytest.approx(curves.area(curve, chance))


def test_alpha_is_the_settings(study):
    wanted, table, rankings, scored = study
    if wanted.target.kind != "incidence":
        pytest.skip("counts show the effect of alpha directly")
    other = scores.score(table, rankings, wanted.changed({"target.alpha": 2.0}))
    assert set(other["alpha"].to_pylist()) == {2.0}
    expected = habitus.entropy.plug_in(np.array(table["counts"].to_pylist()), alpha=2.0)
    row = {task: number for number, task in enumerate(table["task_id"].to_pylist())}
    found = np.array([expected[row[task]] for task in other["task_id"].to_pylist()])
    assert np.allclose(other["entropy"].to_numpy(), found, atol=1e-12)
    assert not np.allclose(other["entropy"].to_numpy(), scored["entropy"].to_numpy())
