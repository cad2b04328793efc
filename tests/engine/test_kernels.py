"""The rules of kernels/__init__.py that can be read off the source, and that `import habitus` loads no kernel."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import habitus

KERNELS = sorted(path for path in Path(habitus.__file__).parent.glob("kernels/*.py") if path.stem != "__init__")


def imported(source: str) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


def allowed(name: str) -> bool:
    return name in {"math", "numpy", "llvmlite.ir"} or name.split(".", 1)[0] == "numba"


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: path.stem)
def test_a_kernel_file_stands_alone(path: Path) -> None:
    forbidden = {name for name in imported(path.read_text()) if not allowed(name)}
    assert not forbidden, f"{path.name} may import math, numpy, numba and llvmlite.ir, and imports {forbidden}"


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: path.stem)
def test_public_kernels_are_cached_and_release_the_lock(path: Path) -> None:
    for node in ast.parse(path.read_text()).body:
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        (decorator,) = node.decorator_list
        assert isinstance(decorator, ast.Call), node.name
        assert decorator.args, f"{node.name} has no explicit signature"
        options = {option.arg: ast.literal_eval(option.value) for option in decorator.keywords}
        assert options == {"cache": True, "nogil": True, "error_model": "numpy"}, node.name


def test_the_rule_would_be_noticed() -> None:
    source = (
        "from habitus import arguments\nfrom . import scoring\nimport os\nfrom numba import njit\nimport numpy as np"
    )
    assert {name for name in imported(source) if not allowed(name)} == {"habitus.arguments", "..scoring", "os"}


def test_importing_habitus_loads_numpy_alone() -> None:
    code = (
        "import sys, habitus; print([name for name in ('numba', 'llvmlite', 'pandas', 'scipy') if name in sys.modules])"
    )
    command = [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"
