"""The draws of one proxy level and history length: who is tried, what is accepted, what is kept (method, section 3).

Every stratum draws from seeds of its own, made from the study's seed and the names of level, value and length, so a new
level or length changes no other task.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from habitus import sampling
from habitus_runners.settings import Settings
from habitus_runners.tasks.material import Cells, Material

_TRIES_AT_ONCE = 2_000
_REJECTIONS = ("small_group", "few_candidates", "no_interaction")


class Draws(NamedTuple):
    """Accepted draws, row by row."""

    cell: NDArray[np.int32]
    seed: NDArray[np.uint64]
    history: NDArray[np.int32]
    candidates: NDArray[np.int32]

    def rows(self, which: NDArray[np.int64]) -> "Draws":
        """These rows, in this order."""
        return Draws(self.cell[which], self.seed[which], self.history[which], self.candidates[which])


class Batch(NamedTuple):
    """Draws with the groups that fit them, and what each group did."""

    cell: NDArray[np.int32]
    seed: NDArray[np.uint64]
    history: NDArray[np.int32]
    candidates: NDArray[np.int32]
    group: sampling.Groups
    counts: sampling.Counts


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
            accepted, fate = self._attempt(np.arange(cells * per_cell))
        else:
            accepted, fate = self._until_full(draws.tries if self.length else cells * per_cell)
        kept = accepted.rows(self._sample(len(accepted.cell)))
        return self._seen_by(kept, self.cells.of_user, kept.cell), self._fates(fate, kept.cell)

    def views(self, batch: Batch) -> Iterator[tuple[str, Batch]]:
        """What the prompt shows: A cell and history, B history, C cell, N neither; each with the group that fits it."""
        if not self.cells.level.attributes:
            yield ("B" if self.length else "N"), batch
        elif not self.length:
            yield "C", batch
        else:
            yield "A", batch
            if self.settings.setups == "views":
                draws = Draws(batch.cell, batch.seed, batch.history, batch.candidates)
                yield "B", self._seen_by(draws, np.zeros_like(self.cells.of_user), np.zeros_like(batch.cell))
                no_history = draws._replace(history=batch.history[:, :0])
                yield "C", self._seen_by(no_history, self.cells.of_user, batch.cell)

    def reordered(self, batch: Batch, order: int) -> Batch:
        """The same tasks with their candidates in another random order."""
        items = sampling.shuffled(batch.candidates, batch.seed, order)
        return batch._replace(candidates=items, counts=self._counts(batch.group, items))

    def _attempt(self, tries: NDArray[np.int64]) -> tuple[Draws, NDArray[np.str_]]:
        """Draw the numbered tries, the cells taking turns: the accepted ones, and the fate of all."""
        number, cell = np.divmod(tries, len(self.cells.values))
        seed = sampling.seeds(self._bases("task")[cell], number)
        history = self._histories(sampling.seeds(self._bases("history")[cell], number))
        least, rule = self.settings.group.min_users, self.settings.candidates
        drawn = sampling.tasks(
            self.source.log, sampling.Proxies(self.cells.of_user, cell, history, self._needed(history)), seed,
            self.source.inventory, min_users=least, length=rule.K, rule=rule.rule, threads=self.threads,
        )  # fmt: skip
        known = drawn.counts.any(axis=1)
        fate = np.select(
            [drawn.size < least, ~drawn.complete, ~known],
            ["small_group", "few_candidates", "no_interaction"],
            "accepted",
        )
        every = Draws(cell.astype(np.int32), seed, history, drawn.candidates)
        return every.rows(np.flatnonzero(fate == "accepted")), fate

    def _until_full(self, limit: int) -> tuple[Draws, NDArray[np.str_]]:
        """Try until ``cap`` are accepted or ``limit`` tries were made; later tries of the last round do not count."""
        draws, fates, missing = [], [], self.settings.draws.cap
        for first in range(0, limit, _TRIES_AT_ONCE):
            found, fate = self._attempt(np.arange(first, min(first + _TRIES_AT_ONCE, limit)))
            accepted = np.flatnonzero(fate == "accepted")[:missing]
            missing -= len(accepted)
            draws.append(found.rows(np.arange(len(accepted))))
            fates.append(fate if missing else fate[: accepted[-1] + 1])
            if not missing:
                break
        return Draws(*(np.concatenate(columns) for columns in zip(*draws, strict=True))), np.concatenate(fates)

    def _histories(self, seed: NDArray[np.uint64]) -> NDArray[np.int32]:
        inventory = self.source.inventory
        popularity = np.maximum(self.source.log.popularity[inventory], 1)
        weights = popularity if self.settings.history.draw == "popularity" else None
        return sampling.histories(seed, inventory, self.length, weights=weights, threads=self.threads)

    def _needed(self, history: NDArray[np.int32]) -> int:
        return self.settings.history.needed(history.shape[1])

    def _counts(self, group: sampling.Groups, items: NDArray[np.int32]) -> sampling.Counts:
        return sampling.counts(self.source.log, group, items, threads=self.threads)

    def _seen_by(self, draws: Draws, cell_of_user: NDArray[np.int32], cell: NDArray[np.int32]) -> Batch:
        """The same candidates with the groups of these cells and the draws' histories."""
        needed = self._needed(draws.history)
        group = sampling.groups(self.source.log, cell_of_user, cell, draws.history, needed, threads=self.threads)
        return Batch(*draws, group, self._counts(group, draws.candidates))

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
