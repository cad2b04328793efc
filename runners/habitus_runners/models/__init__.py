"""Where models come from: a name, and after a colon its parameter, as in ``mixture:0.3``.

Built in are the baselines and the simulated models. Other packages add theirs under the entry-point group
``habitus.models``: the entry point is a callable ``(argument: str) -> Model`` (``models/model.py``), called with what
stands after the first colon, "" if nothing does:

    [project.entry-points."habitus.models"]
    echo = "my_package:echo"          # habitus run --model echo:anything
"""

from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import entry_points
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from habitus_runners.datasets.dataset import Dataset
from habitus_runners.datasets.world import World
from habitus_runners.errors import HabitusError
from habitus_runners.models import baselines, simulated, writing
from habitus_runners.models.draws import Draws
from habitus_runners.models.evidence import Evidence
from habitus_runners.models.model import Model
from habitus_runners.models.ranker import Ranker

__all__ = ["GROUP", "RECIPES", "Evidence", "Model", "Recipe", "create", "defaults", "names"]

GROUP = "habitus.models"


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


def create(spec: str, evidence: Evidence, seed: int) -> Model:
    """The model that ``spec`` names.

    Args:
        spec: ``NAME`` or ``NAME:PARAMETER``.
        evidence: of the study it is to answer; models of other packages never see it.
        seed: of its draws.

    Raises:
        HabitusError: an unknown name, a parameter out of its range or where none is taken, or a truth that is unknown.
    """
    check(spec, evidence.dataset)
    name, _, argument = spec.partition(":")
    if name in RECIPES:
        return _built_in(name, argument, evidence, seed)
    (entry, *_) = entry_points(group=GROUP, name=name)
    model: Model = entry.load()(argument)
    return model


def check(spec: str, dataset: Dataset) -> None:
    """Refuse what ``create`` would refuse, before anything else is done for it.

    Raises:
        HabitusError: see ``create``.
    """
    name, _, argument = spec.partition(":")
    if name not in names(dataset) and name not in RECIPES:
        raise HabitusError(f"model: expected one of {', '.join(names(dataset))}, got {spec!r}")
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
