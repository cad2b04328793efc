"""The method's own figures on MovieLens-1M, recomputed from a run of preset `paper` and the data set.

`expected` is what the specification of the method states, computed once with one seed; `found` is computed here. They
need not be equal where a draw is involved; both are printed and none is forced.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray
from scipy import stats

from habitus_runners.columns import fixed
from habitus_runners.datasets.dataset import Dataset
from habitus_runners.reproduction import constant_skill, infinities
from habitus_runners.reproduction.sample_prompt import Replay, replay
from habitus_runners.settings import Settings
from habitus_runners.tables import POOLED, frame

ACCEPTED = {
    "none": (1, 285, 264, 252, 127, 41),
    "age": (7, 1261, 791, 537, 127, 10),
    "gender": (2, 520, 429, 337, 130, 30),
    "occupation": (17, 2532, 1345, 691, 82, 3),
    "age x gender x occupation": (51, 4732, 1645, 653, 34, 0),
}
_CONSTANT = dict(zip(constant_skill.SKILLS, ("4.30", "4.25", "4.19", "4.07", "none"), strict=True))


class Figure(NamedTuple):
    """One figure of the method, and the same recomputed."""

    name: str
    expected: str
    found: str


def of_run(tables: Mapping[str, pa.Table], manifest: Mapping[str, Any], settings: Settings) -> Iterator[Figure]:
    """The figures that follow from a run's tasks, rankings and results."""
    accepted = [
        (level, length, sum(d["accepted"] for d in manifest["draws"] if (d["level"], d["history"]) == (level, length)))
        for level in ACCEPTED
        for length in settings.history.lengths
    ]
    for level, numbers in ACCEPTED.items():
        found = [str(count) for name, _, count in accepted if name == level]
        yield Figure(f"accepted draws, {level}", " ".join(map(str, numbers)), " ".join(found))
    yield Figure("tasks after the cap", "5063 (paper: 5096)", str(tables["tasks"].num_rows))
    yield from of_infinities(tables)
    yield from of_curves(fixed(tables["tasks"]["counts"]), tables["tasks"]["group_size"].to_numpy(), settings)
    pooled = frame(tables["results"]).filter(
        (pl.col("model") == "popularity") & (pl.col("fill") == "chance"),
        pl.all_horizontal(pl.col("setup", "level", "history") == POOLED),
    )
    yield Figure("skill of global popularity", "0.87", f"{pooled['skill'].item():.3f}" if pooled.height else "not run")


def of_example(example: Path, dataset: Dataset, settings: Settings) -> tuple[list[Figure], Replay]:
    """The figures of the paper's published prompt, and what they are counted from."""
    any_rating, liked = (replay(example, dataset, settings, min_rating=least) for least in (1, 2))
    return [
        Figure("sample prompt: users in its group", "5", str(any_rating.group_size)),
        Figure("sample prompt: candidates nobody rated", "25", str(any_rating.zeros)),
        Figure("sample prompt: history among the candidates", "0", str(any_rating.history_among_candidates)),
        Figure("the same with the rule as printed", "0", f"{any_rating.zeros_literal.mean():.1f}"),
        Figure("the same with the whole inventory", "about 18", f"{any_rating.zeros_inventory.mean():.1f}"),
        Figure("the same with ratings of 2 or more", "26", str(liked.zeros)),
    ], any_rating


def of_infinities(tables: Mapping[str, pa.Table]) -> Iterator[Figure]:
    """How often a cross-entropy would be infinite without smoothing."""
    for model, expected in (("random", "99.96 %"), ("popularity", "31.6 %; 50 % at 3-5 users")):
        counted = infinities.of_model(tables, model)
        if counted is None:
            continue
        found = f"{counted.share:.2%}"
        if model == "popularity" and counted.share_of_small is not None:
            found += f"; {counted.share_of_small:.1%} at 3-5 users"
        yield Figure(f"infinite without smoothing, {model}", expected, found)


def of_curves(counts: NDArray[np.int32], size: NDArray[np.int32], settings: Settings) -> Iterator[Figure]:
    """Inversion points of constant skill, all setups pooled, in bits."""
    room = constant_skill.of_counts(counts, settings)
    for skill, expected in _CONSTANT.items():
        yield Figure(f"inversion of constant skill {skill:g} (bits)", expected, _turn(room, skill, settings))
    grid = constant_skill.drawn(room, 0.0, settings, "polynomial").grid
    found = f"{grid[0]:.2f}-{grid[-1]:.2f}" if len(grid) else "undefined"
    yield Figure("range of the curve (bits)", "3.51-4.68", found)
    for alpha, expected in ((0.5, "4.71"), (1e-6, "3.86")):
        other = constant_skill.of_counts(counts, settings, alpha)
        yield Figure(f"inversion of skill 0 at alpha = {alpha:g} (bits)", expected, _turn(other, 0.0, settings))
    rank = stats.spearmanr(room.entropy, size).statistic
    yield Figure("Spearman(H, group size)", "-0.94", f"{rank:.3f}")


def _turn(room: constant_skill.Room, skill: float, settings: Settings) -> str:
    return constant_skill.turn_text(constant_skill.drawn(room, skill, settings, "polynomial").turn)
