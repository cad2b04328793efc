"""The settings: presets, single keys, and what is refused."""

from fractions import Fraction

import pytest

from habitus_runners.errors import HabitusError
from habitus_runners.settings import settings, validated


def test_paper_is_the_table_of_the_method():
    wanted = settings()
    assert wanted.history.lengths == (0, 1, 3, 5, 10, 20)
    assert (wanted.group.min_users, wanted.candidates.K, wanted.candidates.N) == (3, 50, 10)
    assert (wanted.draws.rule, wanted.draws.count, wanted.draws.cap) == ("fixed", 300, 300)
    assert (wanted.curve.bins, wanted.curve.window, wanted.curve.degree) == (200, 30, 4)


def test_sound_differs_where_the_method_says():
    wanted = settings("sound")
    assert wanted.history.nested
    assert (wanted.group.min_users, wanted.draws.rule, wanted.candidates.rule) == (6, "quota", "quintiles")
    assert (wanted.candidates.sets, wanted.target.kind, wanted.setups) == (20, "user_mean", "views")


@pytest.mark.parametrize(("length", "needed"), [(0, 0), (1, 1), (3, 2), (5, 3), (10, 6), (20, 12)])
def test_sixty_percent_of_a_history_in_whole_items(length, needed):
    assert settings().history.needed(length) == needed


def test_a_share_is_exact():
    assert settings("paper", {"history.match": "3/5"}).history.match == Fraction(3, 5)
    assert settings("paper", {"history.match": 0.6}).history.needed(5) == 3


def test_settings_survive_the_manifest():
    wanted = settings("sound", {"history.match": "2/3", "target.alpha": 0.1, "data": {"items": "artists"}})
    assert validated(wanted.model_dump(mode="json")) == wanted


def test_design_leaves_out_what_scoring_may_change():
    assert settings().changed({"target.alpha": 0.5, "fill": "worst", "curve.bins": 50}).design() == settings().design()
    assert settings().changed({"target.kind": "events"}).design() != settings().design()


@pytest.mark.parametrize(
    ("preset", "changes", "message"),
    [
        ("best", {}, "preset: expected paper or sound, got 'best'"),
        ("paper", {"histroy.match": 1}, "setting histroy: Extra inputs are not permitted"),
        ("paper", {"history.match": 2}, "setting history.match: .* got 2"),
        ("paper", {"history.match": "half"}, "setting history.match: .* got 'half'"),
        ("paper", {"candidates.N": 51}, "candidates.N must be at most candidates.K = 50, got 51"),
        ("paper", {"seed.x": 1, "fill.x": 1}, "setting"),
        ("paper", {"candidates.rule": "best"}, "setting candidates.rule: .* got 'best'"),
        ("paper", {"target.alpha": 0}, "setting target.alpha: .* got 0"),
    ],
)
def test_bad_settings_name_the_key(preset, changes, message):
    with pytest.raises(HabitusError, match=message):
        settings(preset, changes)
