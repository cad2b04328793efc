"""What every way of asking a service needs first: its endpoint, the form of requests, a price. The key comes later."""

from pathlib import Path
from typing import NamedTuple

from habitus_runners import prices
from habitus_runners.calls.account import Account
from habitus_runners.errors import HabitusError
from habitus_runners.models.openai_api import client, wire
from habitus_runners.settings import Settings


class Access(NamedTuple):
    """How a model's requests look, and what they cost if that is known."""

    wire: wire.Wire
    price: prices.Price | None


def access(argument: str, method: str, settings: Settings, length: int, account: Account) -> Access:
    """Access to the model that a service knows as ``argument``.

    Args:
        argument: the model's name.
        method: ``text`` or ``numbers``.
        settings: ``ask`` and ``calls``.
        length: N, of the lists.
        account: whose purse may have a limit.

    Raises:
        HabitusError: no such base URL, or a limit in dollars for a model whose price is unknown.
    """
    endpoint = client.endpoint(settings.ask.base_url)
    file = settings.calls.prices
    price = prices.find(argument, endpoint.url, Path(file) if file else None)
    if price is None and account.purse.limit is not None:
        raise HabitusError(
            f"--max-cost: expected a known price of {argument}, found none; give one in a file (calls.prices), as in"
            f' ["{argument}"] input = 0.15, output = 0.60 in USD per million tokens'
        )
    return Access(wire.Wire(argument, method, length, settings.ask, endpoint), price)
