"""Export: rasters, polygons, scores and a figure at the sliders' values."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from ui import resources
from ui.feedback import guard
from ui.mapping.outlines import is_large, outlines_run
from ui.mapping.view import View
from ui.state import rerun_fragment

if TYPE_CHECKING:
    from core.mapping.outlines import Outlined
    from core.runs.records import Run

STORED = {
    "probability": "Probability, Cloud Optimized GeoTIFF (0–254 is 0–1, 255 no data)",
    "uncertainty": "Spread over eight turns, Cloud Optimized GeoTIFF",
    "truth": "Reference on the scene's grid, Cloud Optimized GeoTIFF",
}
"""Files of the run itself, by role: they hold whatever the sliders say, and are sent from where they lie."""

POLYGONS = "Polygons, GeoPackage, in the scene's coordinate system"
TITLES = {
    "mask.tif": "Mask at the threshold, Cloud Optimized GeoTIFF",
    "landslides.gpkg": POLYGONS,
    "landslides.geojson": "Polygons, GeoJSON, in WGS 84",
    "metrics.json": "Areas, scores and provenance, JSON",
    "figure.png": "Figure for a report, PNG",
}
"""Files that are prepared at the sliders' values."""


def show(view: View) -> None:
    """The report, the run as a whole, and single files for other programs."""
    with guard():
        _report(view)
    st.divider()
    _files(view)


def _report(view: View) -> None:
    """A file for people, and one with everything for machines."""
    run = resources.store().run(view.result.id)
    st.markdown(
        "**For people.** A report in plain words with maps, charts, the explanations so far, scores with their "
        "caveats, and all that it was made from. It is one file, opens anywhere, also offline, and prints well."
    )
    known = run.artifact("report")
    row = st.container(horizontal=True)
    if row.button("Write the report" if known is None else "Write it anew", type="primary", key=f"report-{run.id}"):
        from core.runs.reporting import make_report

        with st.spinner("Writing the report"):
            make_report(resources.store(), run.id, view.choice, _address(view))
        rerun_fragment()
    base = resources.base_path()
    if known is not None:
        row.link_button(f"Report · {_size(known.size)}", f"{base}/artifacts/{run.id}/report")
    row.link_button("Whole run as zip", f"{base}/runs/{run.id}.zip")
    if known is not None:
        st.caption("The report holds threshold, areas and explanations as they were when it was written.")


def _address(view: View) -> str:
    """Where the run opens as it is seen now."""
    place, choice = st.context.url or "", view.choice
    # Areas whole, or the address would open at other pixels than those seen.
    numbers = {"threshold": f"{choice.threshold:.2f}", "minimum": f"{choice.minimum_area!r}",
               "holes": f"{choice.fill_holes!r}"}  # fmt: skip
    query = "&".join([f"run={view.result.id}", *(f"{name}={value}" for name, value in numbers.items())])
    return f"{place.split('?')[0]}?{query}" if place else ""


def _files(view: View) -> None:
    """Link to what is there, prepare the rest and offer each file for download."""
    st.markdown("**For other programs.** Files of the run, the same at every threshold:")
    run = resources.store().run(view.result.id)
    for role, title in STORED.items():
        _link(run, role, title)
    st.markdown(
        f"Files at threshold {view.choice.threshold:.2f}, minimum area {view.choice.minimum_area:,.0f} {view.unit} "
        f"and holes filled up to {view.choice.fill_holes:,.0f} {view.unit}, as set above:"
    )
    outlined = _outlined(view)
    if is_large(view.result):
        if outlined is None:
            st.caption("Polygons are among them once the landslides are outlined, by the button above the map.")
        elif (holder := outlines_run(view.record, view.result, view.choice)) is not None:
            _link(holder, "landslides", POLYGONS)
    folder = _folder(view)
    if not (folder / "metrics.json").exists():
        if not st.button("Prepare the files", type="primary"):
            return
        _prepare(view, folder, outlined)
    for path in sorted(folder.iterdir()):
        if path.name in TITLES:
            left, right = st.columns([3, 1])
            left.markdown(f"{TITLES[path.name]} · {_size(path.stat().st_size)}")
            right.download_button(
                path.name, lambda path=path: path.read_bytes(),
                file_name=f"{view.result.id[:8]}-{path.name}", key=f"download-{path}", on_click="ignore",
                width="stretch",
            )  # fmt: skip


def _link(run: Run, role: str, title: str) -> None:
    """Offer a file of a run where it lies, if the run has it."""
    stored = run.artifact(role)
    if stored is None:
        return
    left, right = st.columns([3, 1])
    left.markdown(f"{title} · {_size(stored.size)}")
    address = f"{resources.base_path()}/artifacts/{run.id}/{role}"
    right.link_button(f"{role}{stored.path.suffix}", address, width="stretch")


def _size(octets: int) -> str:
    return f"{octets / 1e6:.1f} MB" if octets >= 1e5 else f"{octets / 1e3:.0f} kB"


def _folder(view: View) -> Path:
    """Exports of a run and choice; a name of ours, never one of the user's."""
    asked = (view.choice, view.record.dem, "without copies", *([True] if _outlined(view) else []))
    choice = hashlib.sha256(repr(asked).encode()).hexdigest()[:16]
    return resources.store().home / "exports" / view.result.id / choice


def _outlined(view: View) -> Outlined | None:
    """What a job outlined, for a run too large to do so at once."""
    from core.mapping.outlines import Outlined

    return view.findings if isinstance(view.findings, Outlined) else None


def _prepare(view: View, folder: Path, outlined: Outlined | None) -> None:
    from core.mapping.export import export_run

    with st.spinner("Writing the files"):
        export_run(
            view.result, view.record.scene, view.choice, folder, dem=view.record.dem, outlined=outlined, copies=False,
        )  # fmt: skip
