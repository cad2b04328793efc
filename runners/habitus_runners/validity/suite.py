"""Runs the properties, one after another, and keeps what was found: validity.json, and the page that is made of it."""

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from habitus_runners.errors import HabitusError
from habitus_runners.progress import Progress, silent
from habitus_runners.storage import atomic
from habitus_runners.validity import bounds, faults, fitting, invariance, inversions, levels, memory, recovery
from habitus_runners.validity.property import Property
from habitus_runners.validity.worlds import Size, Worlds

PROPERTIES: Mapping[str, Callable[[Worlds], Property]] = {
    "V1": bounds.bounds,
    "V2": bounds.chance,
    "V3": bounds.order,
    "V4": recovery.mixtures,
    "V5": inversions.planted,
    "V6": levels.null_pairs,
    "V7": fitting.unbiased,
    "V8": levels.proxies,
    "V9": invariance.invariance,
    "V11": memory.memorisers,
    "V12": faults.faults,
}


def examine(size: Size, seed: int, only: Sequence[str] = (), *, progress: Progress = silent) -> list[Property]:
    """Look at every property, or at some.

    Args:
        size: how much is looked at.
        seed: of all worlds and draws.
        only: keys of PROPERTIES.
        progress: told how many are done.

    Raises:
        HabitusError: an unknown property.
    """
    strange = [key for key in only if key not in PROPERTIES]
    if strange:
        raise HabitusError(f"--only {strange[0]}: expected one of {', '.join(PROPERTIES)}")
    worlds, found = Worlds(size, seed), []
    wanted = [key for key in PROPERTIES if not only or key in only]
    for done, key in enumerate(wanted, start=1):
        began = time.perf_counter()
        found.append(PROPERTIES[key](worlds)._replace(seconds=time.perf_counter() - began))
        progress("properties", done, len(wanted))
    return found


def write(found: Sequence[Property], size: Size, seed: int, folder: Path) -> Path:
    """Write validity.json, validity.html and its figures; the page's path.

    Raises:
        HabitusError: the folder cannot be written.
    """
    from habitus_runners.validity import page  # noqa: PLC0415 - matplotlib and jinja2 take their time

    kept = {
        "habitus": version("habitus"),
        "seed": seed,
        "size": size._asdict(),
        "properties": [_plain(one) for one in found],
    }
    with atomic(folder / "validity.json") as file:
        file.write(json.dumps(kept, indent=1, allow_nan=False).encode())
    return page.write(found, kept, folder)


def _plain(found: Property) -> dict[str, Any]:
    """What is in the JSON file; the chart's numbers are for the page."""
    row = found._asdict()
    row.pop("chart")
    return row | {"figures": {name: _known(value) for name, value in found.figures.items()}}


def _known(value: float | str) -> float | str | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value
