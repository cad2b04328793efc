"""libhabitus as a library: what is in it and what is not, from C, under memcheck, and where it cannot be built."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.libhabitus import Library

import habitus
from habitus_bindings.native.__main__ import main
from habitus_bindings.native.build import VARIANTS, BuildError, compiler

ROOT = Path(__file__).parents[2]
FUZZ, EXAMPLE = ROOT / "tests" / "fuzz" / "native.c", ROOT / "examples" / "c" / "score.c"


def test_it_says_what_it_holds(library: Library, libhabitus: Path) -> None:
    assert library.candidates == [10, 20, 50, 100]
    assert f'"{library.version}"' in (libhabitus / "include" / "habitus.h").read_text()
    assert library.variant in {*VARIANTS, "generic"}


def test_nothing_of_python_is_in_it(libhabitus: Path) -> None:
    path = str(libhabitus / "lib" / "libhabitus.so")
    if not shutil.which("nm"):
        pytest.skip("nm is not installed: it lists the symbols of a library")
    needed = _symbols("nm", "-D", "--undefined-only", path)
    assert needed
    foreign = re.compile(r"^_?Py|numba|NRT_|llvm", re.IGNORECASE)
    assert not [name for name in needed if foreign.search(name)]
    header = (libhabitus / "include" / "habitus.h").read_text()
    declared = set(re.findall(r"^HABITUS_API .*?\b(habitus_\w+)\(", header, re.MULTILINE))
    assert _symbols("nm", "-D", "--defined-only", path) == declared
    assert not re.search(rb"Python\.h|_Py_|numba_", (libhabitus / "lib" / "libhabitus.so").read_bytes())


def _symbols(*command: str) -> set[str]:
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {line.split()[-1].split("@")[0] for line in listed.splitlines()}


def compiled(libhabitus: Path, source: Path, folder: Path) -> list[str]:
    """Build with what pkg-config says, as the documentation does; returns the command that runs it."""
    if not shutil.which("gcc"):
        pytest.skip("gcc is not installed")
    flags = [f"-I{libhabitus}/include", f"-L{libhabitus}/lib", "-lhabitus"]
    if shutil.which("pkg-config"):
        environment = os.environ | {"PKG_CONFIG_PATH": str(libhabitus / "lib" / "pkgconfig")}
        asked = ["pkg-config", "--cflags", "--libs", "habitus"]
        flags = subprocess.run(asked, env=environment, capture_output=True, text=True, check=True).stdout.split()
    program, strict = folder / source.stem, ["-Wall", "-Wextra", "-Werror", "-O1", "-g"]
    linked = [*flags, f"-Wl,-rpath,{libhabitus}/lib", "-lm"]
    subprocess.run(["gcc", *strict, str(source), *linked, "-o", str(program)], check=True)  # noqa: S607 - the reader's own
    return [str(program)]


MEMCHECK = ["valgrind", "-q", "--error-exitcode=9", "--leak-check=full"] if shutil.which("valgrind") else []


def test_the_example_in_c(libhabitus: Path, tmp_path: Path) -> None:
    command = compiled(libhabitus, EXAMPLE, tmp_path)
    printed = subprocess.run([*MEMCHECK, *command], capture_output=True, text=True, check=True).stdout
    scores = habitus.score([[9, 4, 1, 0], [2, 2, 2, 2]], [[0, 2], [3, -1]])
    assert printed.splitlines() == [
        f"task {t}: H {scores.entropy[t]:.3f}, CE {scores.cross_entropy[t]:.3f}, chance {scores.chance[t]:.3f} nats, "
        f"{scores.valid[t]} of 2 slots filled"
        for t in range(2)
    ]


def test_malformed_calls_crash_nothing(libhabitus: Path, tmp_path: Path) -> None:
    """On its own 100,000 calls; under memcheck fewer, each read and write watched (`valgrind` shows at most v3)."""
    command = compiled(libhabitus, FUZZ, tmp_path)
    for runner, seed, calls in (([], "1", "100000"), (MEMCHECK, "2", "1500")):
        done = subprocess.run([*runner, *command, seed, calls], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        found = [int(number) for number in done.stdout.split(":")[1].split()]
        assert sum(found) == int(calls)
        assert all(found[:5]), "every kind of mistake is made, and some calls are right"


def test_without_a_compiler_one_line_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("HABITUS_LIBRARY", raising=False)
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr("habitus_bindings.native.SHIPPED", tmp_path / "nothing.so")
    assert main(["install", "--prefix", str(tmp_path / "here")]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "expected a C compiler" in said
    monkeypatch.delenv("HABITUS_LIBRARY", raising=False)
    assert main(["where"]) == 1
    assert "habitus_bindings.native install" in capsys.readouterr().err
    assert not (tmp_path / "here").exists()


def test_a_library_in_use_is_replaced_not_written_into(libhabitus: Path, tmp_path: Path) -> None:
    target = tmp_path / "a b" / "lib" / "libhabitus.so"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"what a program has open")
    with target.open("rb") as held:
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("HABITUS_LIBRARY", str(libhabitus / "lib" / "libhabitus.so"))
            assert main(["install", "--prefix", str(tmp_path / "a b")]) == 0
        assert held.read() == b"what a program has open"
    assert target.read_bytes() == (libhabitus / "lib" / "libhabitus.so").read_bytes()
    assert sorted(path.name for path in target.parent.iterdir()) == ["libhabitus.so", "pkgconfig"]
    described = (target.parent / "pkgconfig" / "habitus.pc").read_text()
    assert "a\\ b" in described
    assert f"Version: {Library(target).version}" in described


def test_a_compiler_that_is_named_is_the_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "my-cc"
    fake.touch(mode=0o755)
    monkeypatch.setenv("CC", f"{fake} -m64")
    assert compiler() == [str(fake), "-m64"]
    monkeypatch.setenv("CC", "/no/such/cc")
    with pytest.raises(BuildError, match="CC names /no/such/cc"):
        compiler()


def test_importing_it_needs_no_compiler() -> None:
    code = "import sys, habitus_bindings.native; print([name for name in ('numba', 'numpy') if name in sys.modules])"
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"
