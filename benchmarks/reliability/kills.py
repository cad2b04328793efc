"""`kill -9` in mid-run, again and again, then resume: what is paid for twice, and what is lost.

Every run is killed at moments drawn uniformly within a stage: while it asks, while it starts (before its first call),
while it finishes (after its last answer). Kept is an answer that is on the disk at that moment; completed is one that
the service had wholly sent 0.1 s before.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from benchmarks import timing
from benchmarks.reliability import ours
from benchmarks.reliability.bar import Bar, Found, Size, of_each
from benchmarks.reliability.processes import Child, Ended
from benchmarks.reliability.systems import CONCURRENCY, Job, Results, System

from habitus_runners.faults import Call, FaultServer
from habitus_runners.faults.answers import answer_text

LATENCY_S = (0.03, 0.1)
STAGES = {"asking": 0.8, "start": 0.1, "finish": 0.1}
_GRACE_S = 0.1
_LONGEST_S = 0.3
_LOOK_S = 0.005
_KILLS_OF_A_RUN = 14
_LIFE_S = 240


class Durations(NamedTuple):
    """Seconds of a run that nobody disturbs, before its first call and after its last answer."""

    start: float
    finish: float


class Kill(NamedTuple):
    """One kill.

    Attributes:
        stage: in which it came.
        calls: that the service had seen.
        completed: keys of the questions that it had wholly answered 0.1 s before.
        in_flight: calls of this life that it had not, or later than that.
        kept: keys of the questions whose answers were on the disk then.
    """

    stage: str
    calls: int
    completed: frozenset[str]
    in_flight: int
    kept: frozenset[str]


class Course(NamedTuple):
    """One run: its kills, and what the last life left. ``counted``: what may be paid twice, as the ledger says."""

    questions: int
    kills: tuple[Kill, ...]
    calls: tuple[Call, ...]
    last: Ended
    results: Results
    kept: frozenset[str]
    counted: int | None

    @property
    def asked_again(self) -> int:
        """Answers generated beside one for each question."""
        return len(self.calls) - len({call.key for call in self.calls})

    @property
    def completed_again(self) -> int:
        """Of these, answers that the service had wholly sent before a kill."""
        return self._again(lambda kill: kill.completed)

    @property
    def kept_again(self) -> int:
        """Of these, answers that were on the disk at a kill."""
        return self._again(lambda kill: kill.kept)

    @property
    def lost(self) -> int:
        """Answers that were on the disk at a kill and are not in the end."""
        return len(frozenset().union(*(kill.kept for kill in self.kills)) - self.kept)

    @property
    def complete(self) -> bool:
        """Every question has its answer in the results."""
        return self.last.status == 0 and self.results == Results(self.questions, file=True)

    def _again(self, keys: Callable[[Kill], frozenset[str]]) -> int:
        later = [call.number for kill in self.kills for call in self.calls[kill.calls :] if call.key in keys(kill)]
        return len(set(later))


class Texts(dict[str, str]):
    """The answers that a service gave, by question."""

    def __call__(self, body: dict[str, Any], key: str, seed: int) -> str:
        """As the service answers by itself."""
        return self.setdefault(key, answer_text(body, key, seed))

    def among(self, content: bytes) -> frozenset[str]:
        """The questions whose answers stand in there."""
        return frozenset(key for key, text in dict(self).items() if text.encode() in content)


def measure(system: System, folder: Path, size: Size) -> Found:
    """Runs of many lengths until there were so many kills."""
    wanted = size.kills if isinstance(system, ours.Habitus) else size.peer_kills
    rng = np.random.default_rng(0)
    durations = _undisturbed(system, folder / "undisturbed", size.questions)
    courses: list[Course] = []
    done = 0
    while done < wanted:
        questions = 5 * int(rng.integers(size.questions // 5, size.questions * 3 // 5, endpoint=True))
        drawn = rng.choice(list(STAGES), size=min(wanted - done, _KILLS_OF_A_RUN), p=list(STAGES.values()))
        stages = sorted(map(str, drawn), key="finish".__eq__)
        courses.append(_course(system, Job(folder / f"run-{len(courses)}", questions, ""), stages, durations, rng))
        done += len(courses[-1].kills)
        timing.progress(f"{system.name}: {done} of {wanted} kills")
    return _summary(courses, durations)


def say(found: Found) -> str:
    """In words."""
    counted = "" if found["counted"] is None else f", {found['counted']} counted by itself"
    return (
        f"{found['kills']} kills, {found['answers']} answers: {found['lost']} kept ones lost, {found['kept_again']}"
        f" kept ones paid twice, {found['completed_again']} completed ones; {found['asked_again']} in all,"
        f" {found['in_flight']} in flight{counted}; {found['complete']} of {found['runs']} runs complete"
    )


def _undisturbed(system: System, folder: Path, questions: int) -> Durations:
    with FaultServer(latency_s=LATENCY_S) as server:
        began = time.monotonic()
        child = Child(system.ask(Job(folder, questions, server.url)), folder)
        ended = child.wait(_LIFE_S) or child.kill()
        calls = server.calls
        if not calls:
            raise RuntimeError(f"expected {system.name} to call the service, it said {ended.last_line!r}")
        return Durations(calls[0].came_s - began, time.monotonic() - calls[-1].came_s)


def _course(system: System, job: Job, stages: list[str], durations: Durations, rng: np.random.Generator) -> Course:
    kills: list[Kill] = []
    texts = Texts()
    with FaultServer(latency_s=LATENCY_S, answer=texts) as server:
        job = job._replace(url=server.url)
        command, last = system.ask(job), None
        for stage in stages:
            if stage == "asking" and len(server.generated) == job.questions:
                continue
            child = Child(command, job.folder)
            before = len(server.calls)
            _wait(child, server, stage, job.questions, durations, rng)
            kill, last = _killed(child, server, stage, before)
            if last is not None:
                break
            kills.append(kill._replace(kept=texts.among(system.kept(job))))
            command = system.resume(job)
        if last is None:
            child = Child(command, job.folder)
            last = child.wait(_LIFE_S) or child.kill()
        calls = tuple(call for call in server.calls if call.key in server.generated)
    counted = ours.repeats(job) if isinstance(system, ours.Habitus) else None
    kept = texts.among(system.kept(job))
    return Course(job.questions, tuple(kills), calls, last, system.results(job), kept, counted)


def _killed(child: Child, server: FaultServer, stage: str, before: int) -> tuple[Kill, Ended | None]:
    """Kill it; how it ended, if it did so by itself before."""
    completed = frozenset(call.key for call in server.calls if call.finished)
    last = child.wait(_GRACE_S)
    if last is None:
        child.kill()
    calls = server.calls
    in_flight = sum(call.key not in completed for call in calls[before:])
    return Kill(stage, len(calls), completed, in_flight, frozenset()), last


def _wait(
    child: Child, server: FaultServer, stage: str, questions: int, durations: Durations, rng: np.random.Generator
) -> None:
    """Return when the kill is due, or once it ended."""
    seen, until = len(server.calls), time.monotonic() + _LIFE_S
    missing = questions - len(server.generated)
    if stage == "start":
        child.wait(float(rng.uniform(0, durations.start)))
        return
    while time.monotonic() < until and child.wait(_LOOK_S) is None:
        if stage == "asking" and len(server.calls) > seen:
            takes = missing * sum(LATENCY_S) / 2 / CONCURRENCY
            child.wait(float(rng.uniform(0, min(takes, _LONGEST_S))))
            return
        if stage == "finish" and len(server.generated) == questions:
            child.wait(float(rng.uniform(0, durations.finish)))
            return


def _summary(courses: list[Course], durations: Durations) -> Found:
    kills = [kill for course in courses for kill in course.kills]
    counted = [course.counted for course in courses if course.counted is not None]
    return {
        "kills": len(kills),
        "stages": {stage: sum(kill.stage == stage for kill in kills) for stage in STAGES},
        "runs": len(courses),
        "complete": sum(course.complete for course in courses),
        "answers": sum(course.questions for course in courses),
        "asked_again": sum(course.asked_again for course in courses),
        "kept_again": sum(course.kept_again for course in courses),
        "completed_again": sum(course.completed_again for course in courses),
        "in_flight": sum(kill.in_flight for kill in kills),
        "most_in_flight": max(kill.in_flight for kill in kills),
        "lost": sum(course.lost for course in courses),
        "counted": sum(counted) if counted else None,
        "answered_at": [
            round(len(kill.completed) / course.questions, 2) for course in courses for kill in course.kills
        ],
        "ends": [
            [course.last.status, *course.results, course.last.complaint] for course in courses if not course.complete
        ],
        "seconds": {name: round(seconds, 1) for name, seconds in durations._asdict().items()},
    }


BAR = Bar(
    "1",
    "`kill -9` in mid-run, then resume",
    "no completed answer lost or paid twice; repeats ≤ in flight, and counted",
    of_each(measure),
    say,
)
