"""Tables of what was found: numbers that people read, and where each thing lies."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from ui.messages import tr, tr_noop

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

PLACES = {
    "latitude": (tr_noop("Latitude, °"), 5), "longitude": (tr_noop("Longitude, °"), 5),
    "elevation_m": (tr_noop("Elevation, m"), 0),
}  # fmt: skip
"""Titles and digits of the columns that `placed` adds."""


def number_column(title: str, digits: int | None, meaning: str = "") -> object:
    """A column of numbers with separators of thousands, or of text.

    Parameters
    ----------
    digits
        Behind the point, to which the numbers are rounded already; None of a column of text. From five on they are
        coordinates, which have no separators.
    meaning
        What stands beside the title where it is pointed at.
    """
    if digits is None:
        return st.column_config.TextColumn(tr(title), width="small", help=tr(meaning) if meaning else None)
    form = "localized" if digits == 0 else f"%.{digits}f"
    return st.column_config.NumberColumn(tr(title), format=form, help=tr(meaning) if meaning else None)


def titles(names: Iterable[str]) -> dict[str, object]:
    """Columns of a table by their English titles, as it shows them in the visitor's language."""
    return {name: tr(name) for name in names}


@st.cache_resource(max_entries=16, show_spinner=False)
def placed(run: str, choice: object, dem: Path | None, _frame: GeoDataFrame) -> GeoDataFrame:
    """What a run found at a choice, with latitude, longitude and, with a DEM, elevation of a point in each.

    Raises
    ------
    LandslideError
        When the elevation model cannot be read.
    """
    del run, choice  # parts of the key
    from core.raster.located import located

    return located(_frame, dem)
