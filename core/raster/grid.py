"""The grid of a raster: how pixels lie on the ground, and how much ground each one covers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio.windows
from affine import Affine
from rasterio.crs import CRS
from rasterio.windows import Window

from core.errors import GridError, InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import Transformer
    from shapely import Polygon

#: Rows at which the true pixel area is measured; between them it is interpolated.
AREA_SAMPLES = 257

#: Points of each side at which it is measured how far a grid reaches in degrees.
EDGE_POINTS = 65

#: A projection whose pixels differ by less than this share across the grid counts as of constant area.
AREA_TOLERANCE = 1e-3

PIXEL_SIZES = (1e-3, 1e4)
"""Metres from pixel to pixel between which a stated size must lie."""


@dataclass(frozen=True)
class Grid:
    """Size, placement and coordinate system of a raster.

    Parameters
    ----------
    width, height
        Size in pixels.
    transform
        Affine map from (column, row) to (x, y) in the units of `crs`; the corner of pixel (0, 0) lies at
        (0, 0). South-up and rotated transforms are as good as north-up ones.
    crs
        Geographic or projected coordinate system, or None in pixel space (PNG, JPEG, plain TIFF).
    pixel_size
        Metres from pixel to pixel that somebody stated of a raster in pixel space; None where nothing was stated. A
        coordinate system says it by itself.

    Raises
    ------
    GridError
        When the size is not positive or the transform is not finite or maps pixels onto a line.
    """

    width: int
    height: int
    transform: Affine
    crs: CRS | None
    pixel_size: float | None = None

    def __post_init__(self) -> None:
        """Refuse a grid without area."""
        if self.width < 1 or self.height < 1:
            raise GridError(f"A raster of {self.width} by {self.height} pixels has no area.")
        determinant = self.transform.determinant
        if not math.isfinite(determinant) or determinant == 0 or not all(map(math.isfinite, self.transform)):
            raise GridError(
                "The raster's transform does not define a plane.",
                "Its pixels have no size on the ground, so nothing can be measured or mapped.",
                "Georeference the file again, or remove its transform to work in pixels.",
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.height, self.width

    @property
    def is_georeferenced(self) -> bool:
        """Whether the grid has a coordinate system; otherwise positions and areas are in pixels."""
        return self.crs is not None

    @property
    def in_metres(self) -> bool:
        """Whether lengths and areas are in metres, by a coordinate system or a stated pixel size; else in pixels."""
        return self.crs is not None or self.pixel_size is not None

    @property
    def assumption(self) -> str:
        """That areas assume a pixel size which was entered by hand, without a full stop; empty where none was.

        Examples
        --------
        >>> Grid(10, 10, Affine.identity(), None, 0.5).assumption
        'Areas assume a pixel size of 0.50 m, entered by hand'
        """
        if self.pixel_size is None:
            return ""
        size = max(f"{self.pixel_size:.2f}", f"{self.pixel_size:.10g}", key=len)
        return f"Areas assume a pixel size of {size} m, entered by hand"

    @property
    def stated_size(self) -> dict[str, float]:
        """The stated pixel size by its name in tables and files; empty where none was stated."""
        return {} if self.pixel_size is None else {"pixel_size_m": self.pixel_size}

    def with_pixel_size(self, metres: float | None) -> Grid:
        """The grid with a pixel size that somebody states; None for none.

        Raises
        ------
        InputError
            When it is no size that a pixel can have, or the grid has a coordinate system, which says another.
        """
        if metres is None:
            return replace(self, pixel_size=None)
        if self.crs is not None:
            raise InputError(
                "This image has a coordinate system, which gives the size of its pixels.",
                "A pixel size entered by hand would contradict it.",
                "Leave the pixel size empty.",
            )
        low, high = PIXEL_SIZES
        if not low <= metres <= high:
            raise InputError(
                f"A pixel size of {metres:g} m is not possible here.",
                f"It must be between {low:g} m and {high:,.0f} m.",
                "Enter the distance on the ground between neighbouring pixels in metres, or leave the field empty.",
            )
        return replace(self, pixel_size=float(metres))

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right and top of the envelope, in CRS units, for any orientation."""
        corners = [(0, 0), (self.width, 0), (self.width, self.height), (0, self.height)]
        xs, ys = zip(*(self.transform @ corner for corner in corners), strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    def xy(self, row: float, col: float) -> tuple[float, float]:
        """Coordinates of a pixel's centre, in CRS units."""
        x, y = self.transform @ (col + 0.5, row + 0.5)
        return x, y

    def rowcol(self, x: float, y: float) -> tuple[int, int]:
        """Row and column of the pixel that holds a point; may lie outside the raster."""
        col, row = ~self.transform @ (x, y)
        return math.floor(row), math.floor(col)

    def window(self, window: Window) -> Grid:
        """Grid of a window of this raster.

        Parameters
        ----------
        window
            Offsets and size in pixels; it may reach past the raster's edges.
        """
        transform = rasterio.windows.transform(window, self.transform)
        return Grid(round(window.width), round(window.height), transform, self.crs, self.pixel_size)

    def resized(self, width: int, height: int) -> Grid:
        """Grid of the same ground cut into another number of pixels."""
        scale = Affine.scale(self.width / width, self.height / height)
        size = self.pixel_size and self.pixel_size * math.sqrt(scale.determinant)
        return Grid(width, height, self.transform @ scale, self.crs, size)

    def ground_distance(self) -> float | None:
        """Metres on the ground from pixel to pixel at the grid's centre; without CRS the stated size, or None.

        The geometric mean of both directions, measured on the ellipsoid: a Web Mercator pixel at 60° north
        has half its nominal size, and a UTM pixel differs from its nominal size by less than 0.1 %.
        """
        if self.crs is None:
            return self.pixel_size
        return self._middle_distance

    def pixel_areas(self, rows: slice | None = None) -> float | NDArray[np.float64]:
        """Ground covered by each pixel in m², measured on the ellipsoid along the centre column.

        Parameters
        ----------
        rows
            Rows wanted; all of them when None.

        Returns
        -------
        float or array of shape (rows, 1)
            One number where the pixels differ by less than 0.1 % across the grid (most projections), else
            one per row, to be multiplied with a mask of shape (rows, width). Without CRS and without a stated size
            the unit is the pixel and the answer 1.0.
        """
        if self.crs is None:
            return 1.0 if self.pixel_size is None else self.pixel_size**2
        at, areas = self._area_profile
        if np.ptp(areas) <= AREA_TOLERANCE * float(areas.mean()):
            return float(areas.mean())
        wanted = np.arange(*(rows or slice(None)).indices(self.height)) + 0.5
        return np.asarray(np.interp(wanted, at, areas)[:, np.newaxis], dtype=np.float64)

    def to_wgs84_bounds(self) -> tuple[float, float, float, float] | None:
        """West, south, east and north in degrees (EPSG:4326), of the grid as one piece; None without CRS.

        Longitude is a circle: west lies from −180 to below 180 and east above it, beyond 180 where the grid crosses the
        antimeridian. A projected grid that holds a pole has all longitudes, and the latitude of the pole.

        Raises
        ------
        GridError
            When the grid lies outside the area for which its coordinate system is defined.
        """
        return None if self.crs is None else self._around

    def to_json(self) -> dict[str, Any]:
        """Size, transform and coordinate system as plain values."""
        return {
            "width": self.width,
            "height": self.height,
            "transform": list(self.transform)[:6],
            "crs": self.crs.to_wkt() if self.crs else None,
            **({} if self.pixel_size is None else {"pixel_size": self.pixel_size}),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Grid:
        """Make a grid of what `to_json` gave."""
        crs = CRS.from_wkt(content["crs"]) if content["crs"] else None
        return cls(content["width"], content["height"], Affine(*content["transform"]), crs, content.get("pixel_size"))

    def outline(self) -> Polygon:
        """Edge of the raster as a polygon in CRS units."""
        return self._polygon(0, 0, self.height, self.width)

    def pixel_polygon(self, row: int, col: int) -> Polygon:
        """Edge of one pixel as a polygon in CRS units."""
        return self._polygon(row, col, row + 1, col + 1)

    def digest_text(self) -> str:
        """Text that is equal for equal grids, for use in digests."""
        if self.crs is None:
            crs = "none"
        else:
            authority = self.crs.to_authority()
            crs = ":".join(authority) if authority else self.crs.to_wkt()
        numbers = " ".join(repr(float(number)) for number in tuple(self.transform)[:6])
        return f"{self.width} {self.height} {numbers} {crs}"

    def _polygon(self, top: int, left: int, bottom: int, right: int) -> Polygon:
        from shapely import Polygon

        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        return Polygon([self.transform @ corner for corner in corners])

    @cached_property
    def _around(self) -> tuple[float, float, float, float]:
        steps = np.linspace(0.0, 1.0, EDGE_POINTS)
        none, all_of_it = np.zeros_like(steps), np.ones_like(steps)
        columns = self.width * np.concatenate([steps, all_of_it, steps[::-1], none])
        rows = self.height * np.concatenate([none, steps, all_of_it, steps[::-1]])
        longitudes, latitudes = self._to_wgs84().transform(*self._on_plane(columns, rows))
        placed = np.isfinite(longitudes) & np.isfinite(latitudes)  # the corners of a picture of a disk have no place
        if not placed.any():
            raise self._off_the_globe()
        longitudes, latitudes = np.asarray(longitudes)[placed], np.asarray(latitudes)[placed]
        longitudes = np.unwrap(longitudes, period=360.0)
        west, east, south, north = longitudes.min(), longitudes.max(), latitudes.min(), latitudes.max()
        turns = abs(longitudes[-1] - longitudes[0]) > 180.0  # once around the edge is once around the pole
        if self.crs is not None and self.crs.is_projected and (turns or max(abs(south), abs(north)) > 90.0 - 1e-9):
            south, north = (south, 90.0) if latitudes.mean() > 0 else (-90.0, north)
            return -180.0, float(south), 180.0, float(north)
        turn = 360.0 * math.floor((west + 180.0) / 360.0)
        return float(west - turn), float(south), float(east - turn), float(north)

    @cached_property
    def _middle_distance(self) -> float:
        return math.sqrt(float(self._areas_at(np.array([self.height / 2]))[0]))

    @cached_property
    def _area_profile(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        at = np.linspace(0.5, self.height - 0.5, min(self.height, AREA_SAMPLES))
        return at, self._areas_at(at)

    def _areas_at(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixel areas in m² around points of the centre column.

        Each is four parallelograms spanned by the geodesics from the pixel's centre to the middles of its sides: exact
        to about 1e-5 for pixels of a degree, free of the cancellation that polygon areas suffer for pixels of
        decimetres, and as good at a pole, where directions are only comparable from one and the same point.
        """
        from pyproj import Geod

        to_degrees = self._to_wgs84()
        middle = np.full_like(rows, self.width / 2)
        geod = Geod(ellps="WGS84")
        start = to_degrees.transform(*self._on_plane(middle, rows))
        lengths, azimuths = [], []
        for d_col, d_row in ((0.5, 0.0), (0.0, 0.5), (-0.5, 0.0), (0.0, -0.5)):
            end = to_degrees.transform(*self._on_plane(middle + d_col, rows + d_row))
            if not np.isfinite([*start, *end]).all():
                raise self._off_the_globe()
            azimuth, _, length = geod.inv(*start, *end)
            lengths.append(np.asarray(length))
            azimuths.append(np.radians(azimuth))
        quarters = [
            lengths[one] * lengths[one - 1] * np.abs(np.sin(azimuths[one] - azimuths[one - 1])) for one in range(4)
        ]
        areas = np.sum(quarters, axis=0)
        if not np.isfinite(areas).all() or (areas <= 0).any():
            raise self._off_the_globe()
        return np.asarray(areas, dtype=np.float64)

    def _on_plane(
        self, cols: NDArray[np.float64], rows: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        t = self.transform
        return t.a * cols + t.b * rows + t.c, t.d * cols + t.e * rows + t.f

    def _to_wgs84(self) -> Transformer:
        # Made anew for each use: pyproj's transformers must not be shared between threads, grids may be.
        import pyproj

        if self.crs is None:
            raise GridError("The raster has no coordinate system, so its position on the Earth is unknown.")
        return pyproj.Transformer.from_crs(pyproj.CRS.from_user_input(self.crs), 4326, always_xy=True)

    def _off_the_globe(self) -> GridError:
        left, bottom, right, top = self.bounds
        return GridError(
            f"The raster's coordinates ({left:.6g} to {right:.6g}, {bottom:.6g} to {top:.6g}) lie outside "
            "the area of its coordinate system.",
            "Its position on the Earth and its areas are therefore unknown.",
            "Check that the file names the coordinate system of its coordinates.",
        )
