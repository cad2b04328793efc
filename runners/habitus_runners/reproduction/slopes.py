"""Does something rise with something else? Least squares over a model's tasks, within strata if there are any."""

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl
from scipy import stats

from habitus_runners.reproduction.runs import Studied
from habitus_runners.significance import SIGNIFICANCE, holm, p_text


class Slope(NamedTuple):
    """Of one model, in bits per unit, with the p of none."""

    model: str
    slope: float
    p: float


def slopes(
    run: Studied, inside: pl.Expr, across: pl.Expr, column: str, *, within: Sequence[str] = ()
) -> tuple[Slope, ...]:
    """One slope per model whose tasks differ in ``across``.

    Args:
        run: whose models.
        inside: which tasks.
        across: what the column may rise with.
        column: of ``Studied.scored``.
        within: columns whose combinations have a mean of their own each.
    """
    found = []
    for model in run.models:
        rows = run.scored(model).filter(inside).with_columns(x=across, y=pl.col(column))
        if within:
            rows = rows.with_columns(pl.col("x", "y") - pl.col("x", "y").mean().over(within))
        known = rows.filter(pl.col("x").is_finite() & pl.col("y").is_finite())
        if known["x"].n_unique() > 1:
            line = stats.linregress(known["x"].to_numpy(), known["y"].to_numpy())
            found.append(Slope(model, float(line.slope), float(line.pvalue)))
    return tuple(found)


def rising(found: Sequence[Slope]) -> int | None:
    """1 if all rise for sure, -1 if those that are sure all fall, 0 if some do not rise, none if nothing is sure."""
    corrected = holm([slope.p for slope in found])
    certain = [slope.slope for slope, p in zip(found, corrected, strict=True) if p < SIGNIFICANCE]
    if not certain:
        return None
    if max(certain) < 0:
        return -1
    return 1 if len(certain) == len(found) and min(certain) > 0 else 0


def sure(found: Sequence[Slope]) -> str:
    """The largest p, corrected for the number of models."""
    p = max(holm([slope.p for slope in found]))
    return f"{'all ' if len(found) > 1 else ''}{p_text(p)}" if p < SIGNIFICANCE else f"largest {p_text(p)}"
