"""What is asked of a mapping: the user's choices, the part of the scene, and how to hear of it and stop it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, RunCancelled
from core.raster.windows import Region

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Options:
    """What a user chooses about inference.

    Attributes
    ----------
    overlap
        Share of a window that neighbours have in common.
    turned
        Test-time augmentation: mean over the eight turns and mirrors, with their spread as an uncertainty raster.
    batch
        Windows per forward pass; None chooses by window size.
    """

    overlap: float = 0.25
    turned: bool = False
    batch: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.overlap <= 0.9:
            raise InputError(f"An overlap of {self.overlap:g} is not between 0 and 0.9.")
        if self.batch is not None and not 1 <= self.batch <= 256:
            raise InputError(f"A batch of {self.batch} windows is not between 1 and 256.")


@dataclass(frozen=True)
class Area:
    """The part of a scene to map: a region of its pixels and, within it, which pixels belong to it.

    Attributes
    ----------
    region
        Rectangle of the scene's pixels.
    inside
        For a region of the scene, True where pixels belong to the area; None when all do.
    """

    region: Region
    inside: Callable[[Region], NDArray[np.bool_]] | None = None


class Cancel(Protocol):
    """Asked at each batch; True stops the run."""

    def __call__(self) -> bool:
        """Whether to stop."""


def never() -> bool:
    """Do not cancel."""
    return False


def stop_if(cancel: Cancel) -> None:
    """Raise `RunCancelled` when asked to stop."""
    if cancel():
        raise RunCancelled("The mapping was cancelled.", "Nothing of it was kept.")


def ignore(done: int, total: int) -> None:
    """Report progress to nobody."""
