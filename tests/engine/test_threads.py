"""Chunks cover every row once, whatever their size and the number of threads; faults come out."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus.threads import over_chunks, share


@given(rows=st.integers(0, 300), chunk=st.integers(1, 350), threads=st.integers(1, 5))
def test_every_row_once(rows: int, chunk: int, threads: int) -> None:
    times = np.zeros(rows, np.int64)

    def work(first: int, last: int) -> None:
        assert 0 < last - first <= chunk
        times[first:last] += 1

    over_chunks(work, rows, chunk, threads)
    assert (times == 1).all()


def test_one_thread_is_the_callers() -> None:
    seen = []
    over_chunks(lambda _first, _last: seen.append(threading.get_ident()), 10, 2, threads=1)
    assert set(seen) == {threading.get_ident()}


def test_chunks_run_side_by_side() -> None:
    together = threading.Barrier(3, timeout=30)
    over_chunks(lambda _first, _last: together.wait(), 3, 1, threads=3)  # would time out one after the other


@pytest.mark.parametrize("threads", [1, 4])
def test_a_fault_of_a_chunk_is_the_callers(threads: int) -> None:
    def work(first: int, _last: int) -> None:
        if first == 6:
            raise ValueError("row 6")

    with pytest.raises(ValueError, match="row 6"):
        over_chunks(work, 10, 2, threads)


@pytest.mark.parametrize("threads", [0, -1])
def test_threads_below_one_are_refused(threads: int) -> None:
    with pytest.raises(ValueError, match=f"threads: expected at least 1, got {threads}"):
        over_chunks(lambda _first, _last: None, 10, 2, threads)


@given(rows=st.integers(0, 10_000), least=st.integers(1, 500), threads=st.integers(1, 16))
def test_a_share_is_worth_a_call_and_no_thread_waits_long(rows: int, least: int, threads: int) -> None:
    chunk = share(rows, least, threads)
    assert chunk >= least
    assert chunk == least or chunk * 8 * threads - rows < 8 * threads
