"""Where models come from: a name, and after a colon its parameter, as in ``mixture:0.3``.

Built in are the baselines, the simulated models and the services (``services.py``). Other packages add theirs under
the entry-point group ``habitus.models``: the entry point is a callable ``(argument: str) -> Model``
(``model.py``), called with what stands after the first colon, "" if nothing does:

    [project.entry-points."habitus.models"]
    echo = "my_package:echo"          # habitus run --model echo:anything
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from habitus_runners.datasets.dataset import Dataset
from habitus_runners.datasets.world import World
from habitus_runners.errors import HabitusError
from habitus_runners.model import Model
from habitus_runners.models import baselines, services, simulated, writing
from habitus_runners.models.draws import Draws
from habitus_runners.models.evidence import Evidence
from habitus_runners.models.ranker import Ranker
from habitus_runners.models.services import SERVICES, TEXT
from habitus_runners.settings import Settings

if TYPE_CHECKING:
    from habitus_runners.calls.account import Account

__all__ = ["GROUP", "Asker", "Evidence", "Model", "askers", "called", "create", "defaults", "names"]

GROUP = "habitus.models"


class Asker(NamedTuple):
    """A model, and the method by which it is asked. Both together have a name, a revision and answers of their own."""

    spec: str
    method: str = TEXT

    @property
    def kind(self) -> str:
        """The model's name without its parameter."""
        return self.spec.partition(":")[0]

    @property
    def simulated(self) -> bool:
        """Whether it is computed from the study itself: free, and never kept in the ledger."""
        return self.kind in RECIPES

    @property
    def keeps(self) -> bool:
        """Whether it puts its answers into the ledger itself."""
        return self.kind in SERVICES and SERVICES[self.kind].keeps


class Parameter(NamedTuple):
    """The number after a model's colon."""

    default: float
    least: float
    most: float


class Recipe(NamedTuple):
    """How a built-in model is made; ``preferences`` takes the parameter last, where there is one."""

    preferences: Callable[..., NDArray[np.float64]]
    write: writing.Writer = writing.as_json
    parameter: Parameter | None = None
    world_only: bool = False


RECIPES: Mapping[str, Recipe] = {
    "random": Recipe(baselines.at_random),
    "popularity": Recipe(baselines.popularity),
    "group-popularity": Recipe(baselines.group_popularity),
    "item-knn": Recipe(baselines.item_knn),
    "held-out-half": Recipe(baselines.held_out_half),
    "perfect": Recipe(baselines.perfect),
    "reversed": Recipe(baselines.reverse),
    "mixture": Recipe(simulated.mixture, parameter=Parameter(0.5, 0, 1)),
    "noisy": Recipe(simulated.noisy, parameter=Parameter(1, 0, 1e6)),
    "breakpoint": Recipe(simulated.breakpoint_at, parameter=Parameter(4.2, 0, 10)),
    "sampler": Recipe(simulated.sampler),
    "verbaliser": Recipe(baselines.perfect, writing.as_prose),
    "duplicator": Recipe(baselines.perfect, writing.with_repeats),
    "hallucinator": Recipe(baselines.perfect, writing.with_inventions),
    "refuser": Recipe(baselines.at_random, writing.as_refusal),
    "memoriser": Recipe(baselines.perfect, world_only=True),
    "oracle": Recipe(simulated.oracle, world_only=True),
    "demography-oracle": Recipe(simulated.demography_oracle, world_only=True),
    "history-oracle": Recipe(simulated.history_oracle, world_only=True),
}
_ALWAYS = (
    "random",
    "popularity",
    "group-popularity",
    "item-knn",
    "held-out-half",
    "perfect",
    "reversed",
    "mixture:0.3",
)
_REAL = ("noisy:1", "hallucinator", "refuser")
_WORLD = ("oracle", "demography-oracle", "history-oracle", "refuser")


def names(dataset: Dataset) -> tuple[str, ...]:
    """Every model that makes sense on a data set: the built-in ones, then those of installed packages."""
    fitting = (name for name, recipe in RECIPES.items() if isinstance(dataset, World) or not recipe.world_only)
    return (*fitting, *sorted(entry_points(group=GROUP).names))


