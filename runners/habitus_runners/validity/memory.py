"""V11: who knows the sample rather than the people is above the noise ceiling; who knows the people is not."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

import habitus
from habitus_runners import intervals
from habitus_runners.ceiling import lost_to_noise
from habitus_runners.datasets import world
from habitus_runners.models import simulated
from habitus_runners.significance import SIGNIFICANCE
from habitus_runners.validity.altered import ranked
from habitus_runners.validity.property import Property, Share, mean, share
from habitus_runners.validity.worlds import Floats, Study, Worlds

_MEMORISER, _LAW, _PEOPLE = "memoriser", "law oracle", "oracle"
_HONEST = ("popularity", "item-knn", "mixture:0.3", "mixture:0.8", "random")
_RESAMPLES = {"paper": 100, "sound": 40}


class _Seen(NamedTuple):
    """A model in one world: skill, the ends of its 95 % interval, the ceiling."""

    skill: float
    low: float
    high: float
    ceiling: float

    @property
    def flagged(self) -> bool:
        """Whether it is above the ceiling for sure."""
        return self.low > self.ceiling


def memorisers(worlds: Worlds) -> Property:
    """V11."""
    paper = _all_seen(worlds, "paper")
    sound = _all_seen(worlds, "sound")
    honest = [name for name in paper if name not in {_MEMORISER, _PEOPLE}]
    caught, law, false = (_flags(paper, names) for names in ([_MEMORISER], [_LAW], honest))
    ceiling, skill = (
        mean(column).value for column in zip(*((one.ceiling, one.skill) for one in paper[_LAW]), strict=True)
    )
    figures: dict[str, float | int | str] = {}
    for preset, found in (("paper", paper), ("sound", sound)):
        for name, seen in found.items():
            figures[f"skill of {name}, {preset}"] = mean([one.skill for one in seen]).value
            figures[f"flagged, {name}, {preset}"] = sum(one.flagged for one in seen)
        figures[f"ceiling, {preset}"] = mean([one.ceiling for one in found[_MEMORISER]]).value
    return Property(
        key="V11",
        name="Memorisers",
        criterion=(
            "preset paper: the lower end of the 95 % interval of a memoriser's skill is above the noise ceiling in"
            " every world; that of an honest model in no more than 5 % of the cases, within their binomial interval"
        ),
        found=(
            f"memoriser flagged in {caught}; honest models in {false}, the law oracle, which is at the ceiling, in"
            f" {law}; ceiling {ceiling:.3f}, law oracle {skill:.3f}"
        ),
        holds=caught.value == 1 and max(false.low, law.low) <= SIGNIFICANCE,
        rests_on=f"{worlds.size.few} worlds, {len(honest)} honest models",
        figures=figures,
        remarks=(
            f"Under preset sound, where a model that knew both halves would pass 1: {_said(sound)}.",
            "`oracle` knows the very people of each group, not only what the proxy says, and so passes the ceiling.",
            f"Under preset paper: {_said(paper)}.",
        ),
    )


def _flags(found: dict[str, list[_Seen]], names: list[str]) -> Share:
    return share(np.array([one.flagged for name in names for one in found[name]]))


def _said(found: dict[str, list[_Seen]]) -> str:
    ceiling = mean([one.ceiling for one in found[_MEMORISER]]).value
    parts = [
        f"{name} {mean([one.skill for one in seen]).value:.3f} ({sum(one.flagged for one in seen)}/{len(seen)} flagged)"
        for name, seen in found.items()
    ]
    return f"ceiling {ceiling:.3f}; " + ", ".join(parts)


def _all_seen(worlds: Worlds, preset: str) -> dict[str, list[_Seen]]:
    """By model, one per world."""
    found: dict[str, list[_Seen]] = {}
    for study in worlds.few(preset):
        for name, seen in _seen(worlds, study.with_settings(uncertainty__resamples=_RESAMPLES[preset])).items():
            found.setdefault(name, []).append(seen)
    return found


def _seen(worlds: Worlds, study: Study) -> dict[str, _Seen]:
    answered = [study.answered(name) for name in (_MEMORISER, _PEOPLE, *_HONEST)]
    known = ranked(_LAW, study.evidence.task_ids, study.listed(_law(worlds, study)))
    rankings = pa.concat_tables([*answered, known]).unify_dictionaries()
    drawn = intervals.Study(study.tasks, study.members, rankings, study.settings)
    full = drawn.full
    share_lost = lost_to_noise(study.tasks, study.scorer)
    rows = intervals.intervals(drawn.replicates, study.settings, drawn=False)
    found = {}
    for number, (name, row) in enumerate(zip(drawn.models, rows, strict=True)):
        at = _skill(full, full.cross_entropy[0, number])
        ceiling = _skill(full, full.best[0] + share_lost * full.gap[0, 0])
        found[name] = _Seen(at, row["skill_low"] or np.nan, row["skill_high"] or np.nan, ceiling)
    return found


def _law(worlds: Worlds, study: Study) -> Floats:
    """Films, traits and what attributes mean are the same only in worlds of as many users."""
    users, items = study.dataset.users.height, study.dataset.items.height
    others = (
        world.load(seed=study.dataset.seed, people=people, users=users, items=items, **study.settings.data)
        for people in range(1, 1 + worlds.size.people // users)
    )
    return simulated.law(study.evidence, others)


def _skill(full: intervals.Points, cross_entropy: Floats) -> float:
    columns = full.best[0], full.chance[0], full.chance[0], cross_entropy, np.zeros(len(cross_entropy), np.int32)
    return habitus.skill(habitus.Scores(*columns)).value
