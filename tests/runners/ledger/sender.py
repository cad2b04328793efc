"""A runner in a process of its own, to be killed: it sends and answers, and says of each that it is done."""

import os
import random
import sys
import time
from hashlib import blake2b
from pathlib import Path

from habitus_runners.ledger import Elsewhere, Ledger, Question, Reply

TOGETHER = 32
FAILING = 1 / 20


def question(number, model="m"):
    answer_id = blake2b(f"{model} {number}".encode(), digest_size=16).hexdigest()
    return Question(answer_id, model, '{"seed": 0}', "text", f"Which of these? {number} " * 50, 0)


def reply(asked):
    """What is answered to a question: the same by every process."""
    return Reply(f"answer to {asked.answer_id} " * 10, "stop", 800, 200, 0.25, 1.5, None, "m-2026")


def send(ledger, asked, say, draw):
    """Ask everything of one ledger, some of it with failures first, until it is all answered."""
    waiting = list(asked)
    while waiting:
        some, waiting = waiting[:TOGETHER], waiting[TOGETHER:]
        sent = [(one, ledger.send(one)) for one in some]
        for one, leave in sent:
            given = leave.result()
            if isinstance(given, Reply):
                assert given == reply(one)
                say("known", one)
            elif isinstance(given, Elsewhere):
                waiting.append(one)
            elif draw.random() < FAILING:
                ledger.failed(given, "429", "slow down", paid="no")
                waiting.append(one)
            else:
                say("sent", one)
                done = ledger.answered(given, one, reply(one))
                done.add_done_callback(lambda future, one=one: future.exception() or say("answered", one))
        if waiting and len(waiting) <= TOGETHER:
            time.sleep(0.01)


def hold(ledger, asked, say):
    """Send everything, answer nothing, and stay."""
    for one in asked:
        ledger.send(one).result()
        say("sent", one)
    time.sleep(60)


def main(path, count, seed, holds):
    draw = random.Random(seed)  # noqa: S311 - draws an order
    asked = [question(number) for number in range(int(count))]
    draw.shuffle(asked)

    def say(what, one):
        os.write(1, f"{what} {one.answer_id}\n".encode())

    with Ledger(Path(path)) as ledger:
        if holds == "hold":
            hold(ledger, asked, say)
        send(ledger, asked, say, draw)
    os.write(1, b"end -\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
