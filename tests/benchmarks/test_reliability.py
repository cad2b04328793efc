"""The bars can be missed: a careless client misses them. Habitus is put to them at a small size, peers if there."""

import gzip
import json
import os
import signal
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest
from benchmarks.kept import ROOT
from benchmarks.reliability import caches, hostile, keys, kills, processor, starts, together, troubles
from benchmarks.reliability.__main__ import BARS
from benchmarks.reliability.bar import Size
from benchmarks.reliability.inspect_peer import Inspect
from benchmarks.reliability.kept import Measured
from benchmarks.reliability.lm_eval_peer import LmEval
from benchmarks.reliability.ours import Habitus
from benchmarks.reliability.processes import Child, Command, run
from benchmarks.reliability.systems import Job, Results, System, prompts, written

from habitus_runners.faults import FaultServer

SIZE = Size(kills=4, peer_kills=3, questions=75, answers=100, rounds=1, patience_s=2)
PEERS = Path(os.environ.get("HABITUS_PEERS_PYTHON", sys.executable))
CARELESS = """
import json, sys, urllib.request
from pathlib import Path
url, model, key, questions, results, cache = sys.argv[1:]
known = json.loads(Path(cache).read_text()) if Path(cache).exists() else {}
print("Authorization: Bearer", key)
answers = {}
for number, line in enumerate(Path(questions).read_text().splitlines()):
    prompt = json.loads(line)["prompt"]
    answers[number] = known.get(prompt)
    while answers[number] is None:
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": prompt}]}).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
        try:
            with urllib.request.urlopen(urllib.request.Request(f"{url}/chat/completions", body, headers)) as response:
                answers[number] = json.load(response)["choices"][0]["message"]["content"]
        except urllib.error.HTTPError as error:
            if error.code == 401:
                sys.exit(error.read().decode())
    Path(results + ".new").write_text(json.dumps(answers))
    Path(results + ".new").replace(results)
known = {json.loads(line)["prompt"]: answers[n] for n, line in enumerate(Path(questions).read_text().splitlines())}
Path(cache).parent.mkdir(exist_ok=True)
Path(cache).write_text(json.dumps(known))
"""


class Careless(NamedTuple):
    """A client that one writes in five minutes: it keeps nothing until the end, by prompt alone, and never gives up."""

    name: str = "careless 1"

    def lacks(self) -> str | None:
        """Nothing."""
        return None

    def ask(self, job: Job) -> Command:
        """Ask one question after the other."""
        cache, results = job.kept / "answers.json", job.folder / "results.json"
        places = (str(written(job)), str(results), str(cache))
        return Command((sys.executable, "-c", CARELESS, job.url, job.model, job.key, *places), job.environment)

    def resume(self, job: Job) -> Command:
        """Begin again."""
        return self.ask(job)

    def results(self, job: Job) -> Results:
        """One file."""
        path = job.folder / "results.json"
        return Results(len(json.loads(path.read_text())) if path.exists() else 0, path.exists())

    def kept(self, job: Job) -> bytes:
        """The results, which it does not read again."""
        path = job.folder / "results.json"
        return "\n".join(json.loads(path.read_text()).values()).encode() if path.exists() else b""

    def shown(self, job: Job) -> list[Command]:
        """None is packed."""
        del job
        return []

    def help(self) -> Command:
        """Python's own."""
        return Command((sys.executable, "--help"), {})

    def offline(self, job: Job) -> Command:
        """The same."""
        return self.ask(job)


def one(bar, system: System, folder: Path, size: Size = SIZE):
    found = bar.measure([system], folder, size)
    kept = Measured({}).having("one", found, {"date": "2025-01-31"})
    assert bar.say(found[system.name]) in kept.table({"one": bar}).replace("\\|", "|")
    return found[system.name]


def test_every_question_is_a_prompt_of_its_own() -> None:
    assert len(set(prompts(75))) == 75
    assert set(prompts(25)) != set(prompts(75))
    with pytest.raises(ValueError, match="a multiple of 5"):
        prompts(12)


def test_a_command_ends_or_is_killed(tmp_path: Path) -> None:
    ended = run(Command((sys.executable, "-c", "print('one'); print('two'); raise SystemExit(3)"), {}), tmp_path)
    assert (ended.status, ended.last_line) == (3, "two")
    assert ended.processor > 0
    assert ended._replace(output="OSError: no\n-----\nend\n----\n").complaint == "OSError: no"
    assert ended._replace(output="all went well\n-----\n").complaint == "all went well"
    child = Child(Command((sys.executable, "-c", "import time; time.sleep(60)"), {}), tmp_path)
    assert child.wait(0) is None
    assert child.kill().status == -signal.SIGKILL
    assert child.kill() is child.ended()


def test_a_careless_client_pays_again_for_what_it_has(tmp_path: Path) -> None:
    seen = {"kept_again": 0, "completed_again": 0}
    for attempt in range(5):  # a moment is drawn, and a busy machine may have answered nothing before it
        folder = tmp_path / str(attempt)
        folder.mkdir()
        found = one(kills.BAR, Careless(), folder, SIZE._replace(questions=25))
        assert found["asked_again"] >= found["completed_again"]
        assert found["lost"] == 0
        seen = {name: count + found[name] for name, count in seen.items()}
        if all(seen.values()):
            return
    pytest.fail(f"expected a careless client to pay again, saw {seen}")


