"""The colour index that every model must beat."""

from __future__ import annotations

import numpy as np
import pytest

from core.learning.metrics import Confusion, histogram
from core.tasks.mapping.baseline import THRESHOLD, code_threshold, colour_index, index_codes


def test_the_index_by_hand() -> None:
    pixels = np.array([[100, 50, 49], [0, 255, 0], [0, 0, 0]], np.float32).T[:, :, None]

    # 50 / 200, −255 / 256, 0 / 1
    assert colour_index(pixels).ravel().tolist() == pytest.approx([0.25, -255 / 256, 0])


def test_codes_span_the_whole_index() -> None:
    assert index_codes(np.array([-1.0, 0.0, 1.0, 3.0])).tolist() == [0, 127, 254, 254]


def test_counting_codes_at_the_threshold_is_comparing_the_index_with_it() -> None:
    index = np.array([-0.5, 0.05, 0.10, 0.14, 0.3])
    truth = np.array([0, 0, 1, 1, 0], np.uint8)

    confusion = Confusion.at(histogram(index_codes(index), truth), code_threshold(THRESHOLD))

    assert confusion == Confusion(true_positive=1, false_positive=1, false_negative=1, true_negative=2)
