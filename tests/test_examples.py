"""Every example that a reader may copy runs and prints what it says: docstrings of the engine, and the README."""

import doctest
import importlib
import json
import os
import pkgutil
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import habitus

ROOT = Path(__file__).parents[1]
MODULES = [name for _, name, is_package in pkgutil.iter_modules(habitus.__path__, "habitus.") if not is_package]


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_readme():
    result = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert result.attempted > 0
    assert result.failed == 0


class LlamaCppServer(BaseHTTPRequestHandler):
    """As much of llama.cpp's server as the example calls: it lists the first candidates of every prompt."""

    asked = 0

    def do_GET(self):
        """Which model."""
        self._send({"model_path": "tiny.gguf"})

    def do_POST(self):
        """An answer."""
        prompt = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["prompt"]
        type(self).asked += 1
        self._send({"content": "[" + ", ".join(prompt.split("Candidates:\n")[1].splitlines()[:10]) + "]"})

    def log_message(self, *_):
        """Say nothing."""

    def _send(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def test_a_model_of_ones_own(tmp_path):
    example = ROOT / "examples" / "own-model"
    code = (example / "llama_cpp_model.py").read_text(encoding="utf-8").splitlines()
    assert len([line for line in code if line.strip() and not line.strip().startswith('"""')]) <= 30
    points = tomllib.loads((example / "pyproject.toml").read_text())["project"]["entry-points"]["habitus.models"]
    installed = tmp_path / "habitus_llama_cpp-1.0.dist-info"
    installed.mkdir()
    lines = [f"{name} = {target}" for name, target in points.items()]
    (installed / "entry_points.txt").write_text("\n".join(["[habitus.models]", *lines]))
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: habitus-llama-cpp\nVersion: 1.0\n")
    server = ThreadingHTTPServer(("127.0.0.1", 0), LlamaCppServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    command = [
        *(sys.executable, "-m", "habitus_runners", "run", "--out", str(tmp_path / "run")),
        *("--set=data.users=300", "--set=data.items=80", "--set=history.lengths=[0,2]", "--set=draws.cap=5"),
        *("--model", f"llama-cpp:http://127.0.0.1:{server.server_port}", "--model", "random"),
    ]
    there = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(example)])}
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=there)
        assert done.returncode == 0, done.stderr
        assert "llama-cpp:" in done.stdout
    server.shutdown()
    server.server_close()
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert f"llama-cpp:http://127.0.0.1:{server.server_port}" in {model["name"] for model in manifest["models"]}
    assert LlamaCppServer.asked == manifest["tables"]["answers"]["rows"] // 2
