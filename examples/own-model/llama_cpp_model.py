"""A model of one's own for habitus: llama.cpp's native /completion endpoint, through the standard library alone."""

import json
from urllib.request import Request as Call
from urllib.request import urlopen

from habitus_runners.model import Answer

SAMPLING = {"temperature": 0, "n_predict": 512, "seed": 0}


class LlamaCpp:
    """``habitus run --model llama-cpp:http://localhost:8080``."""

    def __init__(self, url):
        """Made with what stands after the colon. No answer given under one revision is served to another."""
        self._url = url
        self.name = f"llama-cpp:{url}"
        self.revision = json.dumps({"model": self._call("/props")["model_path"], **SAMPLING}, sort_keys=True)

    def answers(self, requests):
        """One answer per request. Each is in the ledger before the next is asked for; an error is asked for again."""
        for request in requests:
            try:
                text = self._call("/completion", {"prompt": request.prompt, **SAMPLING})["content"]
                yield Answer(request.task_id, text, sample=request.sample)
            except OSError as error:
                yield Answer(request.task_id, "", error=str(error), sample=request.sample)

    def _call(self, path, body=None):
        call = Call(self._url + path, json.dumps(body).encode() if body else None, {"Content-Type": "application/json"})
        with urlopen(call, timeout=600) as answer:
            return json.load(answer)
