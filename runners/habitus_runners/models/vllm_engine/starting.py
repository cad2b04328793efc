"""Starting and ending vLLM: one engine at a time, quietly, and one line where it fails."""

import gc
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from typing import IO, TYPE_CHECKING, Any

from habitus_runners.errors import HabitusError

if TYPE_CHECKING:
    from habitus_runners.models.vllm_engine.offline import Offline

# Read when vLLM is first imported. Its logger writes hundreds of lines to stdout, and it reports use to its makers.
_QUIET = {"VLLM_LOGGING_LEVEL": "ERROR", "VLLM_NO_USAGE_STATS": "1"}
_LOUD = "VLLM_LOGGING_LEVEL" in os.environ  # asked before the first start answers it
_CAUSE = re.compile(r"(?:^|[\s\]])((?:\w+\.)*\w*(?:Error|Exception): .+)$", re.MULTILINE)
_WHY = 300

_running: dict[str, "Offline"] = {}


def engine(arguments: Mapping[str, Any]) -> "Offline":
    """The engine with these arguments of ``vllm.LLM``: the one that runs, or a new one in its place.

    Raises:
        HabitusError: vLLM does not start with them.
    """
    key = json.dumps(arguments, sort_keys=True, default=str)
    if key not in _running:
        end()
        _running[key] = _started(arguments)
    return _running[key]


def end() -> None:
    """End the engine that runs, if one does, and give its memory back."""
    if _running:
        _, offline = _running.popitem()
        with suppress(Exception):  # a dead engine cannot be shut down, and need not be
            offline.llm.llm_engine.engine_core.shutdown()
        del offline
        _clear()


def first_line(error: BaseException) -> str:
    """The innermost cause of an exception, in one line."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:_WHY]}" if text else type(error).__name__


def cause(log: str) -> str | None:
    r"""The first exception that a log names: those after it are its consequences in other processes.

    >>> cause("INFO starting\n(EngineCore pid=7) ERROR x.py:1] ValueError: no kernel\nRuntimeError: see above")
    'ValueError: no kernel'
    """
    found = _CAUSE.search(log)
    return found[1][:_WHY] if found else None


def _started(arguments: Mapping[str, Any]) -> "Offline":
    for key, value in _QUIET.items():
        os.environ.setdefault(key, value)
    with tempfile.TemporaryFile() as log:
        try:
            with nullcontext() if _LOUD else _into(log):
                return _ready(arguments)
        except Exception as error:
            _clear()
            log.seek(0)
            why = first_line(error)
            if "root cause" in why:  # what failed is another process, which can say so in the log alone
                why = cause(log.read().decode(errors="replace")) or why
            raise HabitusError(
                f"model vllm:{arguments['model']}: vLLM did not start: {why};"
                " change vllm.* in the settings, or see its log with VLLM_LOGGING_LEVEL=INFO"
            ) from error


def _ready(arguments: Mapping[str, Any]) -> "Offline":
    """An engine that has answered once: what has no chat template or no kernel fails here, not prompt by prompt."""
    from vllm import LLM, SamplingParams  # noqa: PLC0415 - takes six seconds and torch

    from habitus_runners.models.vllm_engine.offline import Offline  # noqa: PLC0415

    _give_llvmlite_attributes()
    llm = LLM(**arguments)
    llm.chat([{"role": "user", "content": "?"}], SamplingParams(max_tokens=1), use_tqdm=False)
    return Offline(llm)


def _give_llvmlite_attributes() -> None:
    """Keep vLLM's start on a processor from failing where Numba is loaded, as it always is here.

    vLLM 0.32 reads ``vars(value).get`` of every value in every module. llvmlite's library object has no ``__dict__``
    but answers to any name with a function of that name, unless its table of known functions has one.
    """
    ffi = sys.modules.get("llvmlite.binding.ffi")
    with suppress(AttributeError):
        ffi.lib._fntab.setdefault("__dict__", {})  # type: ignore[union-attr]  # noqa: SLF001


def _clear() -> None:
    from vllm.distributed import cleanup_dist_env_and_memory  # noqa: PLC0415

    gc.collect()
    cleanup_dist_env_and_memory()


@contextmanager
def _into(log: IO[bytes]) -> Iterator[None]:
    """What this process and its children write to stdout and stderr goes into a file, libraries in C included."""
    streams = [stream for stream in (sys.__stdout__, sys.__stderr__) if stream is not None]
    kept = [os.dup(descriptor) for descriptor in (1, 2)]
    for stream in streams:
        stream.flush()
    try:
        for descriptor in (1, 2):
            os.dup2(log.fileno(), descriptor)
        yield
    finally:
        for stream in streams:
            stream.flush()
        for descriptor, original in zip((1, 2), kept, strict=True):
            os.dup2(original, descriptor)
            os.close(original)