def defaults(dataset: Dataset) -> tuple[str, ...]:
    """The models that a study draws on every plot unless told otherwise."""
    return _ALWAYS + (_WORLD if isinstance(dataset, World) else _REAL)


def askers(specs: Sequence[str], methods: Sequence[str], dataset: Dataset) -> tuple[Asker, ...]:
    """Who is asked how: every service by every method, every other model once.

    Args:
        specs: ``NAME`` or ``NAME:PARAMETER``; none: the defaults of the data set.
        methods: of the services; none: text.
        dataset: that they are asked about.

    Raises:
        HabitusError: an unknown name or method, a parameter out of its range or where none is taken, or a truth that is
            unknown.
    """
    chosen: dict[Asker, None] = {}
    for spec in specs or defaults(dataset):
        _check(spec, tuple(methods), dataset)
        called = spec.partition(":")[0] in SERVICES
        chosen |= dict.fromkeys(Asker(spec, method) for method in (methods if called and methods else [TEXT]))
    return tuple(chosen)


def create(asker: Asker, evidence: Evidence, account: "Account | None" = None) -> Model:
    """The model that ``asker`` names.

    Args:
        asker: of ``askers``.
        evidence: of the study it is to answer; services and models of other packages never see it.
        account: shared by all models that cost; needed by services alone.

    Raises:
        HabitusError: whatever the model needs and does not have.
    """
    if asker.simulated:
        _, _, argument = asker.spec.partition(":")
        return _built_in(asker.kind, argument, evidence, evidence.settings.seed)
    if account is None:
        raise HabitusError(f"model {asker.spec}: expected an account to keep its answers in, got none")
    return called(asker, evidence.settings, account)


def called(asker: Asker, settings: Settings, account: "Account") -> Model:
    """The model that ``asker`` names, which is no simulated one: it knows nothing of a study.

    Raises:
        HabitusError: whatever the model needs and does not have.
    """
    name, _, argument = asker.spec.partition(":")
    if name in SERVICES:
        return services.create(name, argument, asker.method, settings, account)
    (entry, *_) = entry_points(group=GROUP, name=name)
    model: Model = entry.load()(argument)
    return model


def _check(spec: str, methods: tuple[str, ...], dataset: Dataset) -> None:
    name, _, argument = spec.partition(":")
    if name in SERVICES:
        services.check(name, argument, methods)
        return
    if name not in names(dataset) and name not in RECIPES:
        called = (f"{service}:{about.parameter}" for service, about in SERVICES.items())
        raise HabitusError(f"model: expected one of {', '.join((*names(dataset), *called))}, got {spec!r}")
    recipe = RECIPES.get(name)
    if recipe is None:
        return
    if recipe.world_only and not isinstance(dataset, World):
        raise HabitusError(f"model {name}: expected the data set world, whose truth is known, got {dataset.name}")
    if recipe.parameter:
        _number(name, argument, recipe.parameter)
    elif argument:
        raise HabitusError(f"model {name}: expected no parameter, got {argument!r}")


def _built_in(name: str, argument: str, evidence: Evidence, seed: int) -> Ranker:
    recipe = RECIPES[name]
    if recipe.parameter is None:
        return Ranker(name, evidence, seed, recipe.preferences, recipe.write)
    value = _number(name, argument, recipe.parameter)
    return Ranker(f"{name}:{value:.12g}", evidence, seed, partial(_with, recipe, value), recipe.write)


def _with(recipe: Recipe, value: float, evidence: Evidence, draws: Draws) -> NDArray[np.float64]:
    return recipe.preferences(evidence, draws, value)


def _number(name: str, argument: str, parameter: Parameter) -> float:
    expected = f"model {name}: expected a number from {parameter.least:g} to {parameter.most:g}"
    try:
        value = float(argument) if argument else parameter.default
    except ValueError:
        raise HabitusError(f"{expected}, as in {name}:{parameter.default:g}, got {argument!r}") from None
    if not parameter.least <= value <= parameter.most:
        raise HabitusError(f"{expected}, got {argument!r}")
    return value
