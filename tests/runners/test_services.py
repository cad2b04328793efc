"""Models that cost, through the command line as a user meets it, against a real server that fails in real ways."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from habitus_runners.faults import BadRequest, BatchEnd, FaultServer, Mixture, Ok, Quota, Status, TooMany

SMALL = (
    "--set=data.users=300", "--set=data.items=80", "--set=candidates.K=12", "--set=candidates.N=4",
    "--set=history.lengths=[0,2]", "--set=draws.cap=12",
)  # fmt: skip
KEY = "sk-canary-5d1f0c7e9b2a"
PRICES = '["tiny"]\ninput = 1.0\noutput = 2.0\n'
ROOT = Path(__file__).parents[2]


class Shell:
    """A user's folder: commands run in it, with a key and a ledger of its own."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url, self.key = folder, url, KEY
        self.ledger = folder / "ledger.sqlite"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A command, under way."""
        environment = os.environ | {"HABITUS_API_KEY": self.key, "HABITUS_LEDGER": str(self.ledger)}
        command = [sys.executable, "-m", "habitus_runners", *arguments]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        environment["XDG_STATE_HOME"] = str(self.folder)
        return subprocess.Popen(command, cwd=self.folder, env=environment, **streams)

    def habitus(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command that has ended."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def run(self, *further: str, model: str = "openai:tiny") -> subprocess.CompletedProcess[str]:
        """`habitus run`, ended."""
        return self.habitus(*self.running(*further, model=model))

    def running(self, *further: str, model: str = "openai:tiny", out: str = "run") -> tuple[str, ...]:
        """The arguments of `habitus run`."""
        return ("run", *SMALL, "--model", model, "--base-url", self.url, "--out", out, *further)

    def answers(self) -> list[dict[str, object]]:
        """The rows of the run's answers table."""
        return pq.read_table(self.folder / "run" / "answers.parquet").to_pylist()

    def written(self) -> dict[str, bytes]:
        """Every file of the folder."""
        return {str(file): file.read_bytes() for file in self.folder.rglob("*") if file.is_file()}


@pytest.fixture
def shell_of(tmp_path):
    return lambda server: Shell(tmp_path, server.url)


def test_every_question_is_answered_once_whatever_the_service_does(shell_of):
    with FaultServer(Mixture([(TooMany(), 0.1), (Status(500), 0.05)])) as server:
        shell = shell_of(server)
        done = shell.run("--model", "random", "--method", "text", "--method", "numbers")
        assert done.returncode == 0, done.stderr
        answers = shell.answers()
        assert {row["error"] for row in answers} == {None}
        assert {row["model"] for row in answers} == {"openai:tiny", "openai:tiny [numbers]", "random"}
        assert set(server.paid.values()) == {1}
        again = shell.run("--method", "numbers")
        assert again.returncode == 0, again.stderr
        assert set(server.paid.values()) == {1}
        for text in ("openai:tiny [numbers]", "random"):
            assert text in done.stdout
            assert text in (shell.folder / "run" / "report.html").read_text()
    assert shell.ledger.stat().st_mode & 0o777 == 0o600


def test_a_prompt_that_is_refused_fails_alone_and_is_said(shell_of):
    with FaultServer(lambda asked: BadRequest(code="content_filter") if asked.number == 30 else Ok()) as server:
        shell = shell_of(server)
        done = shell.run()
        assert done.returncode == 5
        assert done.stderr.startswith("habitus: openai:tiny: requests that failed: 1, as in: 400 content_filter")
        assert "Report: run/report.html" in done.stdout
        assert shell.habitus("resume").returncode == 0
        assert {row["error"] for row in shell.answers()} == {None}
        assert set(server.paid.values()) == {1}


def test_a_used_up_quota_stops_the_run_and_resume_ends_it(shell_of):
    with FaultServer(Quota(after=20), latency_s=0.05) as server:
        shell = shell_of(server)
        done = shell.run("--model", "random", "--set=calls.concurrency=4")
        assert done.returncode == 3
        assert done.stderr.count("\n") == 1
        assert "habitus resume" in done.stderr
        refused = [call for call in server.calls if call.status == 429]
        assert 1 <= len(refused) <= 4
        assert "Report: run/report.html" in done.stdout
        assert "have answered a part: openai:tiny 20." in (shell.folder / "run" / "report.html").read_text()
        assert sum(row["error"] is None for row in shell.answers() if row["model"] == "openai:tiny") == 20
    with FaultServer(port=int(server.url.split(":")[2][:-3])) as healed:
        done = shell.habitus("resume")
        assert done.returncode == 0, done.stderr
        assert {row["error"] for row in shell.answers()} == {None}
        assert not set(healed.paid) & set(server.paid)


def test_max_cost_is_never_passed(shell_of):
    with FaultServer() as server:
        shell = shell_of(server)
        (shell.folder / "prices.toml").write_text(PRICES)
        priced = ("--set=calls.prices=prices.toml", "--set=ask.max_tokens=100")
        done = shell.run(*priced, "--max-cost", "0.01")
        assert done.returncode == 3, done.stderr
        assert "--max-cost" in done.stderr
        spent = sum(row["cost"] for row in shell.answers() if row["cost"] is not None)
        assert 0.005 < spent <= 0.01
        estimate = shell.habitus("estimate", *shell.running(*priced)[1:])
        assert estimate.returncode == 0, estimate.stderr
        assert f"{sum(server.paid.values())} answers are in the ledger" in estimate.stdout


