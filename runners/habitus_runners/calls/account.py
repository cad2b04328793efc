"""What all paid models of one command share: the ledger, the purse, and whom they tell how far they are."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from habitus_runners.calls.purse import Purse
from habitus_runners.model import Request
from habitus_runners.progress import Progress, silent

if TYPE_CHECKING:
    from habitus_runners.ledger import Ledger


def _any(request: Request, text: str, finish_reason: str) -> bool:  # noqa: ARG001
    return True


class Account(NamedTuple):
    """``readable`` says of a request, its answer's text and its finish reason whether a list is in them."""

    ledger: "Ledger"
    purse: Purse
    progress: Progress = silent
    readable: Callable[[Request, str, str], bool] = _any
