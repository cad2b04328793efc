"""From a data set to tasks: counts against a plain recount, both presets, determinism, what is refused."""

import dataclasses
from collections import Counter

import numpy as np
import polars as pl
import pytest

from habitus_runners import tasks
from habitus_runners.datasets import world
from habitus_runners.datasets.dataset import Dataset
from habitus_runners.errors import HabitusError
from habitus_runners.settings import Settings, settings
from habitus_runners.tables import members_schema, tasks_schema
from habitus_runners.tasks.arrow import tasks_table
from habitus_runners.tasks.material import Material, cells, material
from habitus_runners.tasks.stratum import Stratum

SMALL = {"history.lengths": [0, 2, 3], "draws.count": 20, "draws.cap": 30, "candidates.K": 12, "candidates.N": 4}


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return world.load(seed=1, users=400, items=80)


def _settings(preset: str = "paper", **changes: object) -> Settings:
    return settings(preset, SMALL | {key.replace("__", "."): value for key, value in changes.items()})


def _generate(dataset: Dataset, preset: str = "paper", **changes: object) -> tuple[tasks.Tasks, Settings]:
    wanted = _settings(preset, **changes)
    return tasks.generate(dataset, wanted), wanted


def _material(dataset: Dataset, **changes: object) -> Material:
    return material(dataset, _settings(**changes))


def _stratum(dataset: Dataset, level: int = 1, length: int = 2, **changes: object) -> Stratum:
    wanted = _settings(**changes)
    return Stratum(wanted, material(dataset, wanted), cells(dataset, dataset.levels[level]), length)


def _valued(dataset: Dataset, value: pl.Expr) -> Dataset:
    """The same log, every interaction worth ``value``."""
    return dataclasses.replace(
        dataset, interactions=dataset.interactions.with_columns(value.cast(pl.Float32).alias("value"))
    )


def _users_of(drawn: tasks.Tasks) -> dict[str, list[int]]:
    """Task -> its group."""
    members = pl.DataFrame({"task_id": drawn.members["task_id"].cast("string"), "user": drawn.members["user"]})
    return dict(members.group_by("task_id", maintain_order=True).agg("user").iter_rows())


def _members_by_hand(dataset: Dataset, task: dict, wanted: Settings) -> dict[int, set[int]]:
    """The group of a task as a reader of the method would find it."""
    shown = task["setup"] in "AC"
    cell = {name: value for name, value in task["value"].items() if value is not None and shown}
    users = dataset.users.with_row_index("user").filter(
        pl.lit(value=True), *(pl.col(name) == value for name, value in cell.items())
    )
    items = dict(dataset.interactions.group_by("user").agg("item").iter_rows())
    needed = wanted.history.needed(len(task["history"]))
    seen = {user: set(items.get(user, [])) for user in users["user"]}
    return {user: known for user, known in seen.items() if len(known & set(task["history"])) >= needed}


