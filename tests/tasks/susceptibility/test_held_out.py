"""Tested cells: counts, curves and intervals worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from core.tasks.susceptibility.held_out import Calibration, HeldOut, cut_table, precision_recall, slope_of, wilson

SCORE = np.array([0.9, 0.8, 0.7, 0.4, 0.3, 0.2])
TRUTH = np.array([True, True, False, True, False, False])
HELD = HeldOut(TRUTH, SCORE, np.arange(6), np.array([30.0, 2.0, 30.0, 30.0, 30.0, 2.0]))


def test_cells_fare_as_counted_at_a_cut_off() -> None:
    found = HELD.confusion(0.5)

    assert (found.true_positive, found.false_positive, found.false_negative, found.true_negative) == (2, 1, 1, 2)
    assert HELD.outcome(0.5).tolist() == [0, 0, 1, 2, 3, 3]
    assert cut_table(HELD, 0.5).set_index("Score")["Value"]["Precision"] == pytest.approx(2 / 3)


def test_flat_ground_is_left_out() -> None:
    # Of the four steep cells .9 and .4 are landslides, .7 and .3 none: three of four pairs in order.
    assert HELD.auroc_steeper(5.0) == (0.75, 4)
    assert np.isnan(HELD.auroc_steeper(40.0)[0])
    assert slope_of(("elevation", "Slope_deg")) == "Slope_deg"


def test_a_calibration_curve_counts_landslides_by_what_was_said() -> None:
    found = Calibration.of(HELD, 2)

    assert found.said == pytest.approx([0.3, 0.8])
    assert found.seen == pytest.approx([1 / 3, 2 / 3])
    assert found.error == pytest.approx((abs(0.3 - 1 / 3) + abs(0.8 - 2 / 3)) / 2)
    low, high = wilson(np.array([0.5]), np.array([100]))
    assert (low[0], high[0]) == pytest.approx((0.4038, 0.5962), abs=1e-4)


def test_precision_over_recall_takes_cells_of_one_score_together() -> None:
    recall, precision = precision_recall(HeldOut(TRUTH, np.array([0.9, 0.5, 0.5, 0.4, 0.3, 0.2]), np.arange(6)))

    assert recall == pytest.approx([1 / 3, 2 / 3, 1, 1, 1])
    assert precision == pytest.approx([1, 2 / 3, 3 / 4, 3 / 5, 1 / 2])
