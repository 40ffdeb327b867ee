"""From the share of landslides in a sample to their share in an area: the prior correction of a probability."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

def corrected(probability: ArrayLike, sample_share: float, prevalence: float) -> NDArray[np.float64]:
    """Correct probabilities of a model for the share of landslides it was fitted with.

    The logit is shifted by ``-ln[((1 - tau) / tau) * (y / (1 - y))]``, tau the prevalence and y the sample share.
    The order of cells, and so the AUROC, does not change.

    Parameters
    ----------
    probability
        Of any shape, 0 to 1; NaN where unknown, which stays NaN.
    sample_share
        Share of landslides among the cells fitted, above 0 and below 1; with balanced weights 0.5.
    prevalence
        Share of landslides among the cells of the area, above 0 and below 1.

    Returns
    -------
    ndarray
        Probabilities of the same shape, 0 to 1.

    Raises
    ------
    InputError
        If a share is not between 0 and 1.

    References
    ----------
    King and Zeng (2001), Logistic regression in rare events data, doi:10.1093/oxfordjournals.pan.a004868.
    """
    for name, share in (("sample share", sample_share), ("prevalence", prevalence)):
        if not 0.0 < share < 1.0:
            raise InputError(
                f"The {name} is {share:g}.",
                "The prior correction needs a share of landslides between 0 and 1.",
                "Give a fraction: 0.01 for 1 %.",
            )
    values = np.asarray(probability, dtype=np.float64)
    ones = values * (prevalence / sample_share)
    zeros = (1.0 - values) * ((1.0 - prevalence) / (1.0 - sample_share))
    return ones / (ones + zeros)
