"""Curves of models that are equally good everywhere, CE = best + (1 - s)(chance - best): where do they turn?"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import habitus
from habitus import curves
from habitus.curves import TurningPoint
from habitus_runners.report.scored import Study
from habitus_runners.results import GRID
from habitus_runners.settings import Settings
from habitus_runners.tables import BIT

Floats = NDArray[np.float64]

SKILLS = (0.0, 0.1, 0.18, 0.3, 0.6)  # method, section 5


class Room(NamedTuple):
    """What tasks leave to be gained: (tasks,) bits."""

    entropy: Floats
    best: Floats
    chance: Floats

    def cross_entropy(self, skill: float) -> Floats:
        """(tasks,) bits, of a model that has this skill in every task."""
        return self.best + (1 - skill) * (self.chance - self.best)


class Drawn(NamedTuple):
    """A curve on a grid, in bits, and where it turns."""

    grid: Floats
    height: Floats
    turn: TurningPoint


def of_counts(counts: NDArray[np.int32], settings: Settings, alpha: float | None = None) -> Room:
    """The room of integer targets smoothed by a pseudo-count; default 1/K."""
    nobody = np.full((len(counts), settings.candidates.N), -1, np.int16)
    scores = habitus.score(counts, nobody, alpha=alpha)
    return Room(scores.entropy / BIT, scores.entropy / BIT, scores.chance / BIT)


def of_study(study: Study) -> Room:
    """The room of a run's tasks, as they were scored."""
    known = study.tasks.drop_nulls(["entropy", "best", "chance"]).drop_nans(["entropy", "best", "chance"])
    return Room(*(known[name].to_numpy() for name in Room._fields))


def drawn(room: Room, skill: float, settings: Settings, kind: str | None = None) -> Drawn:
    """The curve of a constant skill, of the settings' kind or another (``polynomial``, ``lowess``)."""
    x, y = room.entropy, room.cross_entropy(skill)
    if (kind or settings.curve.kind) == "lowess":
        grid = np.linspace(x.min(), x.max(), GRID)
        height = curves.lowess(x, y, grid, fraction=settings.curve.fraction)
        turns = curves.turning_points(grid, height)
        return Drawn(grid, height, TurningPoint(float(turns.x), curves.OUTCOMES[int(turns.outcome)]))
    curve = curves.curve(x, y, **settings.curve.polynomial)
    if curve.outcome == "undefined":
        return Drawn(np.empty(0), np.empty(0), TurningPoint(curve.inversion, curve.outcome))
    grid = np.linspace(*curve.domain, GRID)
    return Drawn(grid, curve.at(grid), TurningPoint(curve.inversion, curve.outcome))


def turn_text(turn: TurningPoint) -> str:
    """Where a curve turns, in bits, or why there is no such place."""
    return f"{turn.x:.2f}" if turn.outcome == "value" else turn.outcome
