"""The tiny model, and vLLM's own server with it. Without vLLM its tests are skipped."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.runners.models.vllm_engine import tiny_llama

from habitus_runners.model import Request
from habitus_runners.prompts.titles import quoted
from habitus_runners.settings import Settings, settings

FILMS = [
    "Alien",
    "Aliens",
    "Heat",
    'Who "Is" It?',
    "Ça va",
    "Toy Story",
    "\\Slash",
    "Tron",
    "Jaws",
    "Up",
    "M",
    "Big, Wide",
]
TITLES = [f"{film} ({year})" for film in FILMS for year in (1979, 1995, 2011)]
STARTED_WITHIN_S = 180


def _need_vllm() -> None:
    """There is vLLM, and it works on a processor with little memory."""
    if find_spec("vllm") is None:
        pytest.skip("vLLM is not installed; CONTRIBUTING.md says how to make an environment with it")
    small = {"VLLM_CPU_KVCACHE_SPACE": "1", "OMP_NUM_THREADS": "1", "TORCHDYNAMO_DISABLE": "1", "HF_HUB_OFFLINE": "1"}
    in_this_process = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_NO_USAGE_STATS": "1"}
    for key, value in (small | in_this_process).items():
        os.environ.setdefault(key, value)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Path:
    """The folder of a model."""
    _need_vllm()
    return tiny_llama.make(tmp_path_factory.mktemp("models") / "tiny", TITLES)


@pytest.fixture(scope="session")
def small() -> Settings:
    """Settings under which a tiny model starts quickly."""
    engine = {"enforce_eager": True, "max_num_batched_tokens": 16384}
    memory = {"vllm.dtype": "float32", "vllm.memory": 0.3, "vllm.engine": engine}
    return settings("paper", memory | {"candidates.K": 12, "candidates.N": 4, "ask.max_tokens": 24})


def requests(count: int, titles: int = 12) -> list[Request]:
    """Different prompts, each with some of the films, in an order of its own."""
    made = []
    for number in range(count):
        shown = [quoted(TITLES[(number + 5 * position) % len(TITLES)]) for position in range(titles)]
        prompt = "\n".join([f"Person {number} likes films. Reply with one JSON array of 4 titles.", *shown])
        made.append(Request(number, f"task{number}", prompt, tuple(shown)))
    return made


@pytest.fixture(scope="session")
def vllm_server(tiny) -> Iterator[str]:
    """Base URL of vLLM's OpenAI-compatible server on this machine, with the tiny model under the name ``tiny``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["-m", "vllm.entrypoints.openai.api_server", "--model", str(tiny), "--served-model-name=tiny"]
    place = ["--host=127.0.0.1", f"--port={port}"]
    engine = ["--dtype=float32", "--enforce-eager", "--gpu-memory-utilization=0.3", "--max-num-batched-tokens=16384"]
    log = tiny.parent / "server.log"
    with (
        log.open("wb") as out,
        subprocess.Popen([sys.executable, *command, *place, *engine], stdout=out, stderr=out) as server,
    ):
        try:
            _await(server, f"http://127.0.0.1:{port}/health", log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()


def _await(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    until = time.monotonic() + STARTED_WITHIN_S
    while server.poll() is None and time.monotonic() < until:
        try:
            urllib.request.urlopen(url, timeout=1).close()  # noqa: S310 - an address made above
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
        else:
            return
    pytest.fail(f"vLLM's server did not start:\n{log.read_text(errors='replace')[-3000:]}")
