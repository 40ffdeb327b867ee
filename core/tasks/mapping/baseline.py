"""The baseline beside every model: a threshold on one colour index, which needs no learning.

Fresh landslides bare soil, which is redder than vegetation: index = (R − G) / (R + G + B + 1) on 8-bit values. Its
threshold of 0.12, chosen on Landslide4Sense training patches, scores F1 0.486 on the 396 validation patches.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.learning.metrics import CODES

THRESHOLD = 0.12


def colour_index(red_green_blue: NDArray[np.floating]) -> NDArray[np.float32]:
    """Index in [-1, 1] of values (3, height, width) in 0–255."""
    red, green, blue = red_green_blue.astype(np.float32)
    index: NDArray[np.float32] = ((red - green) / (red + green + blue + 1)).astype(np.float32)
    return index


def index_codes(index: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Index as codes 0–254, so that it is counted like a probability: code = (index + 1) / 2 × 254."""
    codes: NDArray[np.uint8] = np.rint((np.clip(index, -1, 1) + 1) / 2 * (CODES - 1)).astype(np.uint8)
    return codes


def code_threshold(index: float = THRESHOLD) -> float:
    """The value in [0, 1] at which a histogram of `index_codes` is cut for an index."""
    return (index + 1) / 2
