"""Export: rasters, polygons, scores and a figure at the sliders' values."""

from __future__ import annotations

import hashlib
from pathlib import Path

import streamlit as st

from ui import resources
from ui.mapping.view import View

TITLES = {
    "probability.tif": "Probability, Cloud Optimized GeoTIFF (0–254 is 0–1, 255 no data)",
    "mask.tif": "Mask at the threshold, Cloud Optimized GeoTIFF",
    "uncertainty.tif": "Spread over eight turns, Cloud Optimized GeoTIFF",
    "truth.tif": "Reference on the scene's grid",
    "landslides.gpkg": "Polygons, GeoPackage, in the scene's coordinate system",
    "landslides.geojson": "Polygons, GeoJSON, in WGS 84",
    "metrics.json": "Areas, scores and provenance, JSON",
    "figure.png": "Figure for a report, PNG",
}


def show(view: View) -> None:
    """Prepare the files and offer each for download."""
    st.markdown(
        f"Files hold threshold {view.choice.threshold:.2f}, minimum area {view.choice.minimum_area:,.0f} {view.unit} "
        f"and holes filled up to {view.choice.fill_holes:,.0f} {view.unit}, as set above."
    )
    folder = _folder(view)
    if not (folder / "metrics.json").exists():
        if not st.button("Prepare the files", type="primary"):
            return
        _prepare(view, folder)
    for path in sorted(folder.iterdir()):
        if path.name in TITLES:
            left, right = st.columns([3, 1])
            left.markdown(f"{TITLES[path.name]} · {_size(path.stat().st_size)}")
            right.download_button(
                path.name, lambda path=path: path.read_bytes(),
                file_name=f"{view.result.id[:8]}-{path.name}", key=f"download-{path}", on_click="ignore",
                width="stretch",
            )  # fmt: skip


def _size(octets: int) -> str:
    return f"{octets / 1e6:.1f} MB" if octets >= 1e5 else f"{octets / 1e3:.0f} kB"


def _folder(view: View) -> Path:
    """Exports of a run and choice; a name of ours, never one of the user's."""
    choice = hashlib.sha256(repr((view.choice, view.record.dem)).encode()).hexdigest()[:16]
    return resources.store().home / "exports" / view.result.id / choice


def _prepare(view: View, folder: Path) -> None:
    from core.mapping.export import export_run

    with st.spinner("Writing the files"):
        export_run(view.result, view.record.scene, view.choice, folder, dem=view.record.dem)
