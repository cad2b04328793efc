"""``score_dataset``: files are read, scored and written at once, and in order, so that little is ever in memory."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from habitus import arguments
from habitus.scoring import FILLS, Fill
from habitus_bindings.dataset.inputs import Inputs, Size
from habitus_bindings.dataset.parts import Committer, Output, Position, held, room
from habitus_bindings.dataset.scoring import Settings
from habitus_bindings.dataset.sources import LIMIT, Columns, Paths
from habitus_bindings.dataset.streaming import Event, InOrder, Stream

# Rankings read and scored at a time: 8 MB for lists of 10.
CHUNK = 1 << 18
PART = 1 << 22
_WIDEST_COUNT = 4
# Jobs under way for each thread: while the caller writes, the pool has work.
_AHEAD = 3
_COLUMNS = Columns()


class Report(NamedTuple):
    """What is in the folder: rankings and tasks that have their scores, the files; rankings that had theirs before."""

    rankings: int
    tasks: int
    files: tuple[Path, ...]
    resumed: int


def score_dataset(  # noqa: PLR0913 - all but the first three have defaults
    tasks: Paths,
    rankings: Paths | None,
    out: str | os.PathLike[str],
    *,
    alpha: float | None = None,
    fill: Fill = "chance",
    columns: Columns = _COLUMNS,
    carry: Sequence[str] | None = None,
    joined: bool = False,
    threads: int | None = None,
    chunk: int = CHUNK,
    part: int = PART,
) -> Report:
    """Score rankings in Parquet files against tasks in Parquet files, in nats, into a folder of Parquet files.

    The scores are those of ``habitus.score``, to the bit, whatever the row groups, files, threads and chunks. Memory
    does not grow with the files. Interrupted at any moment, the same call goes on after the last part that is complete;
    a part that was damaged since is made again.

    Args:
        tasks: a file, a folder, a glob or a list of them, with ``counts``: lists of K integers >= 0.
        rankings: likewise, with ``ranking``: lists of N candidate positions, -1 or null = empty slot; and with what
            joins them to the tasks (see ``Columns``): ``task_id``, of any type, no two tasks the same, or ``task``, the
            number of the row among all tasks, from 0. None: each row of ``tasks`` has a ranking of its own.
        out: the folder, made if need be: rankings-00000.parquet ... with carried columns, cross_entropy and valid;
            tasks-00000.parquet ... with task_id or task, entropy, chance and worst; manifest.json.
        alpha: see ``habitus.score``.
        fill: see ``habitus.score``.
        columns: names of the columns that are read.
        carry: columns of the rankings that stand beside the scores. Default: all but the lists that are read.
        joined: whether entropy, chance and worst of the task stand beside each ranking too. By default they stand once,
            in the tasks' files: three numbers more per ranking take longer to write than the scores to compute.
        threads: default one per core.
        chunk: rankings read and scored at a time, at most.
        part: rankings per file.

    Raises:
        DatasetError: a file, a row or a column is not as described, or the folder holds results of other files or
            settings; one line that says where and how to mend it. What is complete is kept.
        ValueError: alpha, fill, threads, chunk or part is out of range.
        OSError: the disk is full, or the folder cannot be written. What is complete is kept.

    Rankings in the order of the tasks, or of the tasks several times over (all of one model, then of the next), take
    one pass over the tasks each time. In any other order, every chunk takes a pass, unless all counts fit into 64 MiB:
    the results are the same, the time is not (11 times as long for 10^7 rankings). Sort them first, in DuckDB:
    ``COPY (FROM 'rankings.parquet' ORDER BY task) TO 'sorted.parquet'``.

    Example:
        >>> import pyarrow, pyarrow.parquet, tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> table = pyarrow.table({"counts": [[3, 0, 1], [0, 2, 2]], "ranking": [[0, 2], [1, None]]})
        >>> pyarrow.parquet.write_table(table, folder / "rows.parquet")
        >>> score_dataset(folder / "rows.parquet", None, folder / "scores").rankings
        2
    """
    workers = _checked(alpha, fill, threads, chunk, part)
    with room(Path(out)), held(Path(out)):
        inputs = Inputs(tasks, rankings, columns, carry, joined=joined)
        settings = Settings(inputs.candidates, inputs.length, alpha, fill)
        made_with = {**settings._asdict(), **inputs.described(), "part": part, "habitus": version("habitus")}
        output = Output(Path(out), made_with, inputs.fingerprints())
        # Counts that rankings in no order need are gathered: one row of them for each ranking at most.
        chunk = min(chunk, max(1, LIMIT // (_WIDEST_COUNT * settings.candidates)))
        with ThreadPoolExecutor(workers) as pool:
            made = _make(Stream(inputs, settings, InOrder(pool, _AHEAD * workers), chunk, part), output, inputs.size)
        return Report(*inputs.size, output.files(), inputs.size[0] - made)


def _make(stream: Stream, output: Output, size: Size) -> int:
    """Make the parts that are not there, or not as they were written; returns how many rankings they hold."""
    made, start = 0, Position()
    with Committer(output) as committer:
        for number, end in enumerate(output.ends):
            if not output.intact(number):
                _write(stream.events(start, end), committer, number)
                made += end.rankings - start.rankings
            start = end
        if start[:2] != size:
            _write(stream.events(start, None), committer, len(output.ends))
            made += size.rankings - start.rankings
    return made


def _write(events: Iterator[Event], committer: Committer, number: int) -> None:
    writer = committer.part(number)
    try:
        for event in events:
            if isinstance(event, Position):
                committer.commit(writer, event)
                writer = committer.part(writer.number + 1)
            else:
                writer.add(*event)
        committer.wait()
    except BaseException:
        writer.abandon()
        raise


def _checked(alpha: float | None, fill: str, threads: int | None, chunk: int, part: int) -> int:
    """How many threads."""
    workers = os.cpu_count() or 1 if threads is None else threads
    for name, value in {"threads": workers, "chunk": chunk, "part": part}.items():
        if value < 1:
            raise ValueError(f"{name}: expected at least 1, got {value}")
    arguments.pseudo_count(alpha, 1)
    if fill not in FILLS:
        raise ValueError(f"fill: expected one of {', '.join(FILLS)}, got {fill!r}")
    return workers