def test_a_careless_client_calls_an_empty_account_until_it_is_interrupted(tmp_path: Path) -> None:
    found = one(troubles.QUOTA, Careless(), tmp_path)
    assert not found["by_itself"]
    assert found["useless"] > 0


def test_a_careless_client_serves_another_models_answers(tmp_path: Path) -> None:
    changed = one(caches.BAR, Careless(), tmp_path)["changed"]
    assert [changed[name]["from_cache"] for name in ("nothing", "model", "endpoint")] == [20, 20, 20]


def test_a_careless_client_prints_its_key(tmp_path: Path) -> None:
    found = one(keys.BAR, Careless(), tmp_path)["cases"]
    assert all(one["places"] == ["job/output-0.txt"] for one in found.values())
    assert len(found) == 4


def test_two_careless_clients_pay_twice(tmp_path: Path) -> None:
    assert one(together.BAR, Careless(), tmp_path)["paid_twice"] > 0


def test_a_careless_client_needs_the_network(tmp_path: Path) -> None:
    for way in one(starts.OFFLINE, Careless(), tmp_path)["ways"].values():
        assert way["status"] != 0


def test_hostile_answers_reach_every_fifth_question(tmp_path: Path) -> None:
    found = one(hostile.BAR, Careless(), tmp_path)
    assert found["hostile"] == 3
    with FaultServer(answer=hostile.Hostile("[" * 1000)) as server:
        job = Job(tmp_path / "short", 15, server.url)
        run(Careless().ask(job), job.folder)
    texts = json.loads((job.folder / "results.json").read_text()).values()
    assert sum(text == "[" * 1000 for text in texts) == 3


def test_a_key_is_found_wherever_it_is(tmp_path: Path) -> None:
    (tmp_path / "clean.txt").write_text("no key")
    (tmp_path / "a.gz").write_bytes(gzip.compress(keys.CANARY.encode()))
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside", keys.CANARY * 100)
    (tmp_path / "c.txt").write_text(f"shown as {keys.CANARY[8:-2]}")
    assert sorted(keys.leaks(tmp_path)) == ["a.gz", "b.zip", "c.txt"]


def test_processor_time_is_taken_beside_the_bare_client(tmp_path: Path) -> None:
    found = one(processor.BAR, Careless(), tmp_path)
    ((few, many),) = found["seconds"]
    assert found["ms"] == pytest.approx((many - few) / 100 * 1000, abs=0.2)
    assert found["times_bare"] == pytest.approx(found["ms"] / found["bare_ms"], abs=0.01)


def test_habitus_pays_once_whatever_kills_it(tmp_path: Path) -> None:
    found = one(kills.BAR, Habitus(), tmp_path)
    assert found["kills"] == 4
    assert (found["lost"], found["kept_again"]) == (0, 0)
    assert found["asked_again"] <= min(found["in_flight"], found["counted"] or 0)
    assert found["complete"] == found["runs"]


def test_habitus_comes_through_bad_weather(tmp_path: Path) -> None:
    (found,) = one(troubles.WEATHER, Habitus(), tmp_path)["runs"]
    assert (found["answered"], found["file"], found["status"], found["paid"]) == (75, True, 0, 75)


def test_habitus_stops_at_an_empty_account(tmp_path: Path) -> None:
    found = one(troubles.QUOTA, Habitus(), tmp_path, SIZE._replace(patience_s=60))
    assert found["by_itself"]
    assert found["status"] == 3
    assert found["useless"] <= found["in_flight"]
    assert "habitus resume" in found["last_line"]


def test_habitus_tells_its_key_to_the_service_alone(tmp_path: Path) -> None:
    for found in one(keys.BAR, Habitus(), tmp_path)["cases"].values():
        assert found["sent"]
        assert found["places"] == []


@pytest.mark.parametrize("peer", [Inspect(PEERS), LmEval(PEERS)], ids=lambda peer: type(peer).__name__)
def test_a_peer_asks_and_keeps(peer: System, tmp_path: Path) -> None:
    if peer.lacks():
        pytest.skip(f"{peer.lacks()}; HABITUS_PEERS_PYTHON names another Python")
    texts = kills.Texts()
    with FaultServer(answer=texts) as server:
        job = Job(tmp_path / "job", 20, server.url)
        ended = run(peer.ask(job), job.folder)
    assert ended.status == 0, ended.output
    assert peer.results(job) == Results(20, file=True)
    assert texts.among(peer.kept(job)) == frozenset(texts)


def test_what_is_kept_is_added_to(tmp_path: Path) -> None:
    of = {"date": "2025-01-31"}
    first = Measured({}).having("help", {"a 1": {"seconds": 0.5}, "b 1": {"seconds": 2.0}}, of)
    then = first.having("help", {"a 2": {"seconds": 0.25}}, of)
    then.keep(tmp_path / "reliability.json")
    again = Measured.read(tmp_path / "reliability.json")
    assert again == then
    assert again.bars["help"] == {
        "b 1": {"seconds": 2.0, "measured": of},
        "a 2": {"seconds": 0.25, "measured": of},
    }
    assert Measured.read(tmp_path / "none.json") == Measured({})


def test_the_table_has_a_row_for_every_bar_that_was_measured() -> None:
    kept = Measured.read()
    lines = kept.table(BARS).splitlines()
    assert len(lines) == 2 + sum(name in kept.bars for name in BARS)
    assert len({line.count(" | ") for line in lines[2:]} | {lines[0].count(" | ")}) == 1


def test_the_readme_shows_what_is_kept() -> None:
    readme = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    assert Measured.read().table(BARS) in readme
