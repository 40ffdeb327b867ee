"""How the rasters of runs on images are painted on the map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.learning.metrics import threshold_code
from core.plots.colours import (
    FALSE_POSITIVE,
    FOUND,
    MISSED,
    PROBABILITY_RAMP,
    REFERENCE,
    TRUE_POSITIVE,
    UNCERTAINTY_RAMP,
)
from core.plots.layers import RGBA, TileLayer, Values, cam, classes, codes, diverging, unlike, with_ramp
from core.plots.painting import Painting


def _mask(values: Sequence[Values], valid: NDArray[np.bool_], painting: Painting) -> RGBA:
    found = valid & (codes(values[0]) >= threshold_code(painting.threshold))
    return classes(valid.shape, [(found, FOUND)])


def _truth(values: Sequence[Values], valid: NDArray[np.bool_], painting: Painting) -> RGBA:
    del painting
    return classes(valid.shape, [(valid & (values[0] == 1), REFERENCE)])


def _outcome(values: Sequence[Values], valid: NDArray[np.bool_], painting: Painting) -> RGBA:
    found = codes(values[0]) >= threshold_code(painting.threshold)
    real = values[1] == 1
    return classes(
        valid.shape,
        [
            (valid & found & real, TRUE_POSITIVE),
            (valid & found & ~real, FALSE_POSITIVE),
            (valid & ~found & real, MISSED),
        ],
    )


LAYERS: Mapping[str, TileLayer] = {
    "probability": TileLayer(("probability",), with_ramp(PROBABILITY_RAMP), "bilinear"),
    "uncertainty": TileLayer(("uncertainty",), with_ramp(UNCERTAINTY_RAMP), "bilinear"),
    "mask": TileLayer(("probability",), _mask),
    "truth": TileLayer(("truth",), _truth),
    "outcome": TileLayer(("probability", "truth"), _outcome),
    "training_distance": TileLayer(("training_distance",), unlike),
    "change": TileLayer(("change",), diverging, "bilinear"),
    "cam": TileLayer(("cam",), cam, "bilinear"),
    "attribution": TileLayer(("cam",), diverging, "bilinear"),
}
"""Every layer that ``/tiles/run`` can paint of such a run, by the name in its address."""


def explanation_layer(parameters: Mapping[str, Any]) -> str:
    """The layer that paints an explanation, from the parameters of its run.

    Grad-CAM of a pixel or an outline was cut at zero and has a ramp of its own; everything else has two signs.
    """
    method = str(parameters.get("method", "")).lower().replace("-", "")
    return "cam" if method == "gradcam" and "box" not in (parameters.get("target") or {}) else "attribution"
