"""kill -9 at any point loses no answer that was said to be durable, and what was in flight is counted when repeated."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from tests.runners.ledger import sender

from habitus_runners.ledger import Ledger, Sending
from habitus_runners.ledger.listing import damage

KILLS = int(os.environ.get("HABITUS_KILLS", "12"))
ANSWERS_PER_KILL = 250
OPEN = """SELECT count(*) FROM sendings LEFT JOIN failures USING (sending) LEFT JOIN answers USING (sending)
WHERE failures.sending IS NULL AND answers.sending IS NULL"""


class Process:
    """A sender. What it says goes into a file: a full pipe would make it wait in the middle of what it does."""

    def __init__(self, path, count, seed=0, holds="no"):
        self._output = path.with_name(f"said-{os.urandom(4).hex()}")
        command = [sys.executable, sender.__file__, str(path), str(count), str(seed), holds]
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(command, stdout=output)

    def said(self):
        """By kind, whole lines alone."""
        lines = [line.split() for line in self._output.read_text().splitlines(keepends=True) if line.endswith("\n")]
        return {kind: [name for what, name in lines if what == kind] for kind in ("sent", "answered", "known", "end")}

    def wait_for(self, sent):
        """Return once so many questions were sent."""
        while len(self.said()["sent"]) < sent and self._process.poll() is None:
            time.sleep(0.005)

    def kill(self):
        """What it had said before."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        return self.said()

    def finished(self):
        """What it said, when it has done all."""
        assert self._process.wait(timeout=120) == 0
        return self.said()


def check(path, durable):
    """Nothing that was said to be durable is missing or changed; the number of sendings whose end is unknown."""
    with Ledger(path) as ledger:
        assert damage(ledger) == []
        known = ledger.known(durable)
        assert known.keys() == durable
        assert all(reply.text == f"answer to {answer_id} " * 10 for answer_id, reply in known.items())
        ((unknown,),) = ledger.rows(OPEN)
        return unknown


def test_no_answer_is_lost_and_every_repeat_is_counted(tmp_path):
    path, draw = tmp_path / "ledger.sqlite", random.Random(4)  # noqa: S311 - draws moments
    count, durable, unknown, in_mid_run = KILLS * ANSWERS_PER_KILL, set(), 0, 0
    for point in range(KILLS):
        process = Process(path, count, point)
        process.wait_for(sent=1 if point % 4 else 0)
        time.sleep(draw.uniform(0, 0.25))
        before = process.kill()
        durable |= set(before["answered"])
        in_mid_run += bool(before["answered"]) and not before["end"]
        unknown_now = check(path, durable)
        assert unknown <= unknown_now <= unknown + 2 * sender.TOGETHER
        unknown = unknown_now
    assert in_mid_run >= KILLS // 2
    assert Process(path, count).finished()["end"]
    with Ledger(path) as ledger:
        everything = [sender.question(number).answer_id for number in range(count)]
        assert len(ledger.known(everything)) == count
        assert ledger.repeats() == ledger.repeats(everything) == unknown
        assert damage(ledger) == []


def test_what_a_killed_runner_was_sending_may_be_sent_at_once(tmp_path):
    path, count = tmp_path / "ledger.sqlite", 40
    process = Process(path, count, holds="hold")
    process.wait_for(sent=count)
    asked = [sender.question(number) for number in range(count)]
    with Ledger(path) as ledger:
        living = {ledger.send(one).result().runner for one in asked}
        assert len(living) == 1
        assert living != {ledger.runner.name}
        process.kill()
        assert all(isinstance(ledger.send(one).result(), Sending) for one in asked)
        assert ledger.repeats() == count


@pytest.mark.parametrize("runners", [2, 4])
def test_several_runners_send_every_question_once(tmp_path, runners):
    path, count = tmp_path / "ledger.sqlite", 1000
    processes = [Process(path, count, seed) for seed in range(runners)]
    told = [process.finished() for process in processes]
    sent = [answer_id for one in told for answer_id in one["sent"]]
    assert len(sent) == len(set(sent)) == count
    for one in told:
        assert sorted(one["answered"]) == sorted(one["sent"])
        assert len(set(one["known"]) | set(one["answered"])) == count
    assert check(path, {sender.question(number).answer_id for number in range(count)}) == 0
    with Ledger(path) as ledger:
        assert ledger.repeats() == 0


def test_nothing_but_the_ledger_is_left(tmp_path):
    folder = tmp_path / "of its own"
    with Ledger(folder / "ledger.sqlite") as ledger:
        ledger.send(sender.question(1)).result()
        ledger.known(["x"])
    assert {file.name for file in folder.iterdir()} == {"ledger.sqlite", "ledger.sqlite.runners"}
    assert [file.name for file in (folder / "ledger.sqlite.runners").iterdir()] == ["opening.lock"]
