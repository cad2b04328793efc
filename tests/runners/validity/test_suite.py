"""The quick suite: every property holds on a few small worlds, and fails where the method is broken on purpose."""

import json

import numpy as np
import pytest

from habitus_runners.errors import HabitusError
from habitus_runners.validity import bounds, faults, invariance, levels, memory, recovery, suite
from habitus_runners.validity.worlds import QUICK, Study, Worlds

TINY = QUICK._replace(worlds=2, few=2, pairs=20, redraws=10, pooled=500, users=300, items=100, cap=5, people=600)


@pytest.fixture(scope="module")
def found():
    return {one.key: one for one in suite.examine(QUICK, 0)}


@pytest.mark.parametrize("key", suite.PROPERTIES)
def test_property(found, key):
    assert found[key].holds, found[key].found


def test_everything_is_written(found, tmp_path):
    page = suite.write(list(found.values()), QUICK, 0, tmp_path)
    kept = json.loads((tmp_path / "validity.json").read_text())
    assert [one["key"] for one in kept["properties"]] == list(suite.PROPERTIES)
    assert kept["size"]["worlds"] == QUICK.worlds
    html = page.read_text()
    assert f"{QUICK.users} users and {QUICK.items} films in a world" in html
    for one in found.values():
        assert f'id="{one.key}"' in html
        assert (tmp_path / "figures" / f"validity-{one.key.lower()}.svg").exists() == (one.chart is not None)
    assert "http" not in html.replace("http-equiv", "").replace("http://www.w3.org", "")


def test_some_properties_alone_and_none_that_is_unknown():
    assert [one.key for one in suite.examine(TINY, 0, ["V4"])] == ["V4"]
    with pytest.raises(HabitusError, match="--only V10: expected one of V1, V2"):
        suite.examine(TINY, 0, ["V10"])


def test_the_same_seed_finds_the_same():
    first, second = (bounds.chance(Worlds(TINY, seed=3)) for _ in range(2))
    assert first == second


def test_a_broken_bound_is_found(monkeypatch):
    scored = Study.scorer.func

    def flattering(study):
        scorer = scored(study)
        score = scorer.score
        scorer.score = lambda *given, **more: score(*given, **more)._replace(best=score(*given, **more).best + 1e-6)
        return scorer

    monkeypatch.setattr(Study, "scorer", property(flattering))
    assert not bounds.bounds(Worlds(TINY)).holds


def test_a_wrong_chance_is_found(monkeypatch):
    monkeypatch.setattr(Study, "lists", lambda study, _: study.listed(study.evidence.weights))
    assert not bounds.chance(Worlds(TINY)).holds
    assert not recovery.mixtures(Worlds(TINY)).holds


def test_a_wrong_order_is_found(monkeypatch):
    true = Study.lists
    swapped = {"oracle": "random", "random": "oracle"}
    monkeypatch.setattr(Study, "lists", lambda study, name: true(study, swapped.get(name, name)))
    assert not bounds.order(Worlds(TINY)).holds


def test_a_test_that_errs_too_often_is_found(monkeypatch):
    def different(study, _, seed):
        return study.scorer.score(study.lists("random" if seed % 2 else "popularity"), study.rows).cross_entropy

    monkeypatch.setattr(levels, "_cross_entropies", different)
    assert not levels.null_pairs(Worlds(TINY)).holds


def test_a_proxy_that_means_something_where_nothing_should_is_found(monkeypatch):
    monkeypatch.setattr(levels, "_proxy_p_values", lambda worlds, _: np.full((worlds.size.worlds * 20, 2), 0.01))
    assert not levels.proxies(Worlds(TINY)).holds


def test_scores_that_depend_on_places_are_found(monkeypatch):
    monkeypatch.setattr(invariance, "_shuffled", lambda study, _: study)
    assert not invariance.invariance(Worlds(TINY)).holds


def test_a_memoriser_that_is_not_flagged_is_found(monkeypatch):
    monkeypatch.setattr(memory, "lost_to_noise", lambda tasks, _: np.zeros(tasks.num_rows))
    assert not memory.memorisers(Worlds(TINY)).holds


def test_a_refuser_that_gains_is_found(monkeypatch):
    true = Study.lists
    monkeypatch.setattr(Study, "lists", lambda study, name: true(study, "popularity" if name == "refuser" else name))
    assert not faults.faults(Worlds(TINY)).holds
