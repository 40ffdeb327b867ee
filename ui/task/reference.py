"""The reference inventory on the map, and the way to one where there is none."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import streamlit as st

from ui import resources
from ui.feedback import guard
from ui.map_layers import Outlines, reference_outlines
from ui.messages import tr
from ui.task.input_picker import checked
from ui.task.tabs import next_tab

if TYPE_CHECKING:
    from collections.abc import Callable

    from geopandas import GeoDataFrame

    from core.runs.records import SceneRecord

TYPES = ["tif", "tiff", "png", "gpkg", "geojson", "zip"]


@st.cache_resource(max_entries=8, show_spinner=False)
def _polygons(path: Path, scene_digest: str, _record: SceneRecord) -> GeoDataFrame | None:
    del scene_digest  # part of the key
    from core.raster.reference import reference_outlines

    return reference_outlines(path, _record.scene.grid)


def reference_polygons(record: SceneRecord) -> GeoDataFrame | None:
    """Outlines of a vector inventory; None of a raster one, or without one."""
    found = None
    if record.reference is not None:
        with guard():
            found = _polygons(record.reference, record.scene.digest, record)
    return found


def reference_layer(record: SceneRecord) -> Outlines | None:
    """A vector inventory as it lies on the map; None of a raster one, or without one."""
    shapes = reference_polygons(record)
    return None if shapes is None or record.reference is None else _layer(record.reference, record.scene.digest, shapes)


@st.cache_resource(max_entries=8, show_spinner=False)
def _layer(path: Path, scene_digest: str, _shapes: GeoDataFrame) -> Outlines:
    del path, scene_digest  # the key
    return reference_outlines(_shapes, {})


def ask_for_reference(record: SceneRecord, task: str, gain: str, score: Callable[[SceneRecord], str]) -> None:
    """Let the user attach an inventory, score the run against it, and open the scored run.

    Parameters
    ----------
    task
        Name of the task.
    gain
        What there will be to see with one.
    score
        Scores the run against the scene's inventory; the id of the scored run.
    """
    st.markdown(tr("This image has no reference inventory. {gain}").format(gain=gain))
    uploaded = st.file_uploader(
        tr("Reference inventory"), type=TYPES, key=f"reference-{record.id}",
        help=tr("A raster (landslide where not zero) or polygons: GeoPackage, GeoJSON or zipped Shapefile, in any "
             "coordinate system. For an image without a coordinate system, a mask of the same size."),
    )  # fmt: skip
    if uploaded is None or not st.button(tr("Score against this reference"), type="primary"):
        return
    with guard():
        suffix = PurePath(uploaded.name).suffix.lower().replace(".tiff", ".tif")
        known = resources.store().attach(
            record.id, "reference", uploaded, suffix, checked(record, "reference"), name=PurePath(uploaded.name).name
        )
        scored = score(known)
        next_tab(task).put("Scores")
        st.query_params["scene"] = known.id
        st.query_params["run"] = scored
        st.rerun()
