"""Findings: how many landslides, how large, and which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.mapping.view import View
from ui.task.likeness import tell_likeness
from ui.task.selection import Selection
from ui.task.view import area_text

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import DataFrame
    from plotly.graph_objects import Figure

    from core.tasks.mapping.findings import Landslides
    from core.tasks.mapping.view import Choice

COLUMNS = {
    "id": ("Id", "%s"),
    "area_m2": ("Area, m²", "%.0f"),
    "area_px": ("Area, px", "%.0f"),
    "perimeter_m": ("Perimeter, m", "%.0f"),
    "perimeter_px": ("Perimeter, px", "%.0f"),
    "mean_probability": ("Mean probability", "%.2f"),
    "slope_mean_deg": ("Mean slope, °", "%.0f"),
    "relief_m": ("Relief, m", "%.0f"),
    "aspect_deg": ("Aspect, °", "%.0f"),
    "share_known": ("Share shown before", "%.2f"),
    "share_before": ("Share mapped before", "%.2f"),
}


def _trust(view: View) -> None:
    """Beside what was found, how much of it is right: nobody should read the one without the other."""
    from core.tasks.mapping.findings import score
    from core.tasks.mapping.report.agreement import precision_words, recall_words
    from core.tasks.mapping.report.summary import index_did_better

    scores = score(view.result, view.choice.threshold)
    if scores is None:
        st.caption("There is no reference for this scene: how much of this is right is not known.")
        return
    st.markdown(f"{precision_words(scores.model)} {recall_words(scores.model)}")
    better = index_did_better(scores)
    if better is not None:
        st.warning(f"**{better.title}.** {better.text}")


def table(frame: GeoDataFrame) -> tuple[DataFrame, dict[str, object]]:
    """Columns of polygons that people read, and how a table writes them."""
    doubled = {"area_px", "perimeter_px"} if "area_m2" in frame else set()
    shown = [column for column in COLUMNS if column in frame and column not in doubled]
    config: dict[str, object] = {
        name: st.column_config.NumberColumn(COLUMNS[name][0], format=COLUMNS[name][1])
        for name in shown if name != "id"
    } | {"id": st.column_config.TextColumn(COLUMNS["id"][0], width="small")}
    return frame[shown], config


def show(view: View) -> None:
    """Totals, the table linked to the map, and the size–frequency plot."""
    found = view.findings
    if found is None:
        st.info(
            "A raster of this size is outlined by a job: press *Outline the landslides* above the map. Without it the "
            "scores and the map follow the threshold, but landslides are not counted."
        )
        tell_likeness(view.result)
        return
    georeferenced = view.result.grid.is_georeferenced
    largest = float(found.areas.max(initial=0.0))
    totals = {
        "Landslides": f"{found.count:,}",
        "Landslide area": area_text(float(found.areas.sum()), georeferenced),
        "Share of the scene": f"{found.share:.2%}",
        "Largest": area_text(largest, georeferenced),
    }
    row = st.container(horizontal=True, gap="medium")  # wraps where the window is narrow
    for name, value in totals.items():
        row.metric(name, value, width=150)
    _trust(view)
    tell_likeness(view.result)
    if not found.count:
        st.info("Nothing reaches this threshold and minimum area. Lower one of them, or try another model.")
        return
    st.caption("Slides that touch are one polygon: the number is a lower bound, the largest may be several.")
    _table(view)
    _sizes(view)


def _table(view: View) -> None:
    assert view.findings is not None  # noqa: S101  show() returned otherwise
    frame, config = table(view.findings.polygons)
    chosen = st.dataframe(
        frame, hide_index=True, column_config=config, on_select="rerun", selection_mode="single-row",
        key=f"table-{view.result.id}-{view.choice}", height=300, alt="Table of the landslides found",
    )  # fmt: skip
    if len(frame) < view.findings.count:
        st.caption(f"The table holds the {len(frame):,} largest of {view.findings.count:,}; Export has them all.")
    rows = chosen.selection.rows
    Selection(view.result.id).follow_table(str(frame["id"].iloc[rows[0]]) if rows else None)
    if view.selected is not None and view.selected in set(frame["id"]):
        row = frame[frame["id"] == view.selected].iloc[0]
        words = [f"{COLUMNS[name][0]} {COLUMNS[name][1] % row[name]}" for name in frame if row[name] == row[name]]
        st.markdown(f"**Chosen landslide** · {' · '.join(words)}")
    else:
        st.caption("Choose a row, or click a polygon on the map.")


def _sizes(view: View) -> None:
    assert view.findings is not None  # noqa: S101  show() returned otherwise
    figure = _sizes_figure(view.result.id, view.choice, view.unit, view.findings)
    st.plotly_chart(figure, key=f"sizes-{view.result.id}", config={"displaylogo": False})
    st.caption(view.findings.sizes.words)


@st.cache_resource(max_entries=16, show_spinner=False)
def _sizes_figure(run: str, choice: Choice, unit: str, _findings: Landslides) -> Figure:
    del run, choice  # parts of the key
    from core.tasks.mapping.plots import size_frequency_figure

    return size_frequency_figure(_findings.areas, _findings.sizes, unit=unit)
