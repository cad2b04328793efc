"""A synthetic world whose truth is known (method, section 8): films, people with attributes, and what moves them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from habitus_runners.datasets import truth
from habitus_runners.datasets.dataset import MOVIES, Dataset, Level
from habitus_runners.datasets.world_titles import films
from habitus_runners.errors import HabitusError
from habitus_runners.progress import Progress, silent

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_REDRAWS = 32
_DIMENSIONS = 8
_MEAN_SHARE = (
    0.15  # of the items that a user knows: groups exist for 12 of 20 items, and cells of 50 leave 25 items unknown
)
_SPREAD = 1.0  # standard deviation of log n_u
_SHARES = (0.02, 0.6)  # least and most of the items that anybody knows

_ATTRIBUTES: Mapping[str, Mapping[str, float]] = {
    "age": {"18-24": 0.2, "25-34": 0.3, "35-44": 0.2, "45-59": 0.2, "60 or older": 0.1},
    "gender": {"female": 0.5, "male": 0.5},
    "region": {"north": 0.3, "east": 0.2, "south": 0.3, "west": 0.2},
}
_NOTICE = "Synthetic: every person and every film is invented, and the true probabilities are known."


class Nature(NamedTuple):
    """What does not depend on who is there: effect of each attribute's values (values, dimensions), traits, ranks."""

    effects: Mapping[str, Floats]
    traits: Floats
    rank: Integers


class People(NamedTuple):
    """Who there is: number of each attribute's value, taste of their own (users, dimensions), log-normal n_u."""

    values: Mapping[str, Integers]
    taste: Floats
    activity: Integers


@dataclass(frozen=True, kw_only=True, eq=False)
class World(Dataset):
    """A data set that also knows why: a history is the top n_u items of V + Gumbel noise.

    Args:
        utilities: V, (users, items).
        activity: n_u, (users,), from 1 to items - 1.
        seed: of the redraws.
    """

    utilities: Floats = field(repr=False)
    activity: Integers = field(repr=False)
    seed: int = 0

    @cached_property
    def inclusion(self) -> Floats:
        """pi_ui = P(i in the top n_u | V_u, n_u), (users, items), from 32 conditioned redraws."""
        return truth.inclusion(self.utilities, self.activity, np.random.default_rng([self.seed, 1]), _REDRAWS)

    def truth(
        self,
        start: ArrayLike,
        users: ArrayLike,
        candidates: ArrayLike,
        *,
        kind: Literal["incidence", "user_mean", "events"] = "incidence",
    ) -> Floats:
        """The true target of each group over its candidates, (tasks, K), rows sum to 1.

        p_ti is proportional to the sum over the group of pi_ui (``incidence``; ``events`` too, each film being watched
        once), or of the expected normalised row of u over the candidates (``user_mean``).

        Args:
            start: (tasks + 1,): group t is ``users[start[t]:start[t + 1]]``.
            users: user numbers.
            candidates: (tasks, K) item numbers.
            kind: the target's kind, as in the settings.

        Raises:
            HabitusError: a group without users has no target.
        """
        group = np.asarray(start, np.int64), np.asarray(users, np.int64), np.asarray(candidates, np.int64)
        empty = np.flatnonzero(np.diff(group[0]) == 0)
        if len(empty):
            raise HabitusError(f"truth: expected at least one user in every group, got none in row {empty[0]}")
        if kind == "user_mean":
            rng = np.random.default_rng([self.seed, 2])
            weight = truth.normalised_rows(self.utilities, self.activity, rng, *group)
        else:
            weight = truth.summed(self.inclusion, *group)
        return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def load(  # noqa: PLR0913 - every parameter of a world has a name
    source: Path | None = None,
    *,
    seed: int = 0,
    people: int | None = None,
    users: int = 2000,
    items: int = 400,
    rho: float = 0.3,
    gamma: float = 2.0,
    beta: float = 2.0,
    progress: Progress = silent,
) -> World:
    """Make a world; the same arguments make the same one.

    Args:
        source: must be None, a world has no files.
        seed: of everything drawn.
        people: seed of other people in the same world: films, traits and what attributes mean stay, attributes, tastes
            and histories are drawn anew. Default: the people of the seed.
        users: how many people, at least 10.
        items: how many films, at least 20.
        rho: share of taste that the attributes explain, 0 to 1.
        gamma: how much popularity counts, >= 0.
        beta: how much taste counts, >= 0.
        progress: called when histories are drawn.

    Raises:
        HabitusError: an argument is out of its range.
    """
    _check(source, {"users": (users, 10, 10**7), "items": (items, 20, 10**5), "rho": (rho, 0, 1)})
    _check(source, {"gamma": (gamma, 0, 100), "beta": (beta, 0, 100), "seed": (seed, 0, 2**63 - 1)})
    _check(source, {} if people is None else {"people": (people, 0, 2**63 - 1)})
    rng = np.random.default_rng([seed, 0])
    catalogue = films(items, rng)
    nature, there = _drawn(users, items, rng)
    if people is not None:
        rng = np.random.default_rng([seed, 3, people])
        there = _drawn(users, items, rng)[1]
    utilities = _utilities(nature, there, rho, gamma, beta)
    drawn = truth.race(utilities, there.activity, rng).first
    progress("world", users, users)
    user, item = np.nonzero(drawn)
    return World(
        name="world",
        domain=MOVIES,
        users=_frame(there),
        items=pl.DataFrame(
            {
                "item_id": [f"f{number:05d}" for number in range(items)],
                "title": [film.title for film in catalogue],
                "year": [film.year for film in catalogue],
                "genre": [film.genre for film in catalogue],
            }
        ),
        interactions=pl.DataFrame(
            {
                "user": user.astype(np.int32),
                "item": item.astype(np.int32),
                "value": np.ones(len(user), np.float32),
            }
        ),
        levels=(Level("none"), *(Level(name, (name,)) for name in _ATTRIBUTES), _everything()),
        labels={name: name.capitalize() for name in _ATTRIBUTES},
        facts={"users": users, "items": items, "interactions": len(user)},
        notice=_NOTICE,
        utilities=utilities,
        activity=there.activity,
        seed=seed,
    )


