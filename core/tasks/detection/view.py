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

    confidence: float = chosen("by default the model's own", address="confidence")
    nms_iou: float = chosen("overlap from which two boxes are one, 0 to 1", address="overlap", default=0.5)
    merging: Merging = chosen("how boxes of one landslide become one", address="merging", default="nms")
    minimum_area: float = chosen("smallest area kept, m² (px² without CRS)", address="smallest", default=0.0)

    @classmethod
    def default(cls, result: DetectionResult) -> Choice:
        """What a page begins with: see `default_choice`."""
        from core.tasks.detection.findings import default_choice

        return default_choice(result)

    def __post_init__(self) -> None:
        if not 0 <= self.confidence <= 1:
            raise InputError(f"A confidence of {self.confidence:g} is not between 0 and 1.")
        if not 0 <= self.nms_iou <= 1:
            raise InputError(f"An overlap of {self.nms_iou:g} is not between 0 and 1.")
        if self.merging not in get_args(Merging):
            raise InputError(f"{self.merging!r} is no way to merge boxes.", remedy='Choose "nms" or "fusion".')
        if not 0 <= self.minimum_area < math.inf:
            raise InputError("An area cannot be negative or without end.")
