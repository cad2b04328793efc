"""Every peer that is timed computes NDCG@10 of the same rankings."""

import math

import numpy as np
import pytest
from benchmarks.competitors import synthetic
from benchmarks.peers import EVERY
from numpy.typing import NDArray

# ranx hashes names into integers of the other sign, and says so when it compiles.
pytestmark = pytest.mark.filterwarnings("ignore:unsafe cast from uint64 to int64")


def plain_ndcg(counts: NDArray[np.int32], rankings: NDArray[np.int16]) -> float:
    """The definition: the gain of slot r is divided by log2(r + 1), r = 1, 2, ..., and by what the best list gains."""
    scores = []
    for n, listed in zip(counts.tolist(), rankings.tolist(), strict=True):
        gained = sum(n[item] / math.log2(slot + 2) for slot, item in enumerate(listed[:10]))
        best = sum(gain / math.log2(slot + 2) for slot, gain in enumerate(sorted(n, reverse=True)[:10]))
        scores.append(gained / best)
    return sum(scores) / len(scores)


@pytest.mark.parametrize("name", EVERY)
def test_agrees_with_the_definition(name: str) -> None:
    peer = EVERY[name]
    if peer.lacks:
        pytest.skip(peer.lacks)
    counts, rankings = synthetic(60)
    assert peer.mean(peer.prepare(counts, rankings)()) == pytest.approx(plain_ndcg(counts, rankings), abs=1e-12)
