"""V12: saying nothing is chance, and inventing is no more than what is left of it."""

import numpy as np

from habitus_runners.tables import BIT
from habitus_runners.validity.property import WITHIN, Property, mean
from habitus_runners.validity.worlds import Floats, Lists, Study, Worlds

_ROUNDING = 1e-12  # relative: one sum, two orders of adding
_COMPLETIONS = 20


def faults(worlds: Worlds) -> Property:
    """V12."""
    chance, refused, halved, away, ahead, tasks = 0.0, True, True, [], [], 0
    for preset in ("paper", "sound"):
        for study in worlds.few(preset):
            length = study.settings.candidates.N
            refusal = study.answered("refuser")
            refused &= set(refusal["verdict"].to_pylist()) == {"refusal"}
            scores = study.scorer.score(study.lists("refuser"), study.rows, splits=1)
            chance = max(chance, float(np.abs(scores.cross_entropy / scores.chance - 1).max()))
            given = study.lists("hallucinator")
            halved &= bool(
                (np.sort(given, axis=1)[:, : length // 2] == -1).all()
                and ((given >= 0).sum(axis=1) == -(-length // 2)).all()
            )
            hallucinated = study.scorer.score(given, study.rows, splits=1).cross_entropy
            away.append((_completed(study, given, hallucinated)) / BIT)
            whole = study.scorer.score(study.lists("perfect"), study.rows, splits=1).cross_entropy
            ahead.append((whole - hallucinated) / BIT)
            tasks += len(study.rows)
    valid, gained = mean(np.concatenate(away)), mean(np.concatenate(ahead))
    return Property(
        key="V12",
        name="Faulty answers",
        criterion=(
            "a refuser's CE = chance on every task, but for rounding; a hallucinator's CE = its valid titles and random"
            " ones after them, within 3 SE, and it gains nothing over the list without inventions"
        ),
        found=(
            f"refuser: CE / chance - 1 at most {chance:.1e}; hallucinator: {valid.value:+.4f} ± {valid.error:.4f} bits"
            f" from its completions, {-gained.value:.3f} ± {gained.error:.3f} bits worse than without inventions"
        ),
        holds=chance <= _ROUNDING and refused and halved and valid.is_at(0) and gained.value <= WITHIN * gained.error,
        rests_on=f"{tasks:,} tasks, {worlds.size.few} worlds, both presets, {_COMPLETIONS} completions",
        figures={
            "refuser, CE / chance - 1, largest": chance,
            "all refusals known as such": int(refused),
            "all inventions dropped, no title lost": int(halved),
            "hallucinator - completions, bits": valid.value,
            "its error": valid.error,
            "hallucinator - perfect, bits": -gained.value,
            "error of that": gained.error,
        },
    )


def _completed(study: Study, given: Lists, expected: Floats) -> Floats:
    """(tasks,) what CE is above the mean of lists whose empty slots are filled at random, one after another."""
    rng = np.random.default_rng(study.settings.seed)
    candidates = study.evidence.candidates.shape[1]
    valid = (given >= 0).sum(axis=1)
    total = np.zeros(len(given))
    for _ in range(_COMPLETIONS):
        key = rng.random((len(given), candidates))
        for row, slots in enumerate(given):
            listed = slots[slots >= 0]
            key[row, listed] = np.arange(len(listed)) - len(listed) - 1.0
        total += study.scorer.score(study.listed(-key), study.rows, splits=1).cross_entropy
    return np.asarray(np.where(valid > 0, expected - total / _COMPLETIONS, 0))
