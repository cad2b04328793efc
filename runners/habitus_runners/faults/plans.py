"""Which behaviour befalls which call: always one, one after another, by chance, by attempt, by route."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from habitus_runners.faults.asked import Asked, Behaviour
from habitus_runners.faults.behaviours import ORDERLY

Choice = Callable[[Asked], Behaviour]
Plan = Behaviour | Sequence[Behaviour] | Choice
Plans = Plan | Mapping[str, Plan]

CHAT = "POST /chat/completions"


@dataclass(frozen=True)
class InTurn:
    """The first call gets the first behaviour, and so on; calls after the last get ``then``."""

    behaviours: Sequence[Behaviour]
    then: Behaviour = ORDERLY

    def __call__(self, asked: Asked) -> Behaviour:
        """By the call's number among those of its route."""
        return self.behaviours[asked.number] if asked.number < len(self.behaviours) else self.then


@dataclass(frozen=True)
class Attempts:
    """The first attempt of every question gets the first behaviour, and so on; later attempts get ``then``."""

    behaviours: Sequence[Behaviour]
    then: Behaviour = ORDERLY

    def __call__(self, asked: Asked) -> Behaviour:
        """By the attempt's number."""
        return self.behaviours[asked.attempt] if asked.attempt < len(self.behaviours) else self.then


@dataclass(frozen=True)
class Mixture:
    """Each behaviour with its probability, ``then`` with what is left.

    The draw is by seed, question and attempt: it does not depend on the order in which calls come.
    """

    shares: Sequence[tuple[Behaviour, float]]
    then: Behaviour = ORDERLY

    def __post_init__(self) -> None:
        total = sum(share for _, share in self.shares)
        if any(share < 0 for _, share in self.shares) or total > 1 + 1e-9:
            raise ValueError(f"expected shares that are at least 0 and at most 1 together, got {self.shares}")

    def __call__(self, asked: Asked) -> Behaviour:
        """By chance."""
        drawn = asked.draw()
        for behaviour, share in self.shares:
            if drawn < share:
                return behaviour
            drawn -= share
        return self.then


def chooser(plans: Plans) -> Choice:
    """One function for all calls; a plan that is no mapping is for chat completions, all else goes well."""
    by_route = dict(plans) if isinstance(plans, Mapping) else {CHAT: plans}
    choices = {route: _choice(plan) for route, plan in by_route.items()}
    usual = _choice(ORDERLY)
    return lambda asked: choices.get(asked.route, usual)(asked)


def _choice(plan: Plan) -> Choice:
    if isinstance(plan, Sequence):
        return InTurn(plan)
    if callable(plan):
        return plan
    return lambda _: plan
