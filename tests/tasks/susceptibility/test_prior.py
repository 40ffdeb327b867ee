"""The prior correction of King and Zeng, against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InputError
from core.tasks.susceptibility.prior import corrected


@pytest.mark.parametrize(
    ("probability", "share", "prevalence", "expected"),
    [
        (0.5, 0.5, 0.01, 0.01),  # a cell like the average of the sample gets the prevalence
        (0.9, 0.5, 0.1, 0.5),  # odds 9 times 1/9
        (0.25, 0.25, 0.75, 0.75),  # odds 1/3 times 9
        (0.3, 0.2, 0.2, 0.3),  # nothing to correct
    ],
)
def test_odds_are_shifted(probability: float, share: float, prevalence: float, expected: float) -> None:
    assert corrected(probability, share, prevalence) == pytest.approx(expected, abs=1e-12)


def test_certainty_and_the_unknown_stay() -> None:
    np.testing.assert_array_equal(corrected([0.0, 1.0, np.nan], 0.5, 0.01), [0.0, 1.0, np.nan])


@pytest.mark.parametrize("share", [0.0, 1.0, 1.5, float("nan")])
def test_a_share_outside_0_to_1_is_refused(share: float) -> None:
    with pytest.raises(InputError):
        corrected(0.5, 0.5, share)
    with pytest.raises(InputError):
        corrected(0.5, share, 0.5)
