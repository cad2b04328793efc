"""What an installation brings: the wheel's contents, and how many packages come with it."""

import subprocess
import sys
import zipfile
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        return archive.namelist()


def test_the_wheel_has_three_packages_and_nothing_else(wheel):
    tops = {name.split("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"habitus", "habitus_bindings", "habitus_runners"}
    assert len(tops) == 4


@pytest.mark.parametrize("part", ["engine", "bindings", "runners"])
def test_the_wheel_holds_every_source_file(wheel, part):
    for path in (ROOT / part).rglob("*"):
        kept = path.suffix in {".py", ".jinja", ".css", ".typed"} or path.name == "py.typed"
        if path.is_file() and kept:
            assert str(path.relative_to(ROOT / part)) in wheel


def _closure(extra: str) -> set[str]:
    """Names of everything that `habitus[extra]` installs here, itself included."""
    found: set[str] = set()
    todo = [("habitus", {extra})]
    while todo:
        name, extras = todo.pop()
        if name in found:
            continue
        found.add(name)
        for line in requires(name) or ():
            requirement = Requirement(line)
            if any(
                requirement.marker is None or requirement.marker.evaluate({"extra": wanted})
                for wanted in extras or {""}
            ):
                todo.append((canonicalize_name(requirement.name), set(requirement.extras)))
    return found


@pytest.mark.parametrize(("extra", "most"), [("", 10), ("app", 45)])
def test_an_installation_stays_small(extra, most):
    packages = _closure(extra)
    assert len(packages) <= most, sorted(packages)
    assert "torch" not in packages
