"""The one skeleton of every task page: a line that says what it answers, a narrow column, the map, the tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.tasks.imagery.roles import SCENE
from ui import labels
from ui.feedback import empty, guard
from ui.map_drawing import drawn_on
from ui.map_layers import hillshade_tiles, scene_tiles, terrain_tiles
from ui.maps import DynamicLayers, MapSpec, show_map
from ui.messages import tr
from ui.task import bands, generic_run, input_picker, look, onward, opened, pixel_size, press, run, several
from ui.task import form as ask
from ui.task.caption import caption
from ui.task.columns import form_and_result

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.runs.records import Run, SceneRecord
    from ui.task.form import Asked, Earlier
    from ui.task.task import TaskPage


def show(
    task: TaskPage,
    prefill: Callable[[], Earlier | None],
    form: Callable[..., Asked | None],
    result: Callable[[SceneRecord, Run], None],
) -> None:
    """Show the page of a task.

    Parameters
    ----------
    task
        What the page is called and says.
    prefill
        Gives what the run asked with which the form begins; None for none.
    form
        ``(record, earlier, button=…)``: shows model and form; gives what was asked once the button was pressed.
    result
        Shows the result of a finished run of a scene.
    """
    st.title(tr(task.title))
    st.markdown(tr(task.question))
    if several.named():
        several.show(task, form)
        return
    left, right = form_and_result()
    asked = record = taken = order = drawn = again = None
    with left, guard():
        asked = opened.asked(task)
        record = opened.scene(asked)
        if asked is None and record is not None:
            opened.go_on(record.id)
    with left:
        with st.expander(tr("Image"), expanded=record is None and asked is None), guard():
            input_picker.choose(task)
        if record is not None:
            with guard():
                input_picker.describe(record)
                look.choose(record)
                taken = pixel_size.choose(record, asked)
                drawn = drawn_on(MapSpec(record.id, record.scene.grid), key=task.map_key(record))
                before = prefill()
                again = None if drawn else ask.same_area(record, before, task)
                order = form(taken, before)
            with guard():
                onward.show(task, onward.of_scene(record, SCENE))
    if asked is not None or record is not None:
        labels.name_page(asked.title if asked is not None else record.scene.name if record else "", task.task.title)
    if record is not None and order is not None:
        with order.beside, guard():
            pressed, area = press.held(task.button, record.scene.digest), drawn or again
            opened.start(record.id, lambda: run.submit(record, order.order, area), pressed, scene=record.id)
    with right:
        several.link(asked)
        if asked is not None and asked.kind not in task.kinds:
            with guard():
                generic_run.show(asked)
        elif asked is not None and record is None:
            with guard():
                opened.show_without_image(asked, task)
        elif record is None:
            _show_empty(task)
        else:
            with guard():
                if asked is not None and run.show_state(asked, task):
                    result(record, asked)
                else:
                    _show_scene(task, taken or record, asked, again=again is not None)


def _show_empty(task: TaskPage) -> None:
    onward.offer_here(task)
    if empty(
        tr("No image yet."),
        tr("Choose a sample, open data or your own image under “Image”. The sample is a synthetic mountain valley "
           "before "
        "and after an event, with its true landslides."),
        action=tr("Start with the sample valley"),
        key="start-sample",
    ):
        with guard():
            input_picker.use(input_picker.open_sample("valley-after"))
    with guard():
        input_picker.offer_real_patch()


def _show_scene(task: TaskPage, record: SceneRecord, asked: Run | None, *, again: bool) -> None:
    """The map of the scene alone."""
    picture = scene_tiles(record.id, bands=bands.shown_of(record.scene), version=record.scene.digest)
    image = DynamicLayers((*hillshade_tiles(record), picture, *terrain_tiles(record)), caption=caption(record))
    _draw(task, record, image, again=again, following=asked is not None and asked.active)


@st.fragment
def _draw(task: TaskPage, record: SceneRecord, image: DynamicLayers, *, again: bool, following: bool) -> None:
    """The map, which asks for itself alone.

    It says where it is as soon as it is drawn. A request of it for the whole page, by the address of that moment, could
    arrive after a run was started or opened, and lead back. The form reads what is drawn when its button is pressed.
    """
    event = show_map(MapSpec(record.id, record.scene.grid), image, key=task.map_key(record), around="15rem")
    if not following:
        run.tell_area(event, task, record, again=again)
