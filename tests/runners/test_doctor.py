"""The doctor says what is here and what is missing; without a compiler nothing is broken."""

from pathlib import Path

import pytest

from habitus_bindings import native
from habitus_runners import doctor


def seen() -> doctor.Check:
    return next(check for check in doctor.examine() if check.name == "libhabitus")


def test_libhabitus_is_found_or_the_way_to_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = tmp_path / "libhabitus.so"
    library.touch()
    monkeypatch.setenv("HABITUS_LIBRARY", str(library))
    assert seen() == doctor.Check("libhabitus", good=True, seen=str(library))
    monkeypatch.delenv("HABITUS_LIBRARY")
    monkeypatch.setattr(native, "SHIPPED", tmp_path / "nothing.so")
    monkeypatch.setenv("CC", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert seen().good
    assert "expected a C compiler" in seen().seen
    (tmp_path / "gcc").touch(mode=0o755)
    assert "habitus_bindings.native install builds it with gcc" in seen().seen
