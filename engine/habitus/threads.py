"""Run a kernel over chunks on several threads. Chunks write disjoint rows, so the threads cannot change a bit."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def share(rows: int, least: int, threads: int | None = None) -> int:
    """Rows per chunk: enough to be worth a call, and eight chunks per thread, so that none waits long for another."""
    return max(least, -(-rows // (8 * _count(threads))))


def over_chunks(work: Callable[[int, int], None], rows: int, chunk: int, threads: int | None = None) -> None:
    """Call ``work(first, last)`` for consecutive ranges of at most ``chunk`` rows.

    Args:
        work: writes the results of rows [first, last); releases the GIL.
        rows: how many there are.
        chunk: rows per call, the same for any number of threads.
        threads: default one per core; never more than there are chunks.

    Raises:
        ValueError: threads is below 1.
    """
    workers = _count(threads)
    ranges = [(first, min(first + chunk, rows)) for first in range(0, rows, chunk)]
    if min(workers, len(ranges)) <= 1:
        for first, last in ranges:
            work(first, last)
        return
    with ThreadPoolExecutor(min(workers, len(ranges))) as pool:
        for _ in pool.map(lambda ends: work(*ends), ranges):
            pass


def _count(threads: int | None) -> int:
    if threads is None:
        return os.cpu_count() or 1
    if threads < 1:
        raise ValueError(f"threads: expected at least 1, got {threads}")
    return threads
