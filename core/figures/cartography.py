"""What makes a picture of a raster a map: scale, north, outlines, and the name of its coordinate system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from core.raster.grid import Grid

Extent = tuple[float, float, float, float]
"""Left, right, bottom and top of a picture in the pixels of its grid."""


def coordinate_system(grid: Grid) -> str:
    """Name of the coordinate system with its code, or that there is none."""
    if grid.crs is None:
        if grid.assumption:
            return f"No coordinate system: positions in pixels; {grid.assumption[0].lower()}{grid.assumption[1:]}"
        return "No coordinate system: positions and areas in pixels"
    import pyproj

    name = pyproj.CRS.from_user_input(grid.crs).name
    authority = grid.crs.to_authority()
    return f"{name} ({':'.join(authority)})" if authority else name


def scale_length(span: float) -> float:
    """Longest of 1, 2 and 5 times a power of ten within a quarter of a span.

    Examples
    --------
    >>> scale_length(5120.0)
    1000.0
    """
    quarter = span / 4
    power = 10.0 ** np.floor(np.log10(quarter))
    return float(max(step * power for step in (1, 2, 5) if step * power <= quarter * (1 + 1e-9)))


def outlines(geometries: NDArray[np.object_], grid: Grid) -> list[Any]:
    """Matplotlib paths of polygons, with their holes, in pixels of the grid (x column, y row)."""
    from matplotlib.path import Path as Outline

    placement = ~grid.transform if grid.is_georeferenced else Affine.identity()
    paths = []
    # Opposite turns of outline and hole: what is filled is what the path winds round.
    for part in shapely.orient_polygons(shapely.get_parts(geometries)):
        rings = [part.exterior, *part.interiors]
        corners = [np.column_stack(placement @ np.asarray(ring.coords)[:, :2].T) for ring in rings]
        paths.append(Outline.make_compound_path(*(Outline(ring, closed=True) for ring in corners)))
    return paths


def draw_coordinates(axes: Axes, grid: Grid) -> None:
    """Write coordinates at the frame of a map whose rows and columns run with the axes of its system."""
    place = grid.transform
    if grid.crs is None or place.b or place.d:
        return
    # One step for both, so that the shorter side is not crowded.
    every = scale_length(max(abs(place.a) * grid.width, abs(place.e) * grid.height))
    for axis, size, step, start in (
        (axes.xaxis, grid.width, place.a, place.c),
        (axes.yaxis, grid.height, place.e, place.f),
    ):
        low, high = sorted((start, start + step * size))
        values = np.arange(np.ceil(low / every), np.floor(high / every) + 1) * every
        digits = max(0, -int(np.floor(np.log10(every))))
        axis.set_ticks((values - start) / step, [f"{value:,.{digits}f}" for value in values], fontsize=6.5)
    for label in axes.get_yticklabels():
        label.set(rotation=90, va="center")


def draw_scale(axes: Axes, grid: Grid) -> None:
    """Draw a bar with its length on the ground at the lower left, in pixels where the ground's size is not known."""
    # A picture of an image without a coordinate system may be larger or smaller than the image.
    distance = grid.ground_distance() or abs(grid.transform.a)
    length = scale_length(grid.width * distance)
    words = f"{length:g} px"
    if grid.in_metres:
        words = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    share = length / distance / grid.width
    line: dict[str, Any] = {"transform": axes.transAxes, "solid_capstyle": "butt"}
    axes.plot([0.04, 0.04 + share], [0.045, 0.045], color="black", linewidth=5, **line)
    axes.plot([0.04, 0.04 + share], [0.045, 0.045], color="white", linewidth=3, **line)
    _label(axes, 0.04 + share / 2, 0.065, words)


def draw_north(axes: Axes, grid: Grid) -> None:
    """Draw an arrow to the north, also for rasters that are rotated or stored south side up."""
    if grid.crs is None:
        return
    import pyproj
    from matplotlib import patheffects

    to_degrees = pyproj.Transformer.from_crs(pyproj.CRS.from_user_input(grid.crs), 4326, always_xy=True)
    longitude, latitude = to_degrees.transform(*grid.xy((grid.height - 1) / 2, (grid.width - 1) / 2))
    if not np.isfinite([longitude, latitude]).all() or abs(latitude) > 89:
        return
    x, y = to_degrees.transform([longitude, longitude], [latitude, latitude + 1e-3], direction="INVERSE")
    columns, rows = ~grid.transform @ (np.asarray(x), np.asarray(y))
    step = np.array([np.diff(columns)[0], -np.diff(rows)[0]])
    # Half the arrow, as a share of each side: as long on a narrow strip as it can be seen.
    length = 0.055 * np.sqrt(grid.width * grid.height)
    tip = length * step / np.hypot(*step) / np.array([grid.width, grid.height])
    middle = np.minimum([0.93, 0.91], 0.97 - np.abs(tip))
    halo = [patheffects.withStroke(linewidth=3, foreground="white")]
    arrow = {"arrowstyle": "-|>", "color": "black", "linewidth": 1.4, "path_effects": halo}
    axes.annotate(
        "", middle + tip, middle - tip, xycoords="axes fraction", textcoords="axes fraction", arrowprops=arrow
    )
    x_label, y_label = middle - 1.7 * tip
    _label(axes, x_label, y_label, "N", vertical="center")


def _label(axes: Axes, x: float, y: float, words: str, vertical: str = "bottom") -> None:
    box = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.5}
    axes.text(x, y, words, transform=axes.transAxes, ha="center", va=vertical, fontsize=8, bbox=box)
