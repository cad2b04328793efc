"""Models that are called, not computed: which there are, and by which methods each can be asked."""

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from habitus_runners.errors import HabitusError
from habitus_runners.model import Model
from habitus_runners.settings import Settings

if TYPE_CHECKING:
    from habitus_runners.calls.account import Account

TEXT = "text"
METHODS = (TEXT, "numbers", "choice", "logprobs")


class Service(NamedTuple):
    """Where a service's ``create`` is, what its parameter is called, and the methods it knows.

    ``keeps``: it puts its answers into the ledger itself, each before its call counts as done.
    """

    module: str
    parameter: str
    methods: tuple[str, ...]
    keeps: bool


SERVICES: Mapping[str, Service] = {
    "openai": Service("openai_api.chat", "NAME", (TEXT, "numbers"), keeps=True),
    "openai-batch": Service("openai_api.batch", "NAME", (TEXT, "numbers"), keeps=True),
    "vllm": Service("vllm_engine", "PATH", METHODS, keeps=False),
}


def check(name: str, argument: str, methods: tuple[str, ...]) -> None:
    """Refuse a service without its parameter, and methods that it does not know.

    Raises:
        HabitusError: which, and what it knows.
    """
    service = SERVICES[name]
    if not argument:
        raise HabitusError(f"model {name}: expected {name}:{service.parameter}, got {name!r}")
    for method in methods:
        if method not in service.methods:
            raise HabitusError(f"--method: expected {' or '.join(service.methods)} for {name}, got {method!r}")


def create(name: str, argument: str, method: str, settings: Settings, account: "Account") -> Model:
    """The model behind a service, asked by one method.

    Raises:
        HabitusError: a package or a key is missing, or whatever else the service needs.
    """
    module = importlib.import_module(f"habitus_runners.models.{SERVICES[name].module}")
    model: Model = module.create(argument, method, settings, settings.candidates.N, account)
    return model
