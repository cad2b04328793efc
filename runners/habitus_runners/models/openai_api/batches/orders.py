"""Placing orders so that none is placed twice, and finding again those whose end is unknown.

An order is in the ledger before its file leaves, and carries the ledger's id for it in the service's metadata. Whoever
finds one that was not noted as submitted therefore asks the service, and believes it.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from habitus_runners.errors import Stopped
from habitus_runners.ledger import Batch, Ledger, Question
from habitus_runners.models.openai_api.batches.files import Part
from habitus_runners.models.openai_api.batches.lines import custom_ids
from habitus_runners.models.openai_api.batches.service import MARK, Remote, Service

SETTLING_S = 5.0
"""How long an order that is on its way when its process dies may take to be listed."""
KEPT = timedelta(days=30)
"""How long OpenAI keeps the results of a batch."""
_ASKED = "asked"


class UnknownBatchError(Stopped):
    """The service does not know a batch that was ordered."""


class Orders:
    """One model's orders at one endpoint.

    Args:
        ledger: where they are noted.
        service: where they are placed.
        endpoint: the service's address, as in the model's revision.
        model: the model's name.
        revision: the model's revision; orders are marked with its hash.
    """

    def __init__(self, ledger: Ledger, service: Service, endpoint: str, model: str, revision: str) -> None:
        self._ledger = ledger
        self._service = service
        self._endpoint = endpoint
        self._model = model
        self._asked = blake2b(f"{model}\0{revision}".encode(), digest_size=16).hexdigest()

    def held(self, answer_ids: Iterable[str]) -> dict[str, str]:
        """answer_id -> the unfinished order of this ledger that holds it, for those that have one."""
        return self._ledger.in_batch(answer_ids)

    def holding(self, answer_ids: Iterable[str]) -> list[Batch]:
        """The unfinished orders of this ledger that hold any of these questions."""
        held = set(self.held(answer_ids).values())
        return [batch for batch in self._ledger.batches(unfinished=True) if batch.local in held]

    def queued(self) -> Iterator[Question]:
        """Every question of this model that is on order, whoever asks."""
        for batch in self._ledger.batches(unfinished=True):
            if (batch.endpoint, batch.model) == (self._endpoint, self._model):
                yield from self._ledger.batch_questions(batch.local)

    def remote(self, batch: Batch) -> Remote | None:
        """A submitted order as the service sees it; None, and struck out, if it is so old that its results are gone.

        Raises:
            UnknownBatchError: the service has none. To order again would pay twice if only the key were wrong.
        """
        there = self._service.batch(str(batch.batch_id))
        if there is None and datetime.now(UTC) - datetime.fromisoformat(batch.created) < KEPT:
            raise UnknownBatchError(
                f"{self._endpoint}: expected batch {batch.batch_id} with {batch.questions} questions, ordered"
                f" {batch.created}, found none; expected the key of the project that ordered it"
            )
        if there is None:
            self._ledger.batch_step(batch.local, "lost", detail="the service has forgotten it")
        return there

    def place(self, part: Part) -> str:
        """Order one file's questions; the ledger's id of the order.

        Raises:
            Stopped: the service refuses, or could not be reached in time; the next run finds out what became of it.
        """
        local = self._ledger.open_batch(self._endpoint, self._model, part.questions)
        file_id = self._service.upload(part.file, f"habitus-{local}.jsonl")
        self._ledger.batch_step(local, "uploaded", file_id=file_id)
        made = self._service.create(file_id, {MARK: local, _ASKED: self._asked})
        self._ledger.batch_step(local, "submitted", batch_id=made.batch_id)
        return local

    def recognise(self, answer_ids: Iterable[str]) -> None:
        """Find out whether orders that were begun had arrived; those that had not are struck out."""
        unsure = [batch for batch in self.holding(answer_ids) if batch.batch_id is None]
        arrived = self._arrived(unsure)
        for batch in unsure:
            there = arrived[batch.local]
            if not there:
                self._ledger.batch_step(batch.local, "lost", detail="it never reached the service")
                continue
            self._ledger.batch_step(batch.local, "submitted", batch_id=there[0].batch_id)
            for twin in there[1:]:
                self._service.cancel(twin.batch_id)

    def search(self, wanted: Mapping[str, Question]) -> int:
        """Adopt orders that hold these questions and were placed with a ledger that is not this one.

        Returns:
            How many were found.
        """
        noted = {batch.local for batch in self._ledger.batches(unfinished=False)}
        strangers = [
            remote
            for remote in self._service.marked()
            if remote.marks[MARK] not in noted
            and remote.marks.get(_ASKED, self._asked) == self._asked
            and (remote.files or not remote.ended)
        ]
        found = 0
        for remote in strangers:
            held = [wanted[name] for name in self._named(remote) if name in wanted]
            if held:
                local = self._ledger.open_batch(self._endpoint, self._model, held)
                self._ledger.batch_step(local, "submitted", file_id=remote.input_file_id, batch_id=remote.batch_id)
                found += 1
        return found

    def _arrived(self, unsure: Sequence[Batch]) -> dict[str, list[Remote]]:
        """By the ledger's id, what the service has of these orders, oldest first."""
        arrived: dict[str, list[Remote]] = {batch.local: [] for batch in unsure}
        for wait_s in (0.0, SETTLING_S) if unsure else ():
            time.sleep(wait_s)
            arrived = {local: [] for local in arrived}
            for remote in self._service.marked():
                arrived.get(remote.marks[MARK], []).append(remote)
            if all(arrived[batch.local] or not batch.file_id for batch in unsure):
                break
        return arrived

    def _named(self, remote: Remote) -> list[str]:
        """The requests of a batch, by its input file, or by its results if that is gone."""
        for file_ids in ((remote.input_file_id,), remote.files):
            names: dict[str, None] = {}
            for file_id in file_ids:
                with self._service.download(file_id) as file:
                    names |= dict.fromkeys(custom_ids(file) if file else ())
            if names:
                return list(names)
        return []
