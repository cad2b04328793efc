"""The pipeline on a run folder: from nothing to a report, interrupted and begun again, from tables alone."""

import dataclasses
import json
import shutil
import socket

import polars as pl
import pytest

from habitus_runners import study
from habitus_runners.datasets import world
from habitus_runners.errors import HabitusError
from habitus_runners.proxies import proxy_tests
from habitus_runners.settings import settings
from habitus_runners.storage import RunFolder
from habitus_runners.tables import NAMES

CHANGES = {"history.lengths": [0, 2], "draws.cap": 30, "candidates.K": 12, "candidates.N": 4, "curve.window": 5}
MODELS = ("random", "popularity", "perfect", "refuser", "verbaliser")
COMMAND = study.Command(MODELS)


@pytest.fixture(scope="module")
def dataset():
    return world.load(users=300, items=80)


@pytest.fixture(scope="module")
def finished(dataset, tmp_path_factory):
    folder = RunFolder(tmp_path_factory.mktemp("runs") / "run")
    study.run(folder, dataset, settings("paper", CHANGES), COMMAND)
    return folder


@pytest.fixture
def copy(finished, tmp_path):
    shutil.copytree(finished.path, tmp_path / "run")
    return RunFolder(tmp_path / "run")


def _pooled(folder: RunFolder, column: str) -> dict[str, float]:
    rows = folder.read("results").to_pylist()
    keys = ("setup", "level", "history")
    return {row["model"]: row[column] for row in rows if row["fill"] == "chance" and all(row[k] == "all" for k in keys)}


def test_a_run_holds_six_tables_a_manifest_and_a_report(finished):
    assert all(finished.has(name) for name in NAMES)
    assert (finished.path / "report.html").stat().st_size > 10_000
    assert finished.manifest["dataset"]["name"] == "world"
    tasks = finished.read("tasks").num_rows
    assert finished.read("answers").num_rows == finished.read("rankings").num_rows == tasks * len(MODELS)


def test_the_ends_of_the_scale_are_where_they_must_be(finished):
    skill, validity = _pooled(finished, "skill"), _pooled(finished, "validity")
    assert skill["perfect"] == pytest.approx(1, abs=1e-9)
    assert skill["refuser"] == pytest.approx(0, abs=1e-9)
    assert abs(skill["random"]) < 0.2
    assert skill["popularity"] > skill["random"]
    assert validity["refuser"] == 0
    assert validity["perfect"] == 1


def test_prose_is_read_as_well_as_json(finished):
    assert (
        _pooled(finished, "skill")["verbaliser"] > 0.98
    )  # it drops years, and two titles may differ in the year alone
    verdicts = {
        row["model"]: row["verdict"] for row in finished.read("rankings").select(["model", "verdict"]).to_pylist()
    }
    assert (verdicts["perfect"], verdicts["verbaliser"], verdicts["refuser"]) == ("ok", "repaired", "refusal")


@pytest.mark.usefixtures("no_report")
def test_the_same_study_gives_the_same_bytes(finished, dataset, tmp_path):
    again = RunFolder(tmp_path / "again")
    study.run(again, dataset, settings("paper", CHANGES), COMMAND)
    hashes = [{name: entry["sha256"] for name, entry in f.manifest["tables"].items()} for f in (finished, again)]
    assert hashes[0] == hashes[1]


class _InterruptError(Exception):
    pass


@pytest.fixture
def no_report(monkeypatch):
    """Drawing takes seconds; what is tested here happens before."""
    monkeypatch.setattr(study.report, "build", lambda *_, **__: None)


@pytest.mark.parametrize("stage", ["tasks", "answers", "rankings", "scores", "results"])
@pytest.mark.usefixtures("no_report")
def test_an_interrupted_run_ends_as_if_it_had_not_been(finished, dataset, tmp_path, stage):
    folder = RunFolder(tmp_path / "run")
    wanted = settings("paper", CHANGES)

    def interrupt(name: str, done: int, total: int | None = None) -> None:
        if name == stage and done >= (total or 1) // 2:
            raise _InterruptError

    with pytest.raises(_InterruptError):
        study.run(folder, dataset, wanted, COMMAND, progress=interrupt)
    study.run(folder, dataset, wanted, COMMAND)
    assert folder.manifest["tables"]["results"]["sha256"] == finished.manifest["tables"]["results"]["sha256"]


def test_scores_and_report_need_the_tables_alone(copy, monkeypatch):
    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(world, "load", refuse)
    monkeypatch.setattr(socket, "socket", refuse)
    before = copy.manifest["tables"]["results"]["sha256"]
    (copy.path / "answers.parquet").unlink()
    (copy.path / "report.html").unlink()
    study.score(copy)
    study.write_report(copy)
    assert copy.manifest["tables"]["results"]["sha256"] == before
    assert (copy.path / "report.html").exists()


def test_scoring_may_change_alpha_but_not_the_tasks(copy):
    study.score(copy, {"target.alpha": 0.5})
    assert {row["alpha"] for row in copy.read("results").to_pylist()} == {0.5}
    assert study.settings_of(copy).target.alpha == 0.5
    with pytest.raises(HabitusError, match=r"scoring cannot change group.min_users 3 -> 9; start a new run"):
        study.score(copy, {"group.min_users": 9})


