"""`doctor --chaos`: the real runners pass, and a runner that does worse is found out."""

import json
import logging
import os
import signal
import sys
import urllib.request

import pytest

from habitus_runners import chaos
from habitus_runners.chaos import Seen, Trial, places_of
from habitus_runners.faults import Ok, Status
from habitus_runners.model import Answer

pytest.importorskip("openai", reason="the openai runner needs the extra [openai]")


@pytest.fixture(scope="module")
def checks():
    before = _global_state()
    made = chaos.examine()
    assert _global_state() == before
    return made


def _global_state():
    """What the trials change and put back."""
    root = logging.getLogger()
    names = ("HABITUS_API_KEY", "NO_PROXY", "no_proxy")
    environment = [os.environ.get(name) for name in names]
    return environment, root.level, list(root.handlers), signal.getsignal(signal.SIGINT)


def test_the_runners_pass_every_trial(checks):
    assert [check for check in checks if not check.good] == []
    assert [check.name for check in checks] == [*(trial.name for trial in chaos.trials()), "chaos, the API key"]


def _seen(answered=24, *, stopped=None, calls=24, calls_again=0, text="[]", **counts):
    answers = [Answer(str(row), text, error=None if row < answered else "503") for row in range(24)]
    summary = {"paid_again": 0, "early": 0, "generated": calls, "paid_answers": answered} | counts
    return Seen(answers, stopped, calls, calls_again, summary)


TRIALS = {trial.name.removeprefix("chaos, "): trial for trial in chaos.trials()}


@pytest.mark.parametrize(
    ("name", "seen", "words"),
    [
        ("10 % 429 and 5 % 500", _seen(23), "expected 24 answers, got 23: 503"),
        ("10 % 429 and 5 % 500", _seen(stopped="no"), "it stopped: no"),
        ("10 % 429 and 5 % 500", _seen(calls_again=2), "expected no call for known answers, got 2"),
        ("connections cut", _seen(paid_again=3), "3 answers paid twice"),
        ("429 in every form", _seen(early=1), "1 calls before Retry-After"),
        ("no money left", _seen(10, stopped="habitus resume continues", calls=19), "at most 8 calls in vain, got 9"),
        ("no money left", _seen(9, stopped="habitus resume continues", calls=9), "10 answers that were paid, got 9"),
        ("no money left", _seen(10, stopped="bye", calls=10), "a line that says how to go on"),
        ("no money left", _seen(10, calls=10), "expected it to stop"),
        ("key refused", _seen(0, calls=8), "expected it to stop"),
        ("model unknown", _seen(0, stopped="404", calls=9), "at most 8 calls in vain, got 9"),
        ("answers of 10 MB", _seen(22), "expected 23 answers, got 22"),
        ("answers of 10 MB", _seen(23, text="x" * 2_000_000), "got 2,000,000 characters"),
    ],
)
def test_what_is_wrong_is_said(name, seen, words):
    check = chaos._check(TRIALS[name], seen)
    assert not check.good
    assert words in check.seen


def test_a_key_is_found_wherever_it_stands(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "ledger").write_bytes(b"\x00\xffsk-canary\x00")
    (tmp_path / "sk-canary.txt").write_text("")
    (tmp_path / "clean").write_text("sk-")
    assert list(places_of("sk-canary", "a line with sk-canary", tmp_path)) == ["a message", "ledger", "sk-canary.txt"]
    assert list(places_of("sk-other", "", tmp_path)) == []


def test_a_key_in_a_log_line_is_found(monkeypatch):
    def leaking(module, url, folder):
        del module, url
        logging.getLogger("habitus.somewhere").debug("sent %s", os.environ["HABITUS_API_KEY"])
        (folder / "left-behind").write_text(os.environ["HABITUS_API_KEY"])
        return [], None

    monkeypatch.setattr(chaos, "_asked", leaking)
    monkeypatch.setattr(chaos, "trials", lambda: [Trial("leak", Ok(), lambda _: iter(()))])
    _, key = chaos.examine()
    assert not key.good
    assert key.seen == "found in leak: left-behind; a log line or warning"


def test_whatever_escapes_is_a_finding(monkeypatch):
    def failing(module, url, folder):
        del module, url, folder
        raise KeyError(os.environ["HABITUS_API_KEY"])

    monkeypatch.setattr(chaos, "_asked", failing)
    monkeypatch.setattr(chaos, "trials", lambda: [Trial("escape", Status(500), lambda _: iter(()))])
    escaped, key = chaos.examine()
    assert not escaped.good
    assert escaped.seen.startswith("KeyError")
    assert key.seen == "found in escape: a message"


def test_without_the_package_it_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    assert "habitus[openai]" in chaos.examine()[0].seen


def test_a_careless_runner_does_not_pass(monkeypatch, tmp_path):
    """It asks everything twice, and once more when it is asked again."""

    def careless(module, url, folder):
        del module, folder
        answers = []
        for request in chaos._requests():
            body = {"model": "fault-1", "messages": [{"role": "user", "content": request.prompt}]}
            for _ in range(2):
                headers = {"content-type": "application/json"}
                sent = urllib.request.Request(f"{url}/chat/completions", json.dumps(body).encode(), headers)  # noqa: S310
                with urllib.request.urlopen(sent) as reply:  # noqa: S310 - our own loopback
                    text = json.load(reply)["choices"][0]["message"]["content"]
            answers.append(Answer(request.task_id, text))
        return answers, None

    monkeypatch.setattr(chaos, "_asked", careless)
    trial = Trial("careless", Ok(), TRIALS["odd answers"].wrong)
    check = chaos._check(trial, chaos.run(trial, tmp_path))
    assert check.seen == (
        "24 of 24 answered in 48 calls; expected no call for known answers, got 48; 24 answers paid twice"
    )
