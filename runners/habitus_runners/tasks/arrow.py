"""Batches of drawn tasks as rows of the tasks and members tables."""

import hashlib
import json
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from habitus import interactions, sampling
from habitus_runners.datasets.dataset import Dataset
from habitus_runners.tables import members_schema, tasks_schema
from habitus_runners.tasks.stratum import Batch, Stratum


def tasks_table(dataset: Dataset, stratum: Stratum, setup: str, batch: Batch, order: int) -> pa.Table:
    """One row per task."""
    schema = tasks_schema(stratum.settings.candidates.K, dataset.attributes)
    rows, width = batch.candidates.shape
    interacted = (batch.counts.counts > 0).sum(axis=1).astype(np.int16)
    columns = {
        "task_id": list(_task_ids(dataset, stratum, setup, batch, order)),
        "dataset": [dataset.name] * rows,
        "setup": [setup] * rows,
        "level": [stratum.cells.level.name] * rows,
        "value": [stratum.cells.values[cell] for cell in batch.cell],
        "history": list(batch.history),
        "candidates": _fixed(batch.candidates),
        "counts": _fixed(batch.counts.counts),
        "target": _target(stratum, batch),
        "population": _fixed(stratum.source.log.popularity[batch.candidates].astype(np.int32)),
        "group_size": batch.group.size,
        "activity": _activity(stratum.source.log, batch.group),
        "parts": pa.StructArray.from_arrays([width - interacted, interacted], ["never", "interacted"]),
        "order": np.full(rows, order),
        "seed": batch.seed,
    }
    return pa.table([_column(columns[field.name], field.type) for field in schema], schema=schema)


def members_table(task_ids: pa.Array, batch: Batch) -> pa.Table:
    """One row per task and user of its group, in the order of the tasks."""
    schema = members_schema(batch.candidates.shape[1])
    owner = pa.DictionaryArray.from_arrays(
        np.repeat(np.arange(len(task_ids), dtype=np.int32), batch.group.size), task_ids
    )
    bits = batch.counts.incidence
    incidence = pa.FixedSizeBinaryArray.from_buffers(
        schema.field("incidence").type, len(bits), [None, pa.py_buffer(bits.tobytes())]
    )
    return pa.table([owner, batch.group.users, incidence], schema=schema)


def _task_ids(dataset: Dataset, stratum: Stratum, setup: str, batch: Batch, order: int) -> Iterator[str]:
    """Hash of everything that makes a task what it is; never a row number."""
    for row, cell in enumerate(batch.cell):
        value, seed = stratum.cells.values[cell], int(batch.seed[row])
        what = json.dumps([dataset.fingerprint, setup, stratum.cells.level.name, value, seed, order], sort_keys=True)
        history, items = batch.history[row].astype("<i4").tobytes(), batch.candidates[row].astype("<i4").tobytes()
        yield hashlib.blake2b(b"|".join((what.encode(), history, items)), digest_size=16).hexdigest()


def _target(stratum: Stratum, batch: Batch) -> pa.Array:
    """The target column: null under `incidence`, whose target is the counts."""
    wanted = stratum.settings.target.kind
    if wanted == "incidence":
        return pa.nulls(len(batch.cell), pa.list_(pa.float64(), batch.candidates.shape[1]))
    values = stratum.source.values if wanted == "events" else None
    target = sampling.targets(
        stratum.source.log,
        batch.group,
        batch.candidates,
        values=values,
        per_user=wanted == "user_mean",
        threads=stratum.threads,
    )
    return _fixed(target)


def _activity(log: interactions.Interactions, group: sampling.Groups) -> NDArray[np.float64]:
    """Mean number of interactions per user of each group; a group has users, or it would be no task."""
    if not len(group.size):
        return np.empty(0)
    return np.asarray(np.add.reduceat(np.diff(log.user_start)[group.users], group.start[:-1]) / group.size)


def _fixed(rows: NDArray[np.int32] | NDArray[np.float64]) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1])


def _column(values: object, kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return pa.array(values, kind.value_type).dictionary_encode()
    return values.cast(kind) if isinstance(values, pa.Array) else pa.array(values, kind)
