"""The platform wheel: it carries libhabitus where that can be built, and is made without it elsewhere."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
HELD = "habitus_bindings/native/lib/libhabitus.so"


def wheel(folder: Path, **environment: str) -> tuple[Path, str]:
    """The wheel, and what was said while it was made."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    chosen = os.environ | {"HATCH_BUILD_HOOK_ENABLE_CUSTOM": "true"} | environment
    done = subprocess.run(command, cwd=ROOT, env=chosen, capture_output=True, text=True, check=True)
    return next(folder.glob("*.whl")), done.stdout + done.stderr


def test_it_carries_the_library(libhabitus: Path, tmp_path: Path) -> None:
    built = libhabitus / "lib" / "libhabitus.so"
    made, _ = wheel(tmp_path, HABITUS_LIBRARY=str(built))
    assert "-py3-none-linux_" in made.name
    with zipfile.ZipFile(made) as archive:
        assert archive.read(HELD) == built.read_bytes()
        native = Path("habitus_bindings") / "native"
        sources = [path for part in ("src", "include") for path in (ROOT / "bindings" / native / part).iterdir()]
        assert {str(path.relative_to(ROOT / "bindings")) for path in sources} <= set(archive.namelist())
        archive.extractall(tmp_path / "installed")
    assert not (ROOT / "bindings" / HELD).exists(), "the sources are as they were"
    code = "from habitus_bindings import native; print(native.library())"
    environment = {name: value for name, value in os.environ.items() if name != "HABITUS_LIBRARY"}
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path / 'installed')!r}); {code}"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == str(tmp_path / "installed" / HELD)


def test_without_a_compiler_it_is_made_all_the_same(tmp_path: Path) -> None:
    environment = {"PATH": str(tmp_path), "CC": "", "HABITUS_LIBRARY": ""}
    made, said = wheel(tmp_path, **environment)
    assert "-py3-none-any" in made.name
    with zipfile.ZipFile(made) as archive:
        assert HELD not in archive.namelist()
    assert "this wheel holds no libhabitus: expected a C compiler" in said
