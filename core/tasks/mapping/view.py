"""What only post-processes a mapping: sliders, options of commands and keys of addresses are made from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import InputError
from core.runs.view import chosen

if TYPE_CHECKING:
    from core.tasks.mapping.result import MappingResult

@dataclass(frozen=True)
class Choice:
    """What a user chooses after inference.

    Attributes
    ----------
    threshold
        Probability from which a pixel counts as landslide, 0 to 1.
    minimum_area
        Smallest polygon kept, in m², or in pixels for a scene without a coordinate system.
    fill_holes
        Largest hole filled, in the same unit.
    """

    threshold: float = chosen("default: the model's own", address="threshold")
    minimum_area: float = chosen(
        "minimum area, m² (pixels without coordinate system)", address="minimum", default=0.0, area=True
    )
    fill_holes: float = chosen(
        "fill holes up to this area, m² (pixels without coordinate system)", address="holes", default=0.0, area=True
    )

    @classmethod
    def default(cls, result: MappingResult) -> Choice:
        """What a page begins with: see `default_choice`."""
        from core.tasks.mapping.findings import default_choice

        return default_choice(result, result.threshold)

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:
            raise InputError(f"The threshold {self.threshold:g} is not between 0 and 1.")
        if not (0 <= self.minimum_area < math.inf and 0 <= self.fill_holes < math.inf):
            raise InputError("An area must be zero or positive, and finite.")
