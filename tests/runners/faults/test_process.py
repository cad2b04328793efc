"""The server as a process of its own, and the plugin: what they print, write and import."""

import json
import signal
import subprocess
import sys
import urllib.request

import pytest
from tests.runners.faults.questions import client, question

from habitus_runners.faults.__main__ import main

pytest_plugins = ["pytester"]


def test_the_process_prints_its_url_and_writes_its_log(tmp_path):
    log = tmp_path / "log.json"
    command = [sys.executable, "-m", "habitus_runners.faults", "--port", "0", "--log", str(log)]
    command += ["--plan", "toomany:form=ms,after=0.01", "ok", "quota", "--route", "GET /models", "status:status=503"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().strip()
        with client(url) as made:
            answer = made.with_options(max_retries=1).chat.completions.create(**question())
            assert answer.choices
            with pytest.raises(Exception, match="quota"):
                made.chat.completions.create(**question(seed=1))
            with pytest.raises(Exception, match="503"):
                made.models.list()
        with urllib.request.urlopen(f"{url.removesuffix('/v1')}/faults/log") as reply:  # noqa: S310 - our own loopback
            asked = json.load(reply)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    told = json.loads(log.read_text())
    assert told == asked
    assert told["statuses"] == {"429": 2, "200": 1, "503": 1}
    assert told["paid_answers"] == 1
    assert list(tmp_path.iterdir()) == [log]


def test_a_plan_that_is_none_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["--plan", "nonsense"])
    assert "expected one of" in capsys.readouterr().err


def test_the_server_needs_the_standard_library_alone():
    look = (
        "import sys; before = set(sys.modules); import habitus_runners.faults.__main__; "
        "new = {name.split('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(new - set(sys.stdlib_module_names) - {'habitus_runners'}))"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_plugin_brings_the_fixture_and_closes_its_servers(pytester):
    pytester.makepyfile("""
        import threading
        import urllib.request

        from habitus_runners.faults import Status

        def test_asks(fault_server):
            first, second = fault_server(), fault_server(Status(503), seed=1)
            assert urllib.request.urlopen(first.url + "/models").status == 200
            assert first.url != second.url

        def test_after():
            assert "fault server" not in {thread.name for thread in threading.enumerate()}
    """)
    pytester.runpytest("-p", "no:cacheprovider").assert_outcomes(passed=2)
