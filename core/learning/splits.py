"""Ways to divide data so that what chooses a model never scores it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.wording import agree


def fit_and_tune(count: int, tune_share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Divide the training items once into a part to fit and a part to choose (stop, threshold, architecture).

    Parameters
    ----------
    count
        Number of items, in an order that does not change (names sorted).
    tune_share
        Share of items for choosing, strictly between 0 and 1.
    seed
        The same seed and count give the same split on every machine.

    Returns
    -------
    Two sorted arrays of indices without common members; together they are all items.

    Raises
    ------
    InputError
        When either part would be empty.
    """
    tune_count = round(count * tune_share)
    if not 0 < tune_count < count:
        raise InputError(
            f"{count} training {agree(count, 'item', 'items')} cannot be split with a tuning share of {tune_share}.",
            "Both parts need at least one item.",
            "Add training items or change tune_share.",
        )
    order = np.random.Generator(np.random.PCG64(seed)).permutation(count)
    return np.sort(order[tune_count:]), np.sort(order[:tune_count])
