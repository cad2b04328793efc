"""`habitus doctor --chaos`: what the `openai` and `openai-batch` runners do when a service fails in every way it can.

The runners are the real ones, and so are the server, its sockets and the ledger; questions are few and waits short.
"""

import importlib
import logging
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any, NamedTuple

from habitus_runners.doctor import Check
from habitus_runners.errors import Awaited, Stopped
from habitus_runners.faults import (
    Asked,
    Attempts,
    BatchEnd,
    Behaviour,
    Drip,
    Ended,
    FaultServer,
    Garbled,
    Hang,
    Huge,
    Mixture,
    NoChoices,
    NotFound,
    NoUsage,
    NullContent,
    Ok,
    Quota,
    Refusal,
    Reset,
    Status,
    TooMany,
    Unauthorised,
    WrongModel,
)
from habitus_runners.faults.plans import Plans
from habitus_runners.model import Answer, Request
from habitus_runners.settings import Settings, settings

_QUESTIONS = 24
_AT_ONCE = 8
_MONEY_FOR = 10
_KEY_VARIABLE = "HABITUS_API_KEY"
_ROUNDS = 12
_TRIALS_AT_ONCE = 4
_TIMEOUT_S = 2.0
_SPOILT = (
    BatchEnd("failed", code="token_limit_exceeded"),
    BatchEnd("expired", answered=0.5, shuffled=True),
    BatchEnd(renamed=2, doubled=2, strangers=1, half_line=True, errors=(429, 500)),
    BatchEnd(answered=0.5),
    BatchEnd(),
)
_TITLES = [f'"Film {number}"' for number in range(12)]


class Seen(NamedTuple):
    """What came of one trial."""

    answers: list[Answer]
    stopped: str | None
    calls: int
    calls_again: int
    summary: dict[str, Any]

    @property
    def answered(self) -> int:
        """Questions that have an answer."""
        return sum(answer.error is None for answer in self.answers)


class _Asked(NamedTuple):
    answers: list[Answer]
    stopped: str | None


class _Tried(NamedTuple):
    """``told`` is all that a user could have read."""

    check: Check
    told: str
    folder: Path


class Trial(NamedTuple):
    """One way of failing, and what has to be seen: ``wrong`` returns what is not as it should be."""

    name: str
    plan: Plans
    wrong: Callable[[Seen], Iterator[str]]
    batches: Sequence[BatchEnd] = ()


def examine() -> list[Check]:
    """Every trial, and at the end whether the API key turned up anywhere."""
    try:
        importlib.import_module("openai")
    except ModuleNotFoundError:
        seen = "expected the package openai, found none; pip install 'habitus[openai]' brings it"
        return [Check("openai runner", good=False, seen=seen)]
    key = f"sk-canary-{token_hex(16)}"
    with ExitStack() as held:
        place = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="habitus-chaos-")))
        held.enter_context(_environment({_KEY_VARIABLE: key, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}))
        lines = held.enter_context(_listening())
        with ThreadPoolExecutor(_TRIALS_AT_ONCE) as pool:
            tried = list(pool.map(partial(_tried, place), trials()))
        leaks = [f"{one.check.name}: {where}" for one in tried for where in places_of(key, one.told, one.folder)]
    leaks += ["a log line or warning"] if key in "\n".join(lines) else []
    found = f"found in {'; '.join(leaks)}" if leaks else "in no file, log line, message or answer"
    return [*(one.check for one in tried), Check("chaos, the API key", good=not leaks, seen=found)]


