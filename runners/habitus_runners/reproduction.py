"""The method's own figures on MovieLens-1M, recomputed from a run of preset `paper` and the data set.

`expected` is what the specification of the method states, computed once with one seed; `found` is computed here. They
need not be equal where a draw is involved; both are printed and none is forced.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import stats

import habitus
from habitus import curves, interactions, sampling
from habitus_runners.columns import fixed
from habitus_runners.datasets.dataset import Dataset
from habitus_runners.errors import HabitusError
from habitus_runners.settings import Settings
from habitus_runners.tables import BIT, POOLED, frame
from habitus_runners.tasks.material import material

ACCEPTED = {
    "none": (1, 285, 264, 252, 127, 41),
    "age": (7, 1261, 791, 537, 127, 10),
    "gender": (2, 520, 429, 337, 130, 30),
    "occupation": (17, 2532, 1345, 691, 82, 3),
    "age x gender x occupation": (51, 4732, 1645, 653, 34, 0),
}
_REPLAYS = 1000


class Figure(NamedTuple):
    """One figure of the method, and the same recomputed."""

    name: str
    expected: str
    found: str


class Replay(NamedTuple):
    """The paper's published prompt on the ratings: its group, and how many of its candidates nobody in it rated."""

    group_size: int
    zeros: int
    history_among_candidates: int
    zeros_literal: float
    zeros_inventory: float


def refuse_others(manifest: Mapping[str, Any]) -> None:
    """The figures are those of one study.

    Raises:
        HabitusError: the run is of another data set or preset.
    """
    found = (manifest["dataset"]["name"], manifest["settings"]["preset"])
    if found != ("ml-1m", "paper"):
        raise HabitusError(f"check paper: expected a run of ml-1m with preset paper, got {' with preset '.join(found)}")


def of_run(tables: Mapping[str, pa.Table], manifest: Mapping[str, Any], settings: Settings) -> Iterator[Figure]:
    """The figures that follow from a run's tasks, rankings and scores."""
    accepted = [
        (level, length, sum(d["accepted"] for d in manifest["draws"] if (d["level"], d["history"]) == (level, length)))
        for level in ACCEPTED
        for length in settings.history.lengths
    ]
    for level, numbers in ACCEPTED.items():
        found = [str(count) for name, _, count in accepted if name == level]
        yield Figure(f"accepted draws, {level}", " ".join(map(str, numbers)), " ".join(found))
    yield Figure("tasks after the cap", "5063 (paper: 5096)", str(tables["tasks"].num_rows))
    yield from _infinities(tables)
    yield from _curves(fixed(tables["tasks"]["counts"]), tables["tasks"]["group_size"].to_numpy(), settings)
    pooled = frame(tables["results"]).filter(
        (pl.col("model") == "popularity") & (pl.col("fill") == "chance"),
        pl.all_horizontal(pl.col("setup", "level", "history") == POOLED),
    )
    yield Figure("skill of global popularity", "0.87", f"{pooled['skill'].item():.3f}" if pooled.height else "not run")


def of_example(example: Path, dataset: Dataset, settings: Settings) -> Iterator[Figure]:
    """The figures of the paper's published prompt."""
    any_rating, liked = (replay(example, dataset, settings, min_rating=least) for least in (1, 2))
    yield Figure("sample prompt: users in its group", "5", str(any_rating.group_size))
    yield Figure("sample prompt: candidates nobody rated", "25", str(any_rating.zeros))
    yield Figure("sample prompt: history among the candidates", "0", str(any_rating.history_among_candidates))
    yield Figure("the same with the rule as printed", "0", f"{any_rating.zeros_literal:.1f}")
    yield Figure("the same with the whole inventory", "about 18", f"{any_rating.zeros_inventory:.1f}")
    yield Figure("the same with ratings of 2 or more", "26", str(liked.zeros))


def replay(example: Path, dataset: Dataset, settings: Settings, *, min_rating: float = 1) -> Replay:
    """Replay the published prompt: who knows 60 % of its history, and which of its candidates they rated.

    Args:
        example: JSON with ``gender`` (M or F), ``age``, ``occupation``, and the titles ``history`` and ``candidates``.
        dataset: MovieLens-1M.
        settings: of a run; its ``min_rating`` is replaced.
        min_rating: the least rating that counts as having interacted.

    Raises:
        HabitusError: a title of the example is not in the data set.
    """
    facts = json.loads(example.read_text(encoding="utf-8"))
    rows = {title: row for row, title in enumerate(dataset.items["title"].to_list())}
    missing = [title for title in (*facts["history"], *facts["candidates"]) if title not in rows]
    if missing:
        raise HabitusError(f"{example}: expected titles of {dataset.name}, got {missing[0]!r}")
    history = np.array([[rows[title] for title in facts["history"]]], np.int32)
    candidates = np.array([[rows[title] for title in facts["candidates"]]], np.int32)
    source = material(dataset, settings.changed({"min_rating": min_rating}))
    wanted = {"gender": {"M": "male", "F": "female"}[facts["gender"]], "age": facts["age"]}
    wanted["occupation"] = facts["occupation"]
    in_cell = dataset.users.select(pl.all_horizontal(pl.col(key) == value for key, value in wanted.items())).to_series()
    cell = np.where(in_cell.to_numpy(), 0, -1)
    group = sampling.groups(source.log, cell, [0], history, settings.history.needed(history.shape[1]))
    zeros = int((sampling.counts(source.log, group, candidates).counts == 0).sum())
    shared = len(set(history.ravel().tolist()) & set(candidates.ravel().tolist()))
    literal, inventory = (
        _zeros(source.log, group, history, source.inventory, rule) for rule in ("literal", "inventory")
    )
    return Replay(int(group.size[0]), zeros, shared, literal, inventory)


