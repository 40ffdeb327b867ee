"""What a mapping run leaves: rasters on disk, counts of codes, and where all of it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.learning.metrics import COUNTED, Confusion
from core.tasks.imagery.result import ImageResult

PROBABILITY = "probability"
UNCERTAINTY = "uncertainty"
TRUTH = "truth"
CHANGE = "change"
LANDSLIDES = "landslides"


@dataclass(frozen=True, kw_only=True)
class MappingResult(ImageResult):
    """One frozen mapping: a probability of landslide for every pixel.

    A ``"mapping"`` has no parents; a ``"scored"`` is a mapping counted against an inventory afterwards.

    Attributes
    ----------
    counts
        (3, 255) joint histogram of probability code and reference, see `core.learning.metrics.histogram`; rows 1 and 2
        are all zero when `has_reference` is False. Runs of before row 2 was kept have (2, 255).
    has_reference
        Whether it was counted against an inventory.
    baseline
        The same of the colour-index baseline, codes of its index; None when it does not apply.
    artifacts
        File names by role: ``probability`` (COG uint8: code 0–254 is probability times 254, 255 nodata),
        ``uncertainty`` (same scaling), ``truth`` (0, 1, 255 unknown), ``training_distance`` (coarse float32: distance
        of a tile from the model's training images over the limit, −1 unknown).
    provenance
        Inputs with digests, model and weights' digest, parameters, versions, machine, times, bridging.
    """

    counts: NDArray[np.int64]
    has_reference: bool = False
    baseline: NDArray[np.int64] | None = None

    @property
    def partly_known(self) -> bool:
        """Whether an older run's counts leave out pixels of which a partial review, its reference, says nothing."""
        if len(self.counts) == COUNTED[0]:
            return False
        review = (self.provenance.get("truth") or {}).get("review")
        return bool(self.has_reference and review and not review.get("complete"))

    def metrics(self) -> dict[str, float]:
        """Numbers by which runs are compared: at the model's own threshold, before minimum area and hole filling.

        ``area_share`` is the share of valid pixels from the threshold on, unless `partly_known`; with a reference also
        ``f1``, ``iou``, ``precision`` and ``recall``, NaN where undefined. ``unlike_training`` is the share of tiles
        that are unlike the model's training images, where that was measured.
        """
        from core.tasks.mapping.findings import share_reached

        found = {} if self.partly_known else {"area_share": share_reached(self, self.threshold)}
        if self.has_reference:
            confusion = Confusion.at(self.counts, self.threshold)
            found |= {name: float(getattr(confusion, name)) for name in ("f1", "iou", "precision", "recall")}
        return found | self.unlike_training

    def baseline_metrics(self) -> tuple[str, dict[str, float]]:
        """See `RunResult`: the colour index at its own threshold."""
        from core.tasks.mapping.findings import score

        scores = score(self, self.threshold)
        if scores is None or scores.baseline is None:
            return "", {}
        names = ("f1", "iou", "precision", "recall")
        return "Colour index", {name: float(getattr(scores.baseline, name)) for name in names}

    def to_json(self) -> dict[str, Any]:
        """See `RunResult`."""
        return {
            **super().to_json(),
            "counts": self.counts.tolist(),
            "has_truth": self.has_reference,
            "baseline": None if self.baseline is None else self.baseline.tolist(),
        }

    @classmethod
    def _fields(cls, content: Mapping[str, Any]) -> dict[str, Any]:
        baseline = content["baseline"]
        return {
            **super()._fields(content),
            "counts": np.asarray(content["counts"], dtype=np.int64),
            "has_reference": content["has_truth"],
            "baseline": None if baseline is None else np.asarray(baseline, dtype=np.int64),
        }
