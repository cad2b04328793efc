"""Every tongue has the engine's bits on the golden vectors and refuses what is bad; its table is made, not typed."""

import json
from pathlib import Path

import pytest
from benchmarks.tongues import cases, programs, python, table
from benchmarks.tongues.__main__ import golden, of_program, refusals


@pytest.mark.parametrize("name", python.TONGUES)
def test_tongues_of_python(name: str) -> None:
    tongue = python.TONGUES[name]
    found = golden(tongue.score)
    assert found == cases.Golden(1800, found.farthest, 0)
    said = refusals(tongue.score, [python.refused(call) for call in tongue.bad])
    assert all(said), [number for number, line in enumerate(said) if not line]
    counts, lists = cases.rankings(100)
    assert tongue.job(counts, lists)() is not None


@pytest.mark.parametrize("name", programs.PROGRAMS)
def test_tongues_that_are_programs(name: str, libhabitus: Path, tmp_path: Path) -> None:
    build, source = programs.PROGRAMS[name]
    try:
        built = build(libhabitus, tmp_path, programs.HERE / source)
    except programs.MissingError as error:
        pytest.skip(f"{name}: {error}")
    program = programs.Program(built)
    try:
        found, said, run = of_program(program, 500, tmp_path)
        assert found == cases.Golden(1800, found.farthest, 0)
        assert all(said), [number for number, line in enumerate(said) if not line]
        assert run() >= 0  # R's clock is too coarse for so few
    finally:
        program.stop()


def test_a_tongue_that_accepts_what_is_bad_is_seen() -> None:
    careless = python.NUMPY._replace(scored=lambda _: (1.0,))
    assert refusals(careless.score, [""]) == [""] * (len(cases.BAD) + 1)
    with pytest.raises(AssertionError, match="golden vectors"):
        golden(python.NUMPY._replace(scored=lambda _: (0.0,) * 5).score)


def test_the_readme_holds_what_the_generator_makes_of_the_kept_measurements() -> None:
    text = table.README.read_text("utf-8")
    assert "\n".join(table.kept()) in text
    held = json.loads(table.KEPT.read_text("utf-8"))
    assert held["tongues"].keys() | held["missing"].keys() == table.WORDS.keys()