def trials() -> Sequence[Trial]:
    """Every way of failing that one run can show."""
    return [
        Trial("chaos, 10 % 429 and 5 % 500", Mixture([(TooMany(after=0.05), 0.10), (Status(500), 0.05)]), _complete),
        Trial("chaos, 429 in every form", _first(*_refusals()), _complete),
        Trial("chaos, 408, 409 and 5xx", _first(*map(Status, (408, 409, 500, 502, 503, 504))), _complete),
        Trial(
            "chaos, connections cut",
            _first(Reset("before"), Reset("after"), Reset("headers"), Reset("body")),
            _complete,
        ),
        Trial("chaos, no answer in time", _first(Hang(), Drip(seconds=60), Ok(), Ok()), _complete),
        Trial(
            "chaos, garbled answers", _first(Garbled("half"), Garbled("empty"), Garbled("html"), NoChoices()), _complete
        ),
        Trial(
            "chaos, odd answers",
            _first(Refusal(), NullContent(), Ended("length"), Ended("content_filter"), NoUsage(), WrongModel()),
            _complete,
        ),
        Trial("chaos, answers of 10 MB", lambda asked: Huge() if asked.number == 0 or asked.attempt else Ok(), _capped),
        Trial("chaos, no money left", lambda _: Quota(_MONEY_FOR), _out_of_money),
        Trial("chaos, key refused", lambda _: Unauthorised(), _refused),
        Trial("chaos, model unknown", lambda _: NotFound(), _refused),
        Trial("chaos, batches with faults", Ok(), _complete, _SPOILT),
        Trial("chaos, a batch created unheard", {"POST /batches": [Reset("after")]}, _complete, [BatchEnd()]),
    ]


def run(trial: Trial, folder: Path) -> Seen:
    """Ask the questions under a trial's faults, and once more, with one ledger in ``folder``."""
    module = "batch" if trial.batches else "chat"
    with FaultServer(trial.plan, batches=trial.batches) as server:
        answers, stopped = _asked(module, server.url, folder)
        calls, summary = len(server.calls), server.summary()
        _asked(module, server.url, folder)
        calls_again = len(server.calls) - calls
    return Seen(answers, stopped, calls, calls_again, summary)


def places_of(key: str, told: str, folder: Path) -> Iterator[str]:
    """Where a key stands: in what was told, in the name or the bytes of a file below ``folder``."""
    if key in told:
        yield "a message"
    for path in sorted(folder.rglob("*")):
        if key in str(path) or (path.is_file() and key.encode() in path.read_bytes()):
            yield path.name


def _tried(place: Path, trial: Trial) -> _Tried:
    folder = Path(tempfile.mkdtemp(dir=place))
    try:
        seen = run(trial, folder)
    except Exception as error:  # noqa: BLE001 - whatever escapes is the finding
        return _Tried(Check(trial.name, good=False, seen=f"{type(error).__name__}: {error}"), repr(error), folder)
    texts = [seen.stopped or "", *(f"{answer.text}\n{answer.error}" for answer in seen.answers)]
    return _Tried(_check(trial, seen), "\n".join(texts), folder)


def _first(*behaviours: Behaviour) -> Callable[[Asked], Behaviour]:
    """Each question's first attempt meets one of these, in turn; later attempts go well."""
    return lambda asked: Attempts([behaviours[asked.number % len(behaviours)]])(asked)


def _refusals() -> Iterator[Behaviour]:
    """Every form but ``huge``: what is told and can be meant is obeyed, and that takes minutes."""
    yield from (TooMany("seconds", 0.25), TooMany("ms", 0.25), TooMany("both", 0.25), TooMany("date", 0.25))
    yield from (TooMany("none"), TooMany("past"), TooMany("negative"), TooMany("infinite"), TooMany("garbage"))


def _asked(module: str, url: str, folder: Path) -> _Asked:
    """The answers of the real runner, and the line with which it stopped early.

    Orders are resumed until every answer is there: the runner leaves it to a user to order again what may be paid for.
    """
    from habitus_runners.calls.account import Account  # noqa: PLC0415 - openai is optional, and slow to load
    from habitus_runners.calls.purse import Purse  # noqa: PLC0415 - as above
    from habitus_runners.ledger import Ledger  # noqa: PLC0415 - as above

    create = importlib.import_module(f"habitus_runners.models.openai_api.{module}").create
    answers: list[Answer] = []
    early: str | None = None
    with Ledger(folder / "ledger.sqlite") as ledger:
        model = create("fault-1", "text", _settings(url), 3, Account(ledger, Purse()))
        for _ in range(_ROUNDS if module == "batch" else 1):
            early = None
            answers.clear()
            try:
                answers.extend(model.answers(_requests()))
            except (Awaited, Stopped) as raised:
                early = str(raised)
            else:
                break
    return _Asked(answers, early)


