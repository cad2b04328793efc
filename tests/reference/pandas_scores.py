"""The scores as a researcher would write them in pandas: long frames, groupby, sort_values, merge.

It is the yardstick of the benchmarks, and a second twin for the tests.
"""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def score(counts: NDArray[np.integer], rankings: NDArray[np.integer], alpha: float) -> pd.DataFrame:
    """One row per task: ``entropy`` and ``cross_entropy`` in nats, empty slots (-1) filled with expected random.

    Ranking s is about task s.
    """
    tasks, K = counts.shape
    target = pd.DataFrame(
        {
            "task": np.repeat(np.arange(tasks), K),
            "candidate": np.tile(np.arange(K), tasks),
            "n": counts.ravel(),
        }
    )
    target["p"] = (target["n"] + alpha) / (target.groupby("task")["n"].transform("sum") + alpha * K)
    target["surprisal"] = -np.log(target["p"])
    target["own"] = target["p"] * target["surprisal"]
    target = target.sort_values(["task", "p"], ascending=[True, False], kind="stable")
    slots = target[["task", "surprisal"]].assign(slot=target.groupby("task").cumcount())

    listed = pd.DataFrame(
        {
            "task": np.repeat(np.arange(tasks), rankings.shape[1]),
            "candidate": rankings.ravel(),
        }
    )
    listed = listed[listed["candidate"] >= 0]
    listed["slot"] = listed.groupby("task").cumcount()

    placed = target[["task", "candidate", "p"]].merge(listed, on=["task", "candidate"], how="left")
    rest = placed["slot"].isna()
    valid = placed.groupby("task")["slot"].transform("count")
    placed.loc[rest, "slot"] = valid[rest] + placed[rest].groupby("task").cumcount()
    placed["slot"] = placed["slot"].astype(int)
    placed = placed.merge(slots, on=["task", "slot"])
    placed["cross"] = placed["p"] * placed["surprisal"]
    scores = pd.DataFrame(
        {
            "entropy": target.groupby("task")["own"].sum(),
            "cross_entropy": placed.groupby("task")["cross"].sum(),
        }
    )
    for task in np.flatnonzero((rankings < 0).any(axis=1)):
        ordered = target[target["task"] == task]
        scores.loc[task, "cross_entropy"] = _short(ordered, rankings[task])
    return scores


def _short(ordered: pd.DataFrame, ranking: NDArray[np.integer]) -> float:
    """A list with empty slots: the valid items' own terms, then the expectation over random fills of the others."""
    listed = ranking[ranking >= 0]
    surprisal = ordered["surprisal"].to_numpy()
    p = ordered.set_index("candidate")["p"]
    rest = p[~p.index.isin(listed)].to_numpy()
    k, n, R = len(listed), len(ranking) - len(listed), len(rest)
    expected = [surprisal[k : k + n].sum() / R + (1 - n / R) * _unlisted(i, R, n, surprisal[k + n :]) for i in range(R)]
    return float((p[listed].to_numpy() * surprisal[:k]).sum() + (rest * np.array(expected)).sum())


def _unlisted(i: int, R: int, n: int, surprisal: NDArray[np.float64]) -> float:
    """The i-th of R items is not among the n drawn; x of the i before it are."""
    x = np.arange(max(0, n + i + 1 - R), min(n, i) + 1)
    ways = np.array([math.comb(i, int(a)) * math.comb(R - 1 - i, n - int(a)) / math.comb(R - 1, n) for a in x])
    return float((ways * surprisal[i - x]).sum())
