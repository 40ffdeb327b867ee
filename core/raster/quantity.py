"""What the numbers of a band mean: scaled, and in metres or millimetres a year, whatever unit the file is in.

A file may hold elevations as whole decimetres above 500 m, in feet, or in feet because its coordinate system counts
heights in them. `Quantity.of` reads all that a file says of a band; `quantity_on_grid` and `QuantityReader` give
numbers that are in the unit they are asked in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.errors import BandError
from core.raster.align import GridReader, scene_on_grid
from core.raster.grid import Grid
from core.raster.scene import Patch, ResamplingName, Scene, SceneReader

Kind = Literal["elevation", "velocity"]

US_FOOT = 1200 / 3937
YEAR = 365.25

LOWEST, HIGHEST = -500.0, 9000.0
"""Metres between which elevations of the Earth's land lie."""

_LENGTHS = {
    1.0: ("m", "metre", "metres", "meter", "meters", "metre(s)", "m.a.s.l.", "m a.s.l.", "masl", "m asl", "mètre",
          "mètres", "metro", "metros", "meter(s)", "m amsl", "m above sea level"),
    0.3048: ("ft", "foot", "feet", "international foot", "international feet", "'", "foot international"),
    US_FOOT: ("us-ft", "ftus", "us survey foot", "us survey feet", "survey foot", "sft", "foot us", "usft", "us foot",
              "us feet", "ft (us)", "feet (us survey)", "foot (us survey)", "foot us survey", "us ft", "ft us"),
    0.9144: ("yd", "yard", "yards"),
    0.0254: ("in", "inch", "inches", '"'),
    0.1: ("dm", "decimetre", "decimetres", "decimeter", "decimeters"),
    0.01: ("cm", "centimetre", "centimetres", "centimeter", "centimeters"),
    0.001: ("mm", "millimetre", "millimetres", "millimeter", "millimeters"),
    1000.0: ("km", "kilometre", "kilometres", "kilometer", "kilometers"),
}
_TIMES = {1.0: ("yr", "y", "a", "year", "annum"), YEAR: ("d", "day"), 12.0: ("mo", "month")}


@dataclass(frozen=True)
class Quantity:
    """How numbers of a band become amounts: amount = factor × number + offset.

    Attributes
    ----------
    kind
        ``"elevation"`` in metres, ``"velocity"`` in millimetres a year.
    factor, offset
        Of the band's numbers.
    note
        What was converted or assumed; empty where the numbers are amounts already.
    """

    kind: Kind
    factor: float
    offset: float
    note: str

    @classmethod
    def of(cls, scene: Scene, kind: Kind, band: int = 1) -> Quantity:
        """What a scene says of the numbers of one of its bands.

        Parameters
        ----------
        scene
            The raster.
        kind
            What its numbers are amounts of.
        band
            Band number from 1.
        """
        said = scene.bands[band - 1]
        target = "m" if kind == "elevation" else "mm/yr"
        unit = said.unit.strip()
        if not unit and kind == "elevation" and scene.vertical_unit not in (None, 1.0):
            per_unit, known = float(scene.vertical_unit or 1.0), True
        else:
            per_unit, known = _metres(unit) if kind == "elevation" else _millimetres_a_year(unit)
        parts = []
        if (said.scale, said.offset) != (1.0, 0.0):
            added = f" and {said.offset:g} is added" if said.offset else ""
            parts.append(f"its values are multiplied by {said.scale:g}{added}")
        if not known:
            parts.append(f"its unit {unit!r} is unknown and was assumed to be {target}")
        elif per_unit != 1.0 and unit:
            parts.append(f"{unit} was converted to {target} (1 {unit} = {per_unit:.7g} {target})")
        elif per_unit != 1.0:
            parts.append(f"its coordinate system gives heights in units of {per_unit:.7g} m, which were converted to m")
        what = "Elevations" if kind == "elevation" else "Velocities"
        note = f"{what} of {scene.name}: {'; '.join(parts)}." if parts else ""
        return cls(kind, said.scale * per_unit, said.offset * per_unit, note)

    @property
    def as_it_is(self) -> bool:
        """Whether the numbers are amounts already."""
        return self.factor == 1.0 and self.offset == 0.0

    def left_out(self, scene: Scene, band: int = 1) -> str:
        """Note on elevations that no land has, with their share in a sample of the scene; empty without any."""
        if self.kind != "elevation":
            return ""
        with scene.reader() as reader:
            values, valid = reader.sample()
        known = valid[band - 1]
        amounts = values[band - 1].astype(np.float64) * self.factor + self.offset
        beyond = known & ((amounts < LOWEST) | (amounts > HIGHEST))
        if not beyond.any():
            return ""
        return (
            f"About {100 * beyond.sum() / known.sum():.1f} % of the elevations of {scene.name} lie outside "
            f"{LOWEST:,.0f} to "
            f"{HIGHEST:,.0f} m, where there is no land; they are treated as nodata. If the file has another unit, "
            "declare it in the file."
        )

    def patch(self, patch: Patch) -> Patch:
        """Amounts of a window, float64 (bands, height, width); elevations that no land has are unknown."""
        values = patch.values.astype(np.float64) * self.factor + self.offset
        valid = patch.valid
        if self.kind == "elevation":
            valid = valid & ((values >= LOWEST) & (values <= HIGHEST)).all(axis=0)
        return Patch(values, valid)


