"""The method's figures on the real MovieLens-1M, and the counting behind them on small ones."""

import math
import shutil

import numpy as np
import pyarrow.compute as pc
import pytest
from tests.reference import pandas_scores

from habitus_runners import asking, datasets, models, reproduction, study
from habitus_runners.columns import fixed
from habitus_runners.settings import settings
from habitus_runners.storage import RunFolder


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
    assert reproduction._infinite(counts, rankings).tolist() == by_hand
    assert 0 < sum(by_hand) < 400


@pytest.fixture(scope="module")
def movielens(real_data):
    return datasets.load("ml-1m", real_data / "ml-1m.zip")


@pytest.fixture(scope="module")
def run(movielens, tmp_path_factory):
    """A run without its report: four models, one of which leaves slots empty."""
    folder = RunFolder(tmp_path_factory.mktemp("ml") / "run")
    study.make_tasks(folder, movielens, settings())
    askers = models.askers(["random", "popularity", "reversed", "hallucinator"], [], movielens)
    asking.ask(folder, movielens, study.settings_of(folder), askers)
    study.parse(folder, movielens)
    study.score(folder)
    yield folder
    shutil.rmtree(folder.path)


@pytest.fixture(scope="module")
def figures(run):
    tables = {name: run.read(name) for name in ("tasks", "rankings", "results")}
    return {figure.name: figure.found for figure in reproduction.of_run(tables, run.manifest, settings())}


def test_pandas_gives_the_same_scores_on_20_000_real_rankings(run):
    table, rankings = run.read("tasks"), run.read("rankings")
    counts = dict(zip(table["task_id"].to_pylist(), fixed(table["counts"]), strict=True))
    scored = run.read("scores")
    found = scored.filter(pc.equal(scored["fill"].cast("string"), "chance"))
    assert found.num_rows > 20_000
    assert found["answer_id"].equals(rankings["answer_id"])
    of_ranking = np.array([counts[task_id] for task_id in rankings["task_id"].to_pylist()])
    expected = pandas_scores.score(of_ranking, fixed(rankings["ranking"]), 1 / 50)
    for column in ("entropy", "cross_entropy"):
        assert np.abs(found[column].to_numpy() - expected[column].to_numpy()).max() <= 1e-12


def test_counts_without_history_are_table_1(figures):
    found = {name: text.split()[0] for name, text in figures.items() if name.startswith("accepted draws")}
    assert list(found.values()) == ["1", "7", "2", "17", "51"]


def test_acceptance_agrees_with_the_method_within_chance(figures):
    """The method's counts are one draw, ours another: each is a sum of independent acceptances."""
    for level, numbers in reproduction.ACCEPTED.items():
        ours = [int(count) for count in figures[f"accepted draws, {level}"].split()]
        for theirs, here in zip(numbers, ours, strict=True):
            assert abs(theirs - here) <= 4 * math.sqrt(theirs + here + 1)


@pytest.mark.parametrize(
    ("name", "expected", "tolerance"),
    [
        ("tasks after the cap", 5063, 60),
        ("inversion of constant skill 0 (bits)", 4.30, 0.05),
        ("inversion of constant skill 0.1 (bits)", 4.25, 0.05),
        ("inversion of constant skill 0.18 (bits)", 4.19, 0.05),
        ("inversion of constant skill 0.3 (bits)", 4.07, 0.06),
        ("inversion of skill 0 at alpha = 0.5 (bits)", 4.71, 0.15),  # 4.74 to 4.83 in eight seeds
        ("inversion of skill 0 at alpha = 1e-06 (bits)", 3.86, 0.12),
        ("Spearman(H, group size)", -0.94, 0.01),
        ("skill of global popularity", 0.87, 0.01),
    ],
)
def test_figures_of_the_method(figures, name, expected, tolerance):
    assert float(figures[name]) == pytest.approx(expected, abs=tolerance)


def test_figures_that_are_words_or_shares(figures):
    assert figures["inversion of constant skill 0.6 (bits)"] == "none"
    assert float(figures["infinite without smoothing, random"].rstrip("%")) == pytest.approx(99.96, abs=0.1)
    share, small = figures["infinite without smoothing, popularity"].split("; ")
    assert float(share.rstrip("%")) == pytest.approx(31.6, abs=2)
    assert float(small.split("%")[0]) == pytest.approx(50, abs=4)


def test_the_papers_sample_prompt_replayed(real_data, movielens):
    found = reproduction.replay(real_data / "paper-example.json", movielens, settings())
    assert (found.group_size, found.zeros, found.history_among_candidates) == (5, 25, 0)
    assert found.zeros_literal == 0
    assert found.zeros_inventory == pytest.approx(18, abs=1)
    assert reproduction.replay(real_data / "paper-example.json", movielens, settings(), min_rating=2).zeros == 26
