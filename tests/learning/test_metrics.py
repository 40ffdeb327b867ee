"""Scores from the histogram of codes, against scikit-learn and against counts done by hand."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from core.learning.metrics import (
    SIGNED_NODATA,
    Confusion,
    decode,
    decode_signed,
    encode,
    encode_signed,
    histogram,
    threshold_code,
    threshold_curve,
)

THRESHOLDS = (0.0, 0.1, 0.25, 0.5, 100 / 254, 0.9, 1.0)


@pytest.fixture(scope="module")
def sample() -> tuple[np.ndarray, np.ndarray]:
    """Codes of pixels with and without landslide, which overlap."""
    random = np.random.default_rng(4)
    truth = (random.random(2000) < 0.2).astype(np.uint8)
    probability = np.clip(random.normal(0.35 + 0.3 * truth, 0.2), 0, 1)
    return encode(probability), truth


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_scores_from_the_histogram_are_those_of_scikit_learn(
    sample: tuple[np.ndarray, np.ndarray], threshold: float
) -> None:
    codes, truth = sample
    found = codes.astype(float) / 254 >= threshold
    confusion = Confusion.at(histogram(codes, truth), threshold)

    assert confusion.f1 == pytest.approx(reference.f1_score(truth, found))
    assert confusion.iou == pytest.approx(reference.jaccard_score(truth, found))
    assert confusion.miou == pytest.approx(reference.jaccard_score(truth, found, average="macro"))
    assert confusion.precision == pytest.approx(reference.precision_score(truth, found))
    assert confusion.recall == pytest.approx(reference.recall_score(truth, found))
    assert confusion.oa == pytest.approx(reference.accuracy_score(truth, found))
    assert confusion.kappa == pytest.approx(reference.cohen_kappa_score(truth, found), abs=1e-12)


@given(st.lists(st.tuples(st.integers(0, 254), st.booleans()), min_size=1, max_size=60))
@settings(deadline=None)
def test_average_precision_is_that_of_scikit_learn(pixels: list[tuple[int, bool]]) -> None:
    codes = np.array([code for code, _ in pixels], dtype=np.uint8)
    truth = np.array([real for _, real in pixels], dtype=np.uint8)
    found = threshold_curve(histogram(codes, truth)).average_precision

    if truth.any():
        assert found == pytest.approx(reference.average_precision_score(truth, decode(codes)))
    else:
        assert math.isnan(found)


def test_the_curve_holds_the_scores_at_every_threshold(sample: tuple[np.ndarray, np.ndarray]) -> None:
    counts = histogram(*sample)
    curve = threshold_curve(counts)

    for index in (0, 17, 127, 254):
        at = Confusion.at(counts, curve.thresholds[index])
        row = curve.precision[index], curve.recall[index], curve.f1[index]
        assert row == pytest.approx((at.precision, at.recall, at.f1), nan_ok=True)


def test_the_best_threshold_is_in_the_middle_of_the_gap_between_the_classes() -> None:
    counts = np.zeros((2, 255), dtype=np.int64)
    counts[0, 54], counts[1, 204] = 100, 10

    curve = threshold_curve(counts)

    assert np.nanmax(curve.f1) == 1
    assert curve.best_threshold == pytest.approx((55 + 204 + 1) / 2 / 254, abs=1 / 254)


@given(st.integers(0, 254))
def test_a_pixel_at_the_threshold_counts_as_landslide(code: int) -> None:
    assert threshold_code(code / 254) == code


@given(st.floats(0, 1))
def test_codes_keep_probabilities_to_half_a_step(probability: float) -> None:
    kept = decode(encode(np.array([probability])))[0]

    assert kept == pytest.approx(probability, abs=0.5 / 254 + 1e-6)


def test_what_is_no_number_becomes_nodata_and_stays_it() -> None:
    codes = encode(np.array([np.nan, np.inf, -np.inf, 0.0, 1.0, 1.7, -0.2]))

    assert codes.tolist() == [255, 255, 255, 0, 254, 254, 0]
    assert np.isnan(decode(codes)[:3]).all()


def test_pixels_without_data_are_not_counted_and_those_of_unknown_truth_apart() -> None:
    codes = np.array([[255, 10, 10, 255]], dtype=np.uint8)
    truth = np.array([[1, 255, 1, 255]], dtype=np.uint8)

    counts = histogram(codes, truth)

    assert counts.sum() == 2
    assert counts[1, 10] == counts[2, 10] == 1
    assert Confusion.at(counts, 0.0).total == 1


def test_without_truth_every_valid_pixel_counts_as_without_landslide() -> None:
    counts = histogram(np.array([0, 0, 254, 255], dtype=np.uint8))

    assert (counts[0, 0], counts[0, 254], counts[1].sum()) == (2, 1, 0)


def test_scores_of_a_confusion_counted_by_hand() -> None:
    scores = Confusion(true_positive=6, false_positive=2, false_negative=4, true_negative=8).scores()

    # Chance agreement 0.4 · 0.5 + 0.6 · 0.5 = 0.5, observed 0.7.
    expected = {
        "f1": 12 / 18, "iou": 6 / 12, "miou": (6 / 12 + 8 / 14) / 2, "precision": 6 / 8, "recall": 6 / 10,
        "oa": 14 / 20, "kappa": 0.4,
    }  # fmt: skip
    assert scores == pytest.approx(expected)


def test_a_score_without_denominator_is_undefined_and_not_zero() -> None:
    nothing = Confusion(0, 0, 0, 20)

    assert math.isnan(nothing.f1)
    assert math.isnan(nothing.precision)
    assert math.isnan(nothing.kappa)
    assert nothing.oa == 1
    assert math.isnan(Confusion(0, 0, 0, 0).oa)


def test_signed_shares_keep_their_sign_and_what_is_unknown() -> None:
    codes = encode_signed(np.array([-1.0, 0.0, 0.5, 1.0, 3.0, np.nan]))
    assert codes.tolist() == [-254, 0, 127, 254, 254, SIGNED_NODATA]
    np.testing.assert_allclose(decode_signed(codes), [-1, 0, 0.5, 1, 1, np.nan])


def test_boolean_arrays_are_counted_as_scikit_learn_does() -> None:
    random = np.random.default_rng(1)
    found, truth = random.random((2, 9, 11)) < 0.4
    (tn, fp), (fn, tp) = reference.confusion_matrix(truth.ravel(), found.ravel())

    assert Confusion.of(found, truth) == Confusion(tp, fp, fn, tn)


def test_a_curve_without_any_landslide_asks_for_no_special_threshold() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        curve = threshold_curve(histogram(np.array([1, 2, 3], dtype=np.uint8), np.zeros(3, dtype=np.uint8)))

    assert curve.best_threshold == 0.5
    assert np.isnan(curve.f1).all()
