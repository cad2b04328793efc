"""The draws of one proxy level and history length: who is tried, what is accepted, what is kept (method, section 3).

Every stratum draws from seeds of its own, made from the study's seed and the names of level, value and length, so a new
level or length changes no other task.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from habitus import sampling
from habitus_runners.settings import Settings
from habitus_runners.tasks.material import Cells, Material

_TRIES_AT_ONCE = 2_000
_REJECTIONS = ("small_group", "few_candidates", "no_interaction")


class Batch(NamedTuple):
    """Accepted draws, row by row."""

    cell: NDArray[np.int32]
    seed: NDArray[np.uint64]
    history: NDArray[np.int32]
    group: sampling.Groups
    candidates: NDArray[np.int32]
    counts: sampling.Counts

    def rows(self, which: NDArray[np.int64]) -> "Batch":
        """These rows, in this order."""
        counts = sampling.Counts(self.counts.counts[which], self.counts.incidence[self.group.places(which)])
        group, items = self.group.take(which), self.candidates[which]
        return Batch(self.cell[which], self.seed[which], self.history[which], group, items, counts)


@dataclass(frozen=True)
class Stratum:
    """One level and history length of a study."""

    settings: Settings
    source: Material
    cells: Cells
    length: int
    threads: int | None = None

    def drawn(self) -> tuple[Batch, list[dict[str, Any]]]:
        """The tasks kept, and per cell what became of the draws."""
        cells, draws = len(self.cells.values), self.settings.draws
        per_cell = draws.count if self.length else self.settings.candidates.sets
        if draws.rule == "fixed":
            batch, fate = self._attempt(np.arange(cells * per_cell))
        else:
            batch, fate = self._until_full(draws.tries if self.length else cells * per_cell)
        kept = batch.rows(self._sample(len(batch.cell)))
        return kept, self._fates(fate, kept.cell)

    def views(self, batch: Batch) -> Iterator[tuple[str, Batch]]:
        """What the prompt shows: A cell and history, B history, C cell, N neither; each with the group that fits it."""
        if not self.cells.level.attributes:
            yield ("B" if self.length else "N"), batch
        elif not self.length:
            yield "C", batch
        else:
            yield "A", batch
            if self.settings.setups == "views":
                yield "B", self._seen_by(batch, np.zeros_like(self.cells.of_user), np.zeros_like(batch.cell))
                no_history = batch._replace(history=batch.history[:, :0])
                yield "C", self._seen_by(no_history, self.cells.of_user, batch.cell)

    def reordered(self, batch: Batch, order: int) -> Batch:
        """The same tasks with their candidates in another random order."""
        items = sampling.shuffled(batch.candidates, batch.seed, order)
        return batch._replace(candidates=items, counts=self._counts(batch.group, items))

    def _attempt(self, tries: NDArray[np.int64]) -> tuple[Batch, NDArray[np.str_]]:
        """Draw the numbered tries, the cells taking turns: the accepted ones, and the fate of all."""
        log, group_rule, rule = self.source.log, self.settings.group, self.settings.candidates
        number, cell = np.divmod(tries, len(self.cells.values))
        seed = sampling.seeds(self._bases("task")[cell], number)
        history = self._histories(sampling.seeds(self._bases("history")[cell], number))
        group = self._groups(self.cells.of_user, cell, history)
        fate = np.full(len(cell), "small_group", "<U14")
        large = np.flatnonzero(group.size >= group_rule.min_users)
        items, complete = sampling.candidates(
            log, group.take(large), history[large], seed[large], self.source.inventory,
            length=rule.K, rule=rule.rule, threads=self.threads,
        )  # fmt: skip
        fate[large[~complete]] = "few_candidates"
        found, items = large[complete], items[complete]
        counts = self._counts(group.take(found), items)
        used = counts.counts.any(axis=1)
        fate[found] = np.where(used, "accepted", "no_interaction")
        batch = Batch(cell[found].astype(np.int32), seed[found], history[found], group.take(found), items, counts)
        return batch.rows(np.flatnonzero(used)), fate

    def _until_full(self, limit: int) -> tuple[Batch, NDArray[np.str_]]:
        """Try until ``cap`` are accepted or ``limit`` tries were made; later tries of the last round do not count."""
        batches, fates, missing = [], [], self.settings.draws.cap
        for first in range(0, limit, _TRIES_AT_ONCE):
            batch, fate = self._attempt(np.arange(first, min(first + _TRIES_AT_ONCE, limit)))
            accepted = np.flatnonzero(fate == "accepted")[:missing]
            missing -= len(accepted)
            batches.append(batch.rows(np.arange(len(accepted))))
            fates.append(fate if missing else fate[: accepted[-1] + 1])
            if not missing:
                break
        return _joined(batches), np.concatenate(fates)

    def _histories(self, seed: NDArray[np.uint64]) -> NDArray[np.int32]:
        inventory = self.source.inventory
        popularity = np.maximum(self.source.log.popularity[inventory], 1)
        weights = popularity if self.settings.history.draw == "popularity" else None
        return sampling.histories(seed, inventory, self.length, weights=weights, threads=self.threads)

    def _groups(
        self, cell_of_user: NDArray[np.int32], cell: NDArray[np.integer[Any]], history: NDArray[np.int32]
    ) -> sampling.Groups:
        needed = self.settings.history.needed(history.shape[1])
        return sampling.groups(self.source.log, cell_of_user, cell, history, needed, threads=self.threads)

    def _counts(self, group: sampling.Groups, items: NDArray[np.int32]) -> sampling.Counts:
        return sampling.counts(self.source.log, group, items, threads=self.threads)

    def _seen_by(self, batch: Batch, cell_of_user: NDArray[np.int32], cell: NDArray[np.int32]) -> Batch:
        """The same candidates with the group of these cells and the batch's histories."""
        group = self._groups(cell_of_user, cell, batch.history)
        return batch._replace(group=group, counts=self._counts(group, batch.candidates))

    def _sample(self, accepted: int) -> NDArray[np.int64]:
        """A uniform sample of at most ``cap`` of the accepted tasks."""
        cap = self.settings.draws.cap
        if accepted <= cap:
            return np.arange(accepted)
        return np.sort(np.random.default_rng(self._base("cap", {})).choice(accepted, cap, replace=False))

    def _bases(self, use: str) -> NDArray[np.uint64]:
        """Per cell, where its seeds start."""
        return np.array([self._base(use, value) for value in self.cells.values], np.uint64)

    def _base(self, use: str, value: Mapping[str, str]) -> int:
        """64 bits from everything that names this stratum; nested histories are shared by all lengths."""
        length = "nested" if use == "history" and self.settings.history.nested else self.length
        name = json.dumps([self.settings.seed, use, self.cells.level.name, value, length], sort_keys=True)
        return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")

    def _fates(self, fate: NDArray[np.str_], kept: NDArray[np.int32]) -> list[dict[str, Any]]:
        rows = []
        for cell, value in enumerate(self.cells.values):
            own = fate[cell :: len(self.cells.values)]
            row = {"level": self.cells.level.name, "value": value, "history": self.length, "draws": len(own)}
            row |= {reason: int((own == reason).sum()) for reason in (*_REJECTIONS, "accepted")}
            rows.append(row | {"kept": int((kept == cell).sum())})
        return rows


def _joined(batches: Sequence[Batch]) -> Batch:
    """Batches one after the other."""
    size = np.concatenate([batch.group.size for batch in batches])
    start = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    counts = [batch.counts for batch in batches]
    return Batch(
        np.concatenate([batch.cell for batch in batches]),
        np.concatenate([batch.seed for batch in batches]),
        np.concatenate([batch.history for batch in batches]),
        sampling.Groups(start, np.concatenate([batch.group.users for batch in batches])),
        np.concatenate([batch.candidates for batch in batches]),
        sampling.Counts(
            np.concatenate([part.counts for part in counts]), np.concatenate([part.incidence for part in counts])
        ),
    )
