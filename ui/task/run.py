"""Asking for a run, and what the page shows until it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.runs.kinds import kind_of
from ui import resources
from ui.feedback import show_error
from ui.task import jobs

if TYPE_CHECKING:
    from collections.abc import Callable

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
            st.page_link(task.page, label=f"Back to the {task.noun} without scores", query_params=to)
        if run.active:
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


def tell_area(event: MapEvent, task: TaskPage, *, again: bool = False) -> None:
    """Say what the button will work on: the whole scene, or what is drawn.

    Parameters
    ----------
    again
        Whether the area of an earlier run is taken where nothing is drawn.
    """
    begin = f"*{task.button}* {task.asks}"
    if event.drawn:
        st.caption(f"{begin} only the drawn area. Delete the drawn area to process the whole image.")
    elif again:
        st.caption(f"{begin} the area of the earlier run again. Draw another area to replace it.")
    else:
        st.caption(f"{begin} the whole image. Draw a rectangle or polygon to process only a part.")
