"""What is known of the place that was clicked on the map."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from ui.feedback import plain
from ui.messages import tr

if TYPE_CHECKING:
    from core.raster.grid import Grid
    from core.raster.sample import Place
    from ui.maps import MapEvent


def clicked_pixel(event: MapEvent, grid: Grid) -> tuple[int, int] | None:
    """(row, column) of the last click on a run's grid; None without a click, or beside the grid."""
    if event.clicked is None:
        return None
    if grid.is_georeferenced:
        row, column = grid.rowcol(*event.clicked)
    else:
        column, row = (int(place // 1) for place in event.clicked)
    return (row, column) if 0 <= row < grid.height and 0 <= column < grid.width else None


def invite(event: MapEvent, what: str) -> None:
    """Say what a click would tell, where there was none on the run's grid."""
    outside = tr("That location is outside the processed area. ") if event.clicked else ""
    st.caption(tr("{outside}Click the map to read a pixel or select a {what}.").format(outside=outside, what=what))


def show_place(place: Place, grid: Grid, found: Sequence[str], dem: Path | None = None) -> None:
    """What is known of one pixel: what was found there, the scene's values, and where it is.

    Parameters
    ----------
    found
        What the run says of it, as Markdown.
    dem
        Elevation raster of the scene, where there is one.
    """
    parts = [f"Row {place.row:,}, column {place.column:,}", *found]
    if grid.is_georeferenced and dem is not None:
        parts.append(elevation_words(dem, place.x, place.y, grid))
    values = [f"{plain(name)} {'no data' if value is None else f'{value:g}'}" for name, value in place.values.items()]
    st.markdown(" · ".join([*parts, *values[:8]]))
    show_coordinates(place.x, place.y, grid)


def elevation_words(dem: Path, x: float, y: float, grid: Grid) -> str:
    """The elevation of a place in words.

    Raises
    ------
    LandslideError
        When the elevation model cannot be read.
    """
    from core.raster.located import elevations_at

    assert grid.crs is not None  # noqa: S101  callers looked
    (elevation,) = elevations_at(dem, [x], [y], grid.crs.to_wkt())
    return f"elevation {elevation:,.0f} m" if elevation == elevation else "elevation unknown"


def show_coordinates(x: float, y: float, grid: Grid, of: str = "pixel") -> None:
    """The centre of a pixel in the run's coordinate system and in degrees, each to be copied; nothing without a system.

    Parameters
    ----------
    of
        What it is the centre of, in a word; empty for a place by itself.
    """
    from core.figures.cartography import coordinate_system
    from core.raster.located import pasted

    if grid.crs is None:
        return
    here, degrees = pasted(x, y, grid.crs.to_wkt())
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        first = tr("Centre of the {of}: x, y, {system}") if of else tr("Position: x, y, {system}")
        first = first.format(of=tr(of), system=coordinate_system(grid))
        for name, text in ((first, here), (tr("latitude, longitude"), degrees)):
            # Of its own, so that a name and its numbers come to stand on one line.
            with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
                st.caption(name, width="content")
                st.code(text, language=None, width="content")
