"""Signs that a reader looks for: found where they are planted, and at most in 5 % of studies where they are not."""

import numpy as np
import polars as pl
import pytest

from habitus_runners.report import findings
from habitus_runners.report.scored import Study

LEVELS = ("none", "age")


def study(change=lambda frame: frame, *, seed=0, tasks=400, skill=0.5, **results):
    """A model of constant skill on tasks of setups A and B in pairs; ``change`` plants a sign."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(tasks):
        length = int(rng.choice([1, 3, 5, 10, 20]))
        for setup in "AB":
            entropy = rng.uniform(3, 5)
            room = 5.6 - entropy
            noise = rng.normal(0, 0.2)
            rows.append(
                {
                    "model": "m",
                    "task_id": f"{setup}{number}",
                    "setup": setup,
                    "level": LEVELS[number % 2],
                    "history": length,
                    "seed": number,
                    "order": 0,
                    "entropy": entropy,
                    "best": entropy,
                    "chance": entropy + room,
                    "cross_entropy": entropy + (1 - skill) * room + noise,
                }
            )
    scored = change(pl.DataFrame(rows))
    row = {"model": "m", "setup": "all", "level": "all", "history": "all"}
    row |= {"two_lines": 0.6, "lowess_inversion": None, "skill": skill, "ceiling": 0.9}
    row |= {"skill_low": skill - 0.05, "skill_high": skill + 0.05} | results
    kinds = {"lowess_inversion": pl.Float64, "skill_low": pl.Float64, "skill_high": pl.Float64, "ceiling": pl.Float64}
    table = pl.DataFrame([row], schema_overrides=kinds)
    nothing = pl.DataFrame()
    return Study("chance", 0.02, scored.unique("task_id"), scored, nothing, table, nothing, nothing)


def shown(study):
    return {sign.name: sign.shown for sign in findings.signs(study, ["m"])}


HIGH, HISTORY, DEMOGRAPHY, RISING, CEILING = (kind.name for kind in findings._KINDS)


def test_a_sound_model_shows_that_demography_does_nothing_and_no_more():
    found = shown(study())
    assert [name for name, models in found.items() if models] == [DEMOGRAPHY]


def _chance_above(frame):
    return frame.with_columns(
        cross_entropy=pl.when(pl.col("entropy") > 4.4).then(pl.col("chance") + 0.01).otherwise("cross_entropy")
    )


def _rising_with_history(frame):
    return frame.with_columns(cross_entropy=pl.col("cross_entropy") + 0.2 * pl.col("history").log(2))


def _worse_without_demography(frame):
    worse = 0.3 * (pl.col("chance") - pl.col("best"))
    return frame.with_columns(
        cross_entropy=pl.col("cross_entropy") + pl.when(pl.col("setup") == "B").then(worse).otherwise(0)
    )


def test_high_cross_entropy_at_high_entropy():
    (text,) = shown(study(_chance_above))[HIGH]
    assert text.startswith("m (skill \N{MINUS SIGN}0.0")
    assert "where H ≥ 4." in text


def test_a_cross_entropy_that_rises_with_the_history():
    (text,) = shown(study(_rising_with_history))[HISTORY]
    assert "+0.19" in text
    assert "p < 0.001" in text


def test_demography_that_counts_is_no_sign():
    assert not shown(study(_worse_without_demography))[DEMOGRAPHY]


def test_pairs_of_other_histories_are_none():
    alone = study(lambda frame: frame.filter(pl.col("setup") == "A"))
    (sign,) = (sign for sign in findings.signs(alone, ["m"]) if sign.name == DEMOGRAPHY)
    assert sign.tested == 0
    assert sign.shown == ()


def test_a_curve_that_rises_again():
    assert not shown(study(two_lines=0.2))[RISING]
    assert shown(study(two_lines=0.01, lowess_inversion=3.9))[RISING] == ("m (lowest at H = 3.90, p = 0.010)",)


def test_skill_above_the_ceiling():
    assert not shown(study(ceiling=0.52))[CEILING]
    (text,) = shown(study(ceiling=0.3))[CEILING]
    assert text == "m (skill 0.500, ceiling 0.300, p < 0.001)"
    assert not shown(study(ceiling=None))[CEILING]
    assert not shown(study(ceiling=0.3, skill_low=None, skill_high=None))[CEILING]


@pytest.mark.parametrize("name", [HISTORY, DEMOGRAPHY])
def test_without_a_sign_one_study_in_twenty_shows_it(name):
    """The rates of 200 studies: of a significant slope, and of a significant difference of equal skills."""
    found = np.array([bool(shown(study(seed=seed, tasks=60))[name]) for seed in range(200)])
    rate = found.mean() if name == HISTORY else 1 - found.mean()
    assert 0.01 <= rate <= 0.10


def test_a_model_that_is_not_asked_about_is_not_named():
    assert all(sign.tested == 0 for sign in findings.signs(study(), []))
