"""The pages of the tongues: what each example prints is what its page says."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.tongues import programs

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "bindings" / "pages"
_PROGRAM = re.compile(r"^```(\w+)\n(.*?)^```\n\n```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def of_page(name: str) -> tuple[str, str]:
    """The program, and what it prints."""
    found = _PROGRAM.findall((PAGES / f"{name}.md").read_text("utf-8"))
    assert len(found) == 1, f"{name}.md: expected one program and its output, found {len(found)}"
    return found[0][1:]


def printed(command: list[str], folder: Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())


@pytest.mark.parametrize("name", ["arrow", "polars", "pandas", "duckdb", "files"])
def test_python(name: str, tmp_path: Path) -> None:
    program, output = of_page(name)
    (tmp_path / "example.py").write_text(program, "utf-8")
    assert printed([sys.executable, "example.py"], tmp_path, COLUMNS="120") == output


@pytest.mark.parametrize(
    ("name", "build"), [("c", programs.build_c), ("r", programs.build_r), ("javascript", programs.build_node)]
)
def test_others(name: str, build: Callable[..., programs.Built], libhabitus: Path, tmp_path: Path) -> None:
    program, output = of_page(name)
    source = tmp_path / {"c": "example.c", "r": "example.R", "javascript": "example.mjs"}[name]
    source.write_text(program, "utf-8")
    try:
        built = build(libhabitus, tmp_path, source)
    except programs.MissingError as error:
        pytest.skip(f"{name}: {error}")
    assert printed(built.command, tmp_path, **built.environment) == output


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "bindings" / "README.md").read_text("utf-8")
    for page in PAGES.glob("*.md"):
        assert f"](pages/{page.name})" in index, page.name
        assert (len(of_page(page.stem)[0].strip().splitlines())) <= 20, f"{page.name}: an example is short"
