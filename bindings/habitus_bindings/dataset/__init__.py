"""Scores of Parquet files, as Parquet files: streamed in constant memory, gone on with after any interruption.

    python -m habitus_bindings.dataset TASKS RANKINGS OUT [--alpha A] [--fill FILL] [--threads T]

sources.py reads, joining.py finds each ranking's task, scoring.py calls the engine, parts.py keeps what is done, and
streaming.py lets them work at once. The only tongue here is Parquet; nothing is computed but by ``habitus.score``.
"""

try:
    import pyarrow as pa  # noqa: F401 - the files of this folder need it
except ImportError as error:
    raise ImportError("habitus_bindings.dataset: expected pyarrow>=24; pip install 'pyarrow>=24'") from error

from habitus_bindings.dataset.program import Report, score_dataset
from habitus_bindings.dataset.sources import Columns, DatasetError

__all__ = ["Columns", "DatasetError", "Report", "score_dataset"]
