"""Entropy estimators against twins, other packages, and what must hold of them."""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from scipy.special import digamma, gammaln, polygamma
from tests import strategies
from tests.reference import entropy as twins
from tests.reference import scores as reference

import habitus
from habitus import entropy
from habitus.entropy import ESTIMATORS, plug_in
from habitus.kernels import entropy as kernels

maximum_likelihood = functools.partial(plug_in, alpha=0)

# Those that know K never leave [0, log K]; the others know only what was seen.
BOUNDED = ("plug-in", "james-stein", "dirichlet", "nsb")
BAYESIAN = ("dirichlet", "nsb")

few = st.lists(st.integers(0, 12), min_size=2, max_size=9).filter(any)
real = st.lists(st.just(0.0) | st.floats(1e-3, 50), min_size=2, max_size=9).filter(any)
by_name = pytest.mark.parametrize("name", ESTIMATORS)


@given(st.lists(strategies.count_rows(7), min_size=1, max_size=5), st.floats(1e-6, 10))
def test_plug_in_equals_its_twin(counts: list[list[int]], alpha: float) -> None:
    targets = [reference.smoothed(row, alpha) for row in counts]
    assert_allclose(plug_in(counts, alpha=alpha), [reference.entropy(p, p) for p in targets], rtol=0, atol=1e-12)


TWINS: Mapping[str, tuple[Callable[..., NDArray[np.float64]], Callable[[list[int]], float]]] = {
    "maximum likelihood": (maximum_likelihood, twins.maximum_likelihood),
    "miller-madow": (entropy.miller_madow, twins.miller_madow),
    "grassberger": (entropy.grassberger, twins.grassberger),
    "chao-shen": (entropy.chao_shen, twins.chao_shen),
    "james-stein": (entropy.james_stein, lambda row: twins.james_stein(row, [Fraction(1, len(row))] * len(row))),
}


@pytest.mark.parametrize("name", TWINS)
@given(row=few)
def test_the_closed_forms_equal_their_twins(name: str, row: list[int]) -> None:
    estimate, twin = TWINS[name]
    assert_allclose(estimate([row]), [twin(row)], rtol=0, atol=1e-12)


@given(few, st.data())
def test_james_stein_towards_a_population_equals_its_twin(row: list[int], data: st.DataObject) -> None:
    weight = data.draw(st.lists(st.integers(0, 9), min_size=len(row), max_size=len(row)).filter(any))
    target = [Fraction(part, sum(weight)) for part in weight]
    expected = twins.james_stein(row, target)
    floats = [float(part) for part in target]
    assert_allclose(entropy.james_stein([row], target=floats), [expected], rtol=0, atol=1e-12)
    assert_array_equal(
        entropy.james_stein([row] * 2, target=[floats] * 2), entropy.james_stein([row] * 2, target=floats)
    )


