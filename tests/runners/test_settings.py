"""The settings: presets, single keys, and what is refused."""

from fractions import Fraction

import pytest

from habitus_runners.cli.options import StudyOptions
from habitus_runners.datasets import tabular
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


def test_preset_can_be_overridden_like_any_key():
    assert settings("paper", {"preset": "sound"}) == settings("sound")
    assert settings("sound", {"preset": "paper", "draws.cap": 9}) == settings("paper", {"draws.cap": 9})


def test_seed_can_be_overridden_like_any_key():
    assert settings(overrides={"seed": 9}).seed == 9


def test_settings_of_a_config_apply_and_the_command_line_comes_after_them(tmp_path):
    config = tmp_path / "CONFIG.toml"
    config.write_text(
        """
        [data]
        name = "bookshop"
        [words]
        item = "book"
        items = "books"
        do = "read"
        did = "read"
        [interactions]
        path = "loans.csv"
        user = "reader"
        item = "book"
        [settings]
        preset = "sound"
        seed = 3
        "draws.cap" = 5
        """
    )
    assert settings(overrides=tabular.overrides(config)) == settings("sound", {"seed": 3, "draws.cap": 5})
    assert StudyOptions(dataset=str(config)).settings().seed == 3
    assert StudyOptions(dataset=str(config), set_=["seed=9"]).settings().seed == 9
    assert StudyOptions(dataset=str(config), seed=11, set_=["seed=9"]).settings().seed == 11
    assert StudyOptions(dataset=str(config)).settings(ask__base_url="http://x/v1").ask.base_url == "http://x/v1"
    assert StudyOptions(dataset=str(config), preset="paper").settings() == settings(
        "paper", {"seed": 3, "draws.cap": 5}
    )


@pytest.mark.parametrize(("length", "needed"), [(0, 0), (1, 1), (3, 2), (5, 3), (10, 6), (20, 12)])
def test_sixty_percent_of_a_history_in_whole_items(length, needed):
    assert settings().history.needed(length) == needed


def test_a_share_is_exact():
    assert settings("paper", {"history.match": "3/5"}).history.match == Fraction(3, 5)
    assert settings("paper", {"history.match": 0.6}).history.needed(5) == 3


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("history", "lengths", (0, 255)),
        ("history", "match", Fraction(1)),
        ("target", "alpha", 1e6),
        ("target", "alpha", 1e-300),
        ("candidates", "K", 1024),
        ("candidates", "N", 50),
    ],
)
def test_the_ends_of_a_range_belong_to_it(section, key, value):
    assert getattr(getattr(settings("paper", {f"{section}.{key}": value}), section), key) == value


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
        ("paper", {"preset": "best"}, "preset: expected paper or sound, got 'best'"),
        *(
            ("paper", {"history.match": value}, "setting history.match: expected a share such as 3/5, 0.6 or 1, got")
            for value in ("half", "1/0", "nan", "inf", None, [], "")
        ),
        ("paper", {"history.match": 0}, "setting history.match: .* got 0"),
        ("paper", {"history.lengths": []}, r"setting history.lengths: expected at least one length.* got \[\]"),
        ("paper", {"history.lengths": [0, 3, 3]}, r"setting history.lengths: .* none twice, got \[0, 3, 3\]"),
        ("paper", {"history.lengths": [0, 256]}, "setting history.lengths.1: .* 255, got 256"),
        ("paper", {"history.lengths": [-1]}, "setting history.lengths.0: .* got -1"),
        *(
            ("paper", {"target.alpha": value}, "setting target.alpha: .* got")
            for value in (0, -1, 1.1e6, float("inf"), float("nan"))
        ),
        *(("paper", {"min_rating": float(value)}, "setting min_rating: .* got") for value in ("nan", "inf", "-inf")),
    ],
)
def test_bad_settings_name_the_key(preset, changes, message):
    with pytest.raises(HabitusError, match=message):
        settings(preset, changes)
