"""The synthetic world is what section 8 of the method says, and knows its own truth."""

import re
from itertools import permutations

import numpy as np
import pytest
from tests.runners.small import known

from habitus_runners.datasets import truth, world
from habitus_runners.datasets.world_titles import REMAKE_EVERY, films
from habitus_runners.errors import HabitusError


@pytest.fixture(scope="module")
def default():
    return world.load(seed=5)


@pytest.fixture(scope="module")
def small():
    return world.load(seed=1, users=60, items=40)


def redrawn(made, users, times, rng):
    """(times, users, items) plain redraws: the top n_u of V + Gumbel noise."""
    utilities, activity = made.utilities[users], made.activity[users]
    out = np.zeros((times, *utilities.shape), bool)
    for histories in out:
        noisy = utilities + rng.gumbel(size=utilities.shape)
        for row, values, n in zip(histories, noisy, activity, strict=True):
            row[np.argsort(-values)[:n]] = True
    return out


def test_the_seed_decides(small):
    assert world.load(seed=1, users=60, items=40).fingerprint == small.fingerprint
    assert world.load(seed=2, users=60, items=40).fingerprint != small.fingerprint


def test_a_world_stays_the_world_it_was():
    known = {(0, 100, 50): "0e78d2a0714cd3b425ab34a239e2f918", (5, 800, 200): "78623e65c9014c209b28a636d0fb5a15"}
    for (seed, users, items), fingerprint in known.items():
        assert world.load(seed=seed, users=users, items=items).fingerprint == fingerprint


def test_other_people_in_the_same_world():
    first, second, third = (world.load(seed=1, users=400, items=40, people=people) for people in (None, 1, 2))
    assert world.load(seed=1, users=400, items=40, people=2).fingerprint == third.fingerprint
    assert len({made.fingerprint for made in (first, second, third)}) == 3
    assert first.items.equals(second.items)
    assert not first.users.equals(second.users)
    liked = [made.utilities.mean(axis=0) for made in (first, second, third)]
    assert np.corrcoef(liked).min() > 0.98  # the same films are popular
    women = [made.utilities[(made.users["gender"] == "female").to_numpy()].mean(axis=0) for made in (second, third)]
    men = [made.utilities[(made.users["gender"] == "male").to_numpy()].mean(axis=0) for made in (second, third)]
    assert np.corrcoef(women[0] - men[0], women[1] - men[1])[0, 1] > 0.7  # and with the same people
    stranger = world.load(seed=2, users=400, items=40, people=1)
    assert abs(np.corrcoef(stranger.utilities.mean(axis=0), liked[1])[0, 1]) < 0.6


def test_a_history_has_n_u_items_once_each(default):
    pairs = default.interactions.select("user", "item")
    assert pairs.n_unique() == pairs.height == default.facts["interactions"]
    assert np.array_equal(known(default).sum(axis=1), default.activity)


def test_activity_is_heterogeneous(default):
    share = default.activity / default.items.height
    assert 0.12 < share.mean() < 0.25
    assert np.quantile(share, 0.9) > 6 * np.quantile(share, 0.1)


@pytest.mark.parametrize("length", [1, 3, 5, 10, 20])
def test_histories_of_every_length_have_groups(default, length):
    knows, rng = known(default), np.random.default_rng(length)
    sizes = [(5 * knows[:, rng.choice(400, length, replace=False)].sum(axis=1) >= 3 * length).sum() for _ in range(40)]
    assert np.mean(np.array(sizes) >= 3) > 0.9
    assert max(sizes) < 2000


def test_levels_fix_attributes_that_users_have(default):
    assert [level.name for level in default.levels] == ["none", "age", "gender", "region", "age x gender x region"]
    assert default.levels[-1].attributes == default.attributes == ("age", "gender", "region")
    assert [default.users[name].n_unique() for name in default.attributes] == [5, 2, 4]


def test_titles_are_unique_and_awkward(default):
    titles = default.items["title"].to_list()
    assert len(set(titles)) == len(titles)
    assert all(re.fullmatch(r".+ \(\d{4}\)", title) for title in titles)
    assert any(re.search(r", (The|A|An) \(", title) for title in titles)
    assert any("'s " in title for title in titles)
    assert not all(title.isascii() for title in titles)
    stems = [title[:-7] for title in titles]
    assert len(stems) - len(set(stems)) == len(titles) // REMAKE_EVERY
    assert all(title.endswith(f"({year})") for title, year in default.items.select("title", "year").iter_rows())


def test_titles_stay_unique_when_stems_come_back():
    titles = [film.title for film in films(20_000, np.random.default_rng(0))]
    assert len(set(titles)) == 20_000


def test_attributes_explain_the_share_rho_of_taste():
    def utilities(rho):
        made = world.load(seed=3, users=400, items=30, rho=rho, gamma=0)
        cell = made.users.select(made.attributes).rows()
        cells = sorted(set(cell))
        of_user = np.array([cells.index(value) for value in cell])
        means = np.stack([made.utilities[of_user == number].mean(axis=0) for number in range(len(cells))])
        return 1 - ((made.utilities - means[of_user]) ** 2).sum() / (made.utilities**2).sum()

    assert utilities(1) == pytest.approx(1, abs=1e-9)
    assert utilities(0.5) == pytest.approx(0.5 + 0.5 * 40 / 400, abs=0.08)
    assert utilities(0) == pytest.approx(40 / 400, abs=0.04)


