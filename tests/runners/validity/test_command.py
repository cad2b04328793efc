"""`habitus check validity` as it is typed: what it prints, writes and returns."""

import pytest

from habitus_runners.cli import app
from habitus_runners.errors import HabitusError
from habitus_runners.validity import suite
from habitus_runners.validity.property import Property


def _run(*arguments):
    return app(["check", "validity", *arguments], result_action="return_value")


def test_a_property_alone(tmp_path, capsys):
    assert _run("--quick", "--only", "V2", "--out", str(tmp_path)) == 0
    shown = capsys.readouterr().out
    assert "every property holds" in shown
    assert str(tmp_path / "validity.html") in shown.replace("\n", "")
    assert (tmp_path / "validity.json").exists()


def test_the_exit_status_says_that_one_fails(tmp_path, capsys, monkeypatch):
    broken = Property("V2", "Chance", "as said", "otherwise", False, "nothing", {"off": 1.0})  # noqa: FBT003 - a verdict
    monkeypatch.setattr(suite, "PROPERTIES", {"V2": lambda _: broken})
    assert _run("--quick", "--out", str(tmp_path)) == 1
    assert "does not hold: V2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--quick", "--worlds", "50"), "expected --worlds or --quick, got both"),
        (("--worlds", "3"), "--worlds: expected at least 12, got 3"),
        (("--quick", "--only", "V13"), "--only V13: expected one of V1, V2"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, line):
    with pytest.raises(HabitusError, match=line):
        _run(*arguments)
