"""V6 and V8: tests that are wrong as often as they say. Without a difference a p-value is uniform."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.stats import kstest

from habitus_runners import paired
from habitus_runners.comparison import compare
from habitus_runners.proxies import proxy_tests
from habitus_runners.scores import score
from habitus_runners.significance import SIGNIFICANCE
from habitus_runners.validity.property import Chart, Property, Series, Share, share
from habitus_runners.validity.worlds import Floats, Study, Worlds

_EQUAL_IN_LAW = ("mixture:0.3", "mixture:0.7", "noisy:1", "random")
_PAIRS_PER_WORLD = 20
_FLIPS, _RESAMPLES = 1_999, 500
_PERMUTATIONS = 99
_SURE = 0.01  # of the Kolmogorov-Smirnov test, so that a sound method fails in 1 of 100 suites
_POWER = 0.95
_RHO = 0.3
_ALONE: dict[str, Any] = {
    "history__lengths": [0],
    "candidates__sets": 4,
    "draws__cap": 300,
    "users__split": 0,
    "setups": "rows",
}


def null_pairs(worlds: Worlds) -> Property:
    """V6."""
    found = [pair for number in range(_worlds_of_pairs(worlds)) for pair in _pairs(worlds.study(number))]
    p_values, covered = (np.array(column) for column in zip(*found, strict=True))
    errors, inside = share(p_values < SIGNIFICANCE), share(covered)
    return Property(
        key="V6",
        name="Null pairs",
        criterion="two models equal in law are told apart in 5 % of all pairs, within the 95 % binomial interval",
        found=f"type-I error {errors}",
        holds=errors.covers(SIGNIFICANCE),
        rests_on=f"{len(p_values)} pairs, {_worlds_of_pairs(worlds)} worlds",
        figures={**_shown("type-I error", errors), **_shown("intervals that hold 0", inside)},
        remarks=(f"The 95 % interval of the difference holds 0 in {inside}.",),
        chart=Chart("histogram", "p of two models equal in law", "pairs", [Series("", p_values.tolist(), [])]),
    )


def proxies(worlds: Worlds) -> Property:
    """V8."""
    null, real = (_proxy_p_values(worlds, rho) for rho in (0.0, _RHO))
    matched = ("size", "activity")
    # The least p is 1 / (permutations + 1): a uniform draw from its step makes it continuous, and exactly uniform.
    spread = np.random.default_rng(worlds.seed).random(null.shape) / (_PERMUTATIONS + 1)
    uniform = [float(kstest(null[:, column] - spread[:, column], "uniform").pvalue) for column in range(2)]
    wrong = [share(null[:, column] <= SIGNIFICANCE) for column in range(2)]
    seen = [share(real[:, column] <= SIGNIFICANCE) for column in range(2)]
    figures: dict[str, float | int | str] = {}
    for column, name in enumerate(matched):
        figures |= {f"KS p, {name}": uniform[column]} | _shown(f"p <= 0.05 at rho 0, {name}", wrong[column])
        figures |= _shown(f"p <= 0.05 at rho {_RHO}, {name}", seen[column])
    return Property(
        key="V8",
        name="Meaningful proxies",
        criterion=(
            f"where attributes mean nothing (rho = 0) the p of setup C is uniform, KS test at {_SURE:.0%}; at rho ="
            f" {_RHO} it is <= 0.05 in at least {_POWER:.0%} of the worlds; groups matched by size, and by activity"
        ),
        found="; ".join(
            f"{name}: KS p {uniform[column]:.2f}, p <= 0.05 in {wrong[column]} at rho 0, in {seen[column]} at {_RHO}"
            for column, name in enumerate(matched)
        ),
        holds=min(uniform) >= _SURE and all(power.value >= _POWER for power in seen),
        rests_on=f"{len(null)} worlds at each rho, {_PERMUTATIONS} permutations",
        figures=figures,
        chart=Chart(
            "histogram",
            "p of a proxy without meaning",
            "worlds",
            [Series(name, null[:, column].tolist(), []) for column, name in enumerate(matched)],
        ),
    )


def _worlds_of_pairs(worlds: Worlds) -> int:
    return -(-worlds.size.pairs // _PAIRS_PER_WORLD)


def _pairs(study: Study) -> Iterator[tuple[float, bool]]:
    """The p of each pair of a world, and whether the interval of its difference holds 0.

    The first pair takes the whole way, from answers to tables; the others take the places of its scores.
    """
    wanted, seed = study.settings, study.settings.seed
    runs = []
    for name in _EQUAL_IN_LAW[:2]:
        scored = score(study.tasks, study.members, study.answered(name), wanted)
        runs.append(paired.Run(name, study.tasks, scored, wanted))
    tables = paired.paired(runs)
    place = np.argsort(np.array(study.evidence.task_ids))
    for number in range(_PAIRS_PER_WORLD):
        name = _EQUAL_IN_LAW[number % len(_EQUAL_IN_LAW)]
        both = [_cross_entropies(study, name, seed + 2 * number + turn)[place] for turn in range(2)]
        (pair,) = compare(
            tables._replace(cross_entropy=np.array(both)), seed=number, flips=_FLIPS, resamples=_RESAMPLES
        ).pairs
        yield pair.p, pair.low <= 0 <= pair.high


def _cross_entropies(study: Study, name: str, seed: int) -> Floats:
    return study.scorer.score(study.preferred(name, seed), study.rows).cross_entropy


def _proxy_p_values(worlds: Worlds, rho: float) -> Floats:
    """(worlds, 2) the p of setup C against groups matched by size and by activity."""
    found = []
    for number in range(worlds.size.worlds):
        study = worlds.study(number, "sound", rho=rho, **_ALONE)
        tested = proxy_tests(
            study.dataset, study.tasks, study.members, study.settings, resamples=_PERMUTATIONS, seed=number
        )
        (whole,) = (row for row in tested if (row.setup, row.level, row.history) == ("C", "all", "all"))
        found.append((whole.size.p, whole.activity.p))
    return np.array(found)


def _shown(name: str, found: Share) -> dict[str, float | int | str]:
    return {name: found.value, f"{name}, low": found.low, f"{name}, high": found.high, f"{name}, of": found.of}
