"""kill -9 at any step of ordering and collecting: the next run finds what was ordered, and orders nothing twice.

Run as a program, this file is the victims' nursery: one process that has imported everything and forks a run per kill.
"""

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from habitus_runners.calls.account import Account
from habitus_runners.calls.purse import Purse
from habitus_runners.errors import HabitusError
from habitus_runners.faults import BatchEnd, FaultServer, Latency
from habitus_runners.ledger import Ledger
from habitus_runners.model import Request
from habitus_runners.models.openai_api import batch
from habitus_runners.models.openai_api.batches import orders
from habitus_runners.models.openai_api.batches.files import Limits
from habitus_runners.settings import settings

KILLS = int(os.environ.get("HABITUS_KILLS", "4"))
"""How many kills there are of each kind; a release sees 60, which is every step of a run."""
QUESTIONS = 5
STEPS = 60
"""More than a run has: ledger writes and calls, each with a before and an after."""
_RUNS = 8


def _ask(url, folder, trial):
    """One run; how many answers, and why it ended."""
    wanted = settings("paper", {"ask.base_url": url, "calls.deadline_s": 20})
    asked = [Request(row, f"task-{row}", f"trial {trial}, person {row}") for row in range(QUESTIONS)]
    good, end = set(), None
    with Ledger(folder / f"{trial}.sqlite") as ledger:
        model = batch.create("m", "text", wanted, 3, Account(ledger, Purse()))
        try:
            good.update(answer.task_id for answer in model.answers(asked) if answer.error is None)
        except HabitusError as early:
            end = str(early)
    return {"answers": len(good), "end": end}


def _armed(step):
    """Have this process killed at one step: before or after a call to the service, or a write of the ledger."""
    counted = itertools.count()

    def watched(method):
        def around(*arguments, **named):
            if next(counted) == step:
                os.kill(os.getpid(), signal.SIGKILL)
            result = method(*arguments, **named)
            if next(counted) == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return around

    httpx2.Client.send = watched(httpx2.Client.send)
    for name in ("open_batch", "batch_step", "keep"):
        setattr(Ledger, name, watched(getattr(Ledger, name)))


def _forked(do):
    child = os.fork()
    if child == 0:
        try:
            do()
        except BaseException as error:  # noqa: BLE001 - a child must not go on as its parent
            sys.stderr.write(f"{error!r}\n")
            os._exit(1)
        os._exit(0)
    return child


def _nursery(url, folder, trials):
    """Per trial: a run that is killed, then runs until all is answered. One line of JSON each."""
    orders.SETTLING_S = 0.2
    batch.LIMITS = Limits(requests=2)
    while _ask(url, folder, "unharmed")["end"]:
        pass  # and with that everything is loaded that a run loads late
    for trial, step, after_s in trials:

        def run(trial=trial, step=step):
            if step is not None:
                _armed(step)
            _ask(url, folder, trial)

        child = _forked(run)
        if after_s is not None:
            time.sleep(after_s)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        runs = [_finished(url, folder, trial)]
        while runs[-1]["end"] and len(runs) < _RUNS:
            runs.append(_finished(url, folder, trial))
        line = {"trial": trial, "killed": os.WIFSIGNALED(status), "runs": runs}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def _finished(url, folder, trial):
    told, tell = os.pipe()
    child = _forked(lambda: os.write(tell, json.dumps(_ask(url, folder, trial)).encode()))
    os.close(tell)
    with os.fdopen(told) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return json.loads(said)


def _killed(server, folder, trials):
    """Let the nursery do its work; what became of each trial."""
    done = subprocess.run(
        [sys.executable, __file__, server.url, str(folder), json.dumps(trials)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def _draw(seed):
    return random.Random(seed)  # noqa: S311 - a fixed draw, not a secret


def _ends(number):
    """Ends for any number of batches: half of them leave something to be ordered again."""
    turn = [BatchEnd("expired", answered=0.5, shuffled=True), BatchEnd(doubled=1), BatchEnd(polls=2), BatchEnd()]
    return turn * number


def _all_answered_and_paid_once(server, outcomes):
    for outcome in outcomes:
        assert outcome["runs"][-1] == {"answers": QUESTIONS, "end": None}, outcome
    assert len(server.generated) == QUESTIONS * (len(outcomes) + 1)
    assert set(server.generated.values()) == {1}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_any_step_nothing_is_lost_or_ordered_twice(tmp_path):
    steps = sorted(_draw(4).sample(range(STEPS), min(KILLS, STEPS)))
    with FaultServer(batches=_ends(10 * KILLS)) as server:
        outcomes = _killed(server, tmp_path, [(number, step, None) for number, step in enumerate(steps)])
        _all_answered_and_paid_once(server, outcomes)
    assert sum(outcome["killed"] for outcome in outcomes) > len(steps) // 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_any_time_nothing_is_lost_or_ordered_twice(tmp_path):
    draw = _draw(5)
    trials = [(number, None, draw.uniform(0.01, 0.4)) for number in range(KILLS)]
    routes = ("POST /files", "POST /batches", "GET /batches/{id}", "GET /files/{id}/content")
    with FaultServer(dict.fromkeys(routes, Latency(0.01)), batches=_ends(10 * KILLS)) as server:
        outcomes = _killed(server, tmp_path, trials)
        _all_answered_and_paid_once(server, outcomes)
    assert sum(outcome["killed"] for outcome in outcomes) > len(trials) // 3


if __name__ == "__main__":
    _nursery(sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3]))
