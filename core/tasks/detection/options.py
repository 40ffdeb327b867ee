"""What a user chooses about a detection's inference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from core.errors import InputError

MOST_BATCH = 256
MOST_BOXES = 1000


@dataclass(frozen=True)
class Options:
    """What a user chooses about inference.

    Attributes
    ----------
    overlap
        Share of a window that neighbours have in common.
    batch
        Windows per forward pass; None chooses by window size.
    min_confidence
        Confidence threshold which boxes are kept as candidates; no choice afterwards can go below it.
    max_detections
        Most candidates of one window, the surest.
    """

    overlap: float = 0.25
    batch: int | None = None
    min_confidence: Annotated[float, Field(alias="floor")] = 0.02
    max_detections: Annotated[int, Field(alias="limit")] = 300

    def __post_init__(self) -> None:
        if not 0 <= self.overlap <= 0.9:
            raise InputError(f"The overlap {self.overlap:g} is not between 0 and 0.9.")
        if self.batch is not None and not 1 <= self.batch <= MOST_BATCH:
            raise InputError(f"The batch size {self.batch} is not between 1 and {MOST_BATCH}.")
        if not 0 < self.min_confidence < 1:
            raise InputError(f"The lowest confidence {self.min_confidence:g} is not between 0 and 1.")
        if not 1 <= self.max_detections <= MOST_BOXES:
            raise InputError(f"The number of detections per tile, {self.max_detections}, is not between 1 and "
                             f"{MOST_BOXES}.")
