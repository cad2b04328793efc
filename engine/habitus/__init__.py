"""habitus: scores how well a model predicts what groups of people do. Arrays in, arrays out; nothing else may go in.

`import habitus` costs NumPy alone; Numba is loaded by the first function that computes.
"""

from habitus import (
    aggregation,
    curves,
    entropy,
    interactions,
    inversion,
    members,
    permutation,
    proxies,
    resampling,
    sampling,
    shrinkage,
    uncertainty,
)
from habitus.scoring import Scores, Skill, bounded_skill, cross_entropy, score, score_values, skill

__all__ = [
    "Scores",
    "Skill",
    "aggregation",
    "bounded_skill",
    "cross_entropy",
    "curves",
    "entropy",
    "interactions",
    "inversion",
    "members",
    "permutation",
    "proxies",
    "resampling",
    "sampling",
    "score",
    "score_values",
    "shrinkage",
    "skill",
    "uncertainty",
]
