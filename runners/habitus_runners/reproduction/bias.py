"""How wrong an entropy is for the few users it was counted on: large groups cut down, against themselves whole."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from habitus import entropy
from habitus_runners.columns import by_owner, packed
from habitus_runners.tables import BIT

Counts = NDArray[np.int32]

SIZES = (3, 5, 10, 20, 50, 100)
LARGE = 300  # users of a group that stands for its own truth
_MOST = 300  # groups: the mean is then known to 0.02 bits


class Bias(NamedTuple):
    """Of one estimator: mean error in bits per number of users left, over so many groups."""

    name: str
    users: tuple[int, ...]
    bits: tuple[float, ...]
    groups: int


def of_groups(tasks: pa.Table, members: pa.Table, seed: int) -> list[Bias]:
    """Bias of the plug-in estimate with pseudo-count 1/K, and of NSB; none if no group is large.

    Args:
        tasks: the tasks table.
        members: of these tasks.
        seed: of which groups and users are kept.
    """
    owned = by_owner(members["task_id"], tasks["task_id"])
    start, bits = owned.start, packed(members["incidence"])[owned.values]
    rng = np.random.default_rng(seed)
    large = rng.permutation(np.flatnonzero(owned.size >= LARGE))[:_MOST]
    if not len(large):
        return []
    width = tasks.schema.field("candidates").type.list_size
    groups = [np.unpackbits(bits[start[t] : start[t + 1]], axis=1, bitorder="little")[:, :width] for t in large]
    truth = entropy.plug_in(np.array([group.sum(axis=0, dtype=np.int32) for group in groups]))
    found: dict[str, list[float]] = {"plug-in": [], "NSB": []}
    for users in SIZES:
        cut = np.array([rng.permutation(group)[:users].sum(axis=0, dtype=np.int32) for group in groups])
        known = cut.any(axis=1)
        for name, estimate in (("plug-in", entropy.plug_in), ("NSB", entropy.nsb)):
            found[name].append(float((estimate(cut[known]) - truth[known]).mean()) / BIT)
    return [Bias(name, SIZES, tuple(errors), len(groups)) for name, errors in found.items()]
