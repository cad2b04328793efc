"""The calls that batches need, each tried again until the deadline where that can help."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, NamedTuple, TypeVar

import httpx2
import openai
import stamina

from habitus_runners.calls.outcomes import Failure, judge
from habitus_runners.errors import Stopped
from habitus_runners.models.openai_api import wire
from habitus_runners.models.openai_api.batches.lines import URL
from habitus_runners.models.openai_api.client import failure
from habitus_runners.models.openai_api.keys import redacted

MARK = "habitus"
_ENDED = frozenset({"completed", "expired", "cancelled", "failed"})
_NOT_FOUND = 404
LONGEST_PAUSE_S = 60.0
_CHUNK_BYTES = 1 << 16
_PAGE = 100
_REASONS = 3
_LONGEST_REASON = 400
_UNREADABLE = "unreadable"
T = TypeVar("T")


class Remote(NamedTuple):
    """A batch as the service describes it. ``reason`` says why it failed, if it did."""

    batch_id: str
    status: str
    marks: Mapping[str, str]
    input_file_id: str
    files: tuple[str, ...]
    created: float
    reason: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing will be added to its results."""
        return self.status in _ENDED


class Service:
    """A service's files and batches.

    Every call raises Stopped if it is refused, or was tried until the deadline.

    Args:
        client: that does not retry by itself.
        deadline_s: of each call with all its retries.
    """

    def __init__(self, client: openai.OpenAI, deadline_s: float) -> None:
        self._batches = client.batches.with_raw_response
        self._files = client.files
        self._deadline_s = deadline_s

    def upload(self, file: BinaryIO, name: str) -> str:
        """Send an input file; its id. If the answer is lost, a second one is sent, and the first is never used."""

        def send() -> str:
            file.seek(0)
            sent = self._files.with_raw_response.create(file=(name, file), purpose="batch")
            return _text(wire.parsed(sent.content), "id")

        return self._tried("upload a batch file", send)

    def create(self, input_file_id: str, marks: Mapping[str, str]) -> Remote:
        """Order a batch, once: before it is ordered again, the service is asked whether the first order arrived."""
        tries = 0

        def send() -> Remote:
            nonlocal tries
            tries += 1
            if tries > 1 and (there := [one for one in self._listed() if one.marks.get(MARK) == marks[MARK]]):
                return _oldest_first(there)[0]
            made = self._batches.create(
                completion_window="24h",
                endpoint=URL,
                input_file_id=input_file_id,
                metadata=dict(marks),
                extra_headers={"Idempotency-Key": marks[MARK]},
            )
            return _remote(wire.parsed(made.content))

        return self._tried("order a batch", send)

    def batch(self, batch_id: str) -> Remote | None:
        """A batch as it is now; None if the service knows none by this id."""
        return self._tried_or_none(
            f"look at {batch_id}", lambda: _remote(wire.parsed(self._batches.retrieve(batch_id).content))
        )

    def marked(self) -> list[Remote]:
        """The batches that carry our mark, oldest first."""
        return _oldest_first(self._tried("list batches", lambda: [one for one in self._listed() if MARK in one.marks]))

    def cancel(self, batch_id: str) -> None:
        """Ask that a batch be ended early. One that has ended already stays as it is."""
        with suppress(Stopped):
            self._tried(f"cancel {batch_id}", lambda: self._batches.cancel(batch_id))

    @contextmanager
    def download(self, file_id: str) -> Iterator[BinaryIO | None]:
        """A file, open at its beginning and without a name in any folder; None if the service no longer has it."""
        with tempfile.TemporaryFile() as file:

            def fetch() -> BinaryIO:
                file.seek(0)
                file.truncate()
                with self._files.with_streaming_response.content(file_id) as response:
                    for chunk in response.iter_bytes(_CHUNK_BYTES):
                        file.write(chunk)
                file.seek(0)
                return file

            yield self._tried_or_none(f"download {file_id}", fetch)

    def _listed(self) -> list[Remote]:
        """All batches, page by page, each once; entries that are no batches are passed over."""
        listed: dict[str, Remote] = {}
        after: str | openai.Omit = openai.omit
        while True:
            page = wire.parsed(self._batches.list(limit=_PAGE, after=after).content)
            data = page.get("data") if isinstance(page, dict) else None
            if not isinstance(data, list):
                raise Failure(f"expected a list of batches, got {page!r:.200}", 200, _UNREADABLE)
            fresh = {one.batch_id: one for one in map(_remote, data) if one.batch_id not in listed}
            listed |= fresh
            if not page.get("has_more") or not fresh:
                return list(listed.values())
            after = next(reversed(fresh))

    def _tried(self, what: str, call: Callable[[], T]) -> T:
        try:
            return self._repeated(call)
        except Failure as last:
            raise self._given_up(what, last) from None

    def _tried_or_none(self, what: str, call: Callable[[], T]) -> T | None:
        try:
            return self._repeated(call)
        except Failure as last:
            if last.status == _NOT_FOUND:
                return None
            raise self._given_up(what, last) from None

    def _repeated(self, call: Callable[[], T]) -> T:
        """What ``call`` returns, once it does.

        Raises:
            Failure: the last one, when the deadline has passed or trying again cannot help.
        """

        def once() -> T:
            try:
                return call()
            except (openai.OpenAIError, httpx2.HTTPError) as error:
                raise failure(error) from None

        return stamina.retry(on=_pause, attempts=None, timeout=self._deadline_s, wait_max=LONGEST_PAUSE_S)(once)()

    def _given_up(self, what: str, last: Failure) -> Stopped:
        said = redacted(str(last))
        action = judge(last).action
        if action == "fatal":
            return Stopped(f"could not {what}: {said}; `habitus resume` goes on when that is mended")
        if action == "quota":
            return Stopped(f"could not {what}: the account has no quota left: {said}; `habitus resume` goes on")
        return Stopped(f"could not {what} within {self._deadline_s:g} s: {said}; `habitus resume` goes on")


def _pause(error: Exception) -> bool | float:
    if not isinstance(error, Failure):
        return False
    verdict = judge(error)
    return verdict.action == "retry" and (True if verdict.after_s is None else verdict.after_s)


def _oldest_first(batches: list[Remote]) -> list[Remote]:
    return sorted(batches, key=lambda one: (one.created, one.batch_id))


def _remote(said: object) -> Remote:
    """A batch, whatever fields the service left out but for its name and status."""
    batch: Mapping[str, Any] = said if isinstance(said, dict) else {}
    marks, errors, created = batch.get("metadata"), batch.get("errors"), batch.get("created_at")
    wrong = errors.get("data") if isinstance(errors, dict) else None
    named = [one for one in wrong if isinstance(one, dict)] if isinstance(wrong, list) else []
    reason = "; ".join(f"{one.get('code')}: {one.get('message')}" for one in named[:_REASONS])
    files = (batch.get("output_file_id"), batch.get("error_file_id"))
    return Remote(
        _text(said, "id"),
        _text(said, "status"),
        marks if isinstance(marks, dict) else {},
        str(batch.get("input_file_id") or ""),
        tuple(file_id for file_id in files if isinstance(file_id, str) and file_id),
        float(created) if isinstance(created, int | float) else 0.0,
        redacted(" ".join(reason.split())[:_LONGEST_REASON]) or None,
    )


def _text(said: object, key: str) -> str:
    value = said.get(key) if isinstance(said, dict) else None
    if not isinstance(value, str) or not value:
        raise Failure(redacted(f"expected an object with {key}, got {said!r:.200}"), 200, _UNREADABLE)
    return value
