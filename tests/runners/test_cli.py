"""The command line as a user meets it: in a process of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SMALL = (
    "--set=data.users=300", "--set=data.items=80", "--set=candidates.K=12", "--set=candidates.N=4",
    "--set=history.lengths=[0,2]", "--set=draws.cap=30",
)  # fmt: skip


def _habitus(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "habitus_runners", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli") / "run"
    done = _habitus("run", *SMALL, "--model", "random", "-m", "perfect", "--out", str(folder))
    return folder, done


def test_the_main_job(finished):
    folder, done = finished
    assert done.returncode == 0, done.stderr
    assert f"Report: {folder / 'report.html'}" in done.stdout
    assert re.search(r"perfect .* 1\.000 .* 100\.0%", done.stdout)
    assert "answers: 2 of 2" in done.stdout


def test_stages_work_on_a_finished_run(finished):
    folder, _ = finished
    scored = _habitus("score", str(folder))
    assert scored.returncode == 0, scored.stderr
    assert "perfect" in scored.stdout
    report = _habitus("report", str(folder))
    assert report.returncode == 0, report.stderr


def test_tasks_prints_table_1(tmp_path):
    done = _habitus("tasks", *SMALL, "--out", str(tmp_path / "run"))
    assert done.returncode == 0, done.stderr
    assert re.search(r"age x gender x region.* \d+", done.stdout)
    assert (tmp_path / "run" / "tasks.parquet").exists()


def test_fetch_shows_what_there_is():
    done = _habitus("fetch", "world")
    assert done.returncode == 0, done.stderr
    assert "2,000 users" in done.stdout


def test_doctor_finds_nothing_wrong():
    done = _habitus("doctor")
    assert done.returncode == 0, done.stdout
    assert "all is as it should be" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ("run", "--dataset", "ml-2m"),
            "habitus: --dataset: expected world, ml-1m, lastfm-1k or the path of a CONFIG.toml",
        ),
        (("run", "--set", "alpha"), "habitus: --set: expected KEY=VALUE, got 'alpha'"),
        (("run", "--set", "group.min=3"), "habitus: setting group.min: Extra inputs are not permitted, got 3"),
        (("run", "--set", "data.size=3"), "habitus: setting data.size: expected one of people, users, items"),
        (("run", "--dataset", "ml-1m", "--source", "/nowhere.zip"), "habitus: "),
        (("score", "/nowhere"), "habitus: /nowhere: expected the folder of a run"),
        (("report", "/nowhere"), "habitus: /nowhere: expected the folder of a run"),
        (("run", *SMALL, "--model", "gpt-9", "--out", "{tmp}"), "habitus: model: expected one of random"),
        (("run", *SMALL, "--out", "/proc/run"), "habitus: cannot write /proc/run"),
    ],
)
def test_an_error_is_one_line(arguments, line, tmp_path):
    done = _habitus(*(argument.format(tmp=tmp_path / "run") for argument in arguments))
    assert done.returncode == 1
    assert done.stderr.startswith(line)
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback():
    done = _habitus("score", "/nowhere", "--debug")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_help_loads_no_heavy_package():
    code = (
        "import sys; from habitus_runners import cli; cli.app(['--help'], result_action='return_value');"
        "heavy = {'numpy', 'numba', 'polars', 'pyarrow', 'scipy', 'matplotlib', 'pydantic'};"
        "print(heavy & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("set()")


def test_every_command_is_in_the_readme():
    from habitus_runners.cli import app  # noqa: PLC0415 - the test above needs it unimported

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = {name for name in app if not name.startswith("-")}
    assert commands == {
        *("run", "resume", "collect", "estimate"),
        *("fetch", "tasks", "parse", "score", "report", "compare", "export"),
        *("doctor", "check", "ledger"),
    }
    checks = {f"check {name}" for name in app["check"] if not name.startswith("-")}
    for name in commands | checks:
        assert f"habitus {name}" in readme, name


def test_without_the_app_extra_one_line_says_what_to_install(tmp_path):
    (tmp_path / "cyclopts.py").write_text("raise ModuleNotFoundError('no', name='cyclopts')")
    done = _habitus("run", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == "habitus: expected the package cyclopts, found none; pip install 'habitus[app]' brings it\n"
