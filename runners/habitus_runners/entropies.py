"""The same groups by every estimator of their entropy: how much of H is bias, by the number of users."""

from typing import Any

import numpy as np
import pyarrow as pa

from habitus_runners.targets import Scorer

# Users of a group: from, and below.
SIZES = ((0, 10), (10, 100), (100, 1 << 31))


def by_estimator(tasks: pa.Table, scorer: Scorer) -> list[dict[str, Any]]:
    """One row per estimator and size of the groups: ``users`` from and below, ``tasks``, mean ``entropy`` in nats.

    Args:
        tasks: the tasks table.
        scorer: of these tasks.
    """
    size, rows = tasks["group_size"].to_numpy(), []
    for name, entropy in scorer.entropies().items():
        for least, below in SIZES:
            part = entropy[(size >= least) & (size < below) & ~np.isnan(entropy)]
            mean = float(part.mean()) if len(part) else None
            rows.append({"estimator": name, "users": [least, below], "tasks": len(part), "entropy": mean})
    return rows
