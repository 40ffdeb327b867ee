"""The fit finds the distribution that the areas were drawn from, and says so when it cannot."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import check_grad
from scipy.stats import invgamma

from core.errors import InputError
from core.tasks.mapping.inverse_gamma import InverseGamma, _Likelihood, fit_truncated
from core.tasks.mapping.size_frequency import cumulative, fit_size_frequency

# Malamud et al. (2004): rho = 1.40, a = 1.28e-3 km2, s = -1.32e-4 km2; here in m2.
PUBLISHED = InverseGamma(1.40, 1280.0, -132.0)


def draw(count, lower, seed, truth=PUBLISHED):
    """Areas above `lower` from the known distribution: s plus a over a gamma variate."""
    random = np.random.default_rng(seed)
    areas = truth.s + truth.a / random.gamma(truth.rho, size=20 * count)
    kept = areas[areas >= lower]
    assert kept.size >= count
    return kept[:count]


def in_whole_pixels(areas, pixel_area):
    return np.round(areas / pixel_area) * pixel_area


def test_density_is_the_inverse_gamma_of_scipy_shifted_by_s():
    areas = np.geomspace(1, 1e6, 50)
    reference = invgamma(PUBLISHED.rho, loc=PUBLISHED.s, scale=PUBLISHED.a)
    np.testing.assert_allclose(PUBLISHED.density(areas), reference.pdf(areas), rtol=1e-10)
    np.testing.assert_allclose(PUBLISHED.exceedance(areas), reference.sf(areas), rtol=1e-10)


def test_published_rollover_is_about_400_square_metres():
    # "approximately 400 m2" in the paper; the maximum of the density is there indeed.
    assert PUBLISHED.rollover == pytest.approx(401.3, abs=0.1)
    areas = np.arange(1.0, 2000.0)
    assert areas[PUBLISHED.density(areas).argmax()] == pytest.approx(401, abs=1)


def test_density_vanishes_below_s_and_integrates_to_one():
    shifted = InverseGamma(2.0, 50.0, 10.0)
    assert shifted.density(10.0) == 0.0
    assert shifted.exceedance(5.0) == 1.0
    assert quad(shifted.density, 10.0, np.inf)[0] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("point", [(0.3, 1.0, 0.5), (-1.0, -3.0, 2.0), (2.0, 3.0, -1.0), (0.0, -8.0, 1.0)])
def test_gradient_of_the_likelihood_is_its_slope(point):
    likelihood = _Likelihood(draw(300, 200, seed=1) / 200 - 1)
    error = check_grad(
        lambda logs: likelihood.value_and_gradient(logs)[0],
        lambda logs: likelihood.value_and_gradient(logs)[1],
        np.array(point),
    )
    assert error < 1e-5


@pytest.mark.parametrize("lower", [50.0, 150.0, 250.0])
def test_parameters_are_recovered_whatever_the_cut(lower):
    fit = fit_truncated(draw(20_000, lower, seed=2), lower)
    assert fit.converged
    assert fit.distribution.rho == pytest.approx(1.40, abs=0.08)
    assert fit.distribution.a == pytest.approx(1280, rel=0.15)
    assert fit.distribution.s == pytest.approx(-132, abs=60)
    assert fit.distribution.rollover == pytest.approx(401, rel=0.08)
    low, high = fit.rho_interval
    assert low < 1.40 < high


def test_areas_in_another_unit_give_the_same_shape():
    areas = draw(1000, 100, seed=3)
    metres = fit_truncated(areas, 100.0)
    kilometres = fit_truncated(areas / 1e6, 100e-6)
    assert kilometres.distribution.rho == pytest.approx(metres.distribution.rho, rel=1e-3)
    assert kilometres.distribution.a * 1e6 == pytest.approx(metres.distribution.a, rel=1e-2)


def test_pixel_areas_with_visible_rollover_give_the_whole_distribution():
    areas = in_whole_pixels(draw(5000, 5.0, seed=4), pixel_area=10.0)
    result = fit_size_frequency(areas[areas > 0], pixel_area_m2=10.0)
    assert result.mode == "inverse_gamma"
    assert result.minimum_area_m2 == 100.0
    assert result.n == np.count_nonzero(areas >= 100)
    assert result.exponent == pytest.approx(2.40, abs=0.12)
    assert result.exponent == result.rho + 1
    assert result.exponent_interval[0] < 2.40 < result.exponent_interval[1]
    assert result.rollover_m2 == pytest.approx(401, rel=0.1)
    assert result.a == pytest.approx(1280, rel=0.25)
    assert result.s == pytest.approx(-132, abs=80)
    assert result.magnitude == pytest.approx(math.log10(result.n))


def test_rollover_below_the_smallest_mappable_area_leaves_only_the_tail():
    areas = in_whole_pixels(draw(5000, 900.0, seed=5), pixel_area=100.0)
    result = fit_size_frequency(areas, pixel_area_m2=100.0)
    assert result.mode == "tail"
    assert (result.rho, result.a, result.s, result.rollover_m2) == (None, None, None, None)
    assert result.exponent_interval[0] < 2.40 < result.exponent_interval[1]
    assert result.exponent == pytest.approx(2.40, abs=0.15)
    assert "without a peak" in result.words


def test_a_rollover_is_stated_only_where_the_areas_show_it():
    """At the cut itself, where chance alone puts the maximum of the fit above it, in one of twenty draws."""
    stated = dict.fromkeys((95.0, 401.0), 0)
    for lower in stated:
        for seed in range(40):
            areas = in_whole_pixels(draw(300, lower, seed=300 + seed), lower / 9.5)
            stated[lower] += fit_size_frequency(areas, pixel_area_m2=lower / 9.5).rollover_m2 is not None
    assert stated[95.0] >= 36
    # Two of 40 are expected at the cut; more than six would happen once in two hundred times.
    assert stated[401.0] <= 6


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda areas: np.r_[areas[areas < 6_000], np.linspace(8e4, 1.2e5, 20)], "More of the largest landslides"),
        (lambda areas: np.r_[areas[areas < 6_000], np.linspace(1.6e5, 2.4e5, 10)], "Fewer of the largest landslides"),
        (lambda areas: areas, None),
    ],
)
def test_a_departure_of_the_largest_landslides_is_told_with_its_numbers(change, words):
    uniform = np.random.default_rng(3).random(300)
    areas = change(in_whole_pixels(950 * uniform ** (-1 / 1.4), pixel_area=100.0))
    result = fit_size_frequency(areas, pixel_area_m2=100.0)
    assert ("largest landslides" in result.words) == (words is not None)
    if words:
        assert words in result.words
        assert "the fit expects" in result.words


def test_pure_power_law_gives_its_exponent():
    uniform = np.random.default_rng(6).random(5000)
    areas = in_whole_pixels(950 * uniform ** (-1 / 1.4), pixel_area=100.0)
    result = fit_size_frequency(areas, pixel_area_m2=100.0)
    assert result.mode == "tail"
    assert result.exponent == pytest.approx(2.40, abs=0.15)


@pytest.mark.parametrize(("lower", "pixel_area"), [(95.0, 10.0), (950.0, 100.0)])
def test_interval_holds_the_true_exponent_about_as_often_as_it_promises(lower, pixel_area):
    held = 0
    for seed in range(30):
        areas = in_whole_pixels(draw(300, lower, seed=100 + seed), pixel_area)
        low, high = fit_size_frequency(areas, pixel_area_m2=pixel_area).exponent_interval
        held += low <= 2.40 <= high
    # 28.5 of 30 are expected; fewer than 25 would happen once in a hundred times.
    assert held >= 25


def test_fewer_than_fifty_landslides_are_not_fitted():
    areas = np.concatenate([draw(49, 1000.0, seed=7), np.full(500, 900.0)])
    result = fit_size_frequency(areas, pixel_area_m2=100.0)
    assert (result.mode, result.n, result.exponent) == ("none", 49, None)
    assert "at least 50 are needed" in result.words
    assert result.magnitude == pytest.approx(math.log10(49))
    assert np.isnan(result.expected_count([2000.0])).all()


def test_pixel_space_is_not_fitted():
    result = fit_size_frequency(np.arange(1, 200), pixel_area_m2=None)
    assert (result.mode, result.n, result.minimum_area_m2) == ("none", 190, None)
    assert "coordinate system" in result.words


def test_no_landslides_have_no_magnitude():
    result = fit_size_frequency([], pixel_area_m2=100.0)
    assert (result.n, result.magnitude, result.mode) == (0, None, "none")


def test_a_minimum_below_ten_pixels_counts_as_ten():
    areas = draw(200, 100, seed=8)
    assert fit_size_frequency(areas, pixel_area_m2=10.0, minimum_area_px=3).minimum_area_m2 == 100.0
    assert fit_size_frequency(areas, pixel_area_m2=10.0, minimum_area_px=30).minimum_area_m2 == 300.0


@pytest.mark.parametrize(
    "areas",
    [np.full(100, 1000.0), np.r_[np.full(99, 1000.0), 1100.0], np.r_[np.full(60, 1e3), np.full(40, 2e3)]],
)
def test_areas_that_are_all_alike_bring_words_not_a_crash(areas):
    result = fit_size_frequency(areas, pixel_area_m2=100.0)
    assert result.mode == "none"
    assert "different area" in result.words


def test_sizes_without_a_heavy_tail_bring_words():
    areas = np.random.default_rng(9).normal(5000, 500, 500)
    result = fit_size_frequency(areas, pixel_area_m2=100.0)
    assert result.mode == "none"
    assert "faster than any power law" in result.words


@pytest.mark.parametrize("bad", [0.0, -5.0, np.nan, np.inf])
def test_areas_must_be_positive_numbers(bad):
    with pytest.raises(InputError, match="positive"):
        fit_size_frequency([100.0, bad], pixel_area_m2=1.0)
    with pytest.raises(InputError, match="pixel"):
        fit_size_frequency([100.0], pixel_area_m2=bad)


def test_cumulative_counts_landslides_at_least_as_large():
    areas, counts = cumulative([30.0, 10.0, 20.0, 20.0])
    assert areas.tolist() == [10.0, 20.0, 30.0]
    assert counts.tolist() == [4, 3, 1]


def test_expected_count_follows_the_counted_one():
    areas = in_whole_pixels(draw(3000, 95.0, seed=10), pixel_area=10.0)
    result = fit_size_frequency(areas, pixel_area_m2=10.0)
    sizes, counts = cumulative(areas)
    expected = result.expected_count(sizes)
    assert expected[0] == pytest.approx(result.n)
    # Kolmogorov's 99.9 % distance for a sample of this size, and half a pixel's worth.
    assert np.abs(expected - counts).max() < 2.0 * math.sqrt(result.n)
    assert np.isnan(result.expected_count(99.0))


@settings(max_examples=15, deadline=None)
@given(
    st.integers(50, 120),
    st.floats(0.3, 4.0),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.01, 1.0, 900.0]),
)
def test_any_inventory_is_answered_with_a_fit_or_with_words(count, rho, seed, pixel_area):
    pixels = np.round(10 + 30 / np.random.default_rng(seed).gamma(rho, size=count)).clip(10, 1e9)
    result = fit_size_frequency(pixels * pixel_area, pixel_area_m2=pixel_area)
    assert result.words
    if result.mode != "none":
        low, high = result.exponent_interval
        assert 1.0 <= low <= result.exponent <= high
