"""Cutting orders into files that a service accepts: so many requests, bytes and tokens, and no more."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, NamedTuple

from habitus_runners.ledger import Question

_BYTES_PER_TOKEN = 2
"""Tokenizers in use need more on prose in any script: English has some 4 bytes per token, Chinese some 3."""
_FRAME_TOKENS = 16


class Limits(NamedTuple):
    """The most that one file may hold."""

    requests: int = 50_000
    size: int = 200_000_000
    tokens: int | None = None


class Part(NamedTuple):
    """The questions of one file, and the file, open at its beginning; closed when the next is taken."""

    questions: list[Question]
    file: BinaryIO
    tokens: int


def tokens_at_most(question: Question) -> int:
    """A bound on a prompt's tokens, with the few that frame a message.

    >>> tokens_at_most(Question("", "", "", "", "twelve bytes", 0))
    22
    """
    return len(question.prompt.encode()) // _BYTES_PER_TOKEN + _FRAME_TOKENS


def parts(questions: Iterable[Question], line: Callable[[Question], bytes], limits: Limits) -> Iterator[Part]:
    """Write questions to files, in order; a request that is too large for any file has one to itself.

    The files have no name in any folder: a process that is killed leaves none behind.

    Args:
        questions: to be ordered.
        line: a question as a line of the file.
        limits: of one file.
    """
    waiting = iter(questions)
    following = next(waiting, None)
    while following is not None:
        with tempfile.TemporaryFile() as file:
            held: list[Question] = []
            size = tokens = 0
            while following is not None:
                written, more = line(following), tokens_at_most(following)
                size += len(written)
                if held and _beyond(limits, len(held) + 1, size, tokens + more):
                    break
                file.write(written)
                held.append(following)
                tokens += more
                following = next(waiting, None)
            file.seek(0)
            yield Part(held, file, tokens)


def _beyond(limits: Limits, requests: int, size: int, tokens: int) -> bool:
    return requests > limits.requests or size > limits.size or (limits.tokens is not None and tokens > limits.tokens)
