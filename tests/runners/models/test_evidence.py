"""Evidence says what the tables and the data set say, however the tables are cut."""

from dataclasses import replace

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from tests.runners.small import group_of, known, study

from habitus_runners.errors import HabitusError
from habitus_runners.models.evidence import Evidence


@pytest.fixture(scope="module")
def made():
    return study(seed=3)


def rows(ragged):
    return [row.tolist() for row in np.split(ragged.values, ragged.start[1:-1])]


def test_groups_are_the_users_who_fit(made):
    for task, group in zip(made.tasks.to_pylist(), rows(made.evidence.groups), strict=True):
        value = task["value"] if task["setup"] in "AC" else {}
        assert group == group_of(made.dataset, value, task["history"], -(-3 * len(task["history"]) // 5)).tolist()


def test_bits_of_members_add_up_to_the_counts(made):
    evidence = made.evidence
    assert np.array_equal(evidence.group_counts(), evidence.counts)
    knows = known(made.dataset)
    expected = knows[evidence.groups.values[:, None], evidence.candidates[evidence.groups.row]].sum(axis=1)
    assert np.array_equal(evidence.rows_per_member(), expected)


def test_batches_change_nothing(made, monkeypatch):
    monkeypatch.setattr("habitus_runners.models.evidence._MEMBERS_AT_ONCE", 7)
    assert np.array_equal(made.evidence.group_counts(), made.evidence.counts)


def test_order_and_chunks_of_the_tables_change_nothing(made):
    order = np.random.default_rng(0).permutation(made.members.num_rows)
    members = pa.concat_tables([made.members.take(order[:100]), made.members.take(order[100:])])
    tasks = pa.concat_tables([made.tasks.slice(0, 7), made.tasks.slice(7)])
    evidence = Evidence(made.dataset, tasks, members, made.settings)
    assert [sorted(group) for group in rows(evidence.groups)] == rows(made.evidence.groups)
    assert np.array_equal(evidence.group_counts(), made.evidence.counts)
    assert np.array_equal(evidence.candidates, made.evidence.candidates)
    assert rows(evidence.histories) == rows(made.evidence.histories)


def test_some_rows_of_the_tasks_are_a_study_too(made):
    tasks = made.tasks.slice(10, 20)
    wanted = set(tasks["task_id"].to_pylist())
    keep = [task in wanted for task in made.members["task_id"].to_pylist()]
    for members in (made.members.filter(pa.array(keep)), made.members.slice(keep.index(True), sum(keep))):
        evidence = Evidence(made.dataset, tasks, members, made.settings)
        assert np.array_equal(evidence.group_counts(), made.evidence.counts[10:30])


def test_only_what_the_prompt_shows_counts(made):
    evidence = made.evidence
    for row, task in enumerate(made.tasks.to_pylist()):
        value = task["value"] if task["setup"] in "AC" else {}
        cell = evidence.cells[evidence.cell[row]]
        assert np.flatnonzero(cell).tolist() == group_of(made.dataset, value, [], 0).tolist()
        assert rows(evidence.histories)[row] == (task["history"] if task["setup"] in "AB" else [])


def test_a_history_that_setup_c_carries_is_not_shown(made):
    setup = pa.array(["C"] * made.tasks.num_rows).dictionary_encode()
    tasks = made.tasks.set_column(2, "setup", setup)
    assert Evidence(made.dataset, tasks, made.members, made.settings).histories.size.sum() == 0


def test_a_user_whose_attribute_is_unknown_is_in_no_cell(made):
    users = made.dataset.users.with_columns(pl.lit(None, pl.String).alias("gender"))
    evidence = Evidence(replace(made.dataset, users=users), made.tasks, made.members, made.settings)
    asks_gender = [task["setup"] in "AC" and task["value"]["gender"] is not None for task in made.tasks.to_pylist()]
    assert np.array_equal(~evidence.cells[evidence.cell].any(axis=1), asks_gender)


def test_popularity_leaves_out_what_min_rating_leaves_out(made):
    value = pl.when(pl.col("user") < 50).then(2.0).otherwise(4.0).alias("value")
    dataset = replace(made.dataset, interactions=made.dataset.interactions.with_columns(value))
    evidence = Evidence(dataset, made.tasks, made.members, made.settings.changed({"min_rating": 3}))
    assert np.array_equal(evidence.popularity, known(made.dataset)[50:].sum(axis=0))


def test_entropies_are_those_of_the_smoothed_target(made):
    counts = made.evidence.counts[4]
    p = (counts + 1 / 12) / (counts.sum() + 1)
    assert made.evidence.entropies[4] == pytest.approx(-sum(x * np.log2(x) for x in p))


def test_weights_follow_the_target_when_there_is_one():
    made = study("user_mean", tasks=12)
    evidence = made.evidence
    target = np.array(made.tasks["target"].to_pylist())
    assert evidence.weights == pytest.approx(target * evidence.groups.size[:, None])


def test_tables_of_different_studies_are_refused(made):
    other = study(seed=4, tasks=12)
    with pytest.raises(HabitusError, match="expected task ids of the tasks table, got task 4-0"):
        _ = Evidence(made.dataset, made.tasks, other.members, made.settings).groups
    with pytest.raises(HabitusError, match=r"task 3-\d+: expected \d+ rows of members, got"):
        _ = Evidence(made.dataset, made.tasks, made.members.slice(1), made.settings).groups