@settings(max_examples=25)
@given(real, st.floats(0.02, 5))
def test_dirichlet_equals_the_integral_of_its_definition(row: list[float], alpha: float) -> None:
    assert_allclose(entropy.dirichlet([row], alpha=alpha), [twins.dirichlet(row, alpha)], rtol=0, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(few)
def test_nsb_equals_adaptive_quadrature(row: list[int]) -> None:
    assert_allclose(entropy.nsb([row]), [twins.nsb(row)], rtol=0, atol=1e-10)


@pytest.mark.parametrize("K", [2, 50, 300])
@pytest.mark.parametrize("n", [1, 30, 3000])
def test_nsb_equals_adaptive_quadrature_for_large_tasks(K: int, n: int) -> None:
    rows = [np.random.default_rng(K).multinomial(n, shape / shape.sum()) for shape in _shapes(K)]
    assert_allclose(entropy.nsb(rows), [twins.nsb(row.tolist()) for row in rows], rtol=0, atol=1e-9)


def _shapes(K: int) -> list[NDArray[np.float64]]:
    return [np.ones(K), np.arange(1, K + 1) ** -1.5]


# Both integrals by the trapezoidal rule of mpmath 1.4.1 with 30 digits and a step of a quarter of the peak's width.
EXTREMES: Sequence[tuple[Sequence[float], float]] = [
    ([0, 40] + [0] * 8, 0.0263331266399108451),
    ([10**6] + [0] * 1023, 9.94896057247583582e-7),
    ([976] * 1024, 6.93147080502579872),
    ([1] * 1024, 6.93049778457645272),
    ([20_000] * 50, 3.91202200543099049),
    ([500, 500] + [0] * 1022, 0.694589046555114896),
    ([499_536, 500_464], 0.693146251267270996),
    ([0.3] + [0] * 1023, 5.34855878488362669),
    ([2.9854403914844356, 14.314559608515566], 0.482526018401547713),
    ([0.00039045891379772157, 0.00019402547600704456], 0.347982696279404423),
]


@pytest.mark.parametrize(("row", "expected"), EXTREMES)
def test_nsb_in_extremes(row: Sequence[float], expected: float) -> None:
    assert_allclose(entropy.nsb([row]), [expected], rtol=0, atol=1e-9)


@pytest.mark.parametrize("K", [2, 50, 1024])
def test_the_first_draw_tells_nsb_nothing(K: int) -> None:
    assert_allclose(entropy.nsb([[1] + [0] * (K - 1)]), [math.log(K) / 2], rtol=0, atol=1e-10)


# infomeasure 0.6.3: entropy(data, approach="discrete" | "miller_madow" | "chao_shen" | "shrink"), which knows only the
# candidates that were seen, so none here has a count of 0. Its "nsb" integrates beta, not xi, over [0, log K] and
# multiplies each log Gamma by the count: it is no reference.
PUBLISHED: Sequence[tuple[list[int], Mapping[str, float]]] = [
    (
        [12, 4, 3, 1, 1, 1, 2, 5],
        {
            "maximum likelihood": 1.7089034840819814,
            "miller-madow": 1.8295931392543952,
            "chao-shen": 1.9009863392241946,
            "james-stein": 1.862717993608639,
        },
    ),
    ([1, 1, 1, 1], {"chao-shen": 3.046482035086619, "james-stein": 1.3862943611198906}),
    ([7, 2, 2, 1], {"chao-shen": 1.3194388988251382, "james-stein": 1.272968070523846}),
]


@pytest.mark.parametrize(("row", "expected"), PUBLISHED)
def test_what_infomeasure_computes(row: list[int], expected: Mapping[str, float]) -> None:
    found = {name: TWINS[name][0]([row])[0] for name in expected}
    assert found == pytest.approx(dict(expected), rel=0, abs=1e-12)


def test_what_ndd_publishes() -> None:
    # ndd 1.10.6, README: ndd.entropy(counts, k=100). It integrates to a relative 1e-3, and is 5e-6 off.
    counts = [4, 12, 4, 5, 3, 1, 5, 1, 2, 2, 2, 2, 11, 3, 4, 12, 12, 1, 2]
    assert_allclose(entropy.nsb([counts + [0] * 81]), [2.8060922529931225], rtol=0, atol=1e-5)


def test_the_recurrence_that_grassberger_publishes() -> None:
    found = [math.log(n) - entropy.grassberger([[n]])[0] for n in range(1, 40)]
    expected = [-np.euler_gamma - math.log(2), 2 - np.euler_gamma - math.log(2)]
    while len(expected) < 39:
        n = len(expected) + 1
        expected.append(expected[-1] if n % 2 else expected[-1] + 2 / (n - 1))
    assert_allclose(found, expected, rtol=0, atol=1e-13)


def test_digamma_trigamma_and_the_logarithm_of_gamma() -> None:
    y = np.concatenate([np.logspace(-12, 12, 500), np.linspace(7.9, 8.1, 21)])
    found = np.array([kernels._remainder_and_digamma(x, math.log(x)) for x in y])
    stirling = (y + 0.5) * np.log(y) - y + 0.5 * math.log(2 * math.pi)
    assert_allclose(found[:, 0] + stirling, gammaln(y + 1), rtol=1e-14, atol=1e-14)
    assert_allclose(found[:, 1], digamma(y + 1), rtol=1e-14, atol=1e-14)
    assert_allclose([kernels._digamma_after(x) for x in y - 0.5], digamma(y + 0.5), rtol=1e-14, atol=2e-14)
    assert_allclose([kernels._scaled_trigamma(x) for x in y], y * polygamma(1, y + 1), rtol=1e-13)


@given(st.lists(few, min_size=1, max_size=1), st.randoms())
def test_candidates_are_alike(counts: list[list[int]], random: Random) -> None:
    shuffled = [random.sample(row, len(row)) for row in counts]
    for estimate in ESTIMATORS.values():
        assert_allclose(estimate(shuffled), estimate(counts), rtol=0, atol=1e-12)
    assert_array_equal(entropy.nsb(shuffled), entropy.nsb(counts))


@pytest.mark.parametrize("name", BOUNDED)
@given(row=strategies.count_rows(7))
def test_bounds(name: str, row: list[int]) -> None:
    (found,) = ESTIMATORS[name]([row])
    assert 0 <= found <= math.log(7) + 1e-12


@pytest.mark.parametrize("name", BAYESIAN)
@given(row=real)
def test_bounds_for_effective_counts(name: str, row: list[float]) -> None:
    (found,) = ESTIMATORS[name]([row])
    assert 0 < found < math.log(len(row))


@given(strategies.count_rows(7))
def test_corrections_only_add(row: list[int]) -> None:
    (least,) = maximum_likelihood([row])
    assert least - 1e-12 <= entropy.miller_madow([row])[0]
    assert least - 1e-12 <= entropy.james_stein([row])[0]
    assert entropy.chao_shen([row])[0] >= 0


@given(strategies.count_rows(7), st.floats(0, 10), st.floats(0, 10))
def test_more_smoothing_is_more_entropy(row: list[int], one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert plug_in([row], alpha=low)[0] <= plug_in([row], alpha=high)[0] + 1e-12


@pytest.mark.parametrize("name", ["miller-madow", "grassberger", "chao-shen"])
@given(row=few)
def test_what_ignores_unseen_candidates(name: str, row: list[int]) -> None:
    assert_array_equal(ESTIMATORS[name]([row]), ESTIMATORS[name]([[*row, 0]]))


@given(real, st.floats(0.01, 5))
def test_another_candidate_that_nobody_chose_adds_to_dirichlet(row: list[float], alpha: float) -> None:
    assert entropy.dirichlet([[*row, 0.0]], alpha=alpha)[0] >= entropy.dirichlet([row], alpha=alpha)[0] - 1e-12


@given(real)
def test_nsb_is_a_mean_over_dirichlet_priors(row: list[float]) -> None:
    means = [entropy.dirichlet([row], alpha=alpha)[0] for alpha in np.logspace(-12, 12, 97)]
    assert min(means) - 1e-9 <= entropy.nsb([row])[0] <= max(means) + 1e-9


@by_name
@given(row=few)
def test_many_draws_leave_nothing_to_correct(name: str, row: list[int]) -> None:
    many = [[count * 1_000_000 for count in row]]
    assert_allclose(ESTIMATORS[name](many), maximum_likelihood(many), rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", [name for name in ESTIMATORS if name != "grassberger"])
def test_one_candidate_has_no_entropy(name: str) -> None:
    assert_allclose(ESTIMATORS[name]([[1], [5], [10**6]]), 0, rtol=0, atol=1e-12)


def test_equal_counts_reach_the_maximum() -> None:
    for name in ("plug-in", "james-stein"):
        assert_allclose(ESTIMATORS[name]([[5] * 50]), math.log(50), rtol=1e-14)


@pytest.mark.parametrize("name", BAYESIAN)
def test_whole_numbers_may_be_integers_or_reals(name: str) -> None:
    counts = np.random.default_rng(0).integers(0, 9, (20, 50))
    assert_array_equal(ESTIMATORS[name](counts), ESTIMATORS[name](counts.astype(float)))


def test_nsb_is_right_on_average_over_its_prior() -> None:
    """Worlds drawn from the prior: xi uniform, p Dirichlet(beta), 12 draws. So too in each half by estimate."""
    rng, K, worlds = np.random.default_rng(1), 10, 2000
    beta = np.logspace(-8, 8, 20_001)
    xi = digamma(K * beta + 1) - digamma(beta + 1)
    drawn = np.interp(rng.uniform(0, math.log(K), worlds), xi, beta)
    gammas = np.log(rng.random((worlds, K))) / drawn[:, None] + np.log(rng.gamma(drawn[:, None] + 1, size=(worlds, K)))
    p = np.exp(gammas - gammas.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    truth = -(p * np.log(np.maximum(p, 1e-300))).sum(axis=1)
    found = entropy.nsb(rng.multinomial(12, p))
    for some in (found <= np.median(found), found > np.median(found)):
        error = (found - truth)[some]
        assert abs(error.mean()) < 4 * error.std() / math.sqrt(len(error))


@by_name
def test_threads_change_no_bit(name: str) -> None:
    counts = np.random.default_rng(0).integers(0, 9, (700, 50))  # two chunks at least
    assert_array_equal(ESTIMATORS[name](counts, threads=1), ESTIMATORS[name](counts, threads=3))


def test_default_alpha_is_one_over_k() -> None:
    assert_array_equal(plug_in([[3, 0, 1, 0]]), plug_in([[3, 0, 1, 0]], alpha=0.25))


def test_agrees_with_score() -> None:
    counts = np.random.default_rng(0).integers(0, 9, (3000, 50))
    assert_allclose(plug_in(counts), habitus.score(counts, np.zeros((3000, 1), int)).entropy, rtol=0, atol=1e-12)


@by_name
@pytest.mark.parametrize(
    ("counts", "kind", "message"),
    [
        ([[1, 2], [3, -1]], ValueError, "got -1.* for task 1, candidate 1"),
        ([[1, 2], [0, 0]], ValueError, "task 1 has none"),
        ([1, 2], ValueError, "2-d"),
        ([[1, 2j]], TypeError, "counts: expected .*, got complex128"),
    ],
)
def test_errors(name: str, counts: list[list[int]], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        ESTIMATORS[name](counts)


@pytest.mark.parametrize("name", [name for name in ESTIMATORS if name not in BAYESIAN])
def test_effective_counts_are_refused_where_they_mean_nothing(name: str) -> None:
    with pytest.raises(TypeError, match="counts: expected integers, got float64"):
        ESTIMATORS[name]([[0.5, 0.5]])


@pytest.mark.parametrize("name", BAYESIAN)
@pytest.mark.parametrize("wrong", [math.nan, math.inf, -0.5])
def test_effective_counts_are_finite(name: str, wrong: float) -> None:
    with pytest.raises(ValueError, match=f"got {wrong} for task 1, candidate 0"):
        ESTIMATORS[name]([[1, 2], [wrong, 1]])


def test_pseudo_counts_are_not_negative() -> None:
    with pytest.raises(ValueError, match=r"alpha: .* got -1\.0"):
        plug_in([[1, 2]], alpha=-1.0)
    with pytest.raises(ValueError, match=r"alpha: .* got 0"):
        entropy.dirichlet([[1, 2]], alpha=0)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ([0.5, 0.5, 0], r"target: expected shape \(2,\) or \(1, 2\), got \(3,\)"),
        ([0.5, 0.6], "target: expected rows that sum to 1"),
        ([1.5, -0.5], "target: expected finite numbers >= 0"),
    ],
)
def test_a_target_is_a_distribution(target: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        entropy.james_stein([[1, 2]], target=target)


@by_name
def test_the_row_is_named_in_any_chunk(name: str) -> None:
    counts = np.ones((5000, 50), int)
    counts[4321] = 0
    with pytest.raises(ValueError, match="task 4321 has none"):
        ESTIMATORS[name](counts)
