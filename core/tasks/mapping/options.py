"""What a user chooses about a mapping's inference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from core.errors import InputError


@dataclass(frozen=True)
class Options:
    """What a user chooses about inference.

    Attributes
    ----------
    overlap
        Share of a window that neighbours have in common.
    test_time_augmentation
        Test-time augmentation: mean over the eight turns and mirrors, with their spread as an uncertainty raster.
    batch
        Windows per forward pass; None chooses by window size.
    """

    overlap: float = 0.25
    test_time_augmentation: Annotated[bool, Field(alias="turned")] = False
    batch: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.overlap <= 0.9:
            raise InputError(f"The overlap {self.overlap:g} is not between 0 and 0.9.")
        if self.batch is not None and not 1 <= self.batch <= 256:
            raise InputError(f"The batch size {self.batch} is not between 1 and 256.")
