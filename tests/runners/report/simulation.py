"""A simulated run: tasks whose entropy falls with group size, models of known strength. No number of it is real."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import habitus
from habitus_runners.results import summarise
from habitus_runners.settings import settings
from habitus_runners.tables import rankings_schema, scores_schema, tasks_schema

K, N, ALPHA = 50, 10, 0.02
SIZES = {"none": 3000, "age": 600, "gender": 1800, "occupation": 220, "age x gender x occupation": 60}
CELLS = {"none": 1, "age": 7, "gender": 2, "occupation": 17, "age x gender x occupation": 51}
MODELS = {
    "perfect": 0.0,
    "popularity": 0.35,
    "item-knn": 0.6,
    "openai:gpt-4o": 0.9,
    "openai:gpt-4o-mini": 1.4,
    "vllm:meta-llama/Llama-3.1-8B-Instruct": 2.5,
    "random": 1e6,
    "reversed": -1.0,
}


class Run(NamedTuple):
    """What `report.build` takes."""

    tables: Mapping[str, pa.Table]
    manifest: dict[str, Any]


def _tasks(
    per_cell: int, lengths: Sequence[int], levels: Sequence[str], rng: np.random.Generator
) -> list[dict[str, Any]]:
    rows = []
    for level, length in product(levels, lengths):
        few = length == 0
        setup = ("N" if few else "B") if level == "none" else ("C" if few else "A")
        for _ in range(min(per_cell, CELLS[level]) if few else per_cell):
            shrink = 1 if few else rng.lognormal(-0.9 * np.log1p(length), 0.8)
            users = max(3, int(SIZES[level] * shrink * rng.uniform(0.5, 1.5)))
            rows.append({"setup": setup, "level": level, "history": list(range(length)), "group_size": users})
    return rows


def _counts(users: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int32]:
    liking = rng.beta(0.5, 4, (len(users), K))
    counts = rng.binomial(users[:, None], liking)
    counts[:, : K // 2] = 0
    counts[:, K // 2 :] = np.maximum(counts[:, K // 2 :], 1)
    return rng.permuted(counts, axis=1).astype(np.int32)


def _lists(counts: NDArray[np.int32], noise: float, rng: np.random.Generator) -> NDArray[np.int16]:
    """The N candidates a model thinks most likely: the truth plus noise, or the truth upside down."""
    truth = np.log(counts + ALPHA)
    keys = truth if noise < 0 else -truth - noise * rng.standard_normal(counts.shape)
    return np.argsort(keys, axis=1)[:, :N].astype(np.int16)


def _manifest(
    tasks: Sequence[Mapping[str, Any]], models: Sequence[str], name: str, chosen: Mapping[str, Any]
) -> dict[str, Any]:
    kept = Counter((task["level"], len(task["history"])) for task in tasks)
    return {
        "habitus": "0.1.0",
        "created": "2026-01-02T03:04:05Z",
        "dataset": {
            "name": name,
            "fingerprint": "00112233445566778899aabbccddeeff",
            "domain": {"name": "movies", "item": "film", "items": "films", "do": "watch", "did": "watched"},
            "levels": [{"name": level, "attributes": []} for level in SIZES],
            "labels": {},
            "facts": {"users": 3727, "ratings": 620538},
            "findings": [{"kind": "title with a space before its bracket", "count": 2, "example": "A Film (1999 )"}],
            "notice": "For research only; cite the authors.",
        },
        "settings": chosen,
        "draws": [
            {"level": level, "value": {}, "history": history, "draws": 2 * n, "small_group": n - 1}
            | {"few_candidates": 1, "no_interaction": 0, "accepted": n, "kept": n}
            for (level, history), n in kept.items()
        ],
        "models": [{"name": model, "revision": "1"} for model in models],
    }


def simulate(
    models: Mapping[str, float] = MODELS,
    per_cell: int = 40,
    lengths: Sequence[int] = (0, 1, 3, 5, 10, 20),
    dataset: str = "ml-1m",
    levels: Sequence[str] = tuple(SIZES),
    seed: int = 0,
) -> Run:
    """A run of ``models``, each with the noise it adds to the truth before it ranks; -1 = the truth upside down."""
    rng = np.random.default_rng(seed)
    rows = _tasks(per_cell, lengths, levels, rng)
    counts = _counts(np.array([row["group_size"] for row in rows]), rng)
    for index, row in enumerate(rows):
        row |= {
            "task_id": f"t{index:05d}",
            "dataset": dataset,
            "counts": counts[index],
            "activity": 100.0,
            "seed": index,
        }
        row |= {"candidates": np.arange(K, dtype=np.int32), "parts": {"never": 25, "interacted": 25}, "order": 0}
        row["population"] = 3 * counts[index]
    parts = [_answers(model, _lists(counts, noise, rng), counts, rows) for model, noise in models.items()]
    chosen = settings(overrides={"history.lengths": lengths})
    tasks = pa.Table.from_pylist(rows, schema=tasks_schema(K, []))
    scores = pa.Table.from_pylist([row for part in parts for row in part[0]], schema=scores_schema())
    rankings = pa.Table.from_pylist([row for part in parts for row in part[1]], schema=rankings_schema(N))
    results = summarise(tasks, scores, chosen)
    tables = {"tasks": tasks, "scores": scores, "rankings": rankings, "results": results}
    return Run(tables, _manifest(rows, list(models), dataset, chosen.model_dump(mode="json")))


def _answers(
    model: str, lists: NDArray[np.int16], counts: NDArray[np.int32], tasks: Sequence[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of scores and rankings. Every ninth answer of a served model is one item short."""
    short = np.arange(len(lists)) % 9 == 0 if model.startswith("vllm") else np.zeros(len(lists), bool)
    lists[short, -1] = -1
    found = habitus.score(counts, lists, alpha=ALPHA)
    scores, rankings = [], []
    for index, task in enumerate(tasks):
        ids = {"answer_id": f"{model}-{index}", "task_id": task["task_id"], "model": model}
        nats = {name: float(column[index]) for name, column in found._asdict().items() if name != "valid"}
        nats |= {"best": nats["entropy"], "ceiling": 0.9 * nats["entropy"] + 0.1 * nats["chance"]}
        scores.append(ids | nats | {"fill": "chance", "alpha": ALPHA, "valid": int(found.valid[index])})
        verdict = "short" if short[index] else "ok"
        rankings.append(ids | {"parser": "1", "ranking": lists[index], "verdict": verdict, "match_levels": [0] * N})
    return scores, rankings
