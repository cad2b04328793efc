"""V7: scores of one half of the users by the other are unbiased; those of all by themselves flatter the perfect list.

Half A keeps its histories, those of half B are drawn again and again. What B did is then an independent look at what B
is likely to do, whatever A made of the order and the slots.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import habitus
from habitus import members
from habitus.interactions import starts
from habitus_runners.columns import places
from habitus_runners.datasets import truth
from habitus_runners.tables import BIT
from habitus_runners.targets import Scorer
from habitus_runners.validity.altered import with_incidence, with_lists
from habitus_runners.validity.property import WITHIN, Chart, Estimate, Property, Series, mean
from habitus_runners.validity.worlds import Floats, Lists, Study, Worlds

_EDGES = (3, 5, 8, 15, 30, 60, 10**9)
_FEWEST = 3  # users of each half: with fewer a half is often empty, and which redraws count would depend on them
_TRUTHS = 4


class _Judged(NamedTuple):
    """The tasks that both halves can score, and of their judges: number, true target by so many redraws, its list."""

    study: Study
    judges: NDArray[np.bool_]
    kept: NDArray[np.int64]
    size: NDArray[np.int64]
    truths: list[Floats]
    lists: Lists


class _Redraw(NamedTuple):
    """(tasks,) nats: CE less its expectation, as the pipeline does it; with A's values kept; the plug-in gap."""

    crossed: Floats
    frozen: Floats
    plugged: Floats


def unbiased(worlds: Worlds) -> Property:
    """V7."""
    judged = _judged(worlds.study(0, "sound", setups="rows"))
    redraws = list(_redraws(judged, worlds.size.redraws))
    crossed, frozen, plugged = (np.array(column) / BIT for column in zip(*redraws, strict=True))
    noise = _noise_of_truth(judged)
    everything = np.ones(len(judged.size), np.bool_)
    found = {name: _mean(values, everything, noise) for name, values in (("crossed", crossed), ("frozen", frozen))}
    leak = _mean(crossed - frozen, everything, 0 * noise)
    flattered = _mean(plugged, everything, 0 * noise)
    parts = [(judged.size >= low) & (judged.size < high) for low, high in pairwise(_EDGES)]
    parts = [part for part in parts if part.any()]
    across = [float(judged.size[part].mean()) for part in parts]
    of_crossed = [_mean(crossed, part, noise) for part in parts]
    of_plugged = [_mean(plugged, part, 0 * noise) for part in parts]
    figures: dict[str, float | int | str] = {}
    for name, estimate in {**found, "leak": leak, "plug-in gap": flattered}.items():
        figures |= {f"{name}, bits": estimate.value, f"{name}, error": estimate.error}
    for size, one, other in zip(across, of_crossed, of_plugged, strict=True):
        figures |= {f"crossed, {size:.1f} judges": one.value, f"its error, {size:.1f} judges": one.error}
        figures |= {f"plug-in gap, {size:.1f} judges": other.value}
    return Property(
        key="V7",
        name="Cross-fitting",
        criterion=(
            "with half A fixed the mean cross-fitted CE over redraws of B = the expectation under B's true target,"
            " within 3 SE; the plug-in gap of the list that knows the truth, really 0, is above 0 by more than 3 SE"
        ),
        found=f"cross-fitted CE off by {found['crossed']} bits, plug-in gap off by {flattered} bits",
        holds=found["crossed"].is_at(0) and flattered.value > WITHIN * flattered.error,
        rests_on=f"{len(judged.kept)} tasks, {worlds.size.redraws} redraws of half the users",
        figures=figures,
        remarks=(
            (
                f"With what A says kept as it was drawn first: {found['frozen']} bits. The difference, {leak} bits, is"
                " what B tells A through the population and the strength of the prior, of which B is a part."
            ),
            "By number of judges, bits: "
            + ", ".join(f"{size:.0f}: {one}" for size, one in zip(across, of_crossed, strict=True))
            + "; plug-in gap "
            + ", ".join(f"{size:.0f}: {one.value:.3f}" for size, one in zip(across, of_plugged, strict=True)),
        ),
        chart=Chart(
            "zero",
            "users who judge",
            "bias (bits)",
            [_series("cross-fitted CE", across, of_crossed), _series("plug-in gap", across, of_plugged)],
        ),
    )


