"""The schemas of the six tables: the public interface for other languages.

Each schema carries its table's name, its version and its units in its metadata.
"""

import math
from collections.abc import Mapping, Sequence

import polars as pl
import pyarrow as pa

VERSION = "2"
POOLED = "all"  # in the results table's setup, level or history: over every value
BIT = math.log(2)  # in nats, the unit of every table
INTERVALS = ("skill", "gap", "inversion", "lowess_inversion")  # figures of the results table that have one
NAMES = ("tasks", "members", "answers", "rankings", "scores", "results")


def _category() -> pa.DataType:
    return pa.dictionary(pa.int32(), pa.string())


def tasks_schema(candidates: int, attributes: Sequence[str]) -> pa.Schema:
    """One row per task. ``value`` has a field per attribute, null where the level does not fix it.

    ``task_id`` says what is asked; settings that say who counts (group.min_users, history.match, min_rating, target)
    are not in it, so the same id may have other counts in another run. ``history`` is what is shown: none in setup C.
    """
    value = pa.struct([(name, pa.string()) for name in attributes or ("none",)])
    return _schema(
        "tasks",
        {
            "task_id": pa.string(),
            "dataset": _category(),
            "setup": _category(),
            "level": _category(),
            "value": value,
            "history": pa.list_(pa.int32()),
            "candidates": pa.list_(pa.int32(), candidates),
            "counts": pa.list_(pa.int32(), candidates),
            "target": pa.list_(pa.float64(), candidates),
            "population": pa.list_(pa.int32(), candidates),
            "group_size": pa.int32(),
            "activity": pa.float64(),
            "parts": pa.struct([("never", pa.int16()), ("interacted", pa.int16())]),
            "order": pa.int16(),
            "seed": pa.uint64(),
        },
        units={
            "activity": "mean interactions per user of the group",
            "target": "probability",
            "population": "users of the whole data set",
        },
    )


def members_schema(candidates: int) -> pa.Schema:
    """One row per task and user of its group. Bit i % 8 of byte i // 8 of ``incidence``: candidate i, least first."""
    columns = {"task_id": _category(), "user": pa.int32(), "incidence": pa.binary((candidates + 7) // 8)}
    return _schema("members", columns)


def answers_schema() -> pa.Schema:
    """One row per request and sample."""
    return _schema(
        "answers",
        {
            "answer_id": pa.string(),
            "task_id": pa.string(),
            "model": _category(),
            "method": _category(),
            "text": pa.string(),
            "token_logprobs": pa.list_(pa.struct([("token", pa.string()), ("logprob", pa.float64())])),
            "finish_reason": _category(),
            "tokens_in": pa.int32(),
            "tokens_out": pa.int32(),
            "cost": pa.float64(),
            "latency_s": pa.float64(),
            "error": pa.string(),
        },
        units={"cost": "USD", "latency_s": "seconds", "token_logprobs": "nats"},
    )


def rankings_schema(length: int) -> pa.Schema:
    """One row per answer and parser: ``ranking``: candidate positions, -1 = empty; ``match_levels``: how found."""
    return _schema(
        "rankings",
        {
            "answer_id": pa.string(),
            "task_id": pa.string(),
            "model": _category(),
            "parser": _category(),
            "ranking": pa.list_(pa.int16(), length),
            "verdict": _category(),
            "match_levels": pa.list_(pa.int8(), length),
        },
    )


def scores_schema() -> pa.Schema:
    """One row per ranking, fill and alpha, in nats.

    ``entropy`` is the estimate against which curves are drawn; ``best``, ``ceiling``, ``chance`` and ``worst`` are
    the cross-entropies of the target's own order, of what the target is shrunk to, of random lists and of the worst.
    """
    nats = dict.fromkeys(("entropy", "cross_entropy", "best", "ceiling", "chance", "worst"), "nats")
    return _schema(
        "scores",
        {
            "answer_id": pa.string(),
            "task_id": pa.string(),
            "model": _category(),
            "fill": _category(),
            "alpha": pa.float64(),
            "entropy": pa.float64(),
            "cross_entropy": pa.float64(),
            "best": pa.float64(),
            "ceiling": pa.float64(),
            "chance": pa.float64(),
            "worst": pa.float64(),
            "valid": pa.int16(),
        },
        units=nats | {"alpha": "pseudo-count", "valid": "slots with a candidate"},
    )


def results_schema() -> pa.Schema:
    """One row per model, fill, alpha and slice of the tasks; ``all`` in setup, level or history pools over it.

    ``NAME_low`` and ``NAME_high`` are ends of an interval of 95 %, users and tasks resampled; ``user_sd`` and
    ``task_sd`` what either contributes to skill. Area has none: it depends on the range of the entropies, which grows
    with the tasks. The inversion is that of the polynomial, ``lowess_inversion`` that of the smooth of raw tasks if
    ``two_lines``, the larger p of a falling and then rising cross-entropy, is below 5 %; and ``..._share`` in how many
    resamples there is one. ``trend`` is how skill changes per nat of entropy.
    """
    nats = ("entropy", "cross_entropy", "best", "chance", "worst", "gap", "inversion", "lowess_inversion")
    ends = [f"{name}_{end}" for name in INTERVALS for end in ("low", "high")]
    curve = ("inversion", "inversion_share", "lowess_inversion", "lowess_inversion_share")
    figures = (*nats[:6], "skill", "bounded_skill", "area", "ceiling", "user_sd", "task_sd", *curve, *ends)
    tests = ("two_lines", "trend", "trend_p", "validity")
    return _schema(
        "results",
        {
            **dict.fromkeys(("model", "fill"), _category()),
            "alpha": pa.float64(),
            **dict.fromkeys(("setup", "level", "history"), _category()),
            **dict.fromkeys(("tasks", "excluded", "dropped"), pa.int32()),
            **dict.fromkeys((*figures, *tests), pa.float64()),
            **dict.fromkeys(("outcome", "lowess_outcome"), _category()),
        },
        units=dict.fromkeys(
            (*nats, *(f"{name}_{end}" for name in INTERVALS if name in nats for end in ("low", "high"))), "nats"
        )
        | {"area": "ratio", "ceiling": "skill", "validity": "share of slots", "trend": "skill per nat"},
    )


def frame(table: pa.Table) -> pl.DataFrame:
    """A table as Polars sees it, its categories as plain strings."""
    plain = [column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column for column in table.columns]
    return pl.DataFrame(dict(zip(table.column_names, plain, strict=True)))


def _schema(table: str, columns: Mapping[str, pa.DataType], units: Mapping[str, str] | None = None) -> pa.Schema:
    fields = [
        pa.field(name, kind, metadata={"unit": units[name]} if units and name in units else None)
        for name, kind in columns.items()
    ]
    return pa.schema(fields, metadata={"habitus.table": table, "habitus.version": VERSION})
