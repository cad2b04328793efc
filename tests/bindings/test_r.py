"""The R package: its own tests on the golden vectors and on the engine's results here, R's check, and no library."""

import csv
import itertools
import os
import shutil
import subprocess
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numba
import numpy as np
import pyarrow.parquet as pq
import pytest
from benchmarks.tongues.cases import COLUMNS

import habitus
from habitus import curves, interactions, sampling
from habitus.candidates import RULES
from habitus.entropy import ESTIMATORS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "bindings" / "r" / "habitus"
GOLDEN = ROOT / "tests" / "golden" / "scores.parquet"

TASK_COLUMNS = ("entropy", "chance", "worst")

Cell = str | int


def _run(*command: str, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    # The user's own libraries and start-up files are none of the package's business.
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "R_PROFILE_USER": "", "R_ENVIRON_USER": "", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.fixture(scope="module")
def r() -> str:
    """The command, of an R that has testthat."""
    command = shutil.which("R")
    if command is None:
        pytest.skip("R is not installed: apt-get install r-base-dev r-cran-testthat")
    script = "if (!requireNamespace('testthat', quietly = TRUE)) quit(status = 1)"
    if subprocess.run([command, "--vanilla", "--no-echo", "-e", script], capture_output=True, check=False).returncode:
        pytest.skip("R has no testthat: apt-get install r-cran-testthat")
    return command


@pytest.fixture(scope="module")
def archive(r: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What R CMD build makes of the package; the source stays as it is."""
    folder = tmp_path_factory.mktemp("built")
    built = _run(r, "CMD", "build", str(PACKAGE), folder=folder, environment={})
    assert built.returncode == 0, built.stdout + built.stderr
    return next(folder.glob("habitus_*.tar.gz"))


@pytest.fixture(scope="module")
def installed(r: str, archive: Path, libhabitus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of R's that holds the package."""
    folder = tmp_path_factory.mktemp("library")
    made = _run(
        *(r, "CMD", "INSTALL", f"--library={folder}", str(archive)),
        folder=folder,
        # Where there is no pkg-config, the variable.
        environment={"PKG_CONFIG_PATH": str(libhabitus / "lib" / "pkgconfig"), "HABITUS_PREFIX": str(libhabitus)},
    )
    assert made.returncode == 0, made.stderr
    assert "warning:" not in made.stderr
    return folder


def _write(path: Path, names: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(rows)


def _exactly(numbers: Iterable[float]) -> str:
    return " ".join(float(number).hex() for number in numbers)


def _whole(numbers: Iterable[int]) -> str:
    return " ".join(map(str, numbers))


def _scored(row: Mapping[str, object]) -> dict[str, Cell]:
    """A golden row, with the engine's own results."""
    cells: dict[str, Cell] = {
        "counts": _whole(row["counts"]),
        "ranking": _whole(row["ranking"]),
        "list_length": row["list_length"],
        "alpha": float(row["alpha"]).hex(),
    }
    for name in (*TASK_COLUMNS, *COLUMNS.values()):
        cells[name] = float(row[name]).hex()
    for fill, column in COLUMNS.items():
        scores = habitus.score([row["counts"]], [row["ranking"]], alpha=row["alpha"], fill=fill)
        cells[f"engine_{column}"] = _exactly(scores.cross_entropy)
        for name in TASK_COLUMNS:
            cells[f"engine_{name}"] = _exactly(getattr(scores, name))
    for name, estimate in ESTIMATORS.items():
        cells[f"engine_{name}"] = _exactly(estimate([row["counts"]]))
    return cells


def _skills(rows: Sequence[Mapping[str, object]]) -> dict[tuple[int, int, float], tuple[str, str]]:
    """Of the rows that R scores in one call: those of one shape and alpha."""
    batches: dict[tuple[int, int, float], list[Mapping[str, object]]] = {}
    for row in rows:
        batches.setdefault(_batch(row), []).append(row)
    found = {}
    for key, batch in batches.items():
        scores = habitus.score([row["counts"] for row in batch], [row["ranking"] for row in batch], alpha=key[2])
        found[key] = habitus.skill(scores).value.hex(), habitus.bounded_skill(scores).value.hex()
    return found


def _batch(row: Mapping[str, object]) -> tuple[int, int, float]:
    return len(row["counts"]), row["list_length"], row["alpha"]


def _write_values(folder: Path) -> None:
    rng = np.random.default_rng(0)
    names = ("weights", "values", "ranking", *TASK_COLUMNS, "cross_entropy")
    rows: list[list[Cell]] = []
    for candidates in (1, 2, 5, 10, 50, 64):
        for _ in range(5):
            weights, values = rng.dirichlet(np.full(candidates, 0.3)), rng.dirichlet(np.full(candidates, 2.0))
            ranking = rng.permutation(candidates)[: rng.integers(1, candidates + 1)]
            ranking[rng.random(len(ranking)) < 0.2] = -1
            scores = habitus.score_values([weights], [values], [ranking])
            numbers = [_exactly(getattr(scores, name)) for name in names[3:]]
            rows.append([_exactly(weights), _exactly(values), _whole(ranking.tolist()), *numbers])
    _write(folder / "values.csv", names, rows)


def _write_curve(folder: Path) -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 4, 3000)
    y = 4 + (x - 3) ** 2 / 9 + rng.normal(0, 0.05, len(x))
    y[::100] = np.nan
    bins = curves.bin_means(x, y, bins=40)
    turn = curves.curve(x, y, bins=40, window=7)
    _write(folder / "points.csv", ("x", "y"), [(a.hex(), b.hex()) for a, b in zip(x.tolist(), y.tolist(), strict=True)])
    columns = [column.tolist() for column in bins]
    _write(folder / "bins.csv", bins._fields, [[float(n).hex() for n in row] for row in zip(*columns, strict=True)])
    _write(folder / "rolling.csv", ("mean",), [(n.hex(),) for n in curves.rolling_mean(bins.mean, 7).tolist()])
    _write(folder / "turn.csv", ("x", "outcome"), [(turn.inversion.hex(), turn.outcome)])


def _write_tasks(folder: Path) -> None:
    """A log, and what the engine draws from it: draws 11, 12, ... of R, which counts from 1."""
    rng, users, items, base = np.random.default_rng(2), 300, 400, 2**53 - 1
    pairs = np.nonzero(rng.random((users, items)) < 0.2 * rng.uniform(0.1, 2, items))
    log = interactions.index(*pairs, (users, items))
    cell_of_user, inventory = rng.integers(-1, 3, users), rng.permutation(items)[:360]
    names = ("rule", "length", "base", "needed", "cell", "history", "size", "candidates", "counts")
    rows: list[list[Cell]] = []
    for rule, length in itertools.product(RULES, (0, 1, 5)):
        cells, seeds, needed = rng.integers(0, 3, 40), sampling.seeds(base, range(10, 50)), (3 * length + 4) // 5
        history = sampling.histories(seeds, inventory, length)
        proxies = sampling.Proxies(cell_of_user, cells, history, needed)
        drawn = sampling.tasks(log, proxies, seeds, inventory, min_users=2, length=20, rule=rule)
        shared: list[Cell] = [rule, length, float(base).hex(), needed]
        for cell, known, size, *lists in zip(cells.tolist(), history, drawn.size.tolist(), *drawn[1:], strict=True):
            rows.append([*shared, cell, _whole(known.tolist()), size, *(_whole(each.tolist()) for each in lists)])
    _write(folder / "draws.csv", names, rows)
    _write(folder / "log.csv", ("user", "item"), np.transpose(pairs).tolist())
    _write(folder / "users.csv", ("cell",), cell_of_user[:, None].tolist())
    _write(folder / "inventory.csv", ("item",), inventory[:, None].tolist())


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What base R can read: golden vectors, and what the engine makes of them here; doubles in hexadecimal."""
    folder = tmp_path_factory.mktemp("golden")
    rows = pq.read_table(GOLDEN).to_pylist()
    skills = _skills(rows)
    cells = []
    for row in rows:
        skill, bounded_skill = skills[_batch(row)]
        cells.append(_scored(row) | {"engine_skill": skill, "engine_bounded_skill": bounded_skill})
    _write(folder / "scores.csv", tuple(cells[0]), [tuple(each.values()) for each in cells])
    _write_values(folder)
    _write_curve(folder)
    _write_tasks(folder)
    return folder


def test_the_version_is_the_projects() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    described = (PACKAGE / "DESCRIPTION").read_text(encoding="utf-8").splitlines()
    assert f"Version: {version}" in described


@pytest.mark.skipif(
    numba.config.DISABLE_JIT,
    reason="as plain Python the engine sums in another order: its last bits are not compiled ones",
)
def test_the_packages_own_tests_pass(r: str, installed: Path, golden: Path) -> None:
    script = "testthat::test_dir('tests/testthat', package = 'habitus', load_package = 'installed', reporter = 'check')"
    done = _run(
        *(r, "--no-echo", "--no-restore", "-e", script),
        folder=PACKAGE,
        environment={"R_LIBS": str(installed), "HABITUS_GOLDEN": str(golden)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[ FAIL 0 | WARN 0 | SKIP 0 |" in done.stdout


def test_r_finds_nothing_to_complain_about(r: str, archive: Path, libhabitus: Path, tmp_path: Path) -> None:
    checked = _run(
        *(r, "CMD", "check", "--no-manual", "--no-tests", str(archive)),
        folder=tmp_path,
        environment={"HABITUS_PREFIX": str(libhabitus), "PKG_CONFIG_PATH": ""},
    )
    assert checked.returncode == 0, checked.stdout
    assert "Status: OK" in checked.stdout, checked.stdout


def test_a_missing_library_is_one_line_that_says_what_installs_it(r: str, archive: Path, tmp_path: Path) -> None:
    made = _run(
        *(r, "CMD", "INSTALL", f"--library={tmp_path}", str(archive)),
        folder=tmp_path,
        environment={"HABITUS_PREFIX": str(tmp_path / "nowhere"), "PKG_CONFIG_LIBDIR": str(tmp_path)},
    )
    assert made.returncode != 0
    line = next(line for line in made.stderr.splitlines() if line.startswith("habitus: expected libhabitus"))
    assert f"python -m habitus_bindings.native install --prefix {tmp_path / 'nowhere'}" in line


def test_the_example_prints_what_it_says(r: str, installed: Path, tmp_path: Path) -> None:
    blocks = (PACKAGE / "README.md").read_text(encoding="utf-8").split("```r\n")[1:]
    lines = [line for block in blocks for line in block.split("```")[0].splitlines()]
    code = [line for line in lines if not line.startswith("#>")]
    said = [line.removeprefix("#> ") for line in lines if line.startswith("#>")]
    script = tmp_path / "example.R"
    script.write_text("\n".join(code), encoding="utf-8")
    done = _run(
        *(r, "--vanilla", "--no-echo", "-f", str(script)), folder=tmp_path, environment={"R_LIBS": str(installed)}
    )
    assert done.stdout.splitlines() == said, done.stderr
