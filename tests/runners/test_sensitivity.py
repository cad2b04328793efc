"""Other choices: each figure is that of scoring anew, verdicts follow from figures, and no model is asked anything."""

import json
import math
import shutil

import numpy as np
import pyarrow as pa
import pytest
from tests.runners import ranked

from habitus_runners import comparison, paired, results, scores, sensitivity, study
from habitus_runners.datasets import world
from habitus_runners.errors import HabitusError
from habitus_runners.sensitivity import page, reading, showing, telling
from habitus_runners.sensitivity.alternatives import Alternative, alternatives
from habitus_runners.sensitivity.conclusions import competing, conclusions, verdict
from habitus_runners.sensitivity.reading import Order, Part, Reading, Trend, Turn
from habitus_runners.sensitivity.recomputing import Recomputation
from habitus_runners.settings import settings
from habitus_runners.storage import RunFolder
from habitus_runners.tables import BIT

CHANGES = {
    "history.lengths": [0, 2],
    "draws.cap": 30,
    "candidates.K": 12,
    "candidates.N": 4,
    "curve.window": 5,
    "uncertainty.resamples": 0,
}
MODELS = ("random", "popularity", "group-popularity", "perfect", "refuser")
RIVALS = ("full", "short")


def same(found, expected):
    return (expected is None and math.isnan(found)) or found == pytest.approx(expected, rel=1e-9, abs=1e-9)


def tables(data: ranked.Ranked) -> dict[str, pa.Table]:
    return {"tasks": data.tasks, "members": data.members, "rankings": data.rankings}


def check_against(found: Reading, data: ranked.Ranked) -> None:
    """The figures of a reading are those of the results table of a study scored with these settings."""
    rows = results.summarise(data.tasks, data.scores, data.settings).to_pylist()
    lowess = "lowess_" if data.settings.curve.kind == "lowess" else ""
    for row in rows:
        if row["fill"] != data.settings.fill or (row["level"], row["history"]) != ("all", "all"):
            continue
        name = row["model"]
        if row["setup"] != "all":
            assert same(found.by_setup[name][row["setup"]].skill, row["skill"])
            continue
        turn = found.turns[name]
        assert same(found.skill[name], row["skill"])
        assert turn.outcome == row[f"{lowess}outcome"]
        assert same(turn.place, row[f"{lowess}inversion"] and row[f"{lowess}inversion"] / BIT)
        assert same(turn.two_lines, row["two_lines"])
        assert same(found.trends[name].slope, row["trend"] and row["trend"] * BIT)
        assert same(found.trends[name].p, row["trend_p"])


@pytest.mark.parametrize("kind", ["incidence", "user_mean"])
def test_every_alternative_is_what_scoring_anew_gives(kind):
    data = ranked.study(kind)
    recomputed = Recomputation(tables(data), data.settings, RIVALS)
    check_against(recomputed.reading(), data)
    choices = [one for one in alternatives(data.settings, data.tasks, faulty=True) if one.changes and not one.halves]
    assert len(choices) > 20
    for one in choices:
        wanted = one.of(data.settings)
        again = data._replace(settings=wanted, scores=scores.score(data.tasks, data.members, data.rankings, wanted))
        check_against(recomputed.reading(one), again)


def test_fewer_tasks_have_the_scores_that_they_have_among_all():
    data = ranked.study("incidence")
    recomputed = Recomputation(tables(data), data.settings, RIVALS)
    for one in alternatives(data.settings, data.tasks, faulty=True):
        if one.tasks is not None:
            found, ids = recomputed.reading(one), data.tasks["task_id"].filter(pa.array(one.tasks)).to_pylist()
            kept = data.scores.filter(pa.array([task in set(ids) for task in data.scores["task_id"].to_pylist()]))
            check_against(found, data._replace(scores=kept))
            assert found.tasks == one.tasks.sum()


def test_orders_are_those_that_compare_finds():
    data = ranked.study("incidence")
    found = Recomputation(tables(data), data.settings, RIVALS).reading()
    run = paired.Run("run", data.tasks, data.scores, data.settings)
    pair = comparison.compare(paired.paired([run]), seed=data.settings.seed).pairs[0]
    assert found.orders[pair.first, pair.second] == Order(pair.difference, pair.adjusted)
    assert found.orders[pair.second, pair.first] == Order(-pair.difference, pair.adjusted)