def _zeros(
    log: interactions.Interactions,
    group: sampling.Groups,
    history: NDArray[np.int32],
    inventory: NDArray[np.int64],
    rule: sampling.Rule,
) -> float:
    """Mean number of candidates without a count, had they been drawn by another rule."""
    again = group.take(np.zeros(_REPLAYS, np.int64))
    repeated = np.repeat(history, _REPLAYS, axis=0)
    drawn, _ = sampling.candidates(log, again, repeated, sampling.seeds(0, np.arange(_REPLAYS)), inventory, rule=rule)
    return float((sampling.counts(log, again, drawn).counts == 0).sum(axis=1).mean())


def _infinities(tables: Mapping[str, pa.Table]) -> Iterator[Figure]:
    """How often a cross-entropy would be infinite without smoothing: someone chose what is given probability 0."""
    counts, size = fixed(tables["tasks"]["counts"]), tables["tasks"]["group_size"].to_numpy()
    row_of = {task_id: row for row, task_id in enumerate(tables["tasks"]["task_id"].to_pylist())}
    rankings = tables["rankings"]
    for model, expected in (("random", "99.96 %"), ("popularity", "31.6 %; 50 % at 3-5 users")):
        rows = rankings.filter(pc.equal(rankings["model"].cast(pa.string()), model))
        if not rows.num_rows:
            continue
        task = np.array([row_of[task_id] for task_id in rows["task_id"].to_pylist()])
        infinite = _infinite(counts[task], fixed(rows["ranking"]))
        small = infinite[size[task] <= 5]  # noqa: PLR2004 - method, section 4: groups of 3-5
        found = f"{infinite.mean():.2%}"
        if model == "popularity" and len(small):
            found += f"; {small.mean():.1%} at 3-5 users"
        yield Figure(f"infinite without smoothing, {model}", expected, found)


def _infinite(counts: NDArray[np.int32], rankings: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Whether any candidate with a count lands beyond the last positive slot; unlisted ones keep their own order."""
    positive = (counts > 0).sum(axis=1)
    listed = np.take_along_axis(counts, np.maximum(rankings, 0).astype(np.int64), axis=1) * (rankings >= 0)
    valid = (rankings >= 0).sum(axis=1)
    in_list = (listed > 0).sum(axis=1)
    last = np.where(positive > in_list, valid + positive - in_list, 0)
    slots = np.arange(1, rankings.shape[1] + 1)
    last = np.maximum(last, ((listed > 0) * slots).max(axis=1))
    return np.asarray(last > positive)


def _curves(counts: NDArray[np.int32], size: NDArray[np.int32], settings: Settings) -> Iterator[Figure]:
    """Inversion points of constant skill s, CE = H + (1 - s)(chance - H), all setups pooled, in bits."""
    nobody = np.full((len(counts), settings.candidates.N), -1, np.int16)
    scores = habitus.score(counts, nobody)
    for skill, expected in ((0.0, "4.30"), (0.1, "4.25"), (0.18, "4.19"), (0.3, "4.07"), (0.6, "none")):
        yield Figure(f"inversion of constant skill {skill:g} (bits)", expected, _inversion(scores, skill, settings))
    curve = _curve(scores, 0.0, settings)
    yield Figure("range of the curve (bits)", "3.51-4.68", "-".join(f"{end / BIT:.2f}" for end in curve.domain))
    for alpha, expected in ((0.5, "4.71"), (1e-6, "3.86")):
        other = habitus.score(counts, nobody, alpha=alpha)
        yield Figure(f"inversion of skill 0 at alpha = {alpha:g} (bits)", expected, _inversion(other, 0.0, settings))
    rank = stats.spearmanr(scores.entropy, size).statistic
    yield Figure("Spearman(H, group size)", "-0.94", f"{rank:.3f}")


def _curve(scores: habitus.Scores, skill: float, settings: Settings) -> curves.Curve:
    model = scores.entropy + (1 - skill) * (scores.chance - scores.entropy)
    return curves.curve(scores.entropy, model, **settings.curve.model_dump())


def _inversion(scores: habitus.Scores, skill: float, settings: Settings) -> str:
    curve = _curve(scores, skill, settings)
    return f"{curve.inversion / BIT:.2f}" if curve.outcome == "value" else curve.outcome
