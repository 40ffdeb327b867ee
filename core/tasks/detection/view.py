"""What only post-processes a detection: sliders, options of commands and keys of addresses are made from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from core.errors import InputError
from core.runs.view import chosen

if TYPE_CHECKING:
    from core.tasks.detection.result import DetectionResult

Merging = Literal["nms", "fusion"]
"""How boxes of one landslide become one: the surest is kept, or all are averaged by their confidence."""


@dataclass(frozen=True)
class Choice:
    """What a user chooses after inference.

    Attributes
    ----------
    confidence
        Score from which a box counts, 0 to 1.
    nms_iou
        Intersection over union from which two boxes are one, 0 to 1.
    merging
        How they become one: ``"nms"`` or ``"fusion"``.
    minimum_area
        Smallest box kept, in m², or in square pixels for a scene without a coordinate system.
    """

    confidence: float = chosen("default: the model's own", address="confidence")
    nms_iou: float = chosen("overlap (IoU) above which detections are merged, 0 to 1", address="overlap", default=0.5)
    merging: Merging = chosen("how overlapping detections are merged", address="merging", default="nms")
    minimum_area: float = chosen(
        "minimum box area, m² (pixels without coordinate system)", address="smallest", default=0.0, area=True
    )

    @classmethod
    def default(cls, result: DetectionResult) -> Choice:
        """What a page begins with: see `default_choice`."""
        from core.tasks.detection.findings import default_choice

        return default_choice(result)

    def __post_init__(self) -> None:
        if not 0 <= self.confidence <= 1:
            raise InputError(f"The confidence {self.confidence:g} is not between 0 and 1.")
        if not 0 <= self.nms_iou <= 1:
            raise InputError(f"The overlap {self.nms_iou:g} is not between 0 and 1.")
        if self.merging not in get_args(Merging):
            raise InputError(f"Unknown way to merge detections {self.merging!r}.", remedy='Choose "nms" or "fusion".')
        if not 0 <= self.minimum_area < math.inf:
            raise InputError("An area must be zero or positive, and finite.")
