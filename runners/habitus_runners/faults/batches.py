"""/v1/batches: created from an uploaded file, ended as a script says after so many looks at them."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from habitus_runners.faults.answers import Answerer, prompt_of, tokens
from habitus_runners.faults.asked import Body
from habitus_runners.faults.batch_ends import BatchEnd, Line, outcome
from habitus_runners.faults.behaviours import error_reply
from habitus_runners.faults.files import Files
from habitus_runners.faults.http11 import Reply, json_reply
from habitus_runners.faults.log import Log

_OPEN = ("validating", "in_progress", "finalizing", "cancelling")
_PAGE = 20
_METADATA_ENTRIES = 16


class RefusedError(Exception):
    """The service's validation found a fault in a batch."""

    def __init__(self, code: str, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.about = {"code": code, "message": message, "param": None, "line": line}


@dataclass
class _Batch:
    about: dict[str, Any]
    end: BatchEnd
    lines: list[Line]
    looks: int = 0

    @property
    def tokens(self) -> int:
        return sum(tokens(prompt_of(line["body"])) for line in self.lines)


@dataclass
class Batches:
    """The batches of one server, oldest first. ``ends`` are used in turn; later batches end as the last one does.

    ``enqueued_tokens`` is how many tokens may stand in unfinished batches: one more batch fails, as OpenAI's do, with
    token_limit_exceeded.
    """

    files: Files
    log: Log
    ends: Sequence[BatchEnd]
    seed: int
    answer: Answerer
    enqueued_tokens: int | None = None
    _batches: dict[str, _Batch] = field(default_factory=dict)

    def create(self, body: Body) -> Reply:
        """POST /batches."""
        stored = self.files.find(body.get("input_file_id"))
        if stored is None:
            return error_reply(400, f"Invalid input_file_id: {body.get('input_file_id')}", "invalid_request_error")
        metadata = body.get("metadata") or {}
        if len(metadata) > _METADATA_ENTRIES or not all(isinstance(value, str) for value in metadata.values()):
            return error_reply(400, "Invalid metadata: at most 16 strings", "invalid_request_error")
        number = len(self._batches)
        end = self.ends[min(number, len(self.ends) - 1)] if self.ends else BatchEnd()
        batch = _Batch(self._new(number, body), end, [])
        try:
            batch.lines = _validated(stored.content, str(body.get("endpoint")))
            self._enqueue(batch)
        except RefusedError as fault:
            self._fail(batch, [fault.about])
        batch.about["request_counts"]["total"] = len(batch.lines)
        self._batches[batch.about["id"]] = batch
        if not batch.end.polls:
            self._advance(batch)
        return json_reply(batch.about)

    def retrieve(self, name: str) -> Reply:
        """GET /batches/{id}: a look at it, after enough of which it has ended."""
        batch = self._batches.get(name)
        if batch is None:
            return _missing(name)
        batch.looks += 1
        self._advance(batch)
        return json_reply(batch.about)

    def cancel(self, name: str) -> Reply:
        """POST /batches/{id}/cancel: the end shows at the next look."""
        batch = self._batches.get(name)
        if batch is None:
            return _missing(name)
        if batch.about["status"] not in _OPEN:
            message = f"Cannot cancel a batch with status '{batch.about['status']}'."
            return error_reply(409, message, "invalid_request_error")
        batch.about.update(status="cancelling", cancelling_at=int(time.time()))
        return json_reply(batch.about)

    def page(self, after: str, limit: str) -> Reply:
        """GET /batches: newest first, a page that begins after the id ``after``."""
        names = list(reversed(self._batches))
        if after and after not in names:
            return _missing(after)
        names = names[names.index(after) + 1 :] if after else names
        page = names[: int(limit) if limit.isdecimal() else _PAGE]
        return json_reply(
            {
                "object": "list",
                "data": [self._batches[name].about for name in page],
                "first_id": page[0] if page else None,
                "last_id": page[-1] if page else None,
                "has_more": len(names) > len(page),
            }
        )

    def _new(self, number: int, body: Body) -> dict[str, Any]:
        now = int(time.time())
        kept = ("endpoint", "input_file_id", "completion_window", "metadata")
        return {
            "id": f"batch_{number:06d}",
            "object": "batch",
            **{name: body.get(name) for name in kept},
            "status": "validating",
            "created_at": now,
            "expires_at": now + 86_400,
            "errors": None,
            "output_file_id": None,
            "error_file_id": None,
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
        }

    def _enqueue(self, batch: _Batch) -> None:
        """Refuse what is beyond the tokens that may wait."""
        if self.enqueued_tokens is None:
            return
        waiting = sum(other.tokens for other in self._batches.values() if other.about["status"] in _OPEN)
        if waiting + batch.tokens > self.enqueued_tokens:
            message = f"Enqueued token limit reached. Limit: {self.enqueued_tokens:,} enqueued tokens."
            raise RefusedError("token_limit_exceeded", message)

    def _advance(self, batch: _Batch) -> None:
        about = batch.about
        if about["status"] not in _OPEN:
            return
        if about["status"] == "cancelling":
            self._finish(batch, "cancelled")
        elif batch.end.end == "never" or batch.looks < batch.end.polls:
            about.update(status="in_progress", in_progress_at=about.get("in_progress_at", int(time.time())))
        elif batch.end.end == "failed":
            message = f"The batch failed its validation: {batch.end.code}"
            self._fail(batch, [{"code": batch.end.code, "message": message, "param": None, "line": None}])
        else:
            self._finish(batch, batch.end.end)

    def _fail(self, batch: _Batch, errors: list[dict[str, Any]]) -> None:
        batch.about.update(status="failed", failed_at=int(time.time()), errors={"object": "list", "data": errors})

    def _finish(self, batch: _Batch, status: str) -> None:
        made = outcome(batch.lines, batch.end, status, self.seed, self.answer)
        for key in made.generated:
            self.log.generate(key)
        for key in made.paid:
            self.log.pay(key)
        about = batch.about
        about[f"{status}_at"] = int(time.time())
        about["status"] = status
        about["request_counts"].update(completed=made.completed, failed=made.failed)
        for kind, content in (("output", made.answers), ("error", made.errors)):
            if content:
                stored = self.files.add(content, f"{about['id']}_{kind}.jsonl", "batch_output")
                about[f"{kind}_file_id"] = stored.about["id"]


def _validated(content: bytes, endpoint: str) -> list[Line]:
    """The lines of a batch file, if the service would take them."""
    lines: list[Line] = []
    seen: set[str] = set()
    for number, text in enumerate(content.decode().splitlines(), start=1):
        try:
            line = json.loads(text)
        except ValueError:
            raise RefusedError("invalid_json_line", "This line is not parseable as valid JSON.", number) from None
        if not isinstance(line, dict) or not isinstance(line.get("custom_id"), str):
            raise RefusedError("missing_required_parameter", "Missing custom_id.", number)
        if not isinstance(line.get("body"), dict):
            raise RefusedError("missing_required_parameter", "Missing body.", number)
        if line["custom_id"] in seen:
            raise RefusedError("duplicate_custom_id", f"custom_id {line['custom_id']} is used twice.", number)
        if line.get("url") != endpoint or line.get("method") != "POST":
            raise RefusedError("mismatched_endpoint", f"expected POST {endpoint}, got {line.get('url')}", number)
        if lines and line["body"].get("model") != lines[0]["body"].get("model"):
            raise RefusedError("mismatched_model", "All lines of a batch must name one model.", number)
        seen.add(line["custom_id"])
        lines.append(line)
    if not lines:
        raise RefusedError("empty_file", "The input file is empty.")
    return lines


def _missing(name: str) -> Reply:
    return error_reply(404, f"No batch found with id '{name}'.", "invalid_request_error")