def test_an_estimate_needs_no_key_and_a_run_says_so_before_anything_is_asked(shell_of):
    with FaultServer() as server:
        shell = shell_of(server)
        assert shell.run().returncode == 0
        calls, shell.key = len(server.calls), ""
        estimate = shell.habitus("estimate", *SMALL, "--model", "openai:gpt-4o-mini")
        assert estimate.returncode == 0, estimate.stderr
        assert "smallest difference" in estimate.stdout
        run = shell.habitus("run", *SMALL, "--model", "openai:gpt-4o-mini", "--out", "other")
        assert run.returncode == 1
        assert run.stderr.startswith("habitus: expected an API key for api.openai.com in HABITUS_API_KEY")
        assert len(server.calls) == calls


def test_batches_are_ordered_and_collected(shell_of):
    with FaultServer(batches=[BatchEnd(polls=2)]) as server:
        shell = shell_of(server)
        ordered = shell.run("--model", "random", model="openai-batch:tiny")
        assert ordered.returncode == 4, ordered.stderr
        assert "habitus collect" in ordered.stderr
        assert {row["error"] is None for row in shell.answers() if row["model"] != "random"} == {False}
        assert "1 batch" in ordered.stderr
        collected = shell.habitus("collect")
        assert collected.returncode == 0, collected.stderr
        assert set(server.paid.values()) == {1}
        assert {row["error"] for row in shell.answers()} == {None}


def test_killed_runs_lose_nothing_and_pay_nothing_twice(shell_of):
    with FaultServer(latency_s=0.05) as server:
        shell = shell_of(server)
        kills = 0
        for further in (0.3, 0.6, 1.0):
            before = sum(server.paid.values())
            process = shell.start(*shell.running("--set=calls.concurrency=4"))
            while process.poll() is None and sum(server.paid.values()) == before:
                time.sleep(0.02)
            time.sleep(further)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
            process.communicate()
        done = shell.habitus("resume")
        assert done.returncode == 0, done.stderr
        assert {row["error"] for row in shell.answers()} == {None}
        assert sum(server.paid.values()) - len(server.paid) <= 4 * kills
        listed = shell.habitus("ledger", "ls").stdout
        repeats = int(listed.rsplit("\n", 2)[-2].split()[0])
        assert sum(server.paid.values()) - len(server.paid) <= repeats <= 4 * kills
    assert kills


def test_two_runners_at_once_share_the_work(shell_of):
    with FaultServer(latency_s=0.02) as server:
        shell = shell_of(server)
        processes = [shell.start(*shell.running(out=name)) for name in ("one", "two")]
        ended = [process.communicate(timeout=300) for process in processes]
        assert [process.returncode for process in processes] == [0, 0], ended
        assert set(server.paid.values()) == {1}
        tables = [pq.read_table(shell.folder / name / "answers.parquet") for name in ("one", "two")]
        assert tables[0]["text"].to_pylist() == tables[1]["text"].to_pylist()


@pytest.mark.parametrize("plan", [Ok(), Status(401, message=f"Incorrect API key provided: {KEY}.")])
def test_the_key_is_written_nowhere(shell_of, plan):
    with FaultServer(plan) as server:
        shell = shell_of(server)
        done = shell.run("--debug")
        assert done.returncode == (0 if isinstance(plan, Ok) else 1)
        assert server.keys
    shown = {"stdout": done.stdout.encode(), "stderr": done.stderr.encode()}
    assert not [name for name, content in {**shell.written(), **shown}.items() if KEY.encode() in content]


def test_the_ledger_is_looked_at_sealed_and_thinned_out(shell_of):
    with FaultServer() as server:
        shell = shell_of(server)
        assert shell.run().returncode == 0
        answers = shell.answers()
    shown = shell.habitus("ledger", "show", str(answers[0]["answer_id"])[:12])
    assert str(answers[0]["text"]) in shown.stdout
    assert "Candidates:" in shown.stdout
    sealed = shell.habitus("ledger", "export", "sealed.parquet")
    assert sealed.returncode == 0, sealed.stderr
    assert pq.read_table(shell.folder / "sealed.parquet").num_rows == len(answers)
    assert "would be removed" in shell.habitus("ledger", "prune").stdout
    assert f"{len(answers)} answers" in shell.habitus("ledger", "prune", "--yes").stdout
    assert shell.habitus("ledger", "show", "0").stderr.startswith("habitus: ")


def test_the_doctor_finds_an_answer_that_is_not_what_came(shell_of):
    with FaultServer() as server:
        shell = shell_of(server)
        assert shell.run().returncode == 0
    assert shell.habitus("doctor").returncode == 0
    words = str(shell.answers()[0]["text"]).split('"')[1].encode()
    content = shell.ledger.read_bytes()
    assert words in content
    shell.ledger.write_bytes(content.replace(words, words[::-1]))
    sick = shell.habitus("doctor")
    assert sick.returncode == 1
    assert "not as it should be: ledger" in sick.stdout


def test_answers_are_read_again_without_a_call(shell_of):
    with FaultServer() as server:
        shell = shell_of(server)
        assert shell.run().returncode == 0
        calls = len(server.calls)
        read = shell.habitus("parse", "run", "--parser", "strict")
        assert read.returncode == 0, read.stderr
        assert "strict-titles" in read.stdout
        assert len(server.calls) == calls
    assert "expected titles or strict, got 'x'" in shell.habitus("parse", "run", "--parser", "x").stderr


def test_a_run_that_drifted_is_refused_with_the_difference(shell_of):
    with FaultServer() as server:
        shell = shell_of(server)
        assert shell.run().returncode == 0
        drifted = shell.run("--set=ask.temperature=0.7")
    assert drifted.returncode == 1
    assert "openai:tiny temperature 0" in drifted.stderr
    assert "-> 0.7" in drifted.stderr
    manifest = json.loads((shell.folder / "run" / "manifest.json").read_text())
    assert KEY not in json.dumps(manifest)