@pytest.mark.parametrize(
    ("preset", "changes"),
    [
        ("paper", {}),
        ("sound", {"group__min_users": 3, "candidates__sets": 2}),
        ("paper", {"candidates__rule": "literal", "history__draw": "popularity", "inventory": 3}),
        ("paper", {"candidates__rule": "inventory", "candidates__orders": 2, "history__match": "1"}),
    ],
)
def test_every_task_recounts(dataset, preset, changes):
    drawn, wanted = _generate(dataset, preset, **changes)
    assert drawn.tasks.schema == tasks_schema(12, dataset.attributes)
    assert drawn.members.schema == members_schema(12)
    users_of = _users_of(drawn)
    rows = drawn.tasks.to_pylist()
    assert len(rows) > 100
    for task in rows[:: max(1, len(rows) // 150)]:
        group = _members_by_hand(dataset, task, wanted)
        assert users_of[task["task_id"]] == sorted(group)
        assert task["group_size"] == len(group)
        assert task["counts"] == [sum(item in known for known in group.values()) for item in task["candidates"]]
        assert task["parts"]["interacted"] == sum(count > 0 for count in task["counts"])
        assert task["activity"] == pytest.approx(np.mean([len(known) for known in group.values()]))
        assert len(set(task["candidates"])) == 12
        if wanted.candidates.rule != "literal":
            assert not set(task["candidates"]) & set(task["history"])


def test_incidence_bits_are_the_counts(dataset):
    drawn, _ = _generate(dataset)
    bits = np.unpackbits(
        np.frombuffer(b"".join(drawn.members["incidence"].to_pylist()), np.uint8).reshape(-1, 2),
        axis=1,
        bitorder="little",
    )[:, :12]
    sums = Counter()
    for task_id, row in zip(drawn.members["task_id"].to_pylist(), bits, strict=True):
        sums[task_id] = sums[task_id] + row.astype(int) if task_id in sums else row.astype(int)
    for task in drawn.tasks.to_pylist():
        assert sums[task["task_id"]].tolist() == task["counts"]


def test_setups_follow_from_cell_and_history(dataset):
    drawn, _ = _generate(dataset)
    seen = {(task["setup"], task["level"] != "none", bool(task["history"])) for task in drawn.tasks.to_pylist()}
    assert seen == {("A", True, True), ("B", False, True), ("C", True, False), ("N", False, False)}


def test_views_show_the_same_candidates_three_times(dataset):
    drawn, _ = _generate(dataset, "sound", group__min_users=3)
    by_seed: dict[tuple[str, int], dict[str, dict]] = {}
    for task in drawn.tasks.to_pylist():
        by_seed.setdefault((task["level"], task["seed"]), {})[task["setup"]] = task
    triples = [views for views in by_seed.values() if "A" in views]
    assert triples
    for views in triples:
        assert set(views) == {"A", "B", "C"}
        assert views["A"]["candidates"] == views["B"]["candidates"] == views["C"]["candidates"]
        assert views["C"]["history"] == []
        assert min(views["B"]["group_size"], views["C"]["group_size"]) >= views["A"]["group_size"]


def test_draws_add_up_and_caps_hold(dataset):
    drawn, wanted = _generate(dataset)
    for row in drawn.draws:
        rejected = row["small_group"] + row["few_candidates"] + row["no_interaction"]
        assert row["draws"] == rejected + row["accepted"]
        assert row["kept"] <= row["accepted"]
    kept = Counter()
    for row in drawn.draws:
        kept[row["level"], row["history"]] += row["kept"]
    assert max(kept.values()) == wanted.draws.cap
    assert sum(kept.values()) == drawn.tasks.num_rows


def test_the_cap_keeps_a_uniform_sample_drawn_from_the_studys_seed(dataset):
    stratum = _stratum(dataset, draws__cap=10)
    seeded = [dataclasses.replace(stratum, settings=stratum.settings.changed({"seed": seed})) for seed in range(600)]
    samples = np.array([one._sample(30) for one in seeded])
    hits = np.bincount(samples.ravel(), minlength=30)
    assert np.abs(hits - 200).max() < 60
    assert len({tuple(row) for row in samples.tolist()}) > 590


@pytest.mark.parametrize("rule", ["fixed", "quota"])
def test_without_a_history_every_value_has_its_sets(dataset, rule):
    drawn, _ = _generate(dataset, candidates__sets=3, draws__rule=rule, draws__cap=1000)
    assert {row["draws"] for row in drawn.draws if row["history"] == 0} == {3}


def test_a_group_of_min_users_is_enough(dataset):
    drawn, wanted = _generate(dataset, draws__cap=1000)
    assert min(drawn.tasks["group_size"].to_pylist()) == wanted.group.min_users


def test_candidates_that_nobody_in_the_group_knows_are_no_task(dataset):
    few = dataclasses.replace(dataset, interactions=dataset.interactions.filter(pl.col("item") < 40))
    drawn, _ = _generate(
        few, candidates__rule="quintiles", inventory="catalogue", group__min_users=1, draws__cap=1000,
        history__lengths=[0, 1, 2, 3],
    )  # fmt: skip
    assert all(any(counts) for counts in drawn.tasks["counts"].to_pylist())
    assert sum(row["no_interaction"] for row in drawn.draws) > 0


def test_quota_stops_at_the_cap_or_the_tries(dataset):
    drawn, wanted = _generate(dataset, draws__rule="quota", draws__cap=25, draws__tries=60)
    accepted, tried = Counter(), Counter()
    for row in drawn.draws:
        accepted[row["level"], row["history"]] += row["accepted"]
        tried[row["level"], row["history"]] += row["draws"]
    assert max(accepted.values()) == wanted.draws.cap
    for stratum, count in accepted.items():
        assert count == 25 or tried[stratum] == 60 or stratum[1] == 0


def test_nested_histories_begin_alike(dataset):
    drawn, _ = _generate(dataset, history__nested=True, draws__cap=1000, history__match="1/3", group__min_users=1)
    histories = {2: set(), 3: set()}
    for task in drawn.tasks.to_pylist():
        if task["level"] == "none" and task["history"]:
            histories[len(task["history"])].add(tuple(task["history"][:2]))
    assert len(histories[2] & histories[3]) > 10


def test_nested_lengths_share_their_histories_not_their_candidates(dataset):
    two, three = (_stratum(dataset, 0, length, history__nested=True) for length in (2, 3))
    assert two._bases("history").tolist() == three._bases("history").tolist()
    assert two._bases("task").tolist() != three._bases("task").tolist()


def test_seeds_differ_by_use_level_value_and_length(dataset):
    strata = [_stratum(dataset, level, length) for level in (0, 1, 2) for length in (2, 3)]
    bases = [int(base) for one in strata for use in ("task", "history") for base in one._bases(use)]
    bases += [one._base("task", {}) for one in strata if one.cells.level.attributes]
    assert len(set(bases)) == len(bases)


def test_popular_items_come_earlier_in_weighted_histories(dataset):
    popularity = dict(dataset.interactions.group_by("item").len().iter_rows())
    mean = {}
    for draw in ("uniform", "popularity"):
        histories = _stratum(dataset, 0, 3, history__draw=draw)._histories(np.arange(500, dtype=np.uint64))
        mean[draw] = np.mean([popularity.get(item, 0) for item in histories.ravel().tolist()])
    assert mean["popularity"] > 1.3 * mean["uniform"]


@pytest.mark.parametrize("kind", ["user_mean", "events"])
def test_other_targets_are_distributions(dataset, kind):
    drawn, _ = _generate(dataset, target__kind=kind)
    target = np.array(drawn.tasks["target"].to_pylist())
    counts = np.array(drawn.tasks["counts"].to_pylist())
    assert np.allclose(target.sum(axis=1), 1)
    assert ((target > 0) == (counts > 0)).all()
    if kind == "events":
        assert np.allclose(target, counts / counts.sum(axis=1, keepdims=True))


def test_events_count_what_each_interaction_is_worth(dataset):
    drawn, _ = _generate(_valued(dataset, pl.col("item") % 7 + 1), target__kind="events")
    for task in drawn.tasks.to_pylist()[:50]:
        plays = [count * (item % 7 + 1) for item, count in zip(task["candidates"], task["counts"], strict=True)]
        assert task["target"] == pytest.approx([n / sum(plays) for n in plays])


def test_user_mean_gives_every_user_who_knows_a_candidate_the_same_weight(dataset):
    drawn, _ = _generate(dataset, target__kind="user_mean")
    items, users_of = dict(dataset.interactions.group_by("user").agg("item").iter_rows()), _users_of(drawn)
    for task in drawn.tasks.to_pylist()[:50]:
        known = [[item in set(items[user]) for item in task["candidates"]] for user in users_of[task["task_id"]]]
        rows = [np.array(row) / sum(row) for row in known if any(row)]
        assert task["target"] == pytest.approx(np.mean(rows, axis=0).tolist())


def test_the_same_seed_gives_the_same_tasks_for_any_threads(dataset):
    wanted = settings("paper", SMALL)
    one = tasks.generate(dataset, wanted, threads=1)
    two = tasks.generate(dataset, wanted, threads=2)
    assert one.tasks.equals(two.tasks)
    assert one.members.equals(two.members)


def test_another_seed_gives_other_tasks(dataset):
    one, _ = _generate(dataset)
    two, _ = _generate(dataset, seed=1)
    assert not set(one.tasks["task_id"].to_pylist()) & set(two.tasks["task_id"].to_pylist())


def test_a_new_length_changes_no_other_task(dataset):
    one, _ = _generate(dataset)
    two, _ = _generate(dataset, history__lengths=[0, 1, 2, 3])
    assert set(one.tasks["task_id"].to_pylist()) < set(two.tasks["task_id"].to_pylist())


def test_a_task_is_named_by_all_that_makes_it(dataset):
    stratum = _stratum(dataset, draws__cap=1)
    one, _ = stratum.drawn()
    renamed = dataclasses.replace(dataset, users=dataset.users.with_columns(user_id=pl.col("user_id") + "x"))
    made = [
        (dataset, "A", one, 0),
        (dataset, "A", one._replace(history=one.history[:, ::-1].copy()), 0),
        (dataset, "A", one._replace(candidates=one.candidates[:, ::-1].copy()), 0),
        (dataset, "A", one._replace(seed=one.seed + 1), 0),
        (dataset, "A", one._replace(cell=(one.cell + 1) % len(stratum.cells.values)), 0),
        (dataset, "A", one, 1),
        (dataset, "B", one, 0),
        (renamed, "A", one, 0),
    ]
    ids = [
        tasks_table(source, stratum, setup, batch, order)["task_id"][0].as_py() for source, setup, batch, order in made
    ]
    assert len(set(ids)) == len(ids)


def test_orders_that_come_out_alike_are_still_tasks_of_their_own(dataset):
    drawn, _ = _generate(dataset, candidates__K=2, candidates__N=1, candidates__orders=3)
    ids = drawn.tasks["task_id"].to_pylist()
    assert len(set(ids)) == len(ids)


def test_orders_are_other_orders(dataset):
    drawn, _ = _generate(dataset, candidates__orders=3)
    by_seed: dict[tuple[str, int], set[tuple[int, ...]]] = {}
    for task in drawn.tasks.to_pylist():
        by_seed.setdefault((task["level"], task["seed"]), set()).add(tuple(task["candidates"]))
    assert {len(orders) for orders in by_seed.values()} == {3}


def test_orders_permute_the_same_candidates(dataset):
    drawn, _ = _generate(dataset, candidates__orders=2)
    by_seed: dict[tuple, list[dict]] = {}
    for task in drawn.tasks.to_pylist():
        by_seed.setdefault((task["level"], task["seed"], len(task["history"])), []).append(task)
    for first, second in by_seed.values():
        assert (first["order"], second["order"]) == (0, 1)
        assert dict(zip(first["candidates"], first["counts"], strict=True)) == dict(
            zip(second["candidates"], second["counts"], strict=True)
        )


def test_too_few_items_are_named(dataset):
    with pytest.raises(HabitusError, match=r"expected at least 83 items .* got 80; lower candidates.K"):
        tasks.generate(dataset, settings("paper", {"candidates.K": 80, "history.lengths": [0, 3]}))


def test_no_task_at_all_is_named(dataset):
    with pytest.raises(HabitusError, match=r"expected tasks, got none.*lower group\.min_users"):
        tasks.generate(dataset, settings("paper", SMALL | {"group.min_users": 100_000}))


@pytest.mark.parametrize(("inventory", "least"), [("kept", 1), ("catalogue", 0), (5, 5)])
def test_the_inventory_is_what_enough_users_know(dataset, inventory, least):
    few = dataclasses.replace(dataset, interactions=dataset.interactions.filter(pl.col("item") % 3 > 0))
    known = dict(few.interactions.group_by("item").len().iter_rows())
    found = _material(few, inventory=inventory).inventory
    assert found.tolist() == [item for item in range(80) if known.get(item, 0) >= least]


def test_the_inventory_includes_items_of_exactly_the_least(dataset):
    counts = dataset.interactions.group_by("item").len().sort("len")["len"].to_list()
    assert len(_material(dataset, inventory=counts[20]).inventory) == sum(count >= counts[20] for count in counts)


def test_min_rating_leaves_lower_values_out_and_keeps_equal_ones(dataset):
    rated = _valued(dataset, pl.col("item") % 3 + 1.5)
    for least in (2, 2.5):
        source = _material(rated, min_rating=least)
        assert len(source.log.user_items) == (rated.interactions["value"] >= 2).sum()
        assert set(source.values.tolist()) == {2.5, 3.5}


def test_who_has_no_value_is_in_no_cell(dataset):
    gender = pl.when(pl.int_range(pl.len()) < 9).then(None).otherwise("gender").alias("gender")
    made = cells(dataclasses.replace(dataset, users=dataset.users.with_columns(gender)), dataset.levels[2])
    assert dataset.levels[2].attributes == ("gender",)
    assert (made.of_user[:9] == -1).all()
    assert (made.of_user[9:] >= 0).all()
