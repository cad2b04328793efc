"""The `vllm` model: requests go to the engine in chunks, and every chunk's answers come back as it is done."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from habitus_runners.errors import HabitusError, Stopped
from habitus_runners.model import Answer, Request
from habitus_runners.models.vllm_engine import candidates, choice, starting, writing
from habitus_runners.models.vllm_engine.engine import Engine
from habitus_runners.models.vllm_engine.plan import Plan
from habitus_runners.progress import Progress

Ask = Callable[[Engine, Sequence[Request], Plan], list[Answer]]


class Method(NamedTuple):
    """How a chunk of requests is answered, and how many make a chunk: enough to fill a GPU, few enough to lose."""

    ask: Ask
    chunk: int


METHODS = {
    "text": Method(writing.text, 512),
    "numbers": Method(writing.numbers, 512),
    "choice": Method(choice.choose, 512),
    "logprobs": Method(candidates.rank, 64),  # each is a few hundred questions
}


class VllmModel:
    """A ``Model`` on this machine.

    Args:
        name: as the command line and the report know it.
        method: one of METHODS.
        revision: of ``identity.revision``; read when first needed, for it takes reading all weights.
        arguments: of ``identity.engine_arguments``, likewise.
        plan: what is asked beside the prompt.
        progress: told how many requests are answered.
    """

    def __init__(
        self,
        name: str,
        method: str,
        revision: Callable[[], str],
        arguments: Callable[[], dict[str, Any]],
        plan: Plan,
        progress: Progress,
    ) -> None:
        self.name = name
        self.method = method
        self._revision = revision
        self._arguments = arguments
        self._plan = plan
        self._progress = progress

    @cached_property
    def revision(self) -> str:
        """The weights' fingerprint and everything else that can change an answer, as JSON."""
        return self._revision()

    def answers(self, requests: Sequence[Request]) -> Iterator[Answer]:
        """One answer per request, in order, chunk by chunk. A request that vLLM refuses has an ``error``.

        Raises:
            HabitusError: the engine does not start, or a request has fewer titles than the list is long.
            Stopped: the engine failed later; what was yielded stands.
        """
        method, began = METHODS[self.method], time.monotonic()
        for start in range(0, len(requests), method.chunk):
            engine = starting.engine(self._arguments())
            chunk = requests[start : start + method.chunk]
            answers = self._asked(method.ask, engine, chunk)
            done = start + len(chunk)
            rate = done / max(time.monotonic() - began, 1e-9)
            self._progress(self.name, done, len(requests), f"{rate:.3g} prompts/s")
            yield from answers

    def _asked(self, ask: Ask, engine: Engine, chunk: Sequence[Request]) -> list[Answer]:
        try:
            return ask(engine, chunk, self._plan)
        except HabitusError:
            raise
        except Exception as error:
            starting.end()
            raise Stopped(
                f"model {self.name}: vLLM failed while it answered: {starting.first_line(error)};"
                " what it had answered is kept, `habitus resume` asks for the rest"
            ) from error
        except BaseException:  # requests that were under way would come back as answers to the next ones
            starting.end()
            raise
