"""What all requests of one run share, and the seeds of their samples."""

from hashlib import blake2b
from typing import NamedTuple

from habitus_runners.errors import HabitusError
from habitus_runners.model import Request
from habitus_runners.models.vllm_engine.engine import Sampling
from habitus_runners.settings import Ask


class Plan(NamedTuple):
    """What is asked beside the prompt, and the length N of the list."""

    ask: Ask
    length: int

    def sampling(self, request: Request) -> Sampling:
        """As the settings say, with the seed of the request's sample."""
        seed = None if self.ask.seed is None else self.ask.seed + request.sample
        return Sampling(self.ask.max_tokens, self.ask.temperature, seed, self.ask.logprobs, self.ask.extra)

    def checked(self, request: Request) -> Request:
        """``request``, if it has enough titles for the list.

        Raises:
            HabitusError: it has not.
        """
        if len(request.titles) < self.length:
            found = len(request.titles)
            raise HabitusError(f"task {request.task_id}: expected at least {self.length} titles, got {found}")
        return request


def seed_of_round(seed: int | None, number: int) -> int | None:
    """A seed for each round of one answer: with the answer's own, every round would draw the same random numbers.

    >>> seed_of_round(7, 0) == seed_of_round(7, 1)
    False
    """
    if seed is None:
        return None
    return int.from_bytes(blake2b(f"{seed} {number}".encode(), digest_size=7).digest())
