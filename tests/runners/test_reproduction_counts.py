"""The shares and tests that the reproduction prints, counted on tasks small enough to follow by hand."""

import numpy as np
import pyarrow as pa
import pytest
from tests.reference import scores as by_definition

import habitus
from habitus_runners import paper
from habitus_runners.reproduction import bias, constant_skill, expected, infinities, table_1
from habitus_runners.settings import settings
from habitus_runners.tables import members_schema, rankings_schema, tasks_schema

BEST, WORST = [0, 1], [3, 2]  # of counts that fall: what is listed last has no count, and what has one comes too late


def _tables(sizes: list[int], lists: dict[str, list[list[int]]]) -> dict[str, pa.Table]:
    """Tasks with groups of these sizes and the counts 4 2 0 0, and each model's ranking of every task."""
    tasks = [
        {"task_id": f"task {row}", "counts": [4, 2, 0, 0], "candidates": [0, 1, 2, 3], "group_size": size}
        for row, size in enumerate(sizes)
    ]
    rankings = [
        {"answer_id": f"{model} {row}", "task_id": f"task {row}", "model": model, "ranking": ranking}
        for model, rows in lists.items()
        for row, ranking in enumerate(rows)
    ]
    return {
        "tasks": _table(tasks, tasks_schema(4, ())),
        "rankings": _table(rankings, rankings_schema(2)).take(np.random.default_rng(0).permutation(len(rankings))),
    }


