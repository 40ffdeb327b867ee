"""What an address chooses of how a raster of a run is painted; nothing heavy is imported for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Painting:
    """What an address chooses of how a raster is painted.

    Attributes
    ----------
    threshold
        Fraction from 0 to 1 from which something counts as found.
    breaks
        Inner breaks of classes, ascending fractions.
    band
        Band of a raster of several, from 1.
    low, high
        Values of the first and the last colour of a scale.
    """

    threshold: float = 0.5
    breaks: tuple[float, ...] = ()
    band: int = 1
    low: float = 0.0
    high: float = 1.0
