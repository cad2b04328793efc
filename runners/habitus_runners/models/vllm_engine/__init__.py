"""Models that run on this machine, by vLLM: ``vllm:FOLDER`` or ``vllm:NAME-ON-THE-HUB``.

Four methods, reported apart: `text` and `numbers` (writing.py), `choice` (choice.py), `logprobs` (candidates.py). They
know `engine.Engine` alone; vLLM itself is loaded at the first prompt (starting.py, offline.py).
"""

from functools import cache, partial
from typing import TYPE_CHECKING

from habitus_runners.errors import HabitusError
from habitus_runners.model import Model
from habitus_runners.models.vllm_engine import identity
from habitus_runners.models.vllm_engine.plan import Plan
from habitus_runners.models.vllm_engine.runner import METHODS, VllmModel
from habitus_runners.progress import silent
from habitus_runners.settings import Settings

if TYPE_CHECKING:
    from habitus_runners.calls.account import Account

__all__ = ["create"]


def create(argument: str, method: str, settings: Settings, length: int, account: "Account | None" = None) -> Model:
    """A local model, asked by one method. Models of the same weights and settings share one engine.

    Args:
        argument: a folder as Hugging Face keeps models, a file in GGUF, or a name on its hub.
        method: one of METHODS.
        settings: the sections ``ask`` and ``vllm`` count.
        length: N, of the list that is asked for.
        account: its ``progress`` is told how many requests are answered; nothing here costs.

    Raises:
        HabitusError: an unknown method, a setting that cannot be, or vLLM is not installed. A missing model is told of
            at the first look at ``revision``, an engine that does not start at the first answer.
    """
    if method not in METHODS:
        raise HabitusError(f"method: expected {' or '.join(METHODS)}, got {method!r}")
    identity.check(settings)
    vllm = identity.installed()
    plan = Plan(settings.ask, length)
    weights = cache(partial(identity.weights, argument, settings.vllm.revision))
    spec = f"vllm:{argument}"
    return VllmModel(
        spec if method == "text" else f"{spec} [{method}]",
        method,
        lambda: identity.revision(weights(), vllm, method, settings.vllm, plan),
        lambda: identity.engine_arguments(weights(), settings.vllm),
        plan,
        account.progress if account else silent,
    )
