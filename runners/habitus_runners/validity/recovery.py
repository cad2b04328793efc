"""V4: a model made to have a skill is found to have it."""

import numpy as np

from habitus.scoring import MIN_GAP
from habitus_runners.validity.property import Chart, Estimate, Property, Series
from habitus_runners.validity.worlds import Floats, Study, Worlds

PLANTED = tuple(tenth / 10 for tenth in range(11))


def mixtures(worlds: Worlds) -> Property:
    """V4."""
    studies = worlds.few("paper")
    measured = [_measured(studies, planted) for planted in PLANTED]
    off = [found.off(planted) for found, planted in zip(measured, PLANTED, strict=True)]
    slope, intercept = _line(np.array(PLANTED), measured)
    figures: dict[str, float | int | str] = {f"mixture:{s:g}": m.value for s, m in zip(PLANTED, measured, strict=True)}
    figures |= {f"its error, {s:g}": m.error for s, m in zip(PLANTED, measured, strict=True)}
    figures |= {"slope": slope.value, "its error": slope.error}
    figures |= {"intercept": intercept.value, "error of the intercept": intercept.error}
    return Property(
        key="V4",
        name="Planted skill",
        criterion="measured skill of mixture:s = s within 3 SE for s = 0, 0.1 ... 1; slope 1, intercept 0 within 3 SE",
        found=f"farthest {max(off, key=abs):+.1f} SE; slope {slope}, intercept {intercept}",
        holds=all(found.is_at(planted) for found, planted in zip(measured, PLANTED, strict=True))
        and slope.is_at(1)
        and intercept.is_at(0),
        rests_on=f"{sum(len(study.rows) for study in studies):,} tasks, {len(studies)} worlds, 11 mixtures",
        figures=figures,
        chart=Chart(
            "diagonal",
            "planted skill",
            "measured skill",
            [Series("95 % interval", PLANTED, [m.value for m in measured], [1.96 * m.error for m in measured])],
        ),
    )


def _measured(studies: list[Study], planted: float) -> Estimate:
    """Pooled skill. Given the tasks, each one's loss is independent and (1 - s) of its gap on average."""
    loss, gap = (
        np.concatenate(parts) for parts in zip(*(_losses(s, f"mixture:{planted:g}") for s in studies), strict=True)
    )
    spread = np.sqrt(((loss - (1 - planted) * gap) ** 2).sum())
    return Estimate(float(1 - loss.sum() / gap.sum()), float(spread / gap.sum()))


def _losses(study: Study, name: str) -> tuple[Floats, Floats]:
    """CE - best and chance - best of the tasks that skill counts."""
    scores = study.scorer.score(study.lists(name), study.rows)
    gap = scores.chance - scores.best
    return (scores.cross_entropy - scores.best)[gap >= MIN_GAP], gap[gap >= MIN_GAP]


def _line(planted: Floats, measured: list[Estimate]) -> tuple[Estimate, Estimate]:
    """Slope and intercept of measured on planted skill, by least squares; errors follow from those of the points."""
    value, error = (np.array(column) for column in zip(*measured, strict=True))
    away = planted - planted.mean()
    of_slope = away / (away @ away)
    of_intercept = 1 / len(planted) - planted.mean() * of_slope
    weighed = (Estimate(float(w @ value), float(np.sqrt(w**2 @ error**2))) for w in (of_slope, of_intercept))
    slope, intercept = weighed
    return slope, intercept
