"""Asking for a run, and what the page shows until it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.errors import LandslideError
from core.runs.kinds import kind_of
from ui import resources
from ui.feedback import show_error
from ui.map_drawing import draw_visible
from ui.maps import MapSpec
from ui.messages import tr
from ui.task import jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from core.runs.records import Order, Run, SceneRecord
    from ui.maps import MapEvent
    from ui.task.task import Drawn, TaskPage


def submit(record: SceneRecord, order: Callable[[Drawn], Order], drawn: Drawn) -> str:
    """Order a run of the scene, or of what is drawn on it, and return the run's id at once.

    Raises
    ------
    LandslideError
        When what is drawn is no part of the scene.
    """
    from core.raster.area import area_of

    if drawn:
        area_of(record.scene.grid, drawn)  # an area beside the scene is refused here, not minutes later
    return resources.jobs().submit(order(drawn))


def show_state(run: Run, task: TaskPage, *, opens: bool = True) -> bool:
    """Show how far a run is, or why it has no result; True when its result can be shown.

    Parameters
    ----------
    task
        The task whose page this is.
    opens
        Whether running it again opens the new run on the page.
    """
    if run.status != "done":
        kind = kind_of(run)
        if kind is not None and kind.again_from_parent and run.parents:
            to = {"run": run.parents[0]}
            st.page_link(
                task.page, label=tr("Back to the {noun} without scores").format(noun=tr(task.noun)), query_params=to
            )
        if run.active:
            with st.container(key=f"progress-{run.id[:8]}"):  # `static/page.js` brings it into view
                jobs.follow(run.id, what=task.working(run))
        else:
            jobs.show_ended(run, opens=opens)
        return False
    missing = jobs.missing_files(run)
    if missing is not None:
        show_error(missing)
        jobs.again(run, opens=opens)
        return False
    return True


def tell_area(event: MapEvent, task: TaskPage, record: SceneRecord, *, again: bool = False) -> None:
    """Say what the button will work on: the whole scene, or what is drawn; and offer what the map shows.

    Parameters
    ----------
    again
        Whether the area of an earlier run is taken where nothing is drawn.
    """
    begin = f"*{tr(task.button)}* {task.asks}"
    with st.container(horizontal=True, vertical_alignment="center"):
        if event.drawn:
            st.caption(_of_drawn(begin, record, event.drawn))
        elif again:
            st.caption(
                tr("{begin} the area of the earlier run again. Draw another area to replace it.").format(begin=begin)
            )
        else:
            st.caption(
                tr("{begin} the whole image. Draw a rectangle or polygon to process only a part.").format(begin=begin)
            )
        key = task.map_key(record)
        st.button(
            tr("Use the visible part"), key=f"visible-part-{key}", on_click=draw_visible,
            args=(MapSpec(record.id, record.scene.grid),), kwargs={"key": key}, width="content",
            help=tr("The part of the image that the map shows now becomes the drawn area. It can be changed and "
            "deleted like any drawn area."),
        )  # fmt: skip


def _of_drawn(begin: str, record: SceneRecord, drawn: Mapping[str, Any]) -> str:
    """That only what is drawn is taken, with its size, or why it cannot be."""
    from core.raster.area import size_of
    from core.report.words import area, percent

    grid = record.scene.grid
    try:
        size, share = size_of(grid, drawn)
    except LandslideError as error:
        return f"{error.what} {error.remedy}"
    of = f"{area(size, georeferenced=grid.in_metres)}, {percent(share)} of the image"
    return tr("{begin} only the drawn area: {of}. Delete the drawn area to process the whole image.").format(
        begin=begin, of=of
    )
