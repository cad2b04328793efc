"""`python -m benchmarks.estimators`: how far each entropy estimator is off, against the number of users in a group.

Groups of n people of one age, gender or region of the synthetic world, whose truth is known; 50 candidates, 10 from
each fifth of the items by popularity. Four samples, each with the entropy that its counts are to tell:

- multinomial: as many draws from the group's own true target as its users have interactions with the candidates;
- users: what these n users did, and what they would do on average;
- sample: what these n users did, and what all people of that age, gender or region would do on average;
- user_mean: the same by the mean of the users' normalised rows, as effective counts (habitus.members).

Bias and root mean squared error are in bits. Standard errors are taken between worlds, whose groups share users.

`--readme` also keeps the figures in benchmarks/measured/estimators.json and rewrites the tables in benchmarks/README.md
from them; `--draw` rewrites the tables from what is kept, and computes nothing.
"""

import argparse
import datetime as dt
import functools
import json
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from benchmarks import timing
from benchmarks.marks import between
from numpy.typing import NDArray

from habitus import entropy
from habitus.members import Sums, effective_counts
from habitus_runners.datasets import world as worlds

Reals = NDArray[np.float64]
Integers = NDArray[np.int64]

USERS = (3, 5, 10, 20, 50, 100, 300, 1000)
WORLDS, PEOPLE = 20, 3000
GROUPS = 300  # of each size in each world
K, FIFTHS = 50, 5
README = Path(__file__).parent / "README.md"
KEPT = Path(__file__).parent / "measured" / "estimators.json"
BEGIN, END = "<!-- estimators: begin -->", "<!-- estimators: end -->"


class Sample(NamedTuple):
    """Counts (groups, K), what everybody did with the same candidates (groups, K), and the true entropy, nats.

    ``draws`` (groups,): the interactions, which are more than the sum of effective counts.
    """

    counts: NDArray[np.generic]
    population: Reals
    truth: Reals
    draws: Integers


class Figure(NamedTuple):
    """Bits; ``error`` is the standard error of the bias."""

    bias: float
    rmse: float
    error: float


Estimate = Callable[[Sample], Reals]
Figures = dict[str, dict[str, dict[int, Figure]]]


def _of_counts(estimate: entropy.Estimator) -> Estimate:
    return lambda sample: estimate(sample.counts)


COUNTED: Mapping[str, Estimate] = {
    "maximum likelihood": lambda sample: entropy.plug_in(sample.counts, alpha=0),
    **{name: _of_counts(estimate) for name, estimate in entropy.ESTIMATORS.items()},
    "james-stein, to the population": lambda sample: entropy.james_stein(sample.counts, target=sample.population),
}
EFFECTIVE: Mapping[str, Estimate] = {
    "maximum likelihood": lambda sample: _entropy(_normalised(sample.counts)),
    "dirichlet": _of_counts(entropy.dirichlet),
    "nsb": _of_counts(entropy.nsb),
    "nsb, every interaction a draw": lambda sample: entropy.nsb(_normalised(sample.counts) * sample.draws[:, None]),
}
SPREAD = "standard deviation of the truth"
ESTIMATORS = {"multinomial": COUNTED, "users": COUNTED, "sample": COUNTED, "user_mean": EFFECTIVE}


