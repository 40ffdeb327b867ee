"""Asking for a mapping, and what the page shows until it is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui import jobs, resources
from ui.feedback import show_error

if TYPE_CHECKING:
    from core.runs.mapping import Request
    from core.runs.records import Run, SceneRecord
    from ui.maps import MapEvent


WORKING = {"mapping": "Mapping landslides", "scored": "Counting against the reference"}
"""What a run under way does, by its kind."""


def submit(record: SceneRecord, request: Request, drawn: Mapping[str, Any] | None) -> str:
    """Order a mapping of the scene, or of what is drawn on it, and return the run's id at once.

    Raises
    ------
    LandslideError
        When what is drawn is no part of the scene.
    """
    from core.raster.area import area_of
    from core.runs.mapping import order_of

    if drawn:
        area_of(record.scene.grid, drawn)  # an area beside the scene is refused here, not minutes later
    return resources.jobs().submit(order_of(record, request, drawn, owner=resources.visitor()))


def show_state(run: Run, *, opens: bool = True) -> bool:
    """Show how far a run is, or why it has no result; True when its result can be shown.

    Parameters
    ----------
    opens
        Whether running it again opens the new run on the page.
    """
    if run.status != "done":
        if run.kind == "scored" and run.parents:
            to = {"run": run.parents[0]}
            st.page_link("../pages/mapping.py", label="Back to the map without scores", query_params=to)
        if run.active:
            jobs.follow(run.id, what=WORKING.get(run.kind, "Working"))
        else:
            jobs.show_ended(run, opens=opens)
        return False
    missing = jobs.missing_files(run)
    if missing is not None:
        show_error(missing)
        jobs.again(run, opens=opens)
        return False
    return True


def tell_area(event: MapEvent, *, again: bool = False) -> None:
    """Say what the button will map: the whole scene, or what is drawn.

    Parameters
    ----------
    again
        Whether the area of an earlier run is mapped where nothing is drawn.
    """
    if event.drawn:
        st.caption("*Map landslides* maps only the drawn area. Take the drawing away with the bin to map all.")
    elif again:
        st.caption("*Map landslides* maps the area of the earlier run again. Draw another to map that instead.")
    else:
        st.caption("*Map landslides* maps the whole scene. Draw a rectangle or polygon to map only a part.")
