"""What hypothesis draws for several test files: tasks with rankings, and real-valued targets."""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray


class Case(NamedTuple):
    """Tasks, rankings of them in any order (some tasks may have several or none), and a pseudo-count."""

    counts: NDArray[np.int32]
    rankings: NDArray[np.int16]
    task: NDArray[np.int64]
    alpha: float


def count_rows(candidates: int) -> st.SearchStrategy[list[int]]:
    """Counts of one task, never all zero: many ties, many zeros, and now and then one that towers over the rest."""
    counts = st.one_of(st.integers(0, 3), st.integers(0, 40), st.just(1_000_000))
    return st.lists(counts, min_size=candidates, max_size=candidates).filter(any)


@st.composite
def cases(draw: st.DrawFn, *, empty_slots: bool = True, max_candidates: int = 9) -> Case:
    """A few tasks of few candidates."""
    candidates = draw(st.integers(2, max_candidates))
    length = draw(st.integers(1, candidates))
    counts = draw(st.lists(count_rows(candidates), min_size=1, max_size=4))
    task = draw(st.lists(st.integers(0, len(counts) - 1), min_size=1, max_size=6))
    rankings = [draw(ranking(candidates, length, empty_slots=empty_slots)) for _ in task]
    alpha = draw(st.one_of(st.sampled_from([1 / candidates, 0.5, 1.0, 1e-6]), st.floats(1e-4, 10)))
    return Case(np.array(counts, np.int32), np.array(rankings, np.int16), np.array(task), alpha)


@st.composite
def ranking(draw: st.DrawFn, candidates: int, length: int, *, empty_slots: bool = True) -> list[int]:
    """Distinct candidates, with -1 at any place if empty slots are allowed."""
    items = draw(st.permutations(range(candidates)))[:length]
    if not empty_slots:
        return items
    keep = draw(st.lists(st.booleans(), min_size=length, max_size=length))
    return [item if kept else -1 for item, kept in zip(items, keep, strict=True)]


@st.composite
def distributions(draw: st.DrawFn, candidates: int, *, least: float = 0.0) -> NDArray[np.float64]:
    """A row that sums to 1, of numbers in proportion to [least, 1]."""
    numbers = st.floats(least, 1).map(lambda value: value if value > 1e-6 else least)
    row = np.array(draw(st.lists(numbers, min_size=candidates, max_size=candidates).filter(any)))
    return row / row.sum()
