"""The pixel size of a photo without a coordinate system, as a visitor enters it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from ui import resources
from ui.messages import tr
from ui.state import Slot

if TYPE_CHECKING:
    from core.runs.records import Run, SceneRecord


def choose(record: SceneRecord, run: Run | None) -> SceneRecord:
    """Ask how large the pixels of an image without a coordinate system are; the image with what was entered.

    Parameters
    ----------
    record
        The scene, with the pixel size of the open run.
    run
        The open run, with whose pixel size the field begins; None without one. Then it begins with what was entered
        last for this image, or asked of the newest run on it.

    Raises
    ------
    InputError
        When it is no size that a pixel can have.
    """
    grid = record.scene.grid
    if grid.is_georeferenced:
        return record
    kept: Slot[float | None] = Slot(f"kept-pixel-size-{record.scene.digest[:16]}", None)
    key = f"pixel-size-{record.scene.digest[:12]}-{'' if run is None else run.id}"
    if key not in st.session_state:
        known = kept.get() if kept.key in st.session_state else _of_newest_run(record)
        st.session_state[key] = known if run is None else grid.pixel_size
    size = st.number_input(
        tr("Pixel size (m)"), key=key, step=0.1, format="%g", placeholder="unknown",
        help=tr("Distance on the ground from one pixel to the next. This image has no coordinate system, so it does "
                "not "
        "say how large its pixels are. With a size, areas are in m² and lengths in metres, and the image is resampled "
        "to the pixel size of the model. Leave it empty if you do not know it."),
    )  # fmt: skip
    kept.put(size)
    grid = grid.with_pixel_size(size)
    return replace(record, scene=replace(record.scene, grid=grid))


def _of_newest_run(record: SceneRecord) -> float | None:
    from core.runs.records import RunFilter
    from core.tasks.imagery.inputs import PIXEL_SIZE

    runs = resources.store().runs(RunFilter(dataset_id=record.id, limit=20))
    size = next((run.parameters[PIXEL_SIZE] for run in runs if PIXEL_SIZE in run.parameters), None)
    return None if size is None else float(size)