class QuantityReader:
    """Reads amounts of one band of a scene in its own pixels.

    Parameters
    ----------
    reader
        Open reader of the scene.
    quantity
        What its numbers mean.
    band
        Band number from 1.
    """

    def __init__(self, reader: SceneReader, quantity: Quantity, band: int = 1) -> None:
        self._reader, self._quantity, self._band = reader, quantity, band

    def read(self, window: Window) -> NDArray[np.float64]:
        """Amounts of a window (height, width), NaN where unknown."""
        patch = self._quantity.patch(self._reader.read((self._band,), window))
        return np.where(patch.valid, patch.values[0], np.nan)


@dataclass(frozen=True)
class _OnGrid:
    reader: GridReader
    quantity: Quantity

    def read(self, window: Window) -> Patch:
        """Amounts of a window of the grid."""
        return self.quantity.patch(self.reader.read(window))


def elevation_model(dem: Scene | Path) -> Scene:
    """A raster of elevations.

    Raises
    ------
    BandError
        When it has more than one band: colours are no elevations.
    """
    scene = dem if isinstance(dem, Scene) else Scene.open(dem)
    if len(scene.bands) - (scene.alpha is not None) != 1:
        raise BandError(
            f"{scene.name} has {len(scene.bands)} bands; an elevation model has one.",
            "Colours are not elevations, and it is unclear which band holds them.",
            "Choose a raster of elevations, or save the elevation band as a separate file.",
        )
    return scene


@contextmanager
def elevation_on_grid(dem: Scene | Path, grid: Grid, resampling: ResamplingName = "bilinear") -> Iterator[GridReader]:
    """Open an elevation model for reading on another grid, in metres.

    Yields
    ------
    GridReader
        Of float64 values (1, height, width) in metres; for the thread that opened it.

    Raises
    ------
    BandError
        When it has more than one band.
    GridError
        When the two do not overlap, only one has a CRS, or both have none and differ in size.
    """
    scene = elevation_model(dem)
    with scene_on_grid(scene, grid, bands=(1,), resampling=resampling) as reader:
        yield _OnGrid(reader, Quantity.of(scene, "elevation"))


def _plain(unit: str) -> str:
    """A unit as it is looked up: small letters, no brackets around it, nothing about the datum behind it."""
    words = re.sub(r"[\s_]+", " ", unit.lower()).strip()
    words = words[1:-1].strip() if words[:1] + words[-1:] in ("[]", "()") else words
    return re.sub(r"\s*[\[(](egm|wgs|navd|nap|dvr|ellips|geoid|above|msl|height)[^\])]*[\])]$", "", words)


def _metres(unit: str) -> tuple[float, bool]:
    words = _plain(unit)
    if not words:
        return 1.0, True
    found = next((metres for metres, names in _LENGTHS.items() if words in names), None)
    return (1.0, False) if found is None else (found, True)


def _millimetres_a_year(unit: str) -> tuple[float, bool]:
    words = _plain(unit)
    if not words:
        return 1.0, True
    words = words.replace("year", "yr").replace("annum", "yr")
    found = re.fullmatch(r"(\w+)\s*(?:/|\bper\b|[ ·*.]\s*)\s*(\w+?)(?:\^?-1)?s?", words)
    if found is None:
        return 1.0, False
    length, known = _metres(found[1])
    time = next((times for times, names in _TIMES.items() if found[2] in names), None)
    return (1.0, False) if time is None or not known else (length * 1000 * time, True)


def is_velocity_unit(unit: str) -> bool:
    """Whether a unit names a length for a time, such as ``"cm/yr"``; nothing is assumed of an empty one.

    Examples
    --------
    >>> is_velocity_unit("mm/yr"), is_velocity_unit("m"), is_velocity_unit("")
    (True, False, False)
    """
    return bool(_plain(unit)) and _millimetres_a_year(unit)[1]
