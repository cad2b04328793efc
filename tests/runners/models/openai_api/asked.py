"""What tests of the `openai` runner share: questions, and a runner for a server."""

from habitus_runners.calls.account import Account
from habitus_runners.calls.purse import Purse
from habitus_runners.model import Request
from habitus_runners.models.openai_api import chat, client, wire
from habitus_runners.settings import settings

TITLES = tuple(f"Invented Story {number}" for number in range(12))
N = 5


def requests(count, sample=0):
    shown = "\n".join(f'"{title}"' for title in TITLES)
    return [
        Request(at, f"t{at}", f"Question {at}. List exactly {N}.\nCandidates:\n{shown}\n", TITLES, sample)
        for at in range(count)
    ]


def chosen(url, **keys):
    return settings("paper", {"ask.base_url": url} | {name.replace("__", "."): value for name, value in keys.items()})


def asker(url, ledger, method="text", *, purse=None, told=None, model="fault-1", **keys):
    account = Account(ledger, purse or Purse(), told or (lambda *_: None))
    return chat.create(model, method, chosen(url, **keys), N, account)


def scripted(transport, ledger, method="text", *, url="http://service.test/v1", **keys):
    """A runner whose requests never leave the process."""
    wanted = chosen(url, **keys)
    written = wire.Wire("m", method, N, wanted.ask, client.endpoint(url))
    return chat.Chat(written, wanted, Account(ledger, Purse()), None, transport)
