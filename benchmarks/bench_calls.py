"""Processor time per answer of the `openai` runner, ledger and all, beside the bare AsyncOpenAI client.

Run: python -m benchmarks.bench_calls. Both ask the same server, which has a process of its own, in turn.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import openai

from habitus_runners.calls.account import Account
from habitus_runners.calls.purse import Purse
from habitus_runners.ledger import Ledger
from habitus_runners.model import Request
from habitus_runners.models.openai_api import chat
from habitus_runners.settings import settings

ROUNDS, ANSWERS, CONCURRENT, K, N = 6, 400, 16, 50, 10
BAR = 1.5
SERVER = """
from habitus_runners.faults import FaultServer
with FaultServer() as server:
    print(server.url, flush=True)
    input()
"""


@contextmanager
def serving() -> Iterator[str]:
    """The base URL of a server in another process."""
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        assert process.stdin
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.communicate("\n")


def requests(turn: int) -> list[Request]:
    titles = tuple(f"Invented Story {number * 7919}, The ({1920 + number})" for number in range(K))
    shown = "\n".join(f'"{title}"' for title in titles)
    prompt = "Task {} of turn {}. List exactly {} of these.\nCandidates:\n{}\n"
    return [Request(row, f"{turn}-{row}", prompt.format(row, turn, N, shown), titles) for row in range(ANSWERS)]


def bare(url: str, asked: Sequence[Request]) -> int:
    """The client as its documentation shows it, so many calls at once."""

    async def run() -> int:
        slots = asyncio.Semaphore(CONCURRENT)
        async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:

            async def one(request: Request) -> str:
                async with slots:
                    completion = await client.chat.completions.create(
                        model="fault-1",
                        messages=[{"role": "user", "content": request.prompt}],
                        temperature=0,
                        seed=0,
                        max_tokens=1024,
                    )
                return completion.choices[0].message.content or ""

            return len(list(filter(None, await asyncio.gather(*map(one, asked)))))

    return asyncio.run(run())


def ours(url: str, asked: Sequence[Request], path: Path) -> int:
    """The runner, with its ledger on disk."""
    chosen = settings("paper", {"ask.base_url": url, "calls.concurrency": CONCURRENT})
    with Ledger(path) as ledger:
        model = chat.create("fault-1", "text", chosen, N, Account(ledger, Purse()))
        return sum(answer.error is None for answer in model.answers(asked))


def milliseconds(run: Callable[[], int]) -> float:
    """Of processor time, all threads together, per answer."""
    start = time.process_time()
    answered = run()
    spent = time.process_time() - start
    assert answered == ANSWERS, f"expected {ANSWERS} answers, got {answered}"
    return 1e3 * spent / answered


def main() -> None:
    os.environ.setdefault("HABITUS_API_KEY", "none-needed")
    costs: dict[str, list[float]] = {"bare AsyncOpenAI": [], "openai runner": []}
    with serving() as url, tempfile.TemporaryDirectory() as folder:
        for turn in range(ROUNDS + 1):
            asked = requests(turn)
            path = Path(folder) / "ledger.sqlite"
            of_turn = milliseconds(lambda: bare(url, asked)), milliseconds(lambda: ours(url, asked, path))  # noqa: B023 - run at once
            if turn:
                for kept, cost in zip(costs.values(), of_turn, strict=True):
                    kept.append(cost)
    for name, values in costs.items():
        print(f"{name}: {statistics.median(values):.2f} ms per answer ({ROUNDS * ANSWERS:,} answers)")
    ratios = [our / bare_ for bare_, our in zip(*costs.values(), strict=True)]
    ratio = statistics.median(ratios)
    print(
        f"ratio {ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f}), bar {BAR}: {'met' if ratio <= BAR else 'missed'}"
    )


if __name__ == "__main__":
    main()
