"""One run of MovieLens-1M, as every part of the reproduction reads it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa

from habitus_runners import paper
from habitus_runners.errors import HabitusError
from habitus_runners.model import SEE_THE_ANSWER
from habitus_runners.report.scored import Study, pooled, study
from habitus_runners.settings import Settings, validated
from habitus_runners.tables import POOLED

TABLES = ("tasks", "members", "rankings", "scores", "results")
SETUPS = ("A", "B", "C", "N")
_SAYS_NOTHING = "refuser"  # scores as chance does: a second random list


class Studied(NamedTuple):
    """A run: its tables in nats, and ``study``, what the report makes of them, in bits."""

    tables: Mapping[str, pa.Table]
    manifest: Mapping[str, Any]
    settings: Settings
    study: Study

    @property
    def preset(self) -> str:
        """Of its settings."""
        return self.settings.preset

    @property
    def models(self) -> list[str]:
        """Those that do not see the answer, best skill over all tasks first."""
        rows = self.study.results.filter(pooled(POOLED), pl.col("skill").is_not_null())
        names: list[str] = rows.sort("skill", "model", descending=[True, False])["model"].to_list()
        return [name for name in names if name.partition(":")[0] not in SEE_THE_ANSWER | {_SAYS_NOTHING}]

    @property
    def language_models(self) -> dict[int, str]:
        """Place in the paper's order -> the model of this run that has it; the random list is none of them."""
        found: dict[int, str] = {}
        for name in self.models:
            fitting = [place for place, known in enumerate(paper.ORDER[:-1]) if known in name.lower()]
            if fitting:  # gpt-4o-mini is a gpt-4o by name alone
                found.setdefault(max(fitting, key=lambda place: len(paper.ORDER[place])), name)
        return dict(sorted(found.items()))

    @property
    def setups(self) -> dict[str, int]:
        """Setup -> number of its tasks, all of them together first; only those that have any."""
        sizes = dict(self.study.tasks.group_by("setup").len().iter_rows())
        return {POOLED: self.study.tasks.height} | {setup: sizes[setup] for setup in SETUPS if setup in sizes}

    def result(self, model: str, setup: str = POOLED) -> dict[str, Any]:
        """The row of ``results`` over all levels and history lengths, in bits; empty where there is none."""
        rows = self.study.results.filter(pooled(setup), pl.col("model") == model)
        return dict(rows.row(0, named=True)) if rows.height else {}

    def scored(self, model: str) -> pl.DataFrame:
        """A model's tasks that have a score, in bits; ``gap`` is CE - best."""
        rows = self.study.scored.filter((pl.col("model") == model) & pl.col("cross_entropy").is_finite())
        return rows.with_columns(gap=pl.col("cross_entropy") - pl.col("best"))


def studied(tables: Mapping[str, pa.Table], manifest: Mapping[str, Any]) -> Studied:
    """A run from its tables (those of ``TABLES``) and manifest."""
    return Studied(tables, manifest, validated(manifest["settings"]), study(tables, manifest["settings"]))


def refuse_others(manifest: Mapping[str, Any], preset: str = "paper") -> None:
    """The figures are those of one study.

    Raises:
        HabitusError: the run is of another data set or preset.
    """
    found = (manifest["dataset"]["name"], manifest["settings"]["preset"])
    if found != ("ml-1m", preset):
        raise HabitusError(
            f"check paper: expected a run of ml-1m with preset {preset}, got {' with preset '.join(found)}"
        )


def models(runs: Sequence[Studied]) -> list[str]:
    """The models of all runs, each once: those of the first in its order. What a model's colour goes by."""
    return list(dict.fromkeys(model for run in runs for model in run.models))
