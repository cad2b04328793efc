"""Tables and sentences against numbers counted by hand."""

from typing import Any

import polars as pl
import pytest
from tests.runners.report.simulation import SIZES, Run, simulate

from habitus_runners.models import RECIPES
from habitus_runners.report import scored, summary
from habitus_runners.report.scored import Study
from habitus_runners.report.style import legible, slug, style


def _study(run: Run) -> Study:
    return scored.study(run.tables, run.manifest["settings"])


def test_table_one_stands_beside_the_papers() -> None:
    run = simulate({"only": 1.0}, per_cell=2)
    table = summary.sampling(run.manifest, list(SIZES), (0, 1, 3, 5, 10, 20))
    assert (table.ours, table.theirs) == ("59", "5,096")
    assert [cell.ours for cell in table.rows[1][1]] == ["2"] * 6
    assert [cell.theirs for cell in table.rows[1][1]] == ["7", "300", "300", "300", "147", "5"]


def test_music_has_its_own_columns_and_a_new_data_set_has_none() -> None:
    music, world = (simulate({"only": 1.0}, per_cell=2, dataset=name) for name in ("lastfm-1k", "world"))
    table = summary.sampling(music.manifest, ["none", "country"], (0, 1))
    assert table.lengths == (0, 1, 3, 5, 10, 20)
    assert [cell.theirs for cell in table.rows[1][1]] == ["17", "250", "249", "248", "208", "9"]
    assert table.theirs == "4,924"
    alone = summary.sampling(world.manifest, ["none"], (0, 1))
    assert alone.lengths == (0, 1)
    assert alone.theirs == ""


def test_draws_are_summed_over_values_in_the_order_of_levels() -> None:
    run = simulate({"only": 1.0}, per_cell=2)
    counts = {"draws": 10, "small_group": 4, "few_candidates": 1, "no_interaction": 0, "accepted": 5, "kept": 3}
    cells: list[tuple[str, str, Any]] = [("gender", "M", 1), ("none", "", 3), ("gender", "F", 1), ("none", "", 1)]
    draws = [{"level": level, "value": {"gender": value}, "history": h} | counts for level, value, h in cells]
    table = summary.sampling(run.manifest | {"draws": draws}, ["none", "gender"], (1, 3)).draws
    one, two = ("10", "4", "1", "0", "5", "3"), ("20", "8", "2", "0", "10", "6")
    assert table.rows == (("none", "1", *one), ("none", "3", *one), ("gender", "1", *two))


def test_models_that_see_the_answer_do_not_make_the_headline() -> None:
    study = _study(
        simulate({"perfect": 0.0, "good": 0.5, "bad": 3.0, "reversed": -1.0, "mixture:0.9": 0.1}, per_cell=5)
    )
    text = summary.headline(study, "watched")
    assert text.startswith("Of 2 models (and 3 that are shown the answer), good predicts best")
    assert "and bad worst" in text
    only = _study(simulate({"perfect": 0.0}, per_cell=5))
    assert summary.headline(only, "watched") == "perfect predicts what these groups watched on 143 tasks (skill 1.00)."


def test_models_that_answered_a_part_are_named_and_make_no_headline() -> None:
    study = _study(simulate({"good": 0.5, "bad": 3.0}, per_cell=5))
    assert not summary.unfinished(study)
    fewer = pl.when(pl.col("model") == "good").then(7).otherwise("tasks")
    study = study._replace(results=study.results.with_columns(tasks=fewer))
    assert "some models have answered a part: good 7. " in summary.unfinished(study)
    assert summary.headline(study, "watched").startswith("bad predicts")


def test_models_that_see_the_answer_are_those_that_exist() -> None:
    assert set(RECIPES) >= summary.SEE_THE_ANSWER
    assert summary.SEE_THE_ANSWER.isdisjoint({"random", "popularity", "group-popularity", "item-knn", "refuser"})


def test_verdicts_are_counted_per_setup() -> None:
    study = _study(simulate({"vllm:x": 1.0}, per_cell=4))
    pooled, of_b = summary.results(study)[0], summary.results(study, "B")[0]
    assert pooled.verdicts == "ok 102, short 13"
    assert of_b.verdicts == "ok 18, short 2"


def test_other_policies_have_a_column_each() -> None:
    run = simulate({"vllm:x": 1.0}, per_cell=4)
    study = _study(run)
    worst = study.policies.with_columns(fill=pl.lit("worst"), skill=pl.lit(-0.25))
    table = summary.policies(study._replace(policies=pl.concat([study.policies, worst])))
    assert table.headings == ("model", "chance, α = 0.02", "worst, α = 0.02")
    assert table.rows[0][2] == "\N{MINUS SIGN}0.250"


def test_what_stands_beside_the_curves() -> None:
    study = _study(simulate({"popularity": 0.3}, per_cell=20))
    beside = summary.warnings(study)
    assert beside.direction == "lower"
    assert beside.correlation.startswith("\N{MINUS SIGN}0.")
    assert beside.popularity == summary.number(summary.ranked(study, "all")[0]["skill"])
    assert beside.smallest == str(sum(size < 10 for size in study.tasks["group_size"]))


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (float("nan"), "–"), (-0.001, "0.00"), (-1.5, "\N{MINUS SIGN}1.50"), (1234.5, "1,234.50")],
)
def test_numbers(value: float | None, shown: str) -> None:
    assert summary.number(value) == shown


def test_a_missing_slot_never_rounds_to_all() -> None:
    assert [summary.percent(share) for share in (1.0, 0.9999, 0.5, None)] == ["100.0 %", "99.9 %", "50.0 %", "–"]


def test_settings_are_flattened() -> None:
    assert summary.flat({"a": {"b": [1, 2], "c": None}, "d": "x"}) == [("a.b", "1 2"), ("a.c", "default"), ("d", "x")]


def test_names_of_files_are_safe_and_distinct() -> None:
    taken: set[str] = set()
    assert [slug(name, taken) for name in ("../../x", "X", "映画", "a" * 200)] == ["x", "x-2", "unnamed", "a" * 60]


def test_labels_are_drawable_and_keep_both_ends() -> None:
    assert legible("a\nb\t映\x00") == "a b ??"
    assert legible("vllm:meta-llama/Llama-3.1-8B-Instruct", 20) == "vllm:meta-…-Instruct"


def test_fourteen_models_differ_twice() -> None:
    styles = [style(index) for index in range(14)]
    assert len({(look.colour, look.line) for look in styles}) == 14
    assert len({look.marker for look in styles}) == 14
