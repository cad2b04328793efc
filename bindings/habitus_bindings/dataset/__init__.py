"""Scores of Parquet files, as Parquet files: streamed in constant memory, gone on with after any interruption.

    python -m habitus_bindings.dataset TASKS RANKINGS OUT [--alpha A] [--fill FILL] [--threads T]

sources.py reads, joining.py finds each ranking's task, scoring.py calls the engine, parts.py keeps what is done, and
streaming.py lets them work at once. The only tongue here is Parquet; nothing is computed but by ``habitus.score``.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from habitus_bindings.dataset.program import Report, score_dataset
    from habitus_bindings.dataset.sources import Columns, DatasetError

__all__ = ["Columns", "DatasetError", "Report", "score_dataset"]


def __getattr__(name: str) -> object:
    """What is public, once it is asked for: so the command can say in one line that pyarrow is missing."""
    if name not in __all__:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    try:
        from habitus_bindings.dataset import program, sources  # noqa: PLC0415 - they need pyarrow
    except ModuleNotFoundError as error:
        if error.name != "pyarrow":
            raise
        raise ImportError("habitus_bindings.dataset: expected pyarrow>=24; pip install 'pyarrow>=24'") from None
    return getattr(program, name, None) or getattr(sources, name)
