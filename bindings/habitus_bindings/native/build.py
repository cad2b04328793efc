"""Builds libhabitus: every processor's kernels as objects, the C sources around them, one shared library.

Kernels are compiled by Numba in a process per processor; only they are, so the library needs libc and libm alone.
"""

import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from habitus_bindings.native import INCLUDE

SOURCES = Path(__file__).parent / "src"
VARIANTS = ("x86-64-v2", "x86-64-v3", "x86-64-v4")
_FLAGS = ("-std=gnu11", "-O2", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra", "-Wno-unused-parameter")
_NAMED = ("-Wl,-soname,libhabitus.so",)


class BuildError(Exception):
    """The library cannot be built here; the message says what is missing."""


def compiler() -> list[str]:
    """The C compiler: what CC names, else gcc, cc or clang.

    Raises:
        BuildError: there is none.
    """
    named = shlex.split(os.environ.get("CC", ""))
    for command in [named] if named else [["gcc"], ["cc"], ["clang"]]:
        if shutil.which(command[0]):
            return command
    raise BuildError(
        f"expected a C compiler ({'CC names ' + named[0] if named else 'gcc, cc or clang'}), found none; install gcc"
    )


def build(target: Path) -> Path:
    """Write the library to ``target``, whole or not at all; a minute of two cores.

    Raises:
        BuildError: this system is not Linux, or a compiler is missing or fails.
    """
    if sys.platform != "linux":
        raise BuildError(f"expected Linux, got {sys.platform}: libhabitus has been tried nowhere else")
    cc = compiler()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        variants = VARIANTS if platform.machine() == "x86_64" else ("generic",)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda cpu: _objects(cpu, folder), variants))
        made = folder / target.name
        sources = sorted([*SOURCES.glob("*.c"), *folder.glob("*.c")])
        command = [*cc, *_FLAGS, f"-I{INCLUDE}", f"-I{SOURCES}", f"-I{folder}", *map(str, sources)]
        _run([*command, *map(str, sorted(folder.glob("*.o"))), "-shared", "-s", *_NAMED, "-o", str(made), "-lm"])
        place(made, target)
    return target


def place(made: Path, target: Path) -> None:
    """Copy a file to where it may be in use: programs that have it open keep theirs, nobody sees half of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".habitus-") as folder:
        Path(shutil.copy(made, folder)).replace(target)


def _objects(cpu: str, folder: Path) -> None:
    # Kernels that Numba finds in a cache hold no IR to read, and those in the user's are for another processor.
    chosen = {"NUMBA_CPU_NAME": cpu, "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(folder / f"cache-{cpu}")}
    _run([sys.executable, "-m", "habitus_bindings.native.kernels", cpu, str(folder)], chosen)


def _run(command: list[str], environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(  # noqa: S603 - the compiler, and this interpreter
        command, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BuildError(f"{command[0]} failed: {done.stderr.strip()[-2000:]}")
