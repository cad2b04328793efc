"""The rules of kernels/__init__.py, and that `import habitus` loads no kernel."""

import ast
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import habitus
from habitus import lanes

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
    return name in {"math", "threading", "numpy", "llvmlite.ir"} or name.split(".", 1)[0] == "numba"


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: path.stem)
def test_a_kernel_file_stands_alone(path: Path) -> None:
    source = path.read_text()
    vectors = {"habitus.kernels.vectors"} if "vectors.SOURCE" in source else set()
    held = {"hashlib", "pathlib.Path"} if path.stem == "vectors" else set()
    forbidden = {name for name in imported(source) if not allowed(name)} - vectors - held
    assert not forbidden, f"{path.name} may import math, numpy, numba and llvmlite.ir, and imports {forbidden}"


@pytest.mark.skipif(not lanes.hold(2), reason="NUMBA_DISABLE_JIT=1: nothing is compiled, so nothing is cached")
def test_an_edit_of_vectors_is_noticed(tmp_path: Path) -> None:
    shutil.copytree(Path(habitus.__file__).parent, tmp_path / "habitus", ignore=shutil.ignore_patterns("__pycache__"))
    code = "import habitus; print(habitus.score([[3, 0, 1]], [[0, 2]], threads=1).entropy[0])"
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}

    def scored() -> float:
        command = [sys.executable, "-c", code]
        return float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)

    vectors, before = tmp_path / "habitus" / "kernels" / "vectors.py", scored()
    assert scored() == before
    source = vectors.read_text()
    vectors.write_text(source.replace("int64(TABLE - 1)", "int64(0)"))
    assert vectors.read_text() != source
    assert scored() != before


@pytest.mark.skipif(not lanes.hold(2), reason="NUMBA_DISABLE_JIT=1: nothing is compiled")
def test_threads_share_one_compilation(monkeypatch: pytest.MonkeyPatch) -> None:
    from habitus.kernels import lanes as kernels  # noqa: PLC0415 - needs the compiler

    made: list[object] = []
    together = threading.Barrier(4)
    table = type(kernels.score)()
    monkeypatch.setattr(kernels, "_scorer", lambda *key: made.append(key) or object())

    def ask() -> None:
        together.wait()
        table[7, 32, False]

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


@pytest.mark.parametrize("path", [path for path in KERNELS if path.stem != "vectors"], ids=lambda path: path.stem)
def test_public_kernels_are_cached_and_release_the_lock(path: Path) -> None:
    for node in ast.parse(path.read_text()).body:
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        (decorator,) = node.decorator_list
        assert isinstance(decorator, ast.Call), node.name
        assert decorator.args, f"{node.name} has no explicit signature"
        options = {option.arg: getattr(option.value, "value", None) for option in decorator.keywords}
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
