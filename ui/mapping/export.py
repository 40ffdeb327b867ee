"""Export: rasters, polygons, scores and a figure at the sliders' values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from ui import resources
from ui.feedback import guard
from ui.mapping.outlines import is_large, outlines_run
from ui.mapping.view import View
from ui.messages import tr
from ui.task.export import folder_of, link, offer, show_report

if TYPE_CHECKING:
    from core.tasks.mapping.outlines import Outlined

STORED = {
    "probability": "Probability, Cloud Optimized GeoTIFF (0–254 scaled to 0–1, 255 no data)",
    "uncertainty": "Spread over 8 rotations and flips, Cloud Optimized GeoTIFF",
    "training_distance": "Distance from the training images relative to its limit, by tile, Cloud Optimized GeoTIFF",
    "truth": "Reference on the grid of the image, Cloud Optimized GeoTIFF",
}
"""Files of the run itself, by role: they hold whatever the sliders say, and are sent from where they lie."""

POLYGONS = "Polygons, GeoPackage, in the coordinate system of the image"
TITLES = {
    "mask.tif": "Mask at the threshold, Cloud Optimized GeoTIFF",
    "landslides.gpkg": POLYGONS,
    "landslides.geojson": "Polygons, GeoJSON, in WGS 84",
    "landslides.csv": "Table with coordinates, CSV: a point inside each polygon, in the coordinate system of the "
                      "image and in degrees",
    "landslides.shp.zip": "Polygons, Shapefile (zip), with shortened field names",
    "landslides.kml": "Polygons, KML, for Google Earth and mobile apps",
    "landslides_fields.csv": "Meaning, unit and codes of each field of these files, CSV",
    "metrics.json": "Areas, scores and provenance, JSON",
    "figure.png": "Report figure, PNG",
}
"""Files that are prepared at the sliders' values."""


def show(view: View) -> None:
    """The report, the run as a whole, and single files for other programs."""
    with guard():
        choice = view.choice
        # Areas whole, or the address would open at other pixels than those seen.
        values = {"threshold": f"{choice.threshold:.2f}", "minimum": f"{choice.minimum_area!r}",
                  "holes": f"{choice.fill_holes!r}"}  # fmt: skip
        show_report(view.result, choice, values, "The report holds threshold, areas, review and explanations")
    st.divider()
    _files(view)


def _files(view: View) -> None:
    """Link to what is there, prepare the rest and offer each file for download."""
    st.markdown(tr("**GIS files** of the model's result; those of the reviewed inventory are prepared in the tab "
                   "*Review*. Files that do not depend on the threshold:"))
    run = resources.store().run(view.result.id)
    for role, title in STORED.items():
        link(run, role, title)
    filled = (
        tr("Files at threshold {threshold:.2f}, minimum area {minimum_area:,.0f} {unit}, "
           "and holes filled up to {fill_holes:,.0f} {unit}, as set above:")
        if view.choice.fill_holes
        else tr("Files at threshold {threshold:.2f}, minimum area {minimum_area:,.0f} {unit}, "
                "and holes not filled, as set above:")
    )  # fmt: skip
    st.markdown(
        filled.format(
            threshold=view.choice.threshold,
            minimum_area=view.choice.minimum_area,
            unit=view.unit,
            fill_holes=view.choice.fill_holes,
        )
    )
    outlined = _outlined(view)
    if is_large(view.result):
        if outlined is None:
            st.caption(tr("Polygons are included once the landslides are outlined with the button above the map."))
        elif (holder := outlines_run(view.record, view.result, view.choice)) is not None:
            link(holder, "landslides", POLYGONS)
    folder = _folder(view)
    if not (folder / "metrics.json").exists():
        if not st.button(tr("Prepare files"), type="primary"):
            return
        _prepare(view, folder, outlined)
    offer(folder, TITLES, view.result.id)


def _folder(view: View) -> Path:
    asked = (view.choice, view.record.dem, "without copies", *([True] if _outlined(view) else []))
    return folder_of(view.result.id, asked)


def _outlined(view: View) -> Outlined | None:
    """What a job outlined, for a run too large to do so at once."""
    from core.tasks.mapping.outlines import Outlined

    return view.findings if isinstance(view.findings, Outlined) else None


def _prepare(view: View, folder: Path, outlined: Outlined | None) -> None:
    from core.tasks.mapping.export import export_run

    with st.spinner(tr("Writing the files")):
        export_run(
            view.result, view.record.scene, view.choice, folder, dem=view.record.dem, outlined=outlined, copies=False,
        )  # fmt: skip