class Cells:
    """A world, and for each of its groups-to-be a cell to draw it from, candidates, and what the cell would do."""

    def __init__(self, seed: int, groups: int, people: int) -> None:
        self.world = worlds.load(seed=seed, users=people)
        self.did = np.zeros((people, self.world.items.height), bool)
        self.did[self.world.interactions["user"].to_numpy(), self.world.interactions["item"].to_numpy()] = True
        rng = np.random.default_rng([seed, 0])
        values = [self.world.users[name].to_numpy() for name in ("age", "gender", "region")]
        kinds = np.array([value == kind for value in values for kind in np.unique(value)])
        self.member = kinds[rng.integers(len(kinds), size=groups)]
        popularity = self.did.sum(axis=0)
        self.candidates = _candidates(popularity, groups, rng)
        self.population = _normalised(popularity[self.candidates])
        start = np.concatenate([[0], self.member.sum(axis=1).cumsum()])
        truth = functools.partial(self.world.truth, start, np.nonzero(self.member)[1], self.candidates)
        self.truth = _entropy(truth())
        self.mean_truth = _entropy(truth(kind="user_mean"))

    def samples(self, n: int, rng: np.random.Generator) -> Iterator[tuple[str, Sample]]:
        """The samples of groups of n users; cells that have fewer and groups that did nothing are left out."""
        drawn = (rng.random(self.member.shape) + ~self.member).argpartition(n - 1, axis=1)[:, :n]
        counts = np.array(
            [self.did[users][:, row].sum(axis=0) for users, row in zip(drawn, self.candidates, strict=True)]
        )
        kept = (self.member.sum(axis=1) >= n) & counts.any(axis=1)
        users, counts, candidates = drawn[kept], counts[kept], self.candidates[kept]
        population, draws = self.population[kept], counts.sum(axis=1)
        target = self.world.truth(np.arange(len(users) + 1) * n, users.reshape(-1), candidates)
        own = _entropy(target)
        yield "multinomial", Sample(rng.multinomial(draws, target), population, own, draws)
        yield "users", Sample(counts, population, own, draws)
        yield "sample", Sample(counts, population, self.truth[kept], draws)
        effective = effective_counts(_sums(self.did, users, candidates), per_user=True)
        yield "user_mean", Sample(effective, population, self.mean_truth[kept], draws)


def _sums(did: NDArray[np.bool_], users: Integers, candidates: Integers) -> Sums:
    """What ``habitus.members`` would sum, from rows at hand."""
    parts = []
    for group, row in zip(users, candidates, strict=True):
        rows = did[group][:, row]
        active = rows[rows.any(axis=1)]
        shares = _normalised(active)
        parts.append((shares.sum(axis=0), len(rows), len(active), active.sum(), (shares**2).sum()))
    return Sums(*map(np.array, zip(*parts, strict=True)))


def _candidates(popularity: Integers, groups: int, rng: np.random.Generator) -> Integers:
    """(groups, K) items, as many from each fifth by popularity."""
    fifths = np.array_split(np.argsort(popularity), FIFTHS)
    drawn = [rng.permuted(np.tile(fifth, (groups, 1)), axis=1)[:, : K // FIFTHS] for fifth in fifths]
    return np.concatenate(drawn, axis=1)


def _normalised(rows: NDArray[np.generic]) -> Reals:
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))


def _entropy(target: Reals) -> Reals:
    return np.asarray(-(target * np.log(np.where(target > 0, target, 1))).sum(axis=1))


def measured(
    sizes: tuple[int, ...] = USERS, seeds: int = WORLDS, groups: int = GROUPS, people: int = PEOPLE
) -> Figures:
    """Sample -> estimator -> users -> figures."""
    errors: dict[tuple[str, str, int], list[Reals]] = {}
    for seed in range(seeds):
        cells = Cells(seed, groups, people)
        for n in sizes:
            for drawn, sample in cells.samples(n, np.random.default_rng([seed, n])):
                spread = (sample.truth - sample.truth.mean()) / math.log(2)
                errors.setdefault((drawn, SPREAD, n), []).append(spread)
                for name, estimate in ESTIMATORS[drawn].items():
                    error = (estimate(sample) - sample.truth) / math.log(2)
                    errors.setdefault((drawn, name, n), []).append(error)
        timing.progress(f"world {seed + 1} of {seeds}")
    found: Figures = {}
    for (drawn, name, n), parts in errors.items():
        found.setdefault(drawn, {}).setdefault(name, {})[n] = _figure(parts)
    return found


