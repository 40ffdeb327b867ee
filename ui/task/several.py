"""Several images on a task's page: what was taken in, and the one form that asks for a run on each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.errors import InputError, LandslideError
from ui import labels, resources
from ui.feedback import guard, plain
from ui.messages import tr
from ui.task import input_picker, pixel_size, press
from ui.task.columns import form_and_result
from ui.task.table import titles

if TYPE_CHECKING:
    from pandas import DataFrame

    from core.batch.batches import Batch
    from core.runs.records import Run, SceneRecord
    from ui.task.form import Asked
    from ui.task.press import Press
    from ui.task.task import TaskPage

KEY = "batch"
"""Key of a batch in the addresses of pages."""

RUNS = "../pages/runs.py"

ROW, HEAD, HIGHEST = 35, 38, 15
"""Heights of a row and the head of a table in pixels, and rows after which it scrolls."""


def named() -> bool:
    """Whether the address names a batch, and no run or image that is seen by itself."""
    return KEY in st.query_params and not {"run", "scene", "sample"} & set(st.query_params)


def show(task: TaskPage, form: Callable[..., Asked | None]) -> None:
    """Show the images of the address's batch, and the form that asks for a run on each.

    Parameters
    ----------
    form
        See `ui.task.page.show`.
    """
    from core.batch.batches import find

    left, right = form_and_result()
    batch, asked = None, None
    with left, guard():
        batch = find(resources.store(), st.query_params[KEY])
    with left, st.expander(tr("Image"), expanded=batch is None), guard():
        input_picker.choose(task)
    if batch is None:
        return
    labels.name_page(batch.title, task.task.title)
    with right, guard():
        _show_images(batch)
    with left, guard():
        asked, first, name, size = _ask(task, form, batch)
    if asked is not None:
        words = _words(task, batch)
        with asked.beside, guard(), press.refusing(words, first.scene.digest):
            _start(batch, asked, name, size, press.held(words, first.scene.digest))


def _words(task: TaskPage, batch: Batch) -> str:
    return tr(task.several).format(images=labels.count(len(batch.datasets), "image"))


def _ask(
    task: TaskPage, form: Callable[..., Asked | None], batch: Batch
) -> tuple[Asked | None, SceneRecord, str, float | None]:
    """The form, for the first image that can be opened: what is asked of one is asked of all."""
    if not task.several:
        raise InputError(
            tr("{title} takes one image at a time.").format(title=task.task.title), remedy=tr("Choose one image.")
        )
    st.markdown(f"**{plain(batch.title)}**")
    if len(batch.datasets) > 1:
        st.caption(tr("Model and settings below apply to all images. Models are offered that fit the first image."))
    name = st.text_input(tr("Batch name"), batch.name, max_chars=200, placeholder=batch.title, key=f"name-{batch.id}")
    first, unplaced, size = _first(batch), _unplaced(batch.datasets), None
    if unplaced:
        sized = pixel_size.choose(resources.store().scene_record(unplaced), None)
        size = sized.scene.grid.pixel_size
        first = sized if first.id == unplaced else first
        st.caption(tr("This pixel size is used for all images without a coordinate system."))
    return form(first, None, _words(task, batch)), first, name, size


@st.cache_resource(max_entries=8, ttl=600, show_spinner=False)
def _unplaced(datasets: tuple[str, ...]) -> str:
    """Id of the first image without a coordinate system; empty where all have one."""
    for identity in datasets:
        with suppress(LandslideError):  # the table of images says so
            if resources.store().scene_record(identity).scene.grid.crs is None:
                return identity
    return ""


def _first(batch: Batch) -> SceneRecord:
    for identity in batch.datasets:
        try:
            return resources.store().scene_record(identity)
        except LandslideError:
            continue  # the table of images says so
    raise InputError(
        tr("None of these images can be opened."), tr("Their files were removed."), tr("Upload them again.")
    )


def _start(batch: Batch, asked: Asked, name: str, size: float | None, pressed: Press) -> None:
    """Queue a run of each image, and open the batch's results."""
    from core.tasks.imagery.batch import begin

    with st.spinner(tr("Queuing the images")):
        begun, orders = begin(resources.store(), batch, asked.order(None), name, size)
        jobs = resources.jobs()
        for order in orders:
            jobs.submit(order)
        pressed.forget()
    st.switch_page(RUNS, query_params={KEY: begun.id})


def _show_images(batch: Batch) -> None:
    """The images that were taken in, those that were not with the reason."""
    from core.batch.batches import runs_of

    if runs_of(resources.store(), batch):
        st.page_link(RUNS, label=tr("Open the results of this batch"), query_params={KEY: batch.id})
    number = len(batch.datasets)
    st.subheader(tr("{count} accepted").format(count=labels.count(number, 'image')), anchor=False)
    frame = _frame(batch.id, batch.datasets)
    st.dataframe(
        frame, hide_index=True, height=HEAD + ROW * min(number, HIGHEST), row_height=ROW, placeholder="",
        alt="Table of the images of the batch", column_config=titles(frame.columns),
    )  # fmt: skip
    if batch.refused:
        told = "  \n".join(plain(one.words) for one in batch.refused)
        st.warning(
            tr("**{count} not accepted**  \n{told}").format(count=labels.count(len(batch.refused), "file"), told=told)
        )
    for note in batch.notes:
        st.caption(plain(note))


@st.cache_resource(max_entries=8, ttl=600, show_spinner=False)
def _frame(batch: str, datasets: tuple[str, ...]) -> DataFrame:
    """What is known of each image before it is run."""
    import pandas

    del batch  # part of the key
    return pandas.DataFrame([_facts(identity) for identity in datasets])


def _facts(identity: str) -> dict[str, Any]:
    try:
        record = resources.store().scene_record(identity)
    except LandslideError as error:
        return {"Image": identity[:8], "Accepted": str(error)}
    grid = record.scene.grid
    distance = grid.ground_distance()
    placed = grid.crs.to_string()[:40] if grid.crs else "none"
    return {
        "Image": record.scene.name,
        "Accepted": "yes",
        "Size, pixels": f"{grid.width:,} × {grid.height:,}",
        "Bands": len(record.scene.bands),
        "Values": record.scene.dtype,
        "Coordinate system": placed,
        "Pixel size": f"{distance:.3g} m" if distance else "unknown",
        "Reference": "yes" if record.reference else "no",
    }


def link(run: Run | None) -> None:
    """A link from a run to the batch that it belongs to; nothing without one."""
    from core.batch.batches import find

    if run is None or not run.batch:
        return
    with guard():
        batch = find(resources.store(), run.batch)
        st.page_link(RUNS, label=tr("Batch: {title}").format(title=plain(batch.title)), query_params={KEY: batch.id})
