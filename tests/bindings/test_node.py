"""The Node package: its own tests, on the golden vectors and on the engine's results on this machine."""

import functools
import itertools
import json
import math
import os
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pyarrow.parquet as pq
import pytest

import habitus
from habitus import curves, interactions, sampling
from habitus.candidates import RULES
from habitus.entropy import ESTIMATORS
from habitus.scoring import FILLS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "bindings" / "node"
NODE, NPM = shutil.which("node"), shutil.which("npm")
GOLDEN = ROOT / "tests" / "golden" / "scores.parquet"


def _plain(value: Any) -> Any:
    """As JSON holds it: 17 digits are every bit of a double, NaN is null."""
    if isinstance(value, np.ndarray):
        return [_plain(each) for each in value.tolist()]
    return None if isinstance(value, float) and math.isnan(value) else value


def _scores(scores: habitus.Scores) -> dict[str, Any]:
    names = ("entropy", "chance", "worst", "crossEntropy", "valid")
    return {name: _plain(column) for name, column in zip(names, scores, strict=True)}


def _golden() -> list[dict[str, Any]]:
    rows = pq.read_table(GOLDEN).to_pylist()
    for row in rows:
        score = functools.partial(habitus.score, [row["counts"]], [row["ranking"]], alpha=row["alpha"])
        row["engine"] = {fill: _scores(score(fill=fill)) for fill in FILLS}
    return rows


