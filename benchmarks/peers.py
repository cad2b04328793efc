"""Evaluation libraries on the same rankings: they compute NDCG@10, not cross-entropy, and time is all that compares.

A peer is given counts (tasks, K) as relevance, and rankings (tasks, N). What is timed starts from the library's own
input, or, "with conversion", from the arrays.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from benchmarks.arrays import Counts, Rankings
from benchmarks.competitors import absent

Relevance = dict[str, dict[str, int]]
Run = dict[str, dict[str, float]]
_PYTREC = "ndcg_cut_10"
_RANX = "ndcg@10"


class Peer(NamedTuple):
    """``prepare`` returns the job that is timed; ``mean`` reads the mean NDCG@10 from what the job returns."""

    prepare: Callable[[Counts, Rankings], Callable[[], Any]]
    mean: Callable[[Any], float]
    rankings: int
    lacks: str = ""


def relevance(counts: Counts) -> Relevance:
    """Counts as TREC's judgements."""
    names = [str(candidate) for candidate in range(counts.shape[1])]
    return {str(task): dict(zip(names, row, strict=True)) for task, row in enumerate(counts.tolist())}


def ranked(rankings: Rankings) -> Run:
    """Lists as a TREC run: the higher the score, the earlier in the list."""
    scores = [float(score) for score in range(rankings.shape[1], 0, -1)]
    return {
        str(task): {str(item): score for item, score in zip(row, scores, strict=True)}
        for task, row in enumerate(rankings.tolist())
    }


def pytrec_eval(counts: Counts, rankings: Rankings) -> Callable[[], Any]:
    """trec_eval in C, called from Python."""
    import pytrec_eval as library  # noqa: PLC0415 - as the others

    evaluator, run = library.RelevanceEvaluator(relevance(counts), {_PYTREC}), ranked(rankings)
    return lambda: evaluator.evaluate(run)


def pytrec_eval_from_arrays(counts: Counts, rankings: Rankings) -> Callable[[], Any]:
    """The same, its dictionaries made as well."""
    import pytrec_eval as library  # noqa: PLC0415

    return lambda: library.RelevanceEvaluator(relevance(counts), {_PYTREC}).evaluate(ranked(rankings))


def ir_measures(counts: Counts, rankings: Rankings) -> Callable[[], Any]:
    """Per ranking, as its providers return it."""
    import ir_measures as library  # noqa: PLC0415

    evaluator, run = library.evaluator([library.nDCG @ 10], relevance(counts)), ranked(rankings)
    return lambda: list(evaluator.iter_calc(run))


def ir_measures_from_arrays(counts: Counts, rankings: Rankings) -> Callable[[], Any]:
    """The same, its dictionaries made as well."""
    import ir_measures as library  # noqa: PLC0415

    measures = [library.nDCG @ 10]
    return lambda: list(library.evaluator(measures, relevance(counts)).iter_calc(ranked(rankings)))


def ranx_evaluate(counts: Counts, rankings: Rankings) -> Callable[[], Any]:
    """Numba loops over ranx's own objects, turned into lists of arrays at each call."""
    import ranx  # noqa: PLC0415

    judged, run = ranx.Qrels(relevance(counts)), ranx.Run(ranked(rankings))
    return lambda: ranx.evaluate(judged, run, _RANX, save_results_in_run=False)


def ranx_evaluate_from_arrays(counts: Counts, rankings: Rankings) -> Callable[[], Any]:
    """The same, its objects made as well."""
    import ranx  # noqa: PLC0415

    def run() -> float:
        judged, listed = ranx.Qrels(relevance(counts)), ranx.Run(ranked(rankings))
        return float(ranx.evaluate(judged, listed, _RANX, save_results_in_run=False))

    return run


def ranx_kernel(counts: Counts, rankings: Rankings) -> Callable[[], Any]:
    """The loop alone, on what it reads: candidates and relevance, sorted; items and scores."""
    from ranx.metrics import ndcg  # noqa: PLC0415

    order = np.argsort(-counts, axis=1, kind="stable")
    judged = np.stack([order, np.take_along_axis(counts, order, axis=1)], axis=2).astype(np.float64)
    scores = np.broadcast_to(np.arange(rankings.shape[1], 0, -1), rankings.shape)
    run = np.stack([rankings, scores], axis=2).astype(np.float64)
    return lambda: ndcg(judged, run, 10, 1)


def _mean_of_dictionaries(found: dict[str, dict[str, float]]) -> float:
    return float(np.mean([values[_PYTREC] for values in found.values()]))


def _mean_of_records(found: list[Any]) -> float:
    return float(np.mean([record.value for record in found]))


_PYTREC_LACKS, _IR_LACKS, _RANX_LACKS = absent("pytrec_eval"), absent("ir_measures", "pytrec_eval"), absent("ranx")

EVERY: Mapping[str, Peer] = {
    "ranx, bare kernel": Peer(ranx_kernel, lambda found: float(np.mean(found)), 50_000, _RANX_LACKS),
    "ranx": Peer(ranx_evaluate, float, 10_000, _RANX_LACKS),
    "ranx, with conversion": Peer(ranx_evaluate_from_arrays, float, 3_000, _RANX_LACKS),
    "pytrec_eval": Peer(pytrec_eval, _mean_of_dictionaries, 10_000, _PYTREC_LACKS),
    "pytrec_eval, with conversion": Peer(pytrec_eval_from_arrays, _mean_of_dictionaries, 5_000, _PYTREC_LACKS),
    "ir-measures": Peer(ir_measures, _mean_of_records, 10_000, _IR_LACKS),
    "ir-measures, with conversion": Peer(ir_measures_from_arrays, _mean_of_records, 5_000, _IR_LACKS),
}

PEERS: Mapping[str, Peer] = {name: one for name, one in EVERY.items() if not one.lacks}
"""Those that can run here."""