def _settings(url: str) -> Settings:
    """Two seconds are a long time for a server on the loopback, also while other trials run."""
    calls = {"calls.concurrency": _AT_ONCE, "calls.timeout_s": _TIMEOUT_S, "calls.deadline_s": 30.0}
    return settings("paper", {"ask.base_url": url, "ask.max_tokens": 64, **calls})


def _requests() -> list[Request]:
    listing = "\n".join(["Candidates:", *_TITLES])
    asked = "Reply with one JSON array of exactly 3 strings for person"
    return [Request(row, f"task {row}", f"{asked} {row}.\n{listing}\n") for row in range(_QUESTIONS)]


def _check(trial: Trial, seen: Seen) -> Check:
    wrong = list(trial.wrong(seen))
    if seen.summary["paid_again"]:
        wrong.append(f"{seen.summary['paid_again']} answers paid twice")
    if seen.summary["early"]:
        wrong.append(f"{seen.summary['early']} calls before Retry-After")
    lost = seen.summary["generated"] - seen.summary["paid_answers"]
    parts = [f"{seen.answered} of {_QUESTIONS} answered in {seen.calls} calls"]
    parts += [f"{lost} made and not received"] if lost else []
    parts += ["stopped in time"] if seen.stopped and not wrong else []
    return Check(trial.name, good=not wrong, seen="; ".join([*parts, *(wrong or ["none paid twice"])]))


def _complete(seen: Seen) -> Iterator[str]:
    if seen.stopped is not None:
        yield f"expected it to go on, it stopped: {seen.stopped}"
    if seen.answered != _QUESTIONS:
        errors = sorted({str(answer.error) for answer in seen.answers if answer.error is not None})
        yield f"expected {_QUESTIONS} answers, got {seen.answered}: {'; '.join(errors)}"
    if seen.calls_again:
        yield f"expected no call for known answers, got {seen.calls_again}"


def _capped(seen: Seen) -> Iterator[str]:
    """The one question that always gets 10 MB is given up, the others do not suffer."""
    if seen.stopped is not None or seen.answered != _QUESTIONS - 1:
        yield f"expected {_QUESTIONS - 1} answers, got {seen.answered}"
    longest = max(len(answer.text) for answer in seen.answers)
    if longest > 1 << 20:
        yield f"expected a text that is cut, got {longest:,} characters"


def _out_of_money(seen: Seen) -> Iterator[str]:
    if seen.stopped is None:
        yield "expected it to stop, it went on"
    elif "resume" not in seen.stopped:
        yield f"expected a line that says how to go on, got {seen.stopped!r}"
    if seen.answered != _MONEY_FOR:
        yield f"expected the {_MONEY_FOR} answers that were paid, got {seen.answered}"
    if seen.calls > _MONEY_FOR + _AT_ONCE:
        yield f"expected at most {_AT_ONCE} calls in vain, got {seen.calls - _MONEY_FOR}"


def _refused(seen: Seen) -> Iterator[str]:
    if seen.stopped is None:
        yield "expected it to stop, it went on"
    if seen.calls > _AT_ONCE:
        yield f"expected at most {_AT_ONCE} calls in vain, got {seen.calls}"


@contextmanager
def _environment(changed: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Every log line at its most talkative, and every warning."""
    handler, root = _Lines(), logging.getLogger()
    level = root.level
    with ExitStack() as restored, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        restored.callback(root.removeHandler, handler)
        restored.callback(root.setLevel, level)
        yield handler.lines
        handler.lines += [str(warning.message) for warning in caught]
