"""V1-V3: scores lie between their bounds, chance is what random lists reach, and who knows more scores better."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

import habitus
from habitus_runners import models
from habitus_runners.scores import FILLS
from habitus_runners.tables import BIT
from habitus_runners.validity.property import WITHIN, Estimate, Property, mean
from habitus_runners.validity.worlds import Lists, Study, Worlds

_ROUNDING = 1e-9  # nats; scores are sums of 50 terms
_ORDERED = (
    ("oracle", "demography-oracle", "popularity", "random"),
    ("oracle", "history-oracle", "popularity", "random"),
)


def bounds(worlds: Worlds) -> Property:
    """V1."""
    below, above, perfect, lists, beyond, split = -np.inf, -np.inf, 0.0, 0, 0, 0
    for study in _whole(worlds):
        for name in models.RECIPES:
            answered = study.lists(name)
            for fill in FILLS:
                scores = study.scorer.score(answered, study.rows, fill)
                below = max(below, float((scores.best - scores.cross_entropy).max()))
                above = max(above, float((scores.cross_entropy - scores.worst).max()))
                lists += len(answered)
            if name == "perfect" and study.settings.target.smoothing == "alpha":
                perfect = max(perfect, float(np.abs(scores.cross_entropy - scores.best).max()))
    for study in worlds.few("sound"):
        scores = study.scorer.score(study.lists("oracle"), study.rows, splits=1)
        beyond += int((scores.cross_entropy < scores.best).sum())
        split += len(study.rows)
    oracle = max(_from_truth(study) for preset in ("paper", "sound") for study in worlds.few(preset))
    figures = {"best - CE, largest": below, "CE - worst, largest": above, "perfect": perfect, "oracle": oracle}
    return Property(
        key="V1",
        name="Bounds",
        criterion=(
            "best <= CE <= worst for every model, task and fill where those who say also judge; CE of `perfect` = H on "
            "counts; CE of the oracle = H against the true target; all but for rounding, 1e-9 nats"
        ),
        found=(
            f"largest best - CE {below:.1e}, largest CE - worst {above:.1e}, largest |CE - H| of perfect {perfect:.1e},"
            f" of the oracle {oracle:.1e} nats"
        ),
        holds=max(below, above, perfect, oracle) <= _ROUNDING,
        rests_on=f"{lists:,} lists of {len(models.RECIPES)} models, 4 studies in 2 worlds, 3 kinds of target",
        figures={**figures, "lists": lists, "beyond best, of split tasks": beyond / split},
        remarks=(
            (
                f"With split users `best` is the order of one half, not the least CE: in {beyond / split:.0%} of"
                f" {split:,} tasks the oracle is below it in one split, so that its skill may pass 1."
            ),
        ),
    )


def chance(worlds: Worlds) -> Property:
    """V2."""
    found: dict[str, Estimate] = {}
    tasks = 0
    for preset in ("paper", "sound"):
        away = []
        for study in worlds.few(preset):
            scores = study.scorer.score(study.lists("random"), study.rows, splits=1)
            away.append((scores.cross_entropy - scores.chance) / BIT)
        found[preset] = mean(np.concatenate(away))
        tasks += sum(map(len, away))
    return Property(
        key="V2",
        name="Chance",
        criterion="mean CE of random lists = the closed form of chance, within 3 SE, under both presets",
        found="CE - chance: "
        + ", ".join(f"{preset} {away.value:+.4f} ± {away.error:.4f} bits" for preset, away in found.items()),
        holds=all(away.is_at(0) for away in found.values()),
        rests_on=f"{tasks:,} tasks, {worlds.size.few} worlds",
        figures={f"{name}, {preset}": getattr(found[preset], name) for preset in found for name in ("value", "error")},
    )


def order(worlds: Worlds) -> Property:
    """V3."""
    figures: dict[str, float | int | str] = {}
    said: list[str] = []
    remarks: list[str] = []
    verdicts: dict[str, list[bool]] = {"strict": [], "weak": []}
    for preset in ("paper", "sound"):
        skills = [_against_truth(study) for study in worlds.few(preset)]
        for better, worse in dict.fromkeys(pair for chain in _ORDERED for pair in pairwise(chain)):
            ahead = mean([skill[better] - skill[worse] for skill in skills])
            verdict = "strict" if ahead.value > WITHIN * ahead.error else "weak"
            verdicts[verdict].append(ahead.value >= -WITHIN * ahead.error)
            figures |= {f"{better} - {worse}, {preset}": ahead.value, f"its error, {preset}, {better}": ahead.error}
            said.append(f"{better} - {worse} {ahead.value:+.3f} ± {ahead.error:.3f} ({verdict})")
        skill = {name: mean([one[name] for one in skills]).value for name in skills[0]}
        remarks.append(f"{preset}: " + ", ".join(f"{name} {value:.3f}" for name, value in skill.items()))
        remarks.append(f"{preset}: " + ", ".join(said))
        said.clear()
    broken = sum(not held for column in verdicts.values() for held in column)
    return Property(
        key="V3",
        name="Who knows more",
        criterion=(
            "skill against the true target: oracle >= demography oracle, oracle >= history oracle, both >= popularity"
            " >= random; the mean difference over worlds is not below 0 by more than 3 SE, `strict` if above by as much"
        ),
        found=f"{len(verdicts['strict'])} inequalities strict, {len(verdicts['weak'])} weak, {broken} broken",
        holds=not broken,
        rests_on=f"{worlds.size.few} worlds, both presets",
        figures=figures,
        remarks=(
            *remarks,
            "In setup B the history oracle is the oracle, in setup C the demography oracle: they tie there.",
        ),
    )


def _whole(worlds: Worlds) -> Iterator[Study]:
    """Studies in which those who say what is likely are those who judge: counts, means over users, shrunk ones."""
    yield from worlds.few("paper")[:2]
    yield worlds.study(0, "paper", target__kind="user_mean")
    for study in worlds.few("sound")[:1]:
        yield study.with_settings(users__split=0)


def _from_truth(study: Study) -> float:
    """The largest difference of the oracle's CE from the true entropy."""
    scores = _true_scores(study, study.lists("oracle"))
    return float(np.abs(scores.cross_entropy - scores.entropy).max())


def _against_truth(study: Study) -> dict[str, float]:
    names = dict.fromkeys(name for chain in _ORDERED for name in chain)
    return {name: habitus.skill(_true_scores(study, study.lists(name))).value for name in names}


def _true_scores(study: Study, lists: Lists) -> habitus.Scores:
    return habitus.score_values(study.truth, study.truth, lists)
