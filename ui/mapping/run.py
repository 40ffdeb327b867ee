"""Running the mapping from the page: progress, cancelling, the drawn area."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui import resources
from ui.feedback import Progress

if TYPE_CHECKING:
    from core.mapping.result import MappingResult
    from core.runs.mapping import Request
    from core.runs.store import SceneRecord
    from ui.maps import MapEvent


RUNNING = "mapping-running"


def run(record: SceneRecord, request: Request, drawn: Mapping[str, Any] | None) -> MappingResult:
    """Map a scene with a progress bar and a button that cancels.

    Whatever is pressed on the page starts it anew, which ends the run at its next window; what it had written is
    removed. The button is the way to do so on purpose.

    Raises
    ------
    LandslideError
        When the run is not possible.
    """
    from core.mapping.area import area_of
    from core.runs.mapping import run_mapping

    area = area_of(record.scene.grid, drawn) if drawn else None
    st.session_state[RUNNING] = True
    place = st.empty()
    st.empty()  # in the place of words about the map, which are no longer true
    with place.container():
        progress = Progress("Reading the scene and loading the model")
        st.button("Cancel", key="cancel-mapping")

        def report(done: int, total: int) -> None:
            progress(done / total, f"Mapping window {done} of {total}")

        try:
            result = run_mapping(
                resources.store(),
                record.scene,
                request,
                scene_id=record.id,
                truth=record.truth,
                area=area,
                area_outline=drawn,
                progress=report,
            )
        except Exception:
            st.session_state.pop(RUNNING)  # it failed, which is said where it is caught
            place.empty()
            raise
    st.session_state.pop(RUNNING)
    place.empty()
    return result


def tell_area(event: MapEvent) -> None:
    """Say what the button will map: the whole scene, or what is drawn."""
    if event.drawn:
        st.caption("*Map landslides* maps only the drawn area. Take the drawing away with the bin to map all.")
    else:
        st.caption("*Map landslides* maps the whole scene. Draw a rectangle or polygon to map only a part.")


def tell_if_cancelled() -> None:
    """Say once that the last run was ended, by the button or by using the page while it was under way."""
    if st.session_state.pop(RUNNING, False):
        st.info("The mapping was cancelled. Nothing of it was kept.")
