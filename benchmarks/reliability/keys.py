"""A canary key: looked for in every file a system writes and in all that it prints (bar 5)."""

import gzip
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
from benchmarks.reliability.bar import Bar, Found, Size, of_each
from benchmarks.reliability.processes import run
from benchmarks.reliability.systems import Job, System

from habitus_runners.faults import Behaviour, FaultServer, Ok, Unauthorised

CANARY = "sk-canary-Zt8Qw3Lm5Xv7Rk2Pd9Hn4Bc6"
_PIECE = CANARY[12:28]
_LIMIT_S = 60


def measure(system: System, folder: Path, size: Size) -> Found:
    """Once with answers, once with a 401 that repeats the key; quiet and as talkative as can be."""
    del size
    found: dict[str, Found] = {}
    plans: dict[str, Behaviour] = {"answered": Ok(), "401": Unauthorised()}
    for answers, plan in plans.items():
        for talk, debug in {"quiet": False, "debug": True}.items():
            root = folder / f"{answers}-{talk}"
            with FaultServer(plan) as server:
                job = Job(root / "job", 10, server.url, key=CANARY, debug=debug)
                ended = run(system.ask(job), job.folder, limit_s=_LIMIT_S)
                reached = CANARY in server.keys
            for command in system.shown(job):
                run(command, job.folder)
            found[f"{answers}, {talk}"] = {
                "sent": reached,
                "status": ended.status,
                "places": sorted(leaks(root)),
            }
    return {"cases": found}


def say(found: Found) -> str:
    """In words."""
    counts = {name: len(one["places"]) for name, one in found["cases"].items()}
    places, by = sum(counts.values()), ", ".join(f"{name} {count}" for name, count in counts.items())
    return f"{places} places ({by})"


def leaks(root: Path) -> Iterator[str]:
    """Files that hold the key or the middle of it, as they are or unpacked. What is printed is a file, too."""
    for path in root.rglob("*"):
        if path.is_file() and any(_PIECE.encode() in content for content in _contents(path)):
            yield str(path.relative_to(root))


def _contents(path: Path) -> Iterator[bytes]:
    raw = path.read_bytes()
    yield raw
    if path.suffix == ".parquet":
        yield str(pq.read_table(path).to_pydict()).encode()
    elif path.suffix == ".gz":
        yield gzip.decompress(raw)
    elif zipfile.is_zipfile(path):
        yield from _packed(path)


def _packed(path: Path) -> Iterator[bytes]:
    """What Python can unpack; Inspect's zstd is unpacked by its own command."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            try:
                yield archive.read(name)
            except NotImplementedError:
                return


BAR = Bar("5", "a canary key in files, logs, output", "in none", of_each(measure), say)
