"""The tree keeps its own rules: layers first, then lint, format, types, shape."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for part in ("engine", "bindings", "runners") for path in (ROOT / part).rglob("*.py"))


def _passes(*command: str) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_layers_are_kept():
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_lint():
    _passes("ruff", "check", ".")


def test_format():
    _passes("ruff", "format", "--check", ".")


def test_types():
    _passes("mypy")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_short_and_says_what_it_is(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 60, f"{node.name} has {lines} lines"


def test_every_engine_module_has_a_test_and_a_benchmark():
    plumbing = {"arguments", "threads"}  # measured through what calls them
    for path in (ROOT / "engine" / "habitus").glob("*.py"):
        if path.stem != "__init__":
            assert (ROOT / "tests" / "engine" / f"test_{path.stem}.py").exists(), path.stem
        if path.stem not in {"__init__", *plumbing}:
            assert (ROOT / "benchmarks" / f"bench_{path.stem}.py").exists(), path.stem


def test_every_dependency_has_its_line_of_why():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(line for lines in project["optional-dependencies"].values() for line in lines),
    ]
    why = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Dependencies, and why")[1]
    for line in wanted:
        name = line.split(">")[0].split("<")[0].split("[")[0].strip()
        assert name == "habitus" or f"| {name}" in why or f", {name}" in why, (
            f"{name} is not explained in CONTRIBUTING.md"
        )
