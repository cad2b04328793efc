"""``python -m habitus_runners.faults``: the server as a process, for clients whose CPU is measured or who get killed.

The first line of its output is its URL. SIGTERM or Ctrl-C ends it.
"""

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from habitus_runners.faults.limits import Limits
from habitus_runners.faults.plan_text import batch_end_of, plan_of
from habitus_runners.faults.plans import CHAT, Plan
from habitus_runners.faults.server import FaultServer

_WRITTEN_EVERY_S = 0.5


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to stop."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    try:
        server = _server(asked)
    except ValueError as error:
        parser.error(str(error))
    stop = threading.Event()

    def ended(number: int, at: FrameType | None) -> None:
        del number, at
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ended)
    with server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        while not stop.wait(_WRITTEN_EVERY_S):
            _write(server, asked.log)
    _write(server, asked.log)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m habitus_runners.faults", description=__doc__)
    add = parser.add_argument
    add("--port", type=int, default=0, help="0: the system chooses (default)")
    add("--plan", nargs="+", default=["ok"], metavar="WORD", help="NAME[:FIELD=VALUE,...][@SHARE] for chat completions")
    add("--route", action="append", nargs="+", default=[], metavar="WORD", help='"POST /batches" WORD...: the same')
    add("--batch", nargs="*", default=[], metavar="END", help="ends of batches in turn: expired:answered=0.5")
    add("--latency", type=float, nargs="+", default=[0.0], metavar="S", help="seconds, or the least and the most")
    add("--seed", type=int, default=0)
    add("--requests", type=int, help="per minute")
    add("--tokens", type=int, help="per minute")
    add("--at-once", type=int, help="calls open together")
    add("--enqueued-tokens", type=int, help="in unfinished batches")
    add("--log", type=Path, help="a JSON file of all counts, written twice a second and at the end")
    return parser


def _server(asked: argparse.Namespace) -> FaultServer:
    plans: dict[str, Plan] = {CHAT: plan_of(asked.plan)}
    plans |= {route: plan_of(words) for route, *words in asked.route}
    return FaultServer(
        plans,
        latency_s=(min(asked.latency), max(asked.latency)),
        seed=asked.seed,
        port=asked.port,
        limits=Limits(asked.requests, asked.tokens, asked.at_once, asked.enqueued_tokens),
        batches=[batch_end_of(word) for word in asked.batch],
    )


def _write(server: FaultServer, path: Path | None) -> None:
    """Write beside and rename: a reader never sees half a file."""
    if path is not None:
        beside = path.with_name(f"{path.name}.{os.getpid()}")
        beside.write_text(json.dumps(server.summary()), encoding="utf-8")
        beside.replace(path)


if __name__ == "__main__":
    main()
