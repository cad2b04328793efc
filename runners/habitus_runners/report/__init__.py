"""From the tables on disk to one HTML file and its figures. Nothing here calls a model or scores a list."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from habitus_runners.progress import Progress, silent


def build(
    tables: Mapping[str, pa.Table], manifest: Mapping[str, Any], folder: Path, progress: Progress = silent
) -> Path:
    """Write ``folder/report.html`` and ``folder/figures/NAME.{png,svg,pdf}``; the same tables give the same bytes.

    Args:
        tables: ``tasks``, ``rankings``, ``scores`` and ``results``, with the schemas of ``tables.py`` (nats).
        manifest: the run's manifest: data set, settings, draws, models.
        folder: where to write.
        progress: called once per figure.

    Returns:
        The path of the HTML file.

    Raises:
        HabitusError: no scores for the settings' fill, or a file that cannot be written.
    """
    from habitus_runners.report.page import write  # noqa: PLC0415 - matplotlib and jinja2 would slow every `--help`

    return write(tables, manifest, folder, progress)
