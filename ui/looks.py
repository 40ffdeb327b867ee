"""How a visitor chose to see a scene, kept for the scene: bands, contrast, brightness and colours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ui.state import Slot

if TYPE_CHECKING:
    from core.plots.colours import Legend


@dataclass(frozen=True)
class KeptLook:
    """How a scene is shown.

    Attributes
    ----------
    bands
        Bands for red, green and blue, or one, from 1; None for those that the page shows anyway.
    look
        What the address of its tiles says of contrast, brightness and colours; see `core.serve.looks`.
    legend
        What the colours of one band mean; None for an image.
    """

    bands: tuple[int, ...] | None = None
    look: Mapping[str, str] = field(default_factory=dict)
    legend: Legend | None = None


def slot_of(digest: str) -> Slot[KeptLook]:
    """Where the look of a scene is kept.

    Parameters
    ----------
    digest
        Digest of the scene.
    """
    return Slot(f"look-{digest[:16]}", KeptLook())


def look_of(digest: str) -> KeptLook:
    """How a scene is shown; as usual where nothing was chosen or the scene is not named."""
    return slot_of(digest).get() if digest else KeptLook()
