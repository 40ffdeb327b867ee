"""Findings: how many boxes, how dense, and which."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import streamlit as st

from ui.detection import layers, slots
from ui.detection.sliders import side_text
from ui.detection.view import View, counted
from ui.messages import tr
from ui.task import judged
from ui.task.likeness import tell_likeness
from ui.task.rows import show_table
from ui.task.selection import Name, Selection
from ui.task.table import PLACES, number_column, placed
from ui.task.view import single_area_text

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from core.tasks.detection.findings import Detections


def show(view: View) -> None:
    """Totals, how much of it is right, and the table linked to the map."""
    found, grid = view.findings, view.result.grid
    totals: dict[str, str] = {}
    if found.count:
        boxed = float(found.table["area_m2" if grid.in_metres else "area_px"].median())
        totals |= _density(view)
        totals["Highest confidence"] = f"{found.boxes.scores[0]:.2f}"
        totals["Median box area"] = single_area_text(boxed, grid.in_metres)
    row = st.container(horizontal=True, gap="medium")  # wraps where the window is narrow
    for name, value in totals.items():
        row.metric(name, value, width="content", help=HELPS.get(name.split(" per ")[0]))
    _trust(view)
    tell_likeness(view.result)
    if not found.count:
        st.info(tr("No detection reaches this confidence. Lower it, or try another detector."))
        return
    st.caption(
        tr(
            "A box shows the position and extent of a landslide, not its outline: it is larger than the landslide "
            "in it. "
            "Landslides that touch may share one box."
        )
    )
    _table(view)
    slots.show("outline", view)


HELPS = {
    "Max. density": "Detections in the densest cell of the density grid, which is available as a map layer.",
    "Median box area": "Half of the boxes are larger. A box is larger than the landslide in it.",
}


def _density(view: View) -> dict[str, str]:
    """Boxes in the densest cell."""
    cells = counted(view.result.id, view.choice, view.cell, view.findings)
    return {f"Max. density per {side_text(view.cell, view.result.grid)} cell": f"{int(cells['count'].max()):,}"}


def rate(value: float) -> str:
    """Boxes per area with the digits that mean something."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _trust(view: View) -> None:
    """Beside what was found, how much of it is right: nobody should read the one without the other."""
    from core.tasks.detection.labels import minimum_pixels

    curve = view.findings.curve
    if curve is None:
        st.caption(tr("This image has no reference: the accuracy of this result is unknown."))
        return
    point = curve.at(view.choice.confidence)
    beyond = int((view.findings.table["outcome"] == "not known").sum())
    unknown = (
        tr(" {beyond:,} more detections lie outside the reference and are not counted.").format(beyond=beyond)
        if beyond
        else ""
    )
    if math.isnan(point.recall):
        which = "every detection it covers" if beyond else "every detection"
        st.caption(
            tr("The reference holds no landslide here: {which} is a false alarm.{unknown}").format(
                which=which, unknown=unknown
            )
        )
        return
    right = (
        tr("Of {found:,} detections, {hits:,} match a landslide of the reference. ").format(
            found=point.found, hits=point.hits
        )
        if point.found
        else ""
    )
    st.markdown(
        tr(
            "{right}Of its {truth:,} landslides, {hits:,} were found and **{truth_2:,} "
            "missed** (a detection counts as correct if its overlap, IoU, is at least 0.5). Landslides of the "
            "reference that touch count as one, and those below {least:,} pixels are not counted.{unknown}"
        ).format(
            right=right, truth=point.truth, hits=point.hits, truth_2=point.truth - point.hits, unknown=unknown,
            least=minimum_pixels(view.result.grid.ground_distance()),
        )
    )


def table(frame: GeoDataFrame) -> tuple[DataFrame, dict[str, object]]:
    """Columns of boxes that people read, and how a table writes them."""
    area = "area_m2" if "area_m2" in frame else "area_px"
    several = frame["class"].nunique() > 1
    shown = ["id", "score", *(["class"] if several else []), area, *(["outcome"] if "outcome" in frame else [])]
    shown += [name for name in (judged.COLUMN, *PLACES) if name in frame]
    plain = frame[shown]
    if "outcome" in plain:
        plain = plain.assign(outcome=[tr(layers.OUTCOMES[outcome]) for outcome in plain["outcome"]])
    unit = "m²" if area == "area_m2" else "px"
    config: dict[str, object] = {
        "id": st.column_config.TextColumn(tr("ID"), width="small"),
        "score": st.column_config.ProgressColumn(tr("Confidence"), format="%.2f", min_value=0.0, max_value=1.0),
        "class": st.column_config.TextColumn(tr("Class")),
        area: number_column(tr("Box area, {unit}").format(unit=unit), 0),
        **{name: number_column(title, digits) for name, (title, digits) in PLACES.items()},
        "outcome": st.column_config.TextColumn(tr("Reference check")),
        judged.COLUMN: judged.column(),
    }
    return plain, config


def _table(view: View) -> None:
    boxes = view.findings.table.head(layers.HELD)
    said = judged.judgements(view.result.id)
    frame, config = table(judged.with_judgements(placed(view.result.id, view.choice, view.record.dem, boxes), said))
    digits = {"area_m2": 0, "area_px": 0, **{name: places for name, (_, places) in PLACES.items()}}
    rounded = frame.round({name: places for name, places in digits.items() if name in frame})
    show_table(
        judged.shown(rounded, view.result.id), Selection(view.result.id), key=f"table-{view.result.id}", config=config,
        alt="Table of detections",
    )  # fmt: skip
    judged.tell(said, "detections")
    if len(frame) < view.findings.count:
        st.caption(tr("The table holds the {count:,} detections of highest confidence out of "
                   "{count_2:,}; the export includes all.").format(count=len(frame), count_2=view.findings.count))
    if view.selected is None:
        st.caption(tr("Select a row, or a detection on the map."))


def told(found: Detections, name: Name) -> list[str]:
    """What is known of a box, a fact each."""
    facts = layers.facts(found.table[found.table["id"] == name])
    # A word after a title needs a colon, a number does not.
    return [
        f"{tr(title).lower()}{'' if values[0][:1].isdigit() else ':'} {tr(values[0])}"
        for title, values in facts.items() if title != "Detection"
    ]
