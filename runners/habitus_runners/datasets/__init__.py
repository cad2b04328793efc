"""Data sets by name. A loader reads files and returns a Dataset; nothing downstream knows where it came from."""

import importlib
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from habitus_runners.datasets.dataset import Dataset
from habitus_runners.errors import HabitusError
from habitus_runners.progress import Progress, silent

_MODULES = {"world": "world", "ml-1m": "movielens", "lastfm-1k": "lastfm"}
NAMES = tuple(_MODULES)


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
    fixed: dict[str, Any] = {"source": source, "progress": progress}
    if is_config(name):
        return _called(_loader("tabular").load, {"config": Path(name), **fixed}, given)
    if name not in NAMES:
        raise HabitusError(f"--dataset: expected {', '.join(NAMES)} or the path of a CONFIG.toml, got {name!r}")
    if name == "world":
        fixed["seed"] = seed
    return _called(_loader(_MODULES[name]).load, fixed, given)


def is_config(name: str) -> bool:
    """Whether ``name`` is the path of a CONFIG.toml."""
    return name.lower().endswith(".toml")


def notice(name: str) -> str:
    """The licence and citation of a published data set, to be shown before it is downloaded or read; else empty."""
    if name not in NAMES:
        return ""
    text: str = getattr(_loader(_MODULES[name]), "NOTICE", "")
    return text


def _loader(module: str) -> ModuleType:
    """One loader's module: the imports of the others are not paid for."""
    return importlib.import_module(f"{__name__}.{module}")


def _called(loader: Callable[..., Dataset], fixed: Mapping[str, Any], options: Mapping[str, Any]) -> Dataset:
    known = [name for name in inspect.signature(loader).parameters if name not in fixed]
    for name in options:
        if name not in known:
            raise HabitusError(f"setting data.{name}: expected one of {', '.join(known) or 'no option'}")
    return loader(**fixed, **options)
