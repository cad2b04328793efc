"""Answers per second that are on disk, and processor time per answer, sent and answered, by how many are in flight.

Run: python -m pytest benchmarks/bench_ledger.py. The bar: 0.15 ms of processor time per answer with 64 in flight.
"""

import os
import time
from collections import deque
from hashlib import blake2b
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from habitus_runners.ledger import Elsewhere, Ledger, Question, Reply, Sending

if TYPE_CHECKING:
    from concurrent.futures import Future

ANSWERS, HELD = 2_000, 20_000
REVISION = '{"endpoint": "https://api.example.com/v1", "max_tokens": 1024, "seed": 0, "temperature": 0}'
PROMPT = "Which of these would they choose? " * 90
REPLY = Reply('["An Invented Story (1996)"]' * 20, "stop", 800, 200, 0.000_24, 1.5, None, "model-2026")
_numbers = count()


def questions(number: int) -> list[Question]:
    """Questions that were never asked before, each with a prompt of 3 kB."""
    asked = []
    for at in islice(_numbers, number):
        answer_id = blake2b(str(at).encode(), digest_size=16).hexdigest()
        asked.append(Question(answer_id, "openai:model", REVISION, "text", f"{PROMPT}{at}", 0))
    return asked


def asked_and_answered(ledger: Ledger, asked: list[Question], in_flight: int) -> None:
    """All of them, so many at a time; each answered as soon as it may be sent."""
    waiting = deque(asked)
    leaves: deque[tuple[Question, Future[Sending | Reply | Elsewhere]]] = deque()
    answers: deque[Future[None]] = deque()
    while waiting or leaves or answers:
        while waiting and len(leaves) + len(answers) < in_flight:
            leaves.append((waiting[0], ledger.send(waiting.popleft())))
        while leaves and (leaves[0][1].done() or not answers):
            one, leave = leaves.popleft()
            sending = leave.result()
            assert isinstance(sending, Sending)
            answers.append(ledger.answered(sending, one, REPLY))
        while answers and (answers[0].done() or not leaves):
            answers.popleft().result()


@pytest.mark.parametrize("in_flight", [1, 16, 64, 256])
def bench_sent_and_answered(benchmark: BenchmarkFixture, tmp_path: Path, in_flight: int) -> None:
    spent: list[float] = []
    number = ANSWERS if in_flight > 1 else ANSWERS // 10
    with Ledger(tmp_path / "ledger.sqlite") as ledger:

        def run(asked: list[Question]) -> None:
            start = time.process_time()
            asked_and_answered(ledger, asked, in_flight)
            spent.append(time.process_time() - start)

        benchmark.pedantic(run, setup=lambda: ((questions(number),), {}), rounds=5, warmup_rounds=1)
    benchmark.extra_info["answers_per_second"] = round(number / benchmark.stats.stats.median)
    benchmark.extra_info["ms_of_processor_per_answer"] = round(1e3 * sorted(spent)[len(spent) // 2] / number, 4)


@pytest.mark.parametrize("wanted", [1, HELD])
def bench_known(benchmark: BenchmarkFixture, tmp_path: Path, wanted: int) -> None:
    asked = questions(HELD)
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.keep([(one, REPLY) for one in asked])
        found = benchmark(ledger.known, [one.answer_id for one in asked[:wanted]])
    assert len(found) == wanted
    benchmark.extra_info["us_per_answer"] = round(1e6 * benchmark.stats.stats.median / wanted, 2)


def bench_fsync(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """What the disk itself takes to make 4 kB durable: one answer by itself takes two of these."""
    with (tmp_path / "file").open("wb") as file:

        def write() -> None:
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())

        benchmark.pedantic(write, rounds=100, warmup_rounds=5)
