"""Data sets by name. A loader reads files and returns a Dataset; nothing downstream knows where it came from."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from habitus_runners.datasets.dataset import Dataset
from habitus_runners.errors import HabitusError
from habitus_runners.progress import Progress, silent

NAMES = ("world", "ml-1m", "lastfm-1k")


def load(
    name: str,
    source: Path | None = None,
    *,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> Dataset:
    """Load a data set.

    Args:
        name: one of ``NAMES``, or the path of a CONFIG.toml that describes a user's own tables.
        source: where its files are; default: download them, or the folder of the CONFIG.toml.
        seed: of a synthetic data set.
        options: keyword arguments of the loader, the settings' ``data``.
        progress: told how far reading is.

    Raises:
        HabitusError: an unknown name or option, or whatever is wrong with the files.
    """
    given = dict(options or {})
    if name.lower().endswith(".toml"):
        from habitus_runners.datasets import tabular  # noqa: PLC0415 - one loader's imports at a time

        return _called(tabular.load, {"config": Path(name), "source": source, "progress": progress}, given)
    if name == "world":
        from habitus_runners.datasets import world  # noqa: PLC0415 - as above

        return _called(world.load, {"source": source, "seed": seed, "progress": progress}, given)
    if name == "ml-1m":
        from habitus_runners.datasets import movielens  # noqa: PLC0415 - as above

        return _called(movielens.load, {"source": source, "progress": progress}, given)
    if name == "lastfm-1k":
        from habitus_runners.datasets import lastfm  # noqa: PLC0415 - as above

        return _called(lastfm.load, {"source": source, "progress": progress}, given)
    raise HabitusError(f"--dataset: expected {', '.join(NAMES)} or the path of a CONFIG.toml, got {name!r}")


def notice(name: str) -> str:
    """The licence and citation of a published data set, to be shown before it is downloaded or read; else empty."""
    if name == "ml-1m":
        from habitus_runners.datasets import movielens  # noqa: PLC0415 - as above

        return movielens.NOTICE
    if name == "lastfm-1k":
        from habitus_runners.datasets import lastfm  # noqa: PLC0415 - as above

        return lastfm.NOTICE
    return ""


def _called(loader: Callable[..., Dataset], fixed: Mapping[str, Any], options: Mapping[str, Any]) -> Dataset:
    known = [name for name in inspect.signature(loader).parameters if name not in fixed]
    for name in options:
        if name not in known:
            raise HabitusError(f"setting data.{name}: expected one of {', '.join(known) or 'no option'}")
    return loader(**fixed, **options)
