"""The factors that an elevation model holds, and how they are derived: names and options only."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, get_args

from core.errors import InputError
from core.raster.ground import Distances
from core.raster.terrain import Method

FLAT = -1.0
"""Aspect of flat ground, which faces nowhere though its slope is known."""

@dataclass(frozen=True)
class TerrainOptions:
    """How terrain factors are derived.

    Attributes
    ----------
    method
        Of slope, aspect, hillshade and curvature.
    stream_km2
        Contributing area from which on a cell is a stream.
    tpi_inner_m, tpi_outer_m
        Ring around a cell whose mean elevation its position is told from; 0 inside for all neighbours.
    relief_radius_m
        Distance within which the range of elevations is taken.
    distances
        See `core.raster.ground.Distances`.

    Raises
    ------
    InputError
        When a number cannot be.
    """

    method: Method = "horn"
    stream_km2: float = 0.1
    tpi_inner_m: float = 150.0
    tpi_outer_m: float = 300.0
    relief_radius_m: float = 300.0
    distances: Distances = "ground"

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be."""
        for name, value, known in (
            ("method", self.method, get_args(Method)), ("kind of distances", self.distances, get_args(Distances)),
        ):  # fmt: skip
            if value not in known:
                raise InputError(f"{value!r} is not a known {name} of terrain.", remedy=f"Choose {' or '.join(known)}.")
        positive = {
            "The area for streams (km²)": self.stream_km2,
            "The outer radius of the topographic position index (m)": self.tpi_outer_m,
            "The radius of the local relief (m)": self.relief_radius_m,
        }
        for what, number in positive.items():
            if not (math.isfinite(number) and number > 0):
                raise InputError(f"{what} is {number:g}.", remedy="Enter a number above 0.")
        if not 0 <= self.tpi_inner_m < self.tpi_outer_m:
            raise InputError(
                f"The ring of the topographic position index reaches from {self.tpi_inner_m:g} to "
                f"{self.tpi_outer_m:g} m.",
                remedy="Enter an inner radius of at least 0 and below the outer one.",
            )


@dataclass(frozen=True)
class TerrainFactor:
    """What is derived from elevations.

    Attributes
    ----------
    name
        In configurations and files.
    title
        For people, with the cells that it is taken of.
    unit
        Of its numbers; empty for none.
    kind
        A quantity, or a direction in degrees clockwise from north, `FLAT` on flat ground.
    whole
        Whether all of the raster is needed at once.
    what
        One sentence.
    margin
        Cells around a window that are needed; the radius says where None.
    """

    name: str
    title: str
    unit: str
    kind: Literal["continuous", "aspect"]
    whole: bool
    what: str
    margin: int | None = 1


def _factors() -> Iterator[TerrainFactor]:
    one = TerrainFactor
    yield one("elevation", "Elevation", "m", "continuous", False, "Height above the vertical datum of the "
                                                                  "elevation model.", 0)
    yield one("slope", "Slope (3 × 3 cells)", "°", "continuous", False, "Angle of the ground from the horizontal.")
    yield one("aspect", "Aspect (3 × 3 cells)", "°", "aspect", False,
              "Downhill direction, clockwise from north; −1 on flat ground.")  # fmt: skip
    yield one("plan_curvature", "Plan curvature (3 × 3 cells)", "1/m", "continuous", False,
              "Curvature of the contour: positive on spurs, negative in hollows.")  # fmt: skip
    yield one("profile_curvature", "Profile curvature (3 × 3 cells)", "1/m", "continuous", False,
              "Curvature of the fall line: positive where the ground gets steeper downhill.")  # fmt: skip
    yield one("tangential_curvature", "Tangential curvature (3 × 3 cells)", "1/m", "continuous", False,
              "Curvature across the fall line: plan curvature times the sine of the slope.")  # fmt: skip
    yield one("twi", "Topographic wetness index (D8)", "ln m", "continuous", True,
              "ln(a / tan β): high where a large area drains over gentle ground.")  # fmt: skip
    yield one("spi", "Stream power index (D8)", "m", "continuous", True,
              "a × tan β: high where a large area drains over steep ground.")  # fmt: skip
    yield one("tpi", "Topographic position index", "m", "continuous", False,
              "Elevation minus the mean of the surrounding ring: positive on ridges, negative in valleys.",
              None)  # fmt: skip
    yield one("tri", "Terrain ruggedness index (Riley, 3 × 3 cells)", "m", "continuous", False,
              "Root of the summed squared differences from the eight neighbours.")  # fmt: skip
    yield one("roughness", "Roughness (range of 3 × 3 cells)", "m", "continuous", False,
              "Highest minus lowest elevation of the cell and its eight neighbours.")  # fmt: skip
    yield one("relief", "Local relief", "m", "continuous", False,
              "Highest minus lowest elevation within the radius.", None)  # fmt: skip
    yield one("flow_accumulation", "Contributing area (D8)", "m²", "continuous", True,
              "Area that drains through the cell, including the cell itself.")  # fmt: skip
    yield one("stream_distance", "Distance to streams", "m", "continuous", True,
              "Straight-line distance to the nearest stream cell.")  # fmt: skip
    yield one("hillshade", "Hillshade (light from the north-west, 45° high)", "", "continuous", False,
              "Cosine of the angle between the light and the ground's normal, 0 to 1.")  # fmt: skip


def described(name: str, options: TerrainOptions) -> TerrainFactor:
    """A factor with the radii and the method that its title and sentence depend on.

    Raises
    ------
    InputError
        When no factor is called so.
    """
    if name not in TERRAIN_NAMES:
        raise InputError(f"Unknown terrain factor {name!r}.", remedy=f"Choose from {', '.join(TERRAIN_NAMES)}.")
    factor = _BY_NAME[name]
    if name == "tpi":
        ring = f"ring of {options.tpi_inner_m:g}–{options.tpi_outer_m:g} m"
        return replace(factor, title=f"{factor.title} ({ring})")
    if name == "relief":
        return replace(factor, title=f"{factor.title} (range within {options.relief_radius_m:g} m)")
    if name == "stream_distance":
        return replace(factor, title=f"{factor.title} (straight line, from {options.stream_km2:g} km²)")
    return factor


_BY_NAME = {factor.name: factor for factor in _factors()}
TERRAIN_NAMES = tuple(_BY_NAME)
TERRAIN: Mapping[str, TerrainFactor] = MappingProxyType(
    {name: described(name, TerrainOptions()) for name in TERRAIN_NAMES}
)
"""All factors by name, as the default options derive them; `described` has those of other options."""
