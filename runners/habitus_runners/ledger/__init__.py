"""The ledger of paid answers. ``store`` is what runners use; ``listing`` what `habitus ledger` shows and does."""

from habitus_runners.ledger.records import Batch, Elsewhere, Question, Reply, Sending
from habitus_runners.ledger.store import Ledger, default_path

__all__ = ["Batch", "Elsewhere", "Ledger", "Question", "Reply", "Sending", "default_path"]
