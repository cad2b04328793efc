"""Random logs for the sampler's tests, as sets and as the engine holds them; and draws from them."""

from typing import NamedTuple, get_args

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from habitus import interactions, sampling

REPRESENTATIONS = get_args(interactions.Representation)


class Log(NamedTuple):
    """Who interacted with what, twice."""

    sets: dict[int, set[int]]
    indexed: interactions.Interactions


class Drawn(NamedTuple):
    """Draws from a log, up to their groups."""

    seed: NDArray[np.uint64]
    history: NDArray[np.int32]
    cell_of_user: NDArray[np.int64]
    cells: NDArray[np.int64]
    needed: int
    groups: sampling.Groups

    def users(self, draw: int) -> list[int]:
        """The group of a draw."""
        return self.groups.users[self.groups.start[draw] : self.groups.start[draw + 1]].tolist()


@st.composite
def logs(draw: st.DrawFn, max_users: int = 150, max_items: int = 150) -> Log:
    """More or fewer than 64 users and items, sparse or dense, held in any way."""
    users, items = draw(st.integers(1, max_users)), draw(st.integers(1, max_items))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dense = rng.random((users, items)) < rng.choice([0.0, 0.05, 0.3, 0.8, 1.0]) * rng.random((users, 1))
    user, item = np.nonzero(dense)
    order = rng.permutation(len(user))
    held = draw(st.sampled_from((None, *REPRESENTATIONS)))
    indexed = interactions.index(user[order], item[order], (users, items), representation=held)
    return Log({row: set(np.flatnonzero(dense[row]).tolist()) for row in range(users)}, indexed)


def drawn(
    log: interactions.Interactions, length: int, needed: int, seed: int, draws: int = 20, cells: int = 3
) -> Drawn:
    """Draws in turn from as many cells, with histories from all items."""
    seeds = sampling.seeds(seed, np.arange(draws))
    history = sampling.histories(sampling.seeds(seed + 1, np.arange(draws)), np.arange(log.items), length)
    cell_of_user, wanted = np.arange(log.users) % cells, np.arange(draws) % cells
    groups = sampling.groups(log, cell_of_user, wanted, history, needed)
    return Drawn(seeds, history, cell_of_user, wanted, needed, groups)
