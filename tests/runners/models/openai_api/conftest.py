"""A ledger of its own for every test, and short pauses."""

import pytest

from habitus_runners.calls import dispatch
from habitus_runners.ledger import Ledger


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


@pytest.fixture
def _short_pauses(monkeypatch):
    monkeypatch.setattr(dispatch, "_FIRST_PAUSE_S", 0.02)