def _judged(study: Study) -> _Judged:
    rng = np.random.default_rng(study.settings.seed)
    users = study.dataset.users.height
    judges = rng.permutation(users) < users // 2
    group = study.evidence.groups
    size = np.bincount(group.row, judges[group.values], len(group.size)).astype(np.int64)
    kept = np.flatnonzero((size >= _FEWEST) & (group.size - size >= _FEWEST))
    mine = judges[group.values] & np.isin(group.row, kept)
    seeds = study.settings.seed + np.arange(1, 1 + _TRUTHS)
    truths = [
        replace(study.dataset, seed=int(seed)).truth(
            starts(size[kept]), group.values[mine], study.evidence.candidates[kept], kind=study.settings.target.kind
        )
        for seed in seeds
    ]
    return _Judged(study, judges, kept, size[kept], truths, study.listed(np.mean(truths, axis=0)))


def _redraws(judged: _Judged, times: int) -> Iterator[_Redraw]:
    study, expected = judged.study, np.mean(judged.truths, axis=0)
    rng = np.random.default_rng([study.settings.seed, 1])
    knows = study.evidence.incidence.toarray().astype(np.bool_)
    first = _values(judged, study.scorer)
    for _ in range(times):
        drawn = truth.race(study.dataset.utilities[judged.judges], study.dataset.activity[judged.judges], rng).first
        knows[judged.judges] = drawn
        again = _with_histories(study, knows)
        total = members.subsample(again.scorer.group_members, judged.judges, per_user=True).total[judged.kept]
        did = np.where(total.any(axis=1, keepdims=True), total, np.nan) / total.sum(axis=1, keepdims=True).clip(1e-300)
        values = _values(judged, again.scorer)
        plain = again.with_settings(target__smoothing="alpha", target__estimator="plug-in", users__split=0).scorer
        (alone,) = (target.values[judged.kept] for target in plain.targets(judged.judges))
        yield _Redraw(
            crossed=_cross_entropy(did, values, judged) - _cross_entropy(expected, values, judged),
            frozen=_cross_entropy(did, first, judged) - _cross_entropy(expected, first, judged),
            plugged=_cross_entropy(alone, alone, judged) + (alone * np.log(alone)).sum(axis=1),
        )


def _values(judged: _Judged, scorer: Scorer) -> Floats:
    """What the half that does not judge says is likely."""
    (target,) = scorer.targets(~judged.judges, splits=0)
    return target.values[judged.kept]


def _with_histories(study: Study, knows: NDArray[np.bool_]) -> Study:
    """The same groups and candidates, had their users done this: (users, items)."""
    candidates = study.evidence.candidates
    row, users = places(study.members["task_id"], study.tasks["task_id"]), study.members["user"].to_numpy()
    did, counts = knows[users[:, None], candidates[row]], np.zeros(candidates.shape, np.int64)
    np.add.at(counts, row, did)
    changed = with_incidence(study.members, did)
    tasks = with_lists(study.tasks, "population", knows.sum(axis=0)[candidates])
    tasks = with_lists(tasks, "counts", counts)
    return Study(study.dataset, study.settings, tasks, changed)


def _cross_entropy(weights: Floats, values: Floats, judged: _Judged) -> Floats:
    """(tasks,) nats, NaN where nobody judges."""
    known = ~np.isnan(weights + values).any(axis=1)
    out = np.full(len(weights), np.nan)
    out[known] = habitus.cross_entropy(weights[known], values[known], judged.lists[known])
    return out


def _noise_of_truth(judged: _Judged) -> Floats:
    """(truths, tasks) bits: what each Monte-Carlo truth adds to the mean of all."""
    values = _values(judged, judged.study.scorer)
    each = np.array([_cross_entropy(one, values, judged) for one in judged.truths]) / BIT
    return np.asarray(each - each.mean(axis=0))


def _mean(values: Floats, part: NDArray[np.bool_], noise: Floats) -> Estimate:
    """Over tasks, with the error of redraws and of the truth: tasks of a redraw share users and are one number."""
    found = mean(np.nanmean(values[:, part], axis=1))
    of_truth = np.nanmean(noise[:, part], axis=1).std(ddof=1) / np.sqrt(len(noise))
    return found._replace(error=float(np.hypot(found.error, of_truth)))


def _series(label: str, across: list[float], found: list[Estimate]) -> Series:
    return Series(label, across, [one.value for one in found], [1.96 * one.error for one in found])
