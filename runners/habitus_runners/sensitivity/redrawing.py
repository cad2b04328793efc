"""Other candidates are other prompts: tasks are drawn anew, and the models that are computed from them answer anew."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pyarrow as pa

from habitus_runners import asking, models, study
from habitus_runners.datasets.dataset import Dataset
from habitus_runners.sensitivity.conclusions import competing
from habitus_runners.settings import Settings
from habitus_runners.storage import RunFolder

RULES = ("half", "quintiles", "literal", "inventory")
CAP = 100  # tasks per proxy level and history length


class Redrawn(NamedTuple):
    """A study with other candidates; without rankings where no model can be computed."""

    name: str
    settings: Settings
    tables: dict[str, pa.Table]


def redrawn(dataset: Dataset, settings: Settings, command: study.Command, rule: str) -> Redrawn:
    """The study with candidates by another rule; with those of its own it shows what fewer tasks alone do.

    Raises:
        HabitusError: no such tasks can be drawn.
    """
    askers = models.askers(command.models, command.methods, dataset)
    wanted = settings.changed({"candidates.rule": rule, "draws.cap": min(settings.draws.cap, CAP)})
    name = f"{rule} as before, fewer tasks" if rule == settings.candidates.rule else rule
    asked = competing(asker.spec for asker in askers)
    computed = [asker for asker in askers if asker.simulated and asker.spec in asked]
    return Redrawn(name, wanted, _tables(dataset, wanted, computed))


def _tables(dataset: Dataset, wanted: Settings, computed: Sequence[models.Asker]) -> dict[str, pa.Table]:
    with TemporaryDirectory() as place:
        folder = RunFolder(Path(place))
        study.make_tasks(folder, dataset, wanted)
        if computed:
            asking.ask(folder, dataset, wanted, computed)
            study.parse(folder, dataset)
        return {name: folder.read(name) for name in ("tasks", "members", "rankings") if folder.has(name)}
