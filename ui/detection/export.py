"""Export: boxes, scores and provenance at the sliders' values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui import resources
from ui.detection.sliders import address_of
from ui.detection.view import View
from ui.feedback import guard
from ui.messages import tr
from ui.task.export import folder_of, link, offer, show_report

if TYPE_CHECKING:
    from pathlib import Path

STORED = {
    "candidates": "Candidates of any confidence, before merging, Parquet, in pixels of the image",
    "known": "Area covered by the reference, Cloud Optimized GeoTIFF",
    "training_distance": "Distance from the training images relative to its limit, by tile, Cloud Optimized GeoTIFF",
    "truth": "Reference boxes, Parquet, in pixels of the image",
}
"""Files of the run itself, by role: they hold whatever the sliders say, and are sent from where they lie."""

TITLES = {
    "detections.gpkg": "Boxes, GeoPackage, in the coordinate system of the image",
    "detections.geojson": "Boxes, GeoJSON, in WGS 84",
    "detections.coco.json": "Boxes, COCO JSON, in pixels of the image",
    "detections.csv": "Boxes, CSV: pixels and, for images with a coordinate system, box centres in that system and "
                      "in degrees",
    "detections.shp.zip": "Boxes, Shapefile (zip), with shortened field names",
    "detections.kml": "Boxes, KML, for Google Earth and mobile apps",
    "detections_fields.csv": "Meaning, unit and codes of each field of these files, CSV",
    "outlines.gpkg": "Outlines from the detector, GeoPackage",
    "figure.png": "Boxes drawn on the image, PNG",
    "missed.gpkg": "Missed landslides of the reference, GeoPackage",
    "metrics.json": "Counts, scores and provenance, JSON",
}
"""Files that are prepared at the sliders' values."""


def show(view: View) -> None:
    """The report, the run as a whole, and single files for other programs."""
    with guard():
        held = "The report holds confidence, detections and explanations"
        show_report(view.result, view.choice, address_of(view.choice), held)
    st.divider()
    _files(view)


def _files(view: View) -> None:
    """Link to what is there, prepare the rest and offer each file for download."""
    st.markdown(tr("**GIS files** of the model's result; those of the reviewed inventory are prepared in the tab "
                   "*Review*. Files that do not depend on the confidence threshold:"))
    run = resources.store().run(view.result.id)
    for role, title in STORED.items():
        link(run, role, title)
    choice = view.choice
    large = f", box area at least {choice.minimum_area:,.0f} {view.unit}" if choice.minimum_area else ""
    st.markdown(
        tr(
            "The {count:,} detections at confidence {confidence:.2f} and NMS IoU "
            "{nms_iou:.2f}{large}, as set above, each with confidence, class, model and run:"
        ).format(count=view.findings.count, confidence=choice.confidence, nms_iou=choice.nms_iou, large=large)
    )
    folder = folder_of(view.result.id, choice)
    if not (folder / "metrics.json").exists():
        if not st.button(tr("Prepare files"), type="primary"):
            return
        _prepare(view, folder)
    offer(folder, TITLES, view.result.id)


def _prepare(view: View, folder: Path) -> None:
    from core.tasks.detection.export import export_run

    with st.spinner(tr("Writing the files")):
        scene, dem = view.record.scene, view.record.dem
        export_run(view.result, view.choice, folder, scene=scene, dem=dem, copies=False)
