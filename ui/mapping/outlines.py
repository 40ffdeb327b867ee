"""The landslides of a run: of a small one outlined at once, of a large one by a job that is ordered here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from ui import resources
from ui.feedback import show_error
from ui.map_layers import RUN_LAYERS
from ui.messages import tr
from ui.state import rerun_fragment
from ui.task import jobs

if TYPE_CHECKING:
    from pathlib import Path

    from geopandas import GeoDataFrame

    from core.runs.records import Run, SceneRecord
    from core.tasks.mapping.findings import Findings, Landslides
    from core.tasks.mapping.outlines import Outlined
    from core.tasks.mapping.result import MappingResult
    from core.tasks.mapping.view import Choice

DRAWN = 2000
"""Outlines on the map; a browser that draws more becomes slow."""


def landslides(record: SceneRecord, result: MappingResult, choice: Choice) -> Landslides | None:
    """The landslides at a choice; None, with the way to them, for a large run that was not outlined at it yet.

    Raises
    ------
    LandslideError
        When a file of the run is gone.
    """
    if not is_large(result):
        return _found(result.id, choice, record.dem, result)
    run = outlines_run(record, result, choice)
    if run is None:
        _offer(record, result, choice)
    elif run.active:
        jobs.follow(run.id, what="Outlining landslides")
    elif run.status != "done":
        jobs.show_ended(run, opens=False)
    elif (missing := jobs.missing_files(run)) is not None:
        show_error(missing)
        jobs.again(run, opens=False)
    else:
        return _outlined(run.id, choice, result, run)
    return None


def outlines_run(record: SceneRecord, result: MappingResult, choice: Choice) -> Run | None:
    """The run that holds the landslides of a large run at a choice, or is to; None where nobody asked for them."""
    from core.tasks.mapping.run_outlines import known_outlines

    return known_outlines(resources.store(), result, choice, terrain=record.dem is not None)


def is_large(result: MappingResult) -> bool:
    """Whether a run is too large to be outlined at once."""
    from core.tasks.mapping.findings import LARGEST

    return result.grid.width * result.grid.height > LARGEST


def beyond(found: Landslides, selected: str | None) -> str | None:
    """The chosen landslide where it is not among the largest, which the map draws anyway."""
    return None if selected is None or (found.polygons["id"].head(DRAWN) == selected).any() else selected


def drawn(found: Landslides, selected: str | None = None) -> GeoDataFrame:
    """The outlines that the map draws: the largest, and the chosen one."""
    largest = np.arange(len(found.polygons)) < DRAWN
    return found.polygons[largest | (found.polygons["id"] == selected)]


def tell_left_out(found: Landslides) -> None:
    """Say when the map does not outline all."""
    if found.count > DRAWN:
        st.caption(
            tr(
                "The map outlines the {drawn:,} largest of {count:,} landslides; the layer *{mask}* "
                "shows every pixel at or above the threshold."
            ).format(drawn=DRAWN, count=found.count, mask=tr(RUN_LAYERS["mask"]))
        )


def _offer(record: SceneRecord, result: MappingResult, choice: Choice) -> None:
    height, width = result.grid.shape
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(tr("Outline landslides"), type="primary", key=f"outline-{result.id}")
        st.caption(
            tr(
                "This raster has {height:,.0f} megapixels. The map follows the sliders at once; counting "
                "and outlining the landslides at these settings runs as a background job, whose result is saved."
            ).format(height=height * width / 1000000.0)
        )
    if pressed:
        from core.tasks.mapping.run_outlines import order_outlines

        order = order_outlines(result, choice, terrain=record.dem is not None, owner=resources.visitor())
        resources.jobs().submit(order)
        rerun_fragment()


@st.cache_resource(max_entries=16, show_spinner="Outlining landslides")
def _found(run: str, choice: Choice, dem: Path | None, _result: MappingResult) -> Findings:
    del run  # part of the key
    from core.tasks.mapping.findings import find

    return find(_result, choice, dem)


@st.cache_resource(max_entries=4, show_spinner="Reading the landslides")
def _outlined(run: str, choice: Choice, _result: MappingResult, _run: Run) -> Outlined:
    del run  # part of the key
    from core.tasks.mapping.run_outlines import outlined

    return outlined(resources.store(), _result, _run, choice)
