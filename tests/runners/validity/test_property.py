"""What a figure's error says about it."""

import math

import pytest

from habitus_runners.validity.property import Estimate, mean, share


@pytest.mark.parametrize(
    ("value", "error", "off"), [(1.3, 0.1, 3.0), (0.8, 0.1, -2.0), (1.0, 0.0, 0.0), (1.1, 0.0, math.inf)]
)
def test_a_figure_is_so_many_errors_off(value, error, off):
    assert Estimate(value, error).off(1.0) == pytest.approx(off)


def test_three_errors_are_the_limit():
    assert Estimate(1.29, 0.1).is_at(1)
    assert not Estimate(1.31, 0.1).is_at(1)
    assert not Estimate(1.31, 0.0).is_at(1)


def test_an_unknown_error_is_never_close_enough():
    assert not Estimate(0.5, math.nan).is_at(0.4)
    assert math.isnan(mean([1.0]).error)


def test_mean_and_its_error():
    found = mean([1.0, 2.0, 3.0])
    assert found.value == pytest.approx(2)
    assert found.error == pytest.approx(1 / math.sqrt(3))


def test_a_share_has_its_exact_interval():
    """Clopper & Pearson (1934): 0 of 10 has the upper end 1 - 0.025 ** (1 / 10)."""
    none, half = share([False] * 10), share([True, False] * 50)
    assert (none.low, none.high) == (0, pytest.approx(1 - 0.025 ** (1 / 10)))
    assert half.covers(0.5)
    assert not half.covers(0.65)
