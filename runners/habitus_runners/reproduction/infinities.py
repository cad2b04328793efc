"""How often a cross-entropy would be infinite without smoothing: someone chose what is given probability 0."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from habitus_runners.columns import fixed

SMALL = 5  # users; method, section 4: groups of 3-5


class Infinite(NamedTuple):
    """Of each ranking of one model: whether its cross-entropy would be infinite, and its group's size."""

    infinite: NDArray[np.bool_]
    group_size: NDArray[np.int64]

    @property
    def share(self) -> float:
        """Of all rankings."""
        return float(self.infinite.mean())

    @property
    def share_of_small(self) -> float | None:
        """Of the rankings for groups of at most 5 users; none where there are none."""
        small = self.infinite[self.group_size <= SMALL]
        return float(small.mean()) if len(small) else None


def of_model(tables: Mapping[str, pa.Table], model: str) -> Infinite | None:
    """Infinite cross-entropies of one model's rankings on the tasks' counts; none if it was not run.

    Args:
        tables: ``tasks`` and ``rankings``.
        model: its name.
    """
    counts, size = fixed(tables["tasks"]["counts"]), tables["tasks"]["group_size"].to_numpy()
    rankings = tables["rankings"]
    rows = rankings.filter(pc.equal(rankings["model"].cast(pa.string()), model))
    if not rows.num_rows:
        return None
    task = pc.index_in(rows["task_id"], value_set=tables["tasks"]["task_id"].combine_chunks()).to_numpy()
    return Infinite(infinite(counts[task], fixed(rows["ranking"])), size[task].astype(np.int64))


def infinite(counts: NDArray[np.int32], rankings: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Whether any candidate with a count lands beyond the last positive slot; unlisted ones keep their own order."""
    positive = (counts > 0).sum(axis=1)
    listed = np.take_along_axis(counts, np.maximum(rankings, 0).astype(np.int64), axis=1) * (rankings >= 0)
    valid = (rankings >= 0).sum(axis=1)
    in_list = (listed > 0).sum(axis=1)
    last = np.where(positive > in_list, valid + positive - in_list, 0)
    slots = np.arange(1, rankings.shape[1] + 1)
    last = np.maximum(last, ((listed > 0) * slots).max(axis=1))
    return np.asarray(last > positive)
