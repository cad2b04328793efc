"""V9: scores know no names and no order: other numbers of items and users, shuffled candidates, another logarithm."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import habitus
from habitus_runners import columns
from habitus_runners.targets import TaskScores
from habitus_runners.validity.altered import with_incidence, with_lists
from habitus_runners.validity.property import Property
from habitus_runners.validity.worlds import Floats, Lists, Study, Worlds

_ALIKE = 1e-12
_MODELS = ("popularity", "item-knn", "hallucinator", "random")


class _Scored(NamedTuple):
    scores: TaskScores
    skill: float


class _Difference(NamedTuple):
    """The largest of any score, in nats, and that of the skill."""

    scores: float
    skill: float


def invariance(worlds: Worlds) -> Property:
    """V9."""
    found: dict[str, float] = {}
    skills: dict[str, float] = {}
    for kind, study in _studies(worlds).items():
        for model in _MODELS:
            for what, difference in _differences(study, study.lists(model)).items():
                found[f"{what}, {kind}"] = max(found.get(f"{what}, {kind}", 0.0), difference.scores, difference.skill)
                skills[what] = max(skills.get(what, 0.0), difference.skill)
    largest = {what: max(value for name, value in found.items() if name.startswith(what)) for what in _WHAT}
    return Property(
        key="V9",
        name="Invariance",
        criterion=(
            "scores and skill are the same, to 1e-12, with other item and user numbers, with shuffled candidates (and"
            " so among ties), and in bits from the formula written out"
        ),
        found=", ".join(f"{what} {value:.1e}" for what, value in largest.items()),
        holds=max(found.values()) <= _ALIKE,
        rests_on=f"{len(_MODELS)} models, {', '.join(_studies(worlds))}; one world",
        figures={**found, **{f"{what}, skill": value for what, value in skills.items()}},
        remarks=(
            "Halves are drawn by place in the members table: another order of its rows draws other halves.",
            f"Shuffled candidates change the skill by up to {max(skills.values()):.1e}.",
        ),
    )


_WHAT = ("item and user numbers", "shuffled candidates", "bits")


def _studies(worlds: Worlds) -> dict[str, Study]:
    paper, sound = worlds.few("paper")[0], worlds.few("sound")[0]
    return {
        "counts": paper,
        "shrunk means of users": sound.with_settings(users__split=0),
        "split users": sound.with_settings(users__split=2),
    }


def _differences(study: Study, lists: Lists) -> dict[str, _Difference]:
    before = _scored(study, lists)
    rng = np.random.default_rng(study.settings.seed)
    order = np.argsort(rng.random(study.evidence.candidates.shape), axis=1)
    place = np.argsort(order, axis=1)
    shuffled = np.where(lists >= 0, np.take_along_axis(place, np.maximum(lists, 0).astype(np.int64), axis=1), -1)
    after = {
        "item and user numbers": _scored(_renumbered(study, rng), lists),
        "shuffled candidates": _scored(_shuffled(study, order), shuffled.astype(np.int16)),
    }
    found = {what: _away(before, now) for what, now in after.items()}
    if not study.settings.users.split:
        (target,) = study.scorer.targets()
        found["bits"] = _in_bits(target.values, lists, before)
    return found


def _scored(study: Study, lists: Lists) -> _Scored:
    scores = study.scorer.score(lists, study.rows)
    of_best = habitus.Scores(scores.best, scores.chance, scores.worst, scores.cross_entropy, scores.valid)
    return _Scored(scores, habitus.skill(of_best).value)


def _away(before: _Scored, now: _Scored) -> _Difference:
    away = (np.abs(getattr(before.scores, name) - getattr(now.scores, name)).max() for name in TaskScores._fields)
    return _Difference(float(max(away)), abs(before.skill - now.skill))


def _in_bits(target: Floats, lists: Lists, before: _Scored) -> _Difference:
    """The same cross-entropies and skill in base 2, slot by slot, of the lists without an empty slot."""
    whole = (lists >= 0).all(axis=1)
    if not whole.all():
        return _Difference(0.0, 0.0)
    cross_entropy, entropy = np.empty((2, len(lists)))
    for row, (p, listed) in enumerate(zip(target, lists, strict=True)):
        slots = np.sort(p)[::-1]
        rest = sorted(set(range(len(p))) - set(listed.tolist()), key=lambda place: -p[place])
        cross_entropy[row] = -sum(p[place] * np.log2(slots[slot]) for slot, place in enumerate([*listed, *rest]))
        entropy[row] = -(p * np.log2(p)).sum()
    away = np.abs(cross_entropy * np.log(2) - before.scores.cross_entropy).max()
    gap = (before.scores.chance - before.scores.best) / np.log(2)
    counted = gap >= 0.02  # noqa: PLR2004 - bits, as in the method
    skill = 1 - (cross_entropy - entropy)[counted].sum() / gap[counted].sum()
    return _Difference(float(away), float(abs(skill - before.skill)))


def _renumbered(study: Study, rng: np.random.Generator) -> Study:
    """Other numbers for every item and every user."""
    items, users = (rng.permutation(table.height) for table in (study.dataset.items, study.dataset.users))
    tasks = with_lists(study.tasks, "candidates", items[study.evidence.candidates].astype(np.int32))
    user = study.members["user"].to_numpy()
    place = study.members.column_names.index("user")
    members = study.members.set_column(place, "user", pa.array(users[user].astype(np.int32)))
    return Study(study.dataset, study.settings, tasks, members)


def _shuffled(study: Study, order: NDArray[np.int64]) -> Study:
    """The candidates of each task in another order, (tasks, K)."""
    tasks = study.tasks
    for name in ("candidates", "counts", "population", "target"):
        if tasks[name].null_count == 0:
            tasks = with_lists(tasks, name, np.take_along_axis(columns.fixed(tasks[name]), order, axis=1))
    row = columns.places(study.members["task_id"], study.tasks["task_id"])
    bits = np.unpackbits(columns.packed(study.members["incidence"]), axis=1, count=order.shape[1], bitorder="little")
    knows = np.take_along_axis(bits, order[row], axis=1).astype(np.bool_)
    return Study(study.dataset, study.settings, tasks, with_incidence(study.members, knows))