def _everything() -> Level:
    return Level(" x ".join(_ATTRIBUTES), tuple(_ATTRIBUTES))


def _drawn(users: int, items: int, rng: np.random.Generator) -> tuple[Nature, People]:
    """One after the other from one stream: a change of their order would change every world."""
    values, effects = {}, {}
    for name, shares in _ATTRIBUTES.items():
        values[name] = rng.choice(len(shares), size=users, p=list(shares.values()))
        effects[name] = rng.standard_normal((len(shares), _DIMENSIONS))
    taste = rng.standard_normal((users, _DIMENSIONS))
    traits = rng.standard_normal((items, _DIMENSIONS)) / np.sqrt(_DIMENSIONS)
    rank = rng.permutation(items) + 1
    return Nature(effects, traits, rank), People(values, taste, _activity(users, items, rng))


def _utilities(nature: Nature, people: People, rho: float, gamma: float, beta: float) -> Floats:
    shared = np.zeros(people.taste.shape)
    for name, value in people.values.items():
        shared += nature.effects[name][value]
    shared = (shared - shared.mean(axis=0)) / np.maximum(shared.std(axis=0), np.finfo(float).tiny)
    theta = np.sqrt(rho) * shared + np.sqrt(1 - rho) * people.taste
    return np.asarray(beta * theta @ nature.traits.T - gamma * np.log(nature.rank))


def _frame(people: People) -> pl.DataFrame:
    names = {name: np.array(list(shares))[people.values[name]].tolist() for name, shares in _ATTRIBUTES.items()}
    return pl.DataFrame({"user_id": [f"u{number:06d}" for number in range(len(people.taste))]} | names)


def _activity(users: int, items: int, rng: np.random.Generator) -> Integers:
    location = np.log(_MEAN_SHARE * items) - _SPREAD**2 / 2
    least, most = (round(share * items) for share in _SHARES)
    drawn = np.rint(np.exp(rng.normal(location, _SPREAD, users)))
    return np.clip(drawn, max(1, least), most).astype(np.int64)


def _check(source: Path | None, values: Mapping[str, tuple[float, float, float]]) -> None:
    if source is not None:
        raise HabitusError(f"world: expected no source, got {str(source)!r}; it is made, not read: leave --source out")
    for name, (value, least, most) in values.items():
        if not isinstance(value, int | float) or not least <= value <= most:
            raise HabitusError(f"world {name}: expected a number from {least} to {most}, got {value!r}")
