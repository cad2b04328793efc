"""What a reader looks for in the results of any model, each with its test: the report says it before being asked.

All entropies in bits. A model shows a sign if its p, corrected by Holm over the models tested, is below 5 %.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy import stats

from habitus_runners.report.scored import Study, pooled
from habitus_runners.report.summary import number
from habitus_runners.significance import SIGNIFICANCE, holm, p_text
from habitus_runners.tables import POOLED

_HIGH = 0.75  # quantile of H from which on it is high
_FEWEST = 20  # tasks that a test is made of
_ROUNDING = 1e-12
_WIDTH = 2 * stats.norm.ppf(0.975)  # of an interval of 95 %, in standard errors


class Tested(NamedTuple):
    """One model's test of one sign: what was found, in words, and how likely by chance."""

    model: str
    figure: str
    p: float


class Sign(NamedTuple):
    """A failure signature. ``shown`` names the models that show it, each with its figure; ``tested`` how many were."""

    name: str
    test: str
    shown: tuple[str, ...]
    tested: int


class _Kind(NamedTuple):
    name: str
    test: str
    look: Callable[[Study, Sequence[str]], Iterator[Tested]]
    shows_if_significant: bool = True


def signs(study: Study, models: Sequence[str]) -> list[Sign]:
    """Every sign, whether a model shows it or none.

    Args:
        study: the report's.
        models: that are looked at: not those that see the answer, whose figures are by construction.
    """
    return [_sign(kind, list(kind.look(study, models))) for kind in _KINDS]


def _sign(kind: _Kind, tested: list[Tested]) -> Sign:
    known = [test for test in tested if not np.isnan(test.p)]
    if kind.shows_if_significant:
        adjusted = holm([test.p for test in known])
        found = [(test, p) for test, p in zip(known, adjusted, strict=True) if p < SIGNIFICANCE]
    else:
        found = [(test, test.p) for test in known if test.p >= SIGNIFICANCE]
    shown = tuple(f"{test.model} ({test.figure}, {p_text(p)})" for test, p in found)
    return Sign(kind.name, kind.test, shown, len(known))


def _of_model(study: Study, model: str) -> pl.DataFrame:
    return study.scored.filter((pl.col("model") == model) & pl.col("cross_entropy").is_finite())


def _high_entropy(study: Study, models: Sequence[str]) -> Iterator[Tested]:
    least = study.tasks["entropy"].drop_nans().quantile(_HIGH)
    for model in models:
        rows = _of_model(study, model).filter(pl.col("entropy") >= least)
        saved = (rows["chance"] - rows["cross_entropy"]).to_numpy()
        if len(saved) >= _FEWEST:
            room = (rows["chance"] - rows["best"]).sum()
            varies = saved.std() > _ROUNDING  # a refuser is at chance in every task
            p = float(
                stats.ttest_1samp(saved, 0, alternative="greater").pvalue if varies else saved.mean() <= _ROUNDING
            )
            yield Tested(model, f"skill {number(saved.sum() / room)} where H ≥ {least:.2f}", p)


def _history(study: Study, models: Sequence[str]) -> Iterator[Tested]:
    for model in models:
        rows = _of_model(study, model).filter(pl.col("setup").is_in(["A", "B"]))
        length = rows["history"].to_numpy()
        if len(rows) >= _FEWEST and len(np.unique(length)) > 1:
            line = stats.linregress(np.log2(length), rows["cross_entropy"].to_numpy(), alternative="greater")
            yield Tested(model, f"{line.slope:+.3f} bits per doubling", float(line.pvalue))


def _demography(study: Study, models: Sequence[str]) -> Iterator[Tested]:
    """Skill differs between A and B as much as the loss of a task does from that of the mean skill of both."""
    key = ["level", "seed", "order"]
    for model in models:
        rows = _of_model(study, model).with_columns(
            loss=pl.col("cross_entropy") - pl.col("best"), room=pl.col("chance") - pl.col("best")
        )
        shown, hidden = (rows.filter(pl.col("setup") == setup).group_by(key).agg(_MEANS) for setup in "AB")
        both = shown.join(hidden, on=key, suffix="_b")
        if both.height < _FEWEST:
            continue
        skills = [1 - float(both[f"loss{end}"].sum()) / float(both[f"room{end}"].sum()) for end in ("", "_b")]
        failing = 1 - sum(skills) / 2
        saved = [(failing * both[f"room{end}"] - both[f"loss{end}"]).to_numpy() for end in ("", "_b")]
        apart = saved[0] - saved[1]
        if apart.std() > _ROUNDING:
            p = float(stats.ttest_1samp(apart, 0).pvalue)
            yield Tested(model, f"skill {skills[0]:.3f} with, {skills[1]:.3f} without, {both.height:,} pairs", p)


_MEANS = [pl.col("loss").mean(), pl.col("room").mean()]


def _rising(study: Study, models: Sequence[str]) -> Iterator[Tested]:
    rows = {row["model"]: row for row in study.results.filter(pooled(POOLED)).iter_rows(named=True)}
    for model in models:
        row = rows.get(model)
        if row is not None and row["two_lines"] is not None:
            place = row["lowess_inversion"]
            where = f"lowest at H = {place:.2f}" if place is not None else "no turn of its smooth"
            yield Tested(model, where, row["two_lines"])


def _ceiling(study: Study, models: Sequence[str]) -> Iterator[Tested]:
    for row in study.results.filter(pooled(POOLED)).sort("model").iter_rows(named=True):
        known = None not in (row["skill"], row["ceiling"], row["skill_low"], row["skill_high"])
        if row["model"] in models and known and row["skill_low"] < row["skill_high"]:
            error = (row["skill_high"] - row["skill_low"]) / _WIDTH
            p = float(stats.norm.sf((row["skill"] - row["ceiling"]) / error))
            yield Tested(row["model"], f"skill {row['skill']:.3f}, ceiling {row['ceiling']:.3f}", p)


_KINDS = (
    _Kind(
        "High cross-entropy at high entropy",
        "No better than chance on the quarter of the tasks with the highest H: one-sided t test of chance less CE, not"
        " significant.",
        _high_entropy,
        shows_if_significant=False,
    ),
    _Kind(
        "Cross-entropy that rises with the history",
        "Slope of CE on the logarithm of the history's length in setups A and B, one-sided. Read it beside skill: H"
        " changes with the history too.",
        _history,
    ),
    _Kind(
        "No difference between A and B",
        "The same histories and candidates with and without the demography: t test of paired differences in skill, not"
        " significant.",
        _demography,
        shows_if_significant=False,
    ),
    _Kind(
        "A curve that rises again at low entropy",
        "Two-lines test (Simonsohn 2018): CE falls with H on the left and rises on the right. A model of constant skill"
        " may show it.",
        _rising,
    ),
    _Kind(
        "Skill above the noise ceiling",
        "Skill against what the noise of the targets allows to anybody who knows the proxies alone, in standard errors"
        " of skill. Above it is memory, or leakage.",
        _ceiling,
    ),
)
