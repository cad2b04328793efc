"""How a batch ends, and the two files that come of it: answers, and errors."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from habitus_runners.faults.answers import Answerer, completion
from habitus_runners.faults.asked import Body, question_key
from habitus_runners.faults.behaviours import ORDERLY, Ok

_ERRORS = {
    400: ("invalid_request_error", "invalid_value", "Invalid value in the request."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached for requests."),
    500: ("server_error", "server_error", "The server had an error while processing your request."),
}
_UNFINISHED = {
    "expired": ("batch_expired", "This request could not be executed before the completion window expired."),
    "cancelled": ("batch_cancelled", "This request was not executed because the batch was cancelled."),
}


@dataclass(frozen=True)
class BatchEnd:
    """What becomes of a batch. Faults add up; the defaults are an orderly end.

    Attributes:
        end: ``never`` stays in progress for ever; ``failed`` is a failed validation with ``code``.
        polls: how many times it is retrieved before the end shows; 0: it has ended when it is created.
        answered: share of the lines that are answered; of ``expired`` and ``cancelled`` batches the others stand in the
            error file, of ``completed`` ones they are nowhere.
        errors: statuses of the first lines, which stand in the error file.
        shuffled: answers in another order than questions.
        doubled: so many answers stand there twice.
        renamed: so many answers have a custom_id that nobody sent.
        strangers: so many answers more, to questions that nobody asked.
        half_line: the last line of the answers is cut in the middle.
        code: of a failed validation: token_limit_exceeded, invalid_json_line, ...
        line: how each answer is changed: ``Refusal()``, ``WrongModel()``, ``Ended()``, ...
    """

    end: Literal["completed", "expired", "failed", "cancelled", "never"] = "completed"
    polls: int = 1
    answered: float = 1.0
    errors: tuple[int, ...] = ()
    shuffled: bool = False
    doubled: int = 0
    renamed: int = 0
    strangers: int = 0
    half_line: bool = False
    code: str = "token_limit_exceeded"
    line: Ok = ORDERLY


class Outcome(NamedTuple):
    """What a batch made: its two files, the questions of usable answers, and of all that were generated."""

    answers: bytes
    errors: bytes
    completed: int
    failed: int
    paid: list[str]
    generated: list[str]


Line = dict[str, Any]


def outcome(lines: Sequence[Line], end: BatchEnd, status: str, seed: int, answer: Answerer) -> Outcome:
    """Answer a batch's lines and spoil them as the end says. ``status`` is the batch's, once it has ended."""
    failing, rest = lines[: len(end.errors)], lines[len(end.errors) :]
    n = round(len(rest) * end.answered)
    errors = [_error_line(line["custom_id"], code) for line, code in zip(failing, end.errors, strict=False)]
    if status in _UNFINISHED:
        errors += [_unfinished_line(line["custom_id"], *_UNFINISHED[status]) for line in rest[n:]]
    keys = [question_key(line["body"]) for line in rest[:n]]
    answers = [
        _answer_line(line["custom_id"], _edited(completion(line["body"], key, seed, answer), end.line.edit))
        for line, key in zip(rest, keys, strict=False)
    ]
    for position, line in enumerate(answers[: end.renamed]):
        line["custom_id"] = f"nobody-{position}"
    written = [*range(n), *range(min(end.doubled, n))]
    if end.shuffled:
        random.Random(seed).shuffle(written)  # noqa: S311 - a fixed draw, not a secret
    strangers = [{**line, "custom_id": f"stranger-{i}"} for i in range(end.strangers) for line in answers[:1]]
    text = _text([*(answers[position] for position in written), *strangers])
    whole = set(written)
    if end.half_line and text:
        text = text[: -(len(text) - text.rfind("\n", 0, -1)) // 2]
        whole = set(written if strangers else written[:-1])
    paid = [
        key
        for position, key in enumerate(keys)
        if position in whole and position >= end.renamed and answers[position]["response"]["body"]["choices"]
    ]
    return Outcome(text.encode(), _text(errors).encode(), n, len(errors), paid, keys)


def _text(lines: Sequence[Line]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


def _edited(made: Body, edit: Callable[[Body], None]) -> Body:
    edit(made)
    return made


def _answer_line(custom_id: str, body: Body) -> Line:
    return _line(custom_id, {"status_code": 200, "request_id": body["id"], "body": body}, None)


def _error_line(custom_id: str, status: int) -> Line:
    kind, code, message = _ERRORS.get(status, _ERRORS[500])
    error = {"message": message, "type": kind, "param": None, "code": code}
    return _line(custom_id, {"status_code": status, "request_id": "req_failed", "body": {"error": error}}, None)


def _unfinished_line(custom_id: str, code: str, message: str) -> Line:
    return _line(custom_id, None, {"code": code, "message": message})


def _line(custom_id: str, response: Body | None, error: Body | None) -> Line:
    return {"id": f"batch_req_{custom_id}", "custom_id": custom_id, "response": response, "error": error}
