"""How the values of a scene become colours on the map, as its viewer chose; an address holds it, checked here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast, get_args

import numpy as np

from core.errors import InputError
from core.plots.colours import FACTOR_RAMP, VELOCITY_RAMP, ramp
from core.raster.stretch import Stretch, bridge, parse_percentiles, scene_stretch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.raster.scene import Scene

Colours = Literal["", "sequential", "diverging"]
"""Of one band: greys, one hue after another, or white at zero."""

RAMPS: Mapping[str, str] = {"sequential": FACTOR_RAMP, "diverging": VELOCITY_RAMP}

GAMMAS = (0.2, 5.0)
"""Least and greatest gamma."""


@dataclass(frozen=True)
class Look:
    """How the values of a scene become colours.

    Attributes
    ----------
    percentiles
        Percentiles of each band of the whole scene between which its values are stretched; None for 8-bit values as
        they are and others by their 2nd and 98th.
    ends
        Values between which all bands are stretched instead.
    gamma
        Above 1 dark parts become brighter: shares of the range are raised to 1 / gamma.
    colours
        Scale of one band.
    """

    percentiles: tuple[float, float] | None = None
    ends: tuple[float, float] | None = None
    gamma: float = 1.0
    colours: Colours = ""

    def stretch(self, scene: Scene, bands: tuple[int, ...]) -> Stretch | None:
        """The stretch of some bands of a scene; None when 8-bit values are shown as they are."""
        if self.ends is not None:
            low, high = self.ends
            return Stretch((low,) * len(bands), (high,) * len(bands), None, "")
        return bridge(scene, bands) if self.percentiles is None else scene_stretch(scene, bands, self.percentiles)

    def paint(self, values: NDArray[np.generic], stretch: Stretch | None) -> NDArray[np.uint8]:
        """Colours (height, width, 3) of values (one or three bands, height, width)."""
        shown = values if stretch is None else stretch.apply(values, (0.0, 255.0))
        shares = np.clip(np.nan_to_num(shown.astype(np.float32)), 0.0, 255.0)
        if self.gamma != 1.0:
            shares = 255.0 * (shares / 255.0) ** (1.0 / self.gamma)
        if self.colours and len(values) == 1:
            coloured: NDArray[np.uint8] = ramp(RAMPS[self.colours])[np.rint(shares[0]).astype(np.uint8)]
            return coloured
        steps = shares.astype(np.uint8)
        return np.moveaxis(np.repeat(steps, 3, axis=0) if len(steps) == 1 else steps, 0, -1)

    @property
    def query(self) -> dict[str, str]:
        """What an address says of it; nothing of the usual look."""
        told = {} if self.percentiles is None else {"stretch": ",".join(f"{one:g}" for one in self.percentiles)}
        told |= {} if self.ends is None else {"range": ",".join(f"{one:.15g}" for one in self.ends)}
        told |= {} if self.gamma == 1.0 else {"gamma": f"{self.gamma:g}"}
        return told | ({"colours": self.colours} if self.colours else {})


def checked_look(asked: Mapping[str, str]) -> Look:
    """The look of a scene that an address chooses: ``stretch``, ``range``, ``gamma`` and ``colours``.

    Raises
    ------
    InputError
        When a part of it cannot be.
    """
    stretch, span = asked.get("stretch"), asked.get("range")
    colours = asked.get("colours", "")
    if colours not in get_args(Colours):
        raise InputError("Unknown colours.", remedy="Write colours=sequential or colours=diverging.")
    gamma = _number(asked.get("gamma", "1"))
    if not GAMMAS[0] <= gamma <= GAMMAS[1]:
        raise InputError(f"The gamma must be a number from {GAMMAS[0]:g} to {GAMMAS[1]:g}.")
    ends = None
    if span is not None:
        parts = [_number(one) for one in span[:80].split(",")]
        if len(parts) != 2 or not parts[0] < parts[1]:
            raise InputError("A range must be two ascending numbers.", remedy="Write, for example, range=0,45.")
        ends = (parts[0], parts[1])
    percentiles = None if stretch is None else parse_percentiles(stretch[:40])
    return Look(percentiles, ends, gamma, cast("Colours", colours))


def _number(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    return found if math.isfinite(found) else math.nan
