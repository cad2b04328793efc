"""Sign flips: against scipy's permutation test and plain Python, and the laws that every p-value keeps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from tests.reference import permutation as reference

from habitus.permutation import sign_flips

# As plain Python (NUMBA_DISABLE_JIT=1) the kernels' generator warns that its 64-bit words wrap.
pytestmark = pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")

whole = st.integers(-9, 9)
seeds = st.integers(0, 2**64 - 1)


@st.composite
def totals(draw: st.DrawFn, most_clusters: int = 9, most_models: int = 4) -> np.ndarray:
    """Small whole numbers: many ties, many zeros."""
    clusters, models = draw(st.integers(1, most_clusters)), draw(st.integers(2, most_models))
    row = st.lists(whole, min_size=clusters, max_size=clusters)
    return np.array(draw(st.lists(row, min_size=models, max_size=models)), np.float64)


def pairs(models: int) -> list[tuple[int, int]]:
    return [(a, b) for a in range(models) for b in range(models) if a != b]


@given(totals())
def test_all_patterns_twin(scores: np.ndarray) -> None:
    found = sign_flips(scores, resamples=512, seed=0)
    clusters = scores.shape[1]
    assert found.exact
    assert found.flips == 2**clusters
    for a, b in pairs(len(scores)):
        differences = (scores[a] - scores[b]).astype(int).tolist()
        assert found.difference[a, b] == pytest.approx(sum(differences))
        far = reference.as_far(differences, reference.every(clusters))
        assert found.p_value[a, b] == far / 2**clusters


@given(totals(most_clusters=200), seeds, st.integers(1, 130))
@settings(max_examples=30)
def test_random_patterns_twin(scores: np.ndarray, seed: int, resamples: int) -> None:
    found = sign_flips(scores, resamples=resamples, seed=seed)
    clusters = scores.shape[1]
    if found.exact:
        assert 2**clusters <= resamples
        return
    assert found.flips == resamples < 2**clusters
    patterns = [reference.signs(seed, resample, clusters) for resample in range(resamples)]
    for a, b in pairs(len(scores)):
        far = reference.as_far((scores[a] - scores[b]).astype(int).tolist(), patterns)
        assert found.p_value[a, b] == (1 + far) / (1 + resamples)


def _scipys(first: np.ndarray, second: np.ndarray, resamples: int) -> float:
    done = stats.permutation_test(
        (first, second), lambda x, y: (x - y).sum(), permutation_type="samples", n_resamples=resamples,
        alternative="two-sided", rng=np.random.default_rng(1),
    )  # fmt: skip
    return float(done.pvalue)


@pytest.mark.parametrize("clusters", [2, 5, 6, 7, 12])
def test_scipy_enumerates_the_same(clusters: int) -> None:
    rng = np.random.default_rng(clusters)
    scores = rng.normal(size=(3, clusters))
    found = sign_flips(scores, resamples=2**clusters, seed=0)
    assert found.exact
    for a, b in pairs(3):
        assert found.p_value[a, b] == pytest.approx(_scipys(scores[a], scores[b], 2**clusters), abs=1e-12)


def test_scipys_random_patterns_agree() -> None:
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(4, 60)) + np.arange(4)[:, None] * 0.2
    resamples = 4000
    found = sign_flips(scores, resamples=resamples, seed=5)
    assert not found.exact
    for a, b in pairs(4):
        theirs = _scipys(scores[a], scores[b], resamples)
        # Two Monte Carlo estimates of one share; scipy doubles the smaller of two tails, hence the factor.
        error = 2 * np.sqrt(theirs * (1 - theirs) / resamples) + 2 / resamples
        assert abs(found.p_value[a, b] - theirs) < 4 * error


@given(totals(most_clusters=40), seeds)
def test_laws(scores: np.ndarray, seed: int) -> None:
    found = sign_flips(scores, resamples=300, seed=seed)
    assert (found.p_value > 0).all()
    assert (found.p_value <= 1).all()
    assert_array_equal(found.p_value, found.p_value.T)
    assert_array_equal(found.difference, -found.difference.T)
    assert_array_equal(np.diag(found.p_value), 1)
    assert_array_equal(sign_flips(scores[::-1], resamples=300, seed=seed).p_value, found.p_value[::-1, ::-1])
    # What all models share cancels, and a unit changes nothing.
    shared = np.linspace(100, 200, scores.shape[1])
    assert_array_equal(sign_flips(scores * 3.7 + shared, resamples=300, seed=seed).p_value, found.p_value)


@given(totals(), st.randoms(use_true_random=False))
def test_the_names_of_clusters_do_not_matter(scores: np.ndarray, random) -> None:
    order = list(range(scores.shape[1]))
    random.shuffle(order)
    found, moved = (sign_flips(each, resamples=1024, seed=0) for each in (scores, scores[:, order]))
    assert_array_equal(found.p_value, moved.p_value)


def test_the_names_of_clusters_matter_to_random_patterns_within_their_error_alone() -> None:
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(2, 100)) + np.array([[0.0], [0.1]])
    order = rng.permutation(100)
    here, there = (sign_flips(each, resamples=5000, seed=1).p_value[0, 1] for each in (scores, scores[:, order]))
    assert 0 < abs(here - there) < 5 * np.sqrt(2 * here * (1 - here) / 5000)


@given(totals(most_clusters=30), seeds)
def test_a_cluster_without_a_difference_changes_no_share(scores: np.ndarray, seed: int) -> None:
    if 2 ** (scores.shape[1] + 1) <= 2**10:
        wider = np.column_stack([scores, np.full(len(scores), 5.0)])
        exact = [sign_flips(each, resamples=2**10, seed=seed).p_value for each in (scores, wider)]
        assert_array_equal(*exact)


def test_equal_models_differ_by_chance_alone() -> None:
    scores = np.tile(np.random.default_rng(0).normal(size=500), (3, 1))
    assert_array_equal(sign_flips(scores, resamples=999, seed=0).p_value, 1)


def test_a_difference_everywhere_is_as_rare_as_can_be() -> None:
    scores = np.vstack([np.ones(10), np.zeros(10), -np.arange(1, 11) / 10])
    assert_allclose(sign_flips(scores, resamples=1024, seed=0).p_value[~np.eye(3, dtype=bool)], 2 / 1024)
    many = np.tile(scores, 20)
    assert_allclose(sign_flips(many, resamples=999, seed=0).p_value[~np.eye(3, dtype=bool)], 1 / 1000)


def test_ties_that_differ_by_rounding_count() -> None:
    # 0.1 + 0.2 - 0.3 is 5.6e-17, not 0: of the eight patterns six are farther from zero and two as far.
    scores = np.array([[0.1, 0.2, -0.3], [0.0, 0.0, 0.0]])
    assert sign_flips(scores, resamples=8, seed=0).p_value[0, 1] == 1
    # Every pattern is as far as |1/3 + 1/3| or farther but the four whose signs differ.
    shifted = np.array([[1 / 3, 1 / 3, 0.0], [0.0, 0.0, 0.0]]) + np.array([1e3, -1e3, 7.7])
    assert sign_flips(shifted, resamples=8, seed=0).p_value[0, 1] == 0.5


def test_threads_and_more_resamples_change_no_bit() -> None:
    scores = np.random.default_rng(7).normal(size=(3, 100))
    one = sign_flips(scores, resamples=5_007, seed=9, threads=1)
    for threads in (2, 3, 8):
        assert_array_equal(sign_flips(scores, resamples=5_007, seed=9, threads=threads).p_value, one.p_value)
    far = [np.rint(sign_flips(scores, resamples=n, seed=9).p_value * (n + 1) - 1).astype(int) for n in (64, 100, 5_007)]
    assert (far[0] <= far[1]).all()
    assert (far[1] <= far[2]).all()
    assert (sign_flips(scores, resamples=5_007, seed=10).p_value != one.p_value).any()


def test_p_is_uniform_under_the_null() -> None:
    """600 independent pairs of unequal, heavy-tailed clusters: rejected at 5 % as often as 5 % allows."""
    rng, worlds = np.random.default_rng(11), 600
    sizes = np.concatenate([[20.0, 10, 10], rng.uniform(1, 5, 12)])
    p_values = np.empty(worlds)
    for world in range(worlds):
        differences = rng.standard_t(3, 15) * sizes
        p_values[world] = sign_flips([differences, np.zeros(15)], resamples=255, seed=world).p_value[0, 1]
    rejected = int((p_values <= 0.05).sum())
    low, high = stats.binom.interval(0.95, worlds, 0.05)
    assert low <= rejected <= high
    assert stats.kstest(p_values, "uniform").pvalue > 0.01


@pytest.mark.parametrize(
    ("scores", "options", "error", "message"),
    [
        ([1.0, 2.0], {}, ValueError, r"totals: expected a 2-d array with at least one column, got shape \(2,\)"),
        ([[1.0, 2.0]], {}, ValueError, "totals: expected at least two models, got 1"),
        ([["a"], ["b"]], {}, TypeError, "totals: expected real numbers, got <U1"),
        ([[1, np.nan], [0, 0]], {}, ValueError, "finite numbers, got nan for model 0, cluster 1"),
        ([[1], [0]], {"resamples": 0}, ValueError, "resamples: expected at least 1, got 0"),
        ([[1], [0]], {"seed": -1}, ValueError, r"seed: expected an integer in \[0, 2\*\*64\), got -1"),
        ([[1], [0]], {"threads": 0}, ValueError, "threads: expected at least 1, got 0"),
    ],
)
def test_errors(scores: object, options: dict[str, int], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        sign_flips(scores, **({"seed": 0} | options))