def test_halves_drawn_otherwise_differ_and_two_halves_of_the_tasks_are_all_of_them():
    data = ranked.study("incidence")
    recomputed = Recomputation(tables(data), data.settings, RIVALS)
    split = {"users.split": 3}
    skills = [recomputed.reading(Alternative("", "", split, halves)).skill["full"] for halves in (0, 1, 2)]
    assert len(set(skills)) == 3
    one, other = [each.tasks for each in alternatives(data.settings, data.tasks, faulty=True)][-2:]
    assert (one ^ other).all()
    assert abs(int(one.sum()) - int(other.sum())) <= 1


def test_no_alternative_is_the_run_itself():
    for preset in ("paper", "sound"):
        wanted = settings(preset)
        for one in alternatives(wanted, ranked.study("incidence").tasks, faulty=True):
            assert one.of(wanted) != wanted or one.halves or one.tasks is not None


def test_the_error_of_skill_is_that_of_a_ratio_of_sums():
    rng = np.random.default_rng(2)
    room = rng.uniform(0.5, 1.5, 4000)
    lost = room * 0.6 + rng.normal(0, 0.3, 4000)
    zero = np.zeros(4000)
    points = reading._Points(np.full(4000, "A"), zero, zero, room, room + 1, lost, np.ones(4000, np.int32))
    part = reading._part(points, np.ones(4000, bool))
    draws = rng.integers(0, 4000, (2000, 4000))
    resampled = 1 - lost[draws].sum(axis=1) / room[draws].sum(axis=1)
    assert part.error == pytest.approx(resampled.std(), rel=0.1)


def planted(**changes: object) -> Reading:
    """Two models: a before b, an inversion at 4 bits, falling skill, A better than B."""
    turn, part = Turn("value", 4.0, 5.0, 0.01, (-1.0, 1.0)), {"A": Part(0.6, 0.01), "B": Part(0.5, 0.01)}
    base = Reading(
        tasks=100,
        skill={"a": 0.6, "b": 0.5},
        by_setup={"a": part, "b": part},
        turns={"a": turn, "b": turn},
        trends={"a": Trend(-0.1, 0.01), "b": Trend(-0.1, 0.01)},
        orders={("a", "b"): Order(-0.1, 0.01), ("b", "a"): Order(0.1, 0.01)},
    )
    return base._replace(**changes)


def turned(outcome: str, place: float, p: float = 0.01) -> dict:
    one = Turn(outcome, place, 5.1, p, (-1.1, 1.0))
    return {"turns": {"a": one, "b": one}}


def orders(difference: float, p: float) -> dict:
    return {"orders": {("a", "b"): Order(difference, p), ("b", "a"): Order(-difference, p)}}


@pytest.mark.parametrize(
    ("kind", "change", "expected"),
    [
        ("best", {}, "untouched"),
        ("best", {"skill": {"a": 0.7, "b": 0.5}}, "survives"),
        ("best", {"skill": {"a": 0.4, "b": 0.5}}, "changed"),
        ("order", orders(-0.2, 0.04), "survives"),
        ("order", orders(-0.1, 0.06), "changed"),
        ("order", orders(0.1, 0.01), "changed"),
        ("order", {"orders": {}}, "open"),
        ("inversion", turned("value", 4.25), "survives"),
        ("inversion", turned("value", 4.26), "changed"),
        ("inversion", turned("none", math.nan), "changed"),
        ("inversion", turned("undefined", math.nan), "open"),
        ("two lines", turned("value", 4.0, 0.04), "survives"),
        ("two lines", turned("value", 4.0, 0.06), "changed"),
        ("two lines", turned("value", 4.0, math.nan), "open"),
        ("trend", {"trends": {"a": Trend(-0.2, 0.01)}}, "survives"),
        ("trend", {"trends": {"a": Trend(0.1, 0.01)}}, "changed"),
        ("trend", {"trends": {"a": Trend(-0.1, 0.06)}}, "changed"),
        ("setups", {"by_setup": {"a": {"A": Part(0.5, 0.01), "B": Part(0.51, 0.01)}}}, "open"),
        ("setups", {"by_setup": {"a": {"A": Part(0.7, 0.01), "B": Part(0.5, 0.01)}}}, "survives"),
        ("setups", {"by_setup": {"a": {"A": Part(0.5, 0.01), "B": Part(0.6, 0.01)}}}, "changed"),
        ("setups", {"skill": {"b": 0.5}}, "unasked"),
    ],
)
def test_verdicts(kind, change, expected):
    one = next(one for one in conclusions(planted(), ("a", "b")) if one.kind == kind)
    assert verdict(one, planted(**change)).outcome == expected


def test_a_best_model_that_is_not_told_apart_may_be_either():
    undecided = planted(**orders(-0.1, 0.5))
    found = conclusions(undecided, ("a", "b"))
    assert "not told apart from b" in found[0].answer.says
    assert not [one for one in found if one.kind == "order"]
    assert verdict(found[0], planted(skill={"a": 0.4, "b": 0.5})).outcome == "survives"


