"""From a request to its script: finds the route, asks the plan, carries out what was asked."""

import json
import random
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from habitus_runners.faults.answers import Answerer, completion
from habitus_runners.faults.asked import Asked, Body, Edit, Script, question_key
from habitus_runners.faults.batches import Batches
from habitus_runners.faults.behaviours import error_reply, whole
from habitus_runners.faults.http11 import HttpRequest, Reply, json_reply
from habitus_runners.faults.limits import Keeper
from habitus_runners.faults.log import LOG_ROUTE, Call, Log
from habitus_runners.faults.plans import CHAT, Choice


class Sent(NamedTuple):
    """A request, taken apart as far as a route needs it."""

    request: HttpRequest
    body: Body
    name: str
    query: dict[str, list[str]]


Handler = Callable[[Sent, Edit | None], Reply]


class Service:
    """What stands behind the server's routes. One thread alone calls it."""

    def __init__(
        self,
        choose: Choice,
        log: Log,
        keeper: Keeper,
        batches: Batches,
        *,
        models: tuple[str, ...],
        latency_s: float | tuple[float, float],
    ) -> None:
        self._choose = choose
        self._log = log
        self._keeper = keeper
        self._batches = batches
        self._models_known = models
        self._latency_s = latency_s
        self._seed = batches.seed
        self._answer: Answerer = batches.answer
        self._draw = random.Random(self._seed)  # noqa: S311 - a fixed draw, not a secret
        self._routes = [(route, method, re.compile(path), handler) for route, method, path, handler in self._table()]

    def respond(self, request: HttpRequest) -> tuple[Call, Script]:
        """The script for a request, and its line in the log."""
        path, _, query = request.target.partition("?")
        if path == "/faults/log":
            return Call(0, LOG_ROUTE, "", 0, 0.0), whole(json_reply(self._log.summary()))
        self._keep_key(request)
        try:
            body = _json_of(request)
        except ValueError as error:
            message = f"We could not parse the JSON body of your request: {error}"
            reply = error_reply(400, message, "invalid_request_error")
            return self._log.begin(f"{request.method} {path}", ""), whole(reply)
        route, name, handler = self._find(request.method, path)
        key = question_key(body) if body else path
        call = self._log.begin(route, key)
        carry_out = partial(handler, Sent(request, body, name, parse_qs(query)))
        answered = self._log.answered()
        asked = Asked(call.number, route, key, call.attempt, answered, body, request.headers, self._seed, carry_out)
        try:
            script = self._kept(asked, call) if route == CHAT else self._chosen(asked, call)._replace(usable=False)
        except Exception as error:  # noqa: BLE001 - a test's own plan may raise anything; its test has to hear of it
            self._log.broken.append(error)
            script = whole(error_reply(500, f"the plan raised {error!r}", "server_error"))
        if script.retry_after_s is not None:
            self._log.wait_asked(call, script.retry_after_s)
        return call, script

    def _chosen(self, asked: Asked, call: Call) -> Script:
        behaviour = self._choose(asked)
        call.behaviour = type(behaviour).__name__
        return behaviour.script(asked)

    def _kept(self, asked: Asked, call: Call) -> Script:
        """Limits come before the plan; latency after both, since a refusal too takes its time."""
        refusal = self._keeper.refusal(asked.body, self._log.open_calls(CHAT))
        if refusal is not None:
            call.behaviour = "Limits"
        script = self._keeper.told(refusal or self._chosen(asked, call))
        low, high = self._latency_s if isinstance(self._latency_s, tuple) else (self._latency_s, self._latency_s)
        return script._replace(steps=(self._draw.uniform(low, high), *script.steps)) if high else script

    def _find(self, method: str, path: str) -> tuple[str, str, Handler]:
        for route, wanted, pattern, handler in self._routes:
            match = pattern.search(path) if method == wanted else None
            if match:
                return route, (match[1] if match.lastindex else ""), handler
        reply = error_reply(404, f"Invalid URL ({method} {path})", "invalid_request_error")
        return f"{method} {path}", "", lambda *_: reply

    def _table(self) -> Iterator[tuple[str, str, str, Handler]]:
        """Routes are told by the end of a path: before it may stand /v1, or Azure's /openai/deployments/NAME."""
        batches, files = self._batches, self._batches.files
        yield CHAT, "POST", r"/chat/completions$", self._chat
        yield "GET /models", "GET", r"/models$", lambda *_: self._models("")
        yield "GET /models/{id}", "GET", r"/models/([^/]+)$", lambda sent, _: self._models(sent.name)
        yield "POST /files", "POST", r"/files$", lambda sent, _: files.upload(sent.request)
        yield "GET /files", "GET", r"/files$", lambda *_: files.page()
        yield "GET /files/{id}", "GET", r"/files/([^/]+)$", lambda sent, _: files.retrieve(sent.name)
        yield "GET /files/{id}/content", "GET", r"/files/([^/]+)/content$", lambda sent, _: files.content(sent.name)
        yield "DELETE /files/{id}", "DELETE", r"/files/([^/]+)$", lambda sent, _: files.delete(sent.name)
        yield "POST /batches", "POST", r"/batches$", lambda sent, _: batches.create(sent.body)
        yield (
            "GET /batches",
            "GET",
            r"/batches$",
            lambda sent, _: batches.page(sent.query.get("after", [""])[0], sent.query.get("limit", [""])[0]),
        )
        yield "GET /batches/{id}", "GET", r"/batches/([^/]+)$", lambda sent, _: batches.retrieve(sent.name)
        cancel = "POST /batches/{id}/cancel"
        yield cancel, "POST", r"/batches/([^/]+)/cancel$", lambda sent, _: batches.cancel(sent.name)

    def _chat(self, sent: Sent, edit: Edit | None) -> Reply:
        body = sent.body
        if not isinstance(body.get("model"), str) or not isinstance(body.get("messages"), list):
            return error_reply(400, "you must provide a model and messages", "invalid_request_error")
        if body.get("stream"):
            return error_reply(400, "this server does not stream", "invalid_request_error", "unsupported_value")
        key = question_key(body)
        self._log.generate(key)
        made = completion(body, key, self._seed, self._answer)
        if edit is not None:
            edit(made)
        return json_reply(made, headers=(("x-request-id", f"req_{key[:24]}"), ("openai-processing-ms", "1")))

    def _models(self, name: str) -> Reply:
        known = [{"id": each, "object": "model", "created": 0, "owned_by": "faults"} for each in self._models_known]
        if not name:
            return json_reply({"object": "list", "data": known})
        if name not in self._models_known:
            message = f"The model '{name}' does not exist"
            return error_reply(404, message, "invalid_request_error", "model_not_found")
        return json_reply(known[self._models_known.index(name)])

    def _keep_key(self, request: HttpRequest) -> None:
        sent = request.headers.get("authorization", "").removeprefix("Bearer ") or request.headers.get("api-key", "")
        if sent:
            self._log.keys.add(sent)


def _json_of(request: HttpRequest) -> dict[str, Any]:
    if not request.body or not request.headers.get("content-type", "").startswith("application/json"):
        return {}
    body = json.loads(request.body)
    if not isinstance(body, dict):
        raise ValueError(f"expected an object, got {type(body).__name__}")  # noqa: TRY004 - one kind for the caller
    return body
