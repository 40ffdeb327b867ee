"""Export: boxes, scores and provenance at the sliders' values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui import resources
from ui.detection.sliders import address_of
from ui.detection.view import View
from ui.feedback import guard
from ui.task.export import folder_of, link, offer, show_report

if TYPE_CHECKING:
    from pathlib import Path

STORED = {
    "candidates": "Candidates of any confidence, before merging, Parquet, in pixels of the scene",
    "known": "Where the reference says whether there is a landslide, Cloud Optimized GeoTIFF",
    "training_distance": "Distance from the training images over its limit, by tile, Cloud Optimized GeoTIFF",
    "truth": "Boxes of the reference, Parquet, in pixels of the scene",
}
"""Files of the run itself, by role: they hold whatever the sliders say, and are sent from where they lie."""

TITLES = {
    "detections.gpkg": "Boxes, GeoPackage, in the scene's coordinate system",
    "detections.geojson": "Boxes, GeoJSON, in WGS 84",
    "detections.coco.json": "Boxes, COCO JSON, in pixels of the scene",
    "detections.csv": "Boxes, CSV: pixels, and where the scene has a place the middle in its system and in degrees",
    "detections.shp.zip": "Boxes, Shapefile (zip), with a list of its shortened field names",
    "detections.kml": "Boxes, KML, for Google Earth and phones",
    "outlines.gpkg": "Outlines that the detector gives, GeoPackage",
    "figure.png": "Boxes over the image, PNG",
    "missed.gpkg": "Landslides of the reference that were missed, GeoPackage",
    "metrics.json": "Counts, scores and provenance, JSON",
}
"""Files that are prepared at the sliders' values."""


def show(view: View) -> None:
    """The report, the run as a whole, and single files for other programs."""
    with guard():
        held = "The report holds confidence, boxes and explanations"
        show_report(view.result, view.choice, address_of(view.choice), held)
    st.divider()
    _files(view)


def _files(view: View) -> None:
    """Link to what is there, prepare the rest and offer each file for download."""
    st.markdown("**GIS files.** Files of the run, the same at every confidence:")
    run = resources.store().run(view.result.id)
    for role, title in STORED.items():
        link(run, role, title)
    choice = view.choice
    large = f", from {choice.minimum_area:,.0f} {view.unit} up" if choice.minimum_area else ""
    st.markdown(
        f"The {view.findings.count:,} boxes at confidence {choice.confidence:.2f} and NMS IoU {choice.nms_iou:.2f}"
        f"{large}, as set above, each with score, class, model and run:"
    )
    folder = folder_of(view.result.id, choice)
    if not (folder / "metrics.json").exists():
        if not st.button("Prepare the files", type="primary"):
            return
        _prepare(view, folder)
    offer(folder, TITLES, view.result.id)


def _prepare(view: View, folder: Path) -> None:
    from core.tasks.detection.export import export_run

    with st.spinner("Writing the files"):
        export_run(view.result, view.choice, folder, scene=view.record.scene, copies=False)