def test_without_taste_popularity_follows_rank():
    made = world.load(seed=3, users=400, items=30, beta=0, gamma=1.5)
    assert np.ptp(made.utilities, axis=0).max() == 0
    assert np.sort(np.exp(-made.utilities[0] / 1.5)) == pytest.approx(np.arange(1, 31))
    by_rank = known(made).sum(axis=0)[np.argsort(-made.utilities[0])]
    assert by_rank[:5].min() > by_rank[10:].max()


def test_inclusion_is_what_plain_redraws_show(small):
    times, rng = 3000, np.random.default_rng(0)
    share = redrawn(small, np.arange(60), times, rng).mean(axis=0)
    conditioned = truth.inclusion(small.utilities, small.activity, rng, 1000)
    z = (share - conditioned) / np.sqrt((conditioned * (1 - conditioned) + 1e-4) / times)
    assert abs(z.mean()) < 0.05
    assert 0.8 < z.std() < 1.2
    assert np.sqrt(((small.inclusion - conditioned) ** 2).mean()) < 0.02


def enumerated(rates, n, candidates):
    """Exact P(i in the first n) and E[x_i / sum over the candidates of x], from all orders of a Plackett-Luce race."""
    inclusion, rows = np.zeros(len(rates)), np.zeros(len(candidates))
    for order in permutations(range(len(rates))):
        left = [rates[item] for item in order]
        probability = np.prod([rate / sum(left[place:]) for place, rate in enumerate(left)])
        history = order[:n]
        listed = np.isin(candidates, history)
        inclusion[list(history)] += probability
        rows += probability * listed / max(listed.sum(), 1)
    return inclusion, rows


def test_conditioned_redraws_have_the_exact_expectation():
    rates, candidates = np.array([5.0, 2.0, 1.0, 0.6, 0.2]), np.array([[4, 0, 1]])
    for n in (1, 2, 3, 4):
        inclusion, expected = enumerated(rates, n, candidates[0])
        copies = np.log(np.tile(rates, (40_000, 1)))
        drawn = truth.race(copies, np.full(40_000, n), np.random.default_rng(n))
        assert drawn.probability.mean(axis=0) == pytest.approx(inclusion, abs=0.006)
        few = truth._rows(drawn, np.arange(40_000), np.repeat(candidates, 40_000, axis=0)).mean(axis=0)
        many = truth._summed_rows(drawn, np.ones((1, 40_000)), candidates)[0] / 40_000
        assert few == pytest.approx(expected, abs=0.004)
        assert many == pytest.approx(few)


def test_conditioning_takes_variance_away(small):
    rng = np.random.default_rng(0)
    conditioned = [truth.race(small.utilities, small.activity, rng).probability for _ in range(300)]
    plain = [truth.race(small.utilities, small.activity, rng).first for _ in range(300)]
    assert np.var(conditioned, axis=0).mean() < 0.25 * np.var(plain, axis=0).mean()


def test_inclusion_sums_to_the_length_of_the_history(default):
    sums = default.inclusion.sum(axis=1)
    assert sums.mean() == pytest.approx(default.activity.mean(), rel=0.002)
    assert sums == pytest.approx(default.activity, rel=0.2)
    assert default.inclusion.min() >= 0
    assert default.inclusion.max() <= 1


@pytest.mark.parametrize("kind", ["incidence", "user_mean"])
@pytest.mark.parametrize("size", [1, 4, 60])
def test_truth_is_the_expected_target(small, kind, size):
    rng = np.random.default_rng(size)
    users = rng.choice(60, size, replace=False)
    candidates = rng.choice(40, 7, replace=False)
    rows = redrawn(small, users, 6000, rng)[:, :, candidates].astype(float)
    if kind == "user_mean":
        rows /= np.maximum(rows.sum(axis=2, keepdims=True), 1)
    expected = rows.sum(axis=(0, 1))
    (known_target,) = small.truth([0, size], users, [candidates], kind=kind)
    assert known_target.sum() == pytest.approx(1)
    assert known_target == pytest.approx(expected / expected.sum(), abs=0.03)


def test_truth_of_a_group_does_not_depend_on_its_company(small):
    rng = np.random.default_rng(0)
    sizes = [3, 50, 5, 60, 4]
    start = np.concatenate(([0], np.cumsum(sizes)))
    users = np.concatenate([rng.choice(60, size, replace=False) for size in sizes])
    candidates = np.stack([rng.choice(40, 7, replace=False) for _ in sizes])
    for kind in ("incidence", "user_mean"):
        together = small.truth(start, users, candidates, kind=kind)
        for row, size in enumerate(sizes):
            alone = small.truth([0, size], users[start[row] : start[row + 1]], candidates[row : row + 1], kind=kind)
            assert together[row] == pytest.approx(alone[0], rel=1e-9)


def test_truth_needs_users(small):
    with pytest.raises(HabitusError, match="at least one user in every group, got none in row 1"):
        small.truth([0, 2, 2], [0, 1], [[0, 1], [0, 1]])


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"users": 3}, "world users: expected a number from 10"),
        ({"items": 5}, "world items: expected a number from 20"),
        ({"rho": 1.5}, "world rho: expected a number from 0 to 1, got 1.5"),
        ({"people": -1}, "world people: expected a number from 0"),
        ({"beta": "much"}, "world beta: .* got 'much'"),
        ({"gamma": float("nan")}, "world gamma: .* got nan"),
        ({"source": "ml-1m.zip"}, "world: expected no source, got 'ml-1m.zip'.*leave --source out"),
    ],
)
def test_arguments_out_of_range_are_named(argument, message):
    with pytest.raises(HabitusError, match=message):
        world.load(**argument)
