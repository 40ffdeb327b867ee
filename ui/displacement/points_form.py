"""The form for a table of InSAR points: how it is read, and what it is relative to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.errors import LandslideError
from core.jobs.perform import request_of
from ui import resources
from ui.choices import words_of
from ui.displacement.further import chosen_slot, further
from ui.feedback import plain
from ui.messages import tr, tr_noop
from ui.state import Slot
from ui.task import press
from ui.task.table_source import SERIES_TYPES

if TYPE_CHECKING:
    from core.runs.records import DatasetRecord, Order, Run

BUTTON = "Measure velocities"

UNITS = {"": tr_noop("as usual for this file type"), "mm": "mm", "m": "m"}

RADIUS = 200.0
"""Metres around a place that is taken to be stable, where none are asked for."""

LOOKED_AT = 50
"""Rows by which a table is known."""


def reference(table: str) -> Slot[tuple[float, ...]]:
    """Place that was chosen on the map of a table as stable: longitude, latitude and metres; empty for none."""
    return Slot(f"points-reference-{table}", ())


@st.cache_data(max_entries=32, show_spinner="Reading the table")
def holds(identity: str, digest: str, _record: DatasetRecord) -> bool:
    """Whether a table holds InSAR points: a row a point, a column a date."""
    del identity, digest  # the key
    from core.series.insar.points import holds_points
    from core.series.table import read_table_untrusted

    return holds_points([str(one) for one in read_table_untrusted(_record.path, rows=LOOKED_AT).columns])


@st.cache_data(max_entries=32, show_spinner=False)
def _asks(identity: str, digest: str, _record: DatasetRecord) -> tuple[str, str]:
    """What has to be asked of a table, and why; empty where nothing has to be."""
    del identity, digest  # the key
    from core.series.columns import QuestionError
    from core.series.insar.points import points_of
    from core.series.table import read_table_untrusted

    try:
        points_of(read_table_untrusted(_record.path, rows=LOOKED_AT), _record.name)
    except QuestionError as error:
        return error.asks, error.what
    return "", ""


def ask(record: DatasetRecord, before: Run | None) -> Order | None:
    """Show the form.

    Parameters
    ----------
    before
        Run with whose choices it begins.

    Returns
    -------
    Order or None
        What is asked when the button was pressed.
    """
    from core.errors import InputError
    from core.tasks.displacement.run_points import DEM, OTHER, PointsRequest, order_of

    begin: PointsRequest = PointsRequest() if before is None else request_of(before)
    place = reference(record.id).get() or begin.reference
    asked, why = _asks(record.id, record.digest, record)
    st.caption(tr("InSAR points: one row per point, one column per date."))
    resources.jobs().prepare()  # a worker starts while the user looks at the form
    with st.form("ask-points", border=False, enter_to_submit=False):
        pressed = press.button(BUTTON, record.digest)
        if asked:
            st.warning(plain(why))
        crs = st.text_input(tr("Coordinate system of the points"), begin.crs, max_chars=60,
                            placeholder="EPSG:32633", help=tr("If empty, "
                                                           "the convention of the file type is used."))  # fmt: skip
        unit = st.selectbox(tr("Unit of the values"),
                            list(UNITS), list(UNITS).index(begin.unit), format_func=words_of(UNITS))
        cell = st.number_input(tr("Cell size of the rasters (m)"), 0.0, 100_000.0, begin.cell,
                               help=tr("0 uses the typical distance between neighbouring points."))  # fmt: skip
        side = begin.east_up_cell
        if chosen_slot(record, OTHER, before).get():
            side = st.number_input(tr("Cell size of east and up (m)"), 1.0, 100_000.0, begin.east_up_cell)
        with st.expander(tr("Relative to a stable area"), expanded=bool(place)):
            st.caption(tr("Select a point on the map and press *Use as reference*, or enter a position."))
            used = st.checkbox(tr("Subtract its mean series from all points"), bool(place))
            place = place or (0.0, 0.0, RADIUS)
            lon = st.number_input(tr("Longitude (°)"), -180.0, 180.0, place[0], format="%.5f")
            lat = st.number_input(tr("Latitude (°)"), -90.0, 90.0, place[1], format="%.5f")
            radius = st.number_input(tr("Radius (m)"), 0.0, 100_000.0, place[2])
    dem = further(
        record, DEM, tr("Motion along the slope"), tr("Elevation model"), ("raster", ["tif", "tiff"]), before,
        tr("Projects the motion onto the slope direction, from slope and aspect of an elevation model. The table must "
        "hold the line of sight, as EGMS files do."),
    )  # fmt: skip
    other = further(
        record, OTHER, tr("East and up"), tr("Points of the other orbit"), ("table", SERIES_TYPES), before,
        tr("With points of a second orbit (ascending and descending), the motion is decomposed into east and up, by "
        "cells."),
        _is_points,
    )  # fmt: skip
    if not pressed:
        return None
    with press.refusing(BUTTON, record.digest):
        if asked == "crs" and not crs.strip():
            raise InputError(why, remedy=tr("Enter the coordinate system, such as EPSG:32633."))
        request = PointsRequest(unit, crs.strip(), float(cell), (lon, lat, radius) if used else (), float(side))
        return order_of(record, request, dem=dem, other=other, owner=resources.visitor())


def _is_points(identity: str) -> bool:
    try:
        record = resources.store().dataset(identity)
        return holds(record.id, record.digest, record)
    except LandslideError:
        return False  # a file that is gone or damaged is not offered
