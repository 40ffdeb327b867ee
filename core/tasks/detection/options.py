"""What a user chooses about a detection's inference."""

from __future__ import annotations

from dataclasses import dataclass

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
    floor
        Confidence from which boxes are kept as candidates; no choice afterwards can go below it.
    limit
        Most candidates of one window, the surest.
    """

    overlap: float = 0.25
    batch: int | None = None
    floor: float = 0.02
    limit: int = 300

    def __post_init__(self) -> None:
        if not 0 <= self.overlap <= 0.9:
            raise InputError(f"An overlap of {self.overlap:g} is not between 0 and 0.9.")
        if self.batch is not None and not 1 <= self.batch <= MOST_BATCH:
            raise InputError(f"A batch of {self.batch} windows is not between 1 and {MOST_BATCH}.")
        if not 0 < self.floor < 1:
            raise InputError(f"A least confidence of {self.floor:g} is not between 0 and 1.")
        if not 1 <= self.limit <= MOST_BOXES:
            raise InputError(f"{self.limit} boxes a window are not between 1 and {MOST_BOXES}.")
