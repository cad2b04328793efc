"""A small world with tasks and members written out by plain loops, for tests that need a study but no sampler."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from habitus_runners.datasets import world
from habitus_runners.datasets.dataset import Dataset, Level
from habitus_runners.models.evidence import Evidence
from habitus_runners.settings import Settings, settings
from habitus_runners.tables import members_schema, tasks_schema

K, N = 12, 5


class Study(NamedTuple):
    """What a model's evidence is made of."""

    dataset: world.World
    tasks: pa.Table
    members: pa.Table
    settings: Settings

    @property
    def evidence(self) -> Evidence:
        """Made anew each time."""
        return Evidence(*self)


def study(kind: str = "incidence", *, seed: int = 0, tasks: int = 60) -> Study:
    """A study of ``tasks`` tasks of all setups; B tasks carry a cell that their prompt does not show.

    Args:
        kind: of the target.
        seed: of world and tasks.
        tasks: how many.
    """
    chosen = settings("paper", {"candidates.K": K, "candidates.N": N, "target.kind": kind, "seed": seed})
    dataset = world.load(seed=seed, users=150, items=60, gamma=1.0)
    knows = known(dataset)
    rng = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    members: list[dict[str, object]] = []
    while len(rows) < tasks:
        task, group = _drawn("ABCN"[len(rows) % 4], dataset, knows, rng)
        if len(group) < 3 or not knows[group][:, task["candidates"]].any():
            continue
        incidence = knows[group][:, task["candidates"]]
        task |= _scored(kind, incidence, f"task {seed}-{len(rows)}")
        rows.append(task)
        members += [
            {"task_id": task["task_id"], "user": int(user), "incidence": _bits(row)}
            for user, row in zip(group, incidence, strict=True)
        ]
    return Study(
        dataset,
        pa.Table.from_pylist(rows, schema=tasks_schema(K, dataset.attributes)),
        pa.Table.from_pylist(members, schema=members_schema(K)),
        chosen,
    )


def known(dataset: Dataset) -> np.ndarray:
    """(users, items) True where a user interacted."""
    knows = np.zeros((dataset.users.height, dataset.items.height), bool)
    for user, item, _ in dataset.interactions.iter_rows():
        knows[user, item] = True
    return knows


def group_of(dataset: Dataset, value: dict[str, str | None], history: list[int], needed: int) -> np.ndarray:
    """The users who have the attributes and ``needed`` items of the history."""
    knows = known(dataset)
    people = dataset.users.to_dicts()
    return np.array(
        [
            user
            for user, person in enumerate(people)
            if all(person[name] == wanted for name, wanted in value.items() if wanted is not None)
            and knows[user, history].sum() >= needed
        ]
    )


def _drawn(setup: str, dataset: Dataset, knows: np.ndarray, rng: np.random.Generator) -> tuple[dict, np.ndarray]:
    length = int(rng.choice([1, 3, 5])) if setup in "AB" else 0
    level: Level = dataset.levels[0] if setup == "N" else dataset.levels[int(rng.integers(1, 4))]
    value = {name: dataset.users[int(rng.integers(len(knows)))][name].item() for name in level.attributes}
    history = rng.permutation(np.argsort(-knows.sum(axis=0))[:25])[:length].tolist()
    shown = value if setup in "AC" else {}
    group = group_of(dataset, shown, history, -(-3 * length // 5))
    rest = np.setdiff1d(np.arange(dataset.items.height), history)
    task = {
        "dataset": dataset.name,
        "setup": setup,
        "level": level.name,
        "value": {name: value.get(name) for name in dataset.attributes},
        "history": history,
        "candidates": (candidates := rng.choice(rest, K, replace=False).tolist()),
        "population": knows[:, candidates].sum(axis=0).tolist(),
        "group_size": len(group),
        "order": 0,
        "seed": 0,
    }
    return task, group


def _scored(kind: str, incidence: np.ndarray, task_id: str) -> dict[str, object]:
    per_user = [row / row.sum() for row in incidence if row.any()]
    counts = incidence.sum(axis=0)
    return {
        "task_id": task_id,
        "counts": counts.tolist(),
        "target": np.mean(per_user, axis=0).tolist() if kind == "user_mean" else None,
        "parts": {"never": int((counts == 0).sum()), "interacted": int((counts > 0).sum())},
    }


def _bits(row: np.ndarray) -> bytes:
    packed = [0] * ((K + 7) // 8)
    for place in np.flatnonzero(row):
        packed[place // 8] |= 1 << (place % 8)
    return bytes(packed)