def test_those_that_see_the_answer_do_not_compete_unless_alone():
    assert competing({"perfect": 1.0, "random": 0.0, "mixture:0.3": 0.3}) == ("random",)
    assert competing({"perfect": 1.0, "reversed": -1.0}) == ("perfect", "reversed")


@pytest.fixture(scope="module")
def dataset():
    return world.load(users=300, items=80)


@pytest.fixture(scope="module")
def finished(dataset, tmp_path_factory):
    folder = RunFolder(tmp_path_factory.mktemp("runs") / "run")
    study.run(folder, dataset, settings("paper", CHANGES), study.Command(MODELS, dataset="world"))
    return folder


@pytest.fixture(scope="module")
def found(finished, dataset):
    return sensitivity.examine(finished, dataset)


def test_a_run_is_examined_with_other_candidates(found, finished):
    assert found.base.skill.keys() == set(MODELS)
    assert "perfect" not in {name for one in found.conclusions for name in one.models}
    families = {row.family for row in found.rows}
    assert {"empty slots", "pseudo-count", "curve", "entropy estimator", "candidates", "without level"} <= families
    assert all(len(row.verdicts) == len(found.conclusions) for row in found.rows)
    assert finished.manifest["settings"]["candidates"]["rule"] == "half"


def test_only_what_an_alternative_touches_is_judged(found):
    curve = [row for row in found.rows if row.family == "curve"]
    for row in curve:
        touched = {
            one.kind
            for one, told in zip(found.conclusions, row.verdicts, strict=True)
            if told.outcome in {"survives", "changed"}
        }
        assert touched <= {"inversion", "two lines"}
    assert any("none" not in telling.tally(row) for row in curve)


def test_each_conclusion_survives_or_is_told_what_it_depends_on(found):
    kept, lost = telling.standing(found), telling.depending(found)
    assert len(kept) + len(lost) == len(found.conclusions)
    for line in lost:
        assert "Otherwise " in line
        assert not line.endswith("Otherwise ")


def test_without_the_data_set_candidates_are_left_out(finished):
    alone = sensitivity.examine(finished)
    assert "candidates" not in {row.family for row in alone.rows}
    assert any("--source" in note for note in alone.notes)


def test_another_data_set_is_refused(finished):
    with pytest.raises(HabitusError, match="expected the data set"):
        sensitivity.examine(finished, world.load(users=300, items=80, seed=1))


def test_real_models_need_new_answers_for_other_candidates(finished, dataset, tmp_path):
    """A run whose second model is no simulated one: its rankings stand, and nobody asks it."""
    shutil.copytree(finished.path, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    rankings = folder.read("rankings")
    names = ["openai:x" if name == "popularity" else name for name in rankings["model"].to_pylist()]
    column = pa.array(names).dictionary_encode()
    folder.write("rankings", rankings.set_column(rankings.schema.get_field_index("model"), "model", column))
    command = folder.manifest["command"] | {"models": ["random", "openai:x"]}
    folder.record(command=command)
    found = sensitivity.examine(folder, dataset)
    drawn = [row for row in found.rows if row.family == "candidates"]
    assert drawn
    for row in drawn:
        for one, told in zip(found.conclusions, row.verdicts, strict=True):
            if "openai:x" in one.models:
                assert told.outcome == "unasked"
                assert "openai:x" in told.says
                assert f"{row.reading.tasks:,} prompts" in told.says


def test_page_and_json_say_the_same(found, finished, capsys):
    path = page.write(found, finished.manifest, finished.path)
    html, plain = path.read_text(), json.loads((finished.path / "sensitivity.json").read_text())
    assert [one["subject"] for one in plain["conclusions"]] == [one.subject for one in found.conclusions]
    assert len(plain["alternatives"]) == len(found.rows)
    assert 'src="http' not in html
    for row in found.rows:
        assert f"{row.family}: {row.name}".replace("'", "&#39;") in html
    showing.show(found)
    said = capsys.readouterr().out
    assert f"{len(plain['survive'])} of {len(found.conclusions)} conclusions survive" in said


def test_names_are_text_never_markup(found, finished, tmp_path, capsys):
    hostile = "<b>[red]x"
    one = found.conclusions[0]._replace(subject=hostile)
    changed = found._replace(conclusions=(one, *found.conclusions[1:]))
    assert hostile not in page.write(changed, finished.manifest, tmp_path).read_text()
    showing.show(changed)
    assert hostile in capsys.readouterr().out