def _figure(errors: list[Reals]) -> Figure:
    every, means = np.concatenate(errors), np.array([part.mean() for part in errors])
    spread = means.std(ddof=1) / math.sqrt(len(means)) if len(means) > 1 else math.nan
    return Figure(float(every.mean()), float(np.sqrt((every**2).mean())), float(spread))


def table(of: Mapping[str, Mapping[int, Figure]]) -> str:
    """Markdown: bias and RMSE in each cell, the least RMSE of each column in bold; then what to hold them against."""
    estimators, spread = {name: row for name, row in of.items() if name != SPREAD}, of[SPREAD]
    sizes = list(spread)
    least = {n: min(figures[n].rmse for figures in estimators.values()) for n in sizes}
    lines = [f"| users | {' | '.join(map(str, sizes))} |", "|---|" + "---:|" * len(sizes)]
    for name, figures in estimators.items():
        cells = (_cell(figures[n], best=figures[n].rmse == least[n]) for n in sizes)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines.append(f"| {SPREAD} | {' | '.join(f'{spread[n].rmse:.2f}' for n in sizes)} |")
    errors = (f"{max(figures[n].error for figures in estimators.values()):.3f}" for n in sizes)
    lines.append(f"| largest standard error of a bias | {' | '.join(errors)} |")
    return "\n".join(lines)


def _cell(figure: Figure, *, best: bool) -> str:
    text = f"{figure.bias:+.2f} / {figure.rmse:.2f}".replace("-", "\N{MINUS SIGN}")
    return f"**{text}**" if best else text


WORDS = {
    "multinomial": "Draws from the group's own true target, as many as its users have interactions:",
    "users": "What the n users did; the truth is what the same users would do on average:",
    "sample": "What the n users did; the truth is what all people of their age, gender or region would do on average:",
    "user_mean": "The same for the mean of the users' normalised rows, from effective counts:",
}


def section(found: Figures, date: str) -> str:
    """The tables with their words, as the README holds them."""
    parts = [f"{WORDS[drawn]}\n\n{table(of)}" for drawn, of in found.items()]
    return "\n\n".join(
        [*parts, f"Bias / root mean squared error, bits; {WORLDS} worlds of {PEOPLE}, {GROUPS} groups each; {date}."]
    )


def in_readme(text: str, made: str) -> str:
    """The README with these tables between their marks.

    Raises:
        ValueError: the README does not hold both marks.
    """
    return between(README, text, (BEGIN, END), made)


def keep(found: Figures, path: Path = KEPT) -> None:
    """Rounded far below what is printed."""
    rounded = {
        drawn: {name: {n: [round(x, 7) for x in figure] for n, figure in row.items()} for name, row in of.items()}
        for drawn, of in found.items()
    }
    path.write_text(json.dumps({"date": f"{dt.datetime.now(dt.UTC):%Y-%m-%d}", "bits": rounded}) + "\n", "utf-8")


def draw(path: Path = KEPT) -> None:
    """Rewrite the README's tables from what is kept."""
    held = json.loads(path.read_text("utf-8"))
    found = {
        drawn: {name: {int(n): Figure(*figure) for n, figure in row.items()} for name, row in of.items()}
        for drawn, of in held["bits"].items()
    }
    README.write_text(in_readme(README.read_text("utf-8"), section(found, held["date"])), "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.estimators", description=__doc__.split("\n")[0])
    parser.add_argument("--readme", action="store_true", help="keep the figures, and rewrite benchmarks/README.md")
    parser.add_argument("--draw", action="store_true", help="rewrite benchmarks/README.md from what is kept")
    given = parser.parse_args()
    if not given.draw:
        found = measured()
        for drawn, of in found.items():
            print(f"{WORDS[drawn]}\n\n{table(of)}\n")
        if given.readme:
            keep(found)
    if given.readme or given.draw:
        draw()


if __name__ == "__main__":
    main()
