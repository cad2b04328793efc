"""The same model through vLLM's own server: the `openai` runner and the one in this process give the same texts."""

import pytest
from tests.runners.models.vllm_engine.conftest import requests

from habitus_runners.calls.account import Account
from habitus_runners.calls.purse import Purse
from habitus_runners.ledger import Ledger
from habitus_runners.models import vllm_engine
from habitus_runners.models.openai_api import chat
from habitus_runners.models.vllm_engine import starting

pytestmark = pytest.mark.filterwarnings("ignore")  # those of torch and vLLM
ASKED = requests(24)


@pytest.fixture
def served(vllm_server, small, tmp_path):
    """What the server answers, asked by the `openai` runner."""
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        changed = small.changed({"ask.base_url": vllm_server})
        model = chat.create("tiny", "text", changed, 4, Account(ledger, Purse()))
        yield list(model.answers(ASKED))


def test_the_server_and_this_process_give_the_same_texts(served, tiny, small):
    here = list(vllm_engine.create(str(tiny), "text", small, 4).answers(ASKED))
    starting.end()
    assert [answer.error for answer in served] == [None] * len(ASKED)
    assert [answer.text for answer in served] == [answer.text for answer in here]
    assert [answer.finish_reason for answer in served] == [answer.finish_reason for answer in here]
    assert [answer.tokens_in for answer in served] == [answer.tokens_in for answer in here]
