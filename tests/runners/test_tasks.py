"""From a data set to tasks: counts against a plain recount, both presets, determinism, what is refused."""

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

SMALL = {"history.lengths": [0, 2, 3], "draws.count": 20, "draws.cap": 30, "candidates.K": 12, "candidates.N": 4}


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return world.load(seed=1, users=400, items=80)


def _generate(dataset: Dataset, preset: str = "paper", **changes: object) -> tuple[tasks.Tasks, Settings]:
    wanted = settings(preset, SMALL | {key.replace("__", "."): value for key, value in changes.items()})
    return tasks.generate(dataset, wanted), wanted


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
    members = (
        pl.DataFrame({"task_id": drawn.members["task_id"].cast("string"), "user": drawn.members["user"]})
        .group_by("task_id", maintain_order=True)
        .agg("user")
    )
    users_of = dict(members.iter_rows())
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


@pytest.mark.parametrize("kind", ["user_mean", "events"])
def test_other_targets_are_distributions(dataset, kind):
    drawn, _ = _generate(dataset, target__kind=kind)
    target = np.array(drawn.tasks["target"].to_pylist())
    counts = np.array(drawn.tasks["counts"].to_pylist())
    assert np.allclose(target.sum(axis=1), 1)
    assert ((target > 0) == (counts > 0)).all()
    if kind == "events":
        assert np.allclose(target, counts / counts.sum(axis=1, keepdims=True))


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
