"""What must hold on a machine for habitus to work, each looked at rather than assumed."""

import importlib.metadata
import math
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Check(NamedTuple):
    """One thing looked at: whether it is as it should be, and what was seen."""

    name: str
    good: bool
    seen: str


def examine() -> list[Check]:
    """Every check, in the order in which a failure would be met."""
    return [_guarded(name, look) for name, look in _looks()]


def _looks() -> Iterator[tuple[str, Callable[[], str]]]:
    yield "Python", platform.python_version
    yield "processor", lambda: f"{platform.machine()}, {os.cpu_count()} cores"
    for package in ("habitus", "numba", "numpy", "polars", "pyarrow", "pydantic", "scipy", "matplotlib", "rapidfuzz"):
        yield package, partial(importlib.metadata.version, package)
    yield "engine, first call", _engine
    yield "engine, threads", _threads
    yield "libhabitus", _native
    yield "temporary folder", lambda: _writable(Path(tempfile.gettempdir()))
    yield "current folder", lambda: _writable(Path.cwd())
    yield "ledger", _ledger


def _guarded(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, good=True, seen=look())
    except Exception as error:  # noqa: BLE001 - whatever is wrong is the finding
        return Check(name, good=False, seen=f"{type(error).__name__}: {error}")


def _engine() -> str:
    """Score a list whose cross-entropy is known: p = 3/4, 1/4 and the less likely candidate first."""
    import habitus  # noqa: PLC0415 - its import is part of what is timed

    began = time.perf_counter()
    scores = habitus.score([[2, 0]], [[1, 0]], alpha=1.0)
    seconds = time.perf_counter() - began
    known = {"entropy": -0.75 * math.log(0.75) - 0.25 * math.log(0.25)}
    known["cross_entropy"] = -0.25 * math.log(0.75) - 0.75 * math.log(0.25)
    for field, expected in known.items():
        got = float(getattr(scores, field)[0])
        if not math.isclose(got, expected, rel_tol=1e-12):
            raise ArithmeticError(f"{field}: expected {expected}, got {got}")
    return f"right, {seconds:.2f} s"


def _threads() -> str:
    import habitus  # noqa: PLC0415 - see _engine

    rng = np.random.default_rng(0)
    counts = rng.integers(0, 9, (20_000, 50)) + 1
    rankings = np.argsort(rng.random(counts.shape), axis=1)[:, :10]
    one, all_cores = (habitus.score(counts, rankings, threads=threads).cross_entropy for threads in (1, None))
    if not np.array_equal(one, all_cores):
        raise ArithmeticError("expected the same bits from one thread and from all, got others")
    return "the same bits from one thread and from all"


def _native() -> str:
    """Python does not need it; C, R and JavaScript do."""
    from habitus_bindings import native  # noqa: PLC0415 - needed here alone
    from habitus_bindings.native.build import BuildError, compiler  # noqa: PLC0415 - the same

    try:
        return str(native.library())
    except FileNotFoundError:
        try:
            return f"none here; python -m habitus_bindings.native install builds it with {compiler()[0]}"
        except BuildError as error:
            return f"none here, and it cannot be built: {error}"


def _writable(folder: Path) -> str:
    with tempfile.NamedTemporaryFile(dir=folder):
        return f"{folder} is writable"


def _ledger() -> str:
    """Read all of it: what was paid for must still be what came."""
    from habitus_runners.ledger import Ledger, default_path  # noqa: PLC0415 - loaded only where it is looked at
    from habitus_runners.ledger.listing import damage, summary  # noqa: PLC0415 - as above

    place = default_path()
    if not place.is_file():
        return f"none yet; the first answer that costs makes {place}"
    with Ledger(place) as opened:
        found = damage(opened)
        answers = sum(line.answers for line in summary(opened))
    if found:
        raise ArithmeticError(f"{place}: {'; '.join(found[:3])}")
    return f"{place}: {answers:,} answers, each as it came"