def _table(rows: list[dict[str, object]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([dict.fromkeys(schema.names) | row for row in rows], schema)


def _found(tables: dict[str, pa.Table]) -> dict[str, str]:
    return {figure.name: figure.found for figure in expected.of_infinities(tables)}


def test_groups_of_five_are_small_and_groups_of_six_are_not():
    tables = _tables([5, 6, 3, 6, 5, 6, 7, 20], {"popularity": [WORST, WORST, BEST, BEST, BEST, WORST, WORST, WORST]})
    assert _found(tables) == {"infinite without smoothing, popularity": "62.50%; 33.3% at 3-5 users"}


def test_every_model_is_counted_on_its_own_rankings():
    tables = _tables([5, 6, 9, 9], {"random": [WORST, WORST, WORST, BEST], "popularity": [BEST, BEST, BEST, WORST]})
    assert _found(tables) == {
        "infinite without smoothing, random": "75.00%",
        "infinite without smoothing, popularity": "25.00%; 0.0% at 3-5 users",
    }


def test_a_model_that_was_not_run_has_no_figure():
    assert _found(_tables([5], {"perfect": [BEST]})) == {}
    assert infinities.of_model(_tables([5], {"perfect": [BEST]}), "random") is None


def _infinite_by_hand(counts: list[int], ranking: list[int]) -> bool:
    listed = [item for item in ranking if item >= 0]
    order = sorted(range(len(counts)), key=lambda item: -counts[item])
    slots = listed + [item for item in order if item not in listed]
    return any(counts[item] and not counts[slot] for item, slot in zip(slots, order, strict=True))


def test_infinities_agree_with_plain_counting():
    rng = np.random.default_rng(0)
    counts = rng.poisson(0.7, (400, 12)).astype(np.int32)
    rankings = np.argsort(rng.random((400, 12)), axis=1)[:, :5].astype(np.int16)
    rankings[rng.random(rankings.shape) < 0.1] = -1
    rankings = np.array([[*(r for r in row if r >= 0), *(r for r in row if r < 0)] for row in rankings], np.int16)
    by_hand = [_infinite_by_hand(*row) for row in zip(counts.tolist(), rankings.tolist(), strict=True)]
    assert infinities.infinite(counts, rankings).tolist() == by_hand
    assert 0 < sum(by_hand) < 400


def test_the_range_of_the_curve_is_in_bits():
    counts = np.random.default_rng(0).poisson(3, (400, 12)).astype(np.int32)
    wanted = settings("paper", {"candidates.K": 12, "candidates.N": 5, "curve.window": 5})
    figures = {figure.name: figure.found for figure in expected.of_curves(counts, counts.sum(axis=1), wanted)}
    low, high = (float(end) for end in figures["range of the curve (bits)"].split("-"))
    entropy = habitus.entropy.plug_in(counts) / np.log(2)
    assert entropy.min() <= low < np.median(entropy) < high <= entropy.max()


def test_the_room_of_counts_is_that_of_the_definitions():
    counts = np.random.default_rng(1).poisson(1.5, (5, 6)).astype(np.int32) + np.eye(5, 6, dtype=np.int32)
    room = constant_skill.of_counts(counts, settings("paper", {"candidates.K": 6, "candidates.N": 3}), 0.5)
    for row, count in enumerate(counts):
        target = (count + 0.5) / (count + 0.5).sum()
        assert room.entropy[row] == pytest.approx(-(target * np.log2(target)).sum())
        assert room.chance[row] == pytest.approx(by_definition.chance(target, target, 3) / np.log(2))
    assert room.cross_entropy(1.0) == pytest.approx(room.best)
    assert room.cross_entropy(0.0) == pytest.approx(room.chance)
    assert room.cross_entropy(0.25) == pytest.approx(0.25 * room.best + 0.75 * room.chance)


def _draws(**changes: tuple[int, int]) -> dict[str, object]:
    """A manifest with the paper's Table 1, of 5000 draws each, but for (draws, accepted) of ``level_length``."""
    draws = []
    for level, row in paper.TABLE_1["ml-1m"].items():
        for length, count in zip(paper.LENGTHS, row, strict=True):
            made, accepted = changes.get(f"{level.split()[0]}_{length}", (5000, count))
            kept = min(accepted, 300)
            # In two halves: cells of a level are summed over its values.
            for part in (0, 1):
                halves = {"draws": made, "accepted": accepted, "kept": kept}
                draws.append(
                    {"level": level, "history": length} | {k: v // 2 + part * (v % 2) for k, v in halves.items()}
                )
    return {"draws": draws, "settings": {"draws": {"cap": 300}}}


def test_the_papers_own_table_agrees_with_itself():
    found = table_1.cells(_draws())
    assert all(cell.by_chance and cell.ours == cell.theirs for cell in found)
    assert sum(cell.theirs for cell in found) == 5096


def test_cells_that_cannot_be_chance_are_found():
    found = {
        (cell.level, cell.length): cell
        for cell in table_1.cells(_draws(none_20=(300, 60), none_1=(300, 270), age_1=(2100, 1300), gender_10=(90, 80)))
    }
    odd = {key for key, cell in found.items() if not cell.by_chance}
    assert odd == {("none", 20), ("none", 1), ("gender", 10)}
    assert found["gender", 10].p == 0.0  # 110 of 90 draws
    assert found["age", 1].p == 1.0  # both cut off at the cap
    assert found["none", 1].p == pytest.approx(2 * _hypergeometric_tail(300, 300, 270), rel=1e-6)


def _hypergeometric_tail(draws: int, theirs: int, ours: int) -> float:
    """P that all refusals fall on one side, which by symmetry is half of Fisher's p here."""
    refused = 2 * draws - theirs - ours
    return float(np.prod([(draws - place) / (2 * draws - place) for place in range(refused)]))


def test_bias_is_measured_on_large_groups_alone():
    rng = np.random.default_rng(0)
    liking = np.linspace(0.05, 0.6, 8)
    sizes = [400, 350, 40]
    tasks = [{"task_id": f"task {row}", "candidates": list(range(8))} for row in range(3)]
    members = [
        {"task_id": f"task {row}", "user": user, "incidence": np.packbits(rng.random(8) < liking, bitorder="little")}
        for row, size in enumerate(sizes)
        for user in range(size)
    ]
    members = [row | {"incidence": row["incidence"].tobytes()} for row in members]
    order = rng.permutation(len(members))
    table, people = _table(tasks, tasks_schema(8, ())), _table([members[i] for i in order], members_schema(8))
    plug_in, nsb = bias.of_groups(table, people, 0)
    assert (plug_in.name, nsb.name, plug_in.groups) == ("plug-in", "NSB", 2)
    assert plug_in.users == bias.SIZES
    assert plug_in.bits[0] < -0.3  # three users of eight candidates
    assert abs(plug_in.bits[-1]) < 0.1
    assert bias.of_groups(table.slice(2), people.filter(pa.compute.equal(people["task_id"], "task 2")), 0) == []