def test_another_study_does_not_overwrite(copy, dataset):
    with pytest.raises(HabitusError, match=r"other settings: history.match 3/5 -> 1; choose another folder with --out"):
        study.run(copy, dataset, settings("paper", CHANGES | {"history.match": "1"}), COMMAND)
    with pytest.raises(HabitusError, match=r"holds a study of world .*, not of world"):
        study.run(copy, world.load(users=300, items=80, seed=5), settings("paper", CHANGES), COMMAND)


def test_a_damaged_table_is_refused_and_nothing_is_changed(copy, finished):
    path = copy.path / "rankings.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(HabitusError, match=r"rankings.parquet: expected the file that was written"):
        study.score(copy, {"target.alpha": 0.5})
    assert copy.manifest == finished.manifest


def test_missing_members_are_drawn_again(copy, finished, dataset):
    (copy.path / "members.parquet").unlink()
    study.make_tasks(copy, dataset, settings("paper", CHANGES))
    assert copy.read("members").equals(finished.read("members"))


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("levels", lambda dataset: {"levels": dataset.levels[:-1]}),
        ("labels", lambda dataset: {"labels": {name: f"Their {name}" for name in dataset.labels}}),
        ("domain", lambda dataset: {"domain": dataclasses.replace(dataset.domain, items="movies")}),
        ("name", lambda _: {"name": "another world"}),
    ],
)
def test_the_same_log_with_other_levels_or_words_is_another_study(copy, dataset, key, change):
    other = dataclasses.replace(dataset, **change(dataset))
    assert other.fingerprint == dataset.fingerprint
    with pytest.raises(HabitusError, match=f"{key} of the data set; choose another folder with --out"):
        study.run(copy, other, settings("paper", CHANGES), COMMAND)


def test_the_manifest_says_what_was_left_out_or_cannot_be_told_apart(dataset, tmp_path):
    value = pl.when(pl.col("item") < 7).then(1.5).otherwise(3).cast(pl.Float32).alias("value")
    title = pl.when(pl.int_range(pl.len()) < 3).then(pl.lit("Untitled")).otherwise("title").alias("title")
    log, items = dataset.interactions.with_columns(value), dataset.items.with_columns(title)
    folder = RunFolder(tmp_path)
    wanted = settings("paper", CHANGES | {"min_rating": 2})
    study.make_tasks(folder, dataclasses.replace(dataset, interactions=log, items=items), wanted)
    low, same = folder.manifest["dataset"]["findings"]
    assert (low["kind"], low["count"]) == (
        "value below min_rating = 2, not used",
        log.filter(pl.col("item") < 7).height,
    )
    assert low["example"].endswith(": 1.5")
    assert (same["count"], same["example"]) == (3, "Untitled")
    assert same["kind"].startswith("title of several items")


def test_a_sound_data_set_has_no_findings(finished):
    assert finished.manifest["dataset"]["findings"] == []


def test_the_manifest_accounts_for_every_draw(finished):
    manifest = json.loads((finished.path / "manifest.json").read_text())
    assert sum(row["kept"] for row in manifest["draws"]) == finished.read("tasks").num_rows
    assert {model["name"] for model in manifest["models"]} == set(MODELS)


@pytest.mark.parametrize(
    ("spec", "template", "message"),
    [
        ("gpt", None, r"model: expected one of random, .* got 'gpt'"),
        ("mixture:2", None, "model mixture: expected a number from 0 to 1, got '2'"),
        ("random", "{% for %}", r"prompt template .*mine\.jinja:1: .*; mend the template"),
    ],
)
def test_a_wrong_model_or_template_is_named_before_tasks_are_drawn(dataset, tmp_path, spec, template, message):
    file = tmp_path / "mine.jinja"
    file.write_text(template or "")
    wanted = settings("paper", CHANGES | {"prompt.template": str(file) if template else None})
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(HabitusError, match=message):
        study.run(folder, dataset, wanted, study.Command(["random", spec]))
    assert not folder.path.exists()


def test_proxies_are_judged_once_and_by_themselves(finished, dataset, tmp_path):
    rows = finished.manifest["proxies"]
    assert {row["setup"] for row in rows} == {"A", "B", "C"}
    folder = RunFolder(tmp_path / "run")
    wanted = settings("paper", CHANGES)
    study.make_tasks(folder, dataset, wanted)
    expected = proxy_tests(dataset, folder.read("tasks"), folder.read("members"), wanted, seed=wanted.seed)
    assert [(row["setup"], row["level"], row["history"], row["size"]["p"]) for row in rows] == [
        (row.setup, row.level, row.history, row.size.p) for row in expected
    ]
    folder.record(proxies=[])
    study.judge_proxies(folder, dataset)
    assert folder.manifest["proxies"] == []
    report = (finished.path / "report.html").read_text(encoding="utf-8")
    assert "Do the proxies tell anything?" in report
