"""What is known of the place that was clicked on the map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from ui.feedback import plain

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
    outside = "That place lies outside the part that was looked at. " if event.clicked else ""
    st.caption(f"{outside}Click the map to read a pixel or choose a {what}.")


def show_place(place: Place, grid: Grid, found: Sequence[str]) -> None:
    """A line on one pixel: where it is, what was found there, and the scene's values.

    Parameters
    ----------
    found
        What the run says of it, as Markdown.
    """
    parts = [f"Row {place.row}, column {place.column}"]
    if grid.is_georeferenced:
        parts.append(f"x {place.x:,.1f}, y {place.y:,.1f}")
    values = [f"{plain(name)} {'no data' if value is None else f'{value:g}'}" for name, value in place.values.items()]
    st.markdown(" · ".join([*parts, *found, *values[:8]]))