def _tasks(candidates: int, size: int = 40) -> tuple[np.random.Generator, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(candidates)
    counts = rng.poisson(rng.gamma(0.5, 6, (size, candidates)))
    counts[:, 0] += 1
    counts[size // 2, 1:] = 2**33  # more than a lane holds
    rankings = rng.permuted(np.tile(np.arange(candidates), (size, 1)), axis=1)[:, : max(1, candidates // 3)]
    rankings[rng.random(rankings.shape) < 0.2] = -1
    return rng, counts, rankings


def _score_cases() -> Iterator[dict[str, Any]]:
    for candidates in (2, 10, 20, 33, 50, 64, 100, 257):
        rng, counts, rankings = _tasks(candidates)
        options: dict[str, Any]
        for options in (*({"fill": fill} for fill in FILLS), {"alpha": 0.5, "task": rng.integers(0, 40, 40)}):
            engine = _scores(habitus.score(counts, rankings, **options))
            yield {
                "name": f"{candidates} candidates, {', '.join(options)}",
                "counts": counts.tolist(),
                "rankings": rankings.tolist(),
                "options": {name: _plain(value) for name, value in options.items()},
                "engine": engine,
            }


def _value_cases() -> Iterator[dict[str, Any]]:
    for fill in FILLS:
        rng, _, rankings = _tasks(12)
        weights, values = rng.dirichlet(np.ones(12), (2, 40))
        engine = _scores(habitus.score_values(weights, values, rankings, fill=fill))
        yield {
            "weights": weights.tolist(),
            "values": values.tolist(),
            "rankings": rankings.tolist(),
            "options": {"fill": fill},
            "engine": engine,
        }


def _skill(found: habitus.Skill) -> dict[str, Any]:
    return {"value": _plain(found.value), "scored": found.tasks, "excluded": found.excluded}


def _skill_cases() -> Iterator[dict[str, Any]]:
    for fill in FILLS:
        for task in (None, np.random.default_rng(1).integers(0, 40, 40)):
            scores = habitus.score(*_tasks(20)[1:], task=task, fill=fill)
            options = {"task": None if task is None else task.tolist()}
            engine, bounded = habitus.skill(scores, task=task), habitus.bounded_skill(scores, task=task)
            yield {
                "scores": _scores(scores),
                "options": options,
                "engine": _skill(engine),
                "bounded": _skill(bounded),
            }


def _entropy_cases() -> Iterator[dict[str, Any]]:
    for name, estimate in ESTIMATORS.items():
        for candidates in (1, 2, 50):
            counts = np.random.default_rng(candidates).integers(1, 30, (8, candidates))
            yield {"counts": counts.tolist(), "options": {"estimator": name}, "engine": _plain(estimate(counts))}
    counts = np.array([[1.5, 0.25, 3.0]])
    for name in ("dirichlet", "nsb"):
        yield {
            "counts": counts.tolist(),
            "options": {"estimator": name},
            "engine": _plain(ESTIMATORS[name](counts)),
        }


def _curve_cases() -> Iterator[dict[str, Any]]:
    grid = np.linspace(1.5, 4.5, 13)
    for seed, bins, window in ((0, 200, 30), (1, 60, 5), (2, 40, 10), (3, 8, 30)):
        rng = np.random.default_rng(seed)
        x = rng.uniform(1, 5, 3000)
        y = (x - 3) ** 2 / (1 + seed) + rng.normal(0, 0.1, x.size)
        y[::17] = np.nan
        binned, curve = curves.bin_means(x, y, bins=bins), curves.curve(x, y, bins=bins, window=window)
        engine = {
            "center": _plain(binned.center),
            "mean": _plain(binned.mean),
            "count": _plain(binned.count),
            "rolling": _plain(curves.rolling_mean(x, window)),
            "outcome": curve.outcome,
            "inversion": _plain(curve.inversion),
            "fitted": [None] * grid.size if curve.outcome == "undefined" else _plain(curve.at(grid)),
        }
        yield {
            "x": _plain(x),
            "y": _plain(y),
            "bins": bins,
            "window": window,
            "grid": _plain(grid),
            "engine": engine,
        }


def _seed_cases() -> Iterator[dict[str, Any]]:
    """64 bits are more than JSON's numbers hold: they are text."""
    for base, first in ((0, 0), (7, 10), (2**53 + 1, 3), (2**64 - 1, 2**40)):
        engine = sampling.seeds(base, range(first, first + 20))
        yield {"base": str(base), "first": str(first), "engine": [str(each) for each in engine.tolist()]}


def _drawn_tasks() -> dict[str, Any]:
    """A log, and what the engine draws from it."""
    rng, users, items, base = np.random.default_rng(2), 300, 400, 2**63 + 5
    pairs = np.nonzero(rng.random((users, items)) < 0.2 * rng.uniform(0.1, 2, items))
    log, seeds = interactions.index(*pairs, (users, items)), sampling.seeds(base, range(40))
    cell_of_user, inventory, draws = rng.integers(-1, 3, users), rng.permutation(items)[:360], []
    for rule, length in itertools.product(RULES, (0, 1, 5)):
        cells, needed = rng.integers(0, 3, 40), -(-3 * length // 5)
        history = sampling.histories(seeds, inventory, length)
        proxies = sampling.Proxies(cell_of_user, cells, history, needed)
        drawn = sampling.tasks(log, proxies, seeds, inventory, min_users=2, length=20, rule=rule)
        assert drawn.complete.any()
        engine = {name: _plain(each) for name, each in zip(drawn._fields, drawn, strict=True)}
        asked = {"rule": rule, "length": length, "needed": needed, "cells": _plain(cells)}
        draws.append(asked | {"engine": engine | {"histories": _plain(history)}})
    arrays = {"users": pairs[0], "items": pairs[1], "cellOfUser": cell_of_user, "inventory": inventory}
    described = {name: _plain(each) for name, each in arrays.items()}
    return {"base": str(base), "itemCount": items, "draws": draws} | described


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("golden")
    tables: dict[str, Any] = {
        "golden": _golden(),
        "scores": list(_score_cases()),
        "values": list(_value_cases()),
        "skill": list(_skill_cases()),
        "entropy": list(_entropy_cases()),
        "curves": list(_curve_cases()),
        "seeds": list(_seed_cases()),
        "tasks": _drawn_tasks(),
    }
    for name, rows in tables.items():
        (folder / f"{name}.json").write_text(json.dumps(rows, allow_nan=False), "utf-8")
    return folder


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with what its tests need."""
    if not (NODE and NPM):
        pytest.skip("node and npm are not installed")
    copy = tmp_path_factory.mktemp("node") / "habitus"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("node_modules"))
    done = subprocess.run([NPM, "ci", "--no-audit", "--no-fund"], cwd=copy, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"npm ci needs npm's registry: {done.stderr.strip()[-300:]}")
    return copy


@pytest.mark.skipif(
    numba.config.DISABLE_JIT,
    reason="as plain Python the engine sums in another order: its last bits are not compiled ones",
)
def test_the_package(package: Path, libhabitus: Path, golden: Path) -> None:
    known = {"HABITUS_LIBRARY": str(libhabitus / "lib" / "libhabitus.so"), "HABITUS_GOLDEN": str(golden)}
    files = sorted(map(str, (package / "test").glob("*.test.js")))
    command = [NODE, "--expose-gc", "--test", "--test-reporter=tap", *files]
    done = subprocess.run(
        command, cwd=package, env={**os.environ, **known}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "# skipped 0" in done.stdout, done.stdout[-2000:]


def test_the_version_is_the_projects() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    lock = json.loads((PACKAGE / "package-lock.json").read_text("utf-8"))
    assert json.loads((PACKAGE / "package.json").read_text("utf-8"))["version"] == version
    assert lock["version"] == lock["packages"][""]["version"] == version


def test_every_line_is_short_and_every_file_too() -> None:
    paths = [path for kind in ("*.js", "*.ts") for path in PACKAGE.rglob(kind) if "node_modules" not in path.parts]
    assert len(paths) > 10
    for path in paths:
        lines = path.read_text("utf-8").splitlines()
        assert len(lines) <= 400, path
        assert max(map(len, lines)) <= 120, path
