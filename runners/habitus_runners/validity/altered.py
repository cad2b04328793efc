"""Tables of a study with other numbers in them: what would have been, had users done something else."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from habitus_runners.tables import rankings_schema


def with_lists(table: pa.Table, name: str, values: NDArray[np.generic]) -> pa.Table:
    """A table with other values, (rows, length), in a column of fixed-size lists."""
    field = table.schema.field(name)
    flat = pa.array(values.ravel(), field.type.value_type)
    lists = pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
    return table.set_column(table.column_names.index(name), field, lists)


def with_incidence(members: pa.Table, knows: NDArray[np.bool_]) -> pa.Table:
    """The members table with other bits, (rows, K)."""
    packed = np.packbits(knows, axis=1, bitorder="little")
    field = members.schema.field("incidence")
    bits = pa.FixedSizeBinaryArray.from_buffers(field.type, len(packed), [None, pa.py_buffer(packed)])
    return members.set_column(members.column_names.index("incidence"), field, bits)


def ranked(name: str, task_ids: Sequence[str], lists: NDArray[np.int16]) -> pa.Table:
    """The rankings table of lists that nobody wrote."""
    schema = rankings_schema(lists.shape[1])
    columns = {
        "answer_id": [f"{name} {task}" for task in task_ids],
        "task_id": task_ids,
        "model": [name] * len(lists),
        "parser": ["none"] * len(lists),
        "ranking": pa.FixedSizeListArray.from_arrays(pa.array(lists.ravel()), lists.shape[1]),
        "verdict": ["ok"] * len(lists),
        "match_levels": pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(lists.size, np.int8)), lists.shape[1]),
    }
    return pa.table({column: columns[column] for column in schema.names}).cast(schema)
