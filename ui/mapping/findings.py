"""Findings: how many landslides, how large, and which."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui import labels
from ui.mapping.view import View
from ui.messages import tr, tr_noop
from ui.task import judged
from ui.task.chart import show_chart
from ui.task.likeness import tell_likeness
from ui.task.rows import show_table
from ui.task.selection import Name, Selection
from ui.task.table import number_column, placed
from ui.task.view import single_area_text

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import DataFrame
    from plotly.graph_objects import Figure

    from core.tasks.mapping.findings import Landslides
    from core.tasks.mapping.view import Choice

SEVERAL = 100
"""Pixels from which a polygon may well be several landslides."""

COLUMNS = {
    "id": (tr_noop("ID"), None),
    "area_m2": (tr_noop("Area, m²"), 0),
    "area_px": (tr_noop("Area, px"), 0),
    "mean_probability": (tr_noop("Probability"), 2),
    judged.COLUMN: (tr_noop("Review"), None),
    "slope_mean_deg": (tr_noop("Slope, °"), 0),
    "relief_m": (tr_noop("Relief, m"), 0),
    "aspect_deg": (tr_noop("Aspect, °"), 0),
    "share_known": (tr_noop("Share with earlier data, %"), 0),
    "share_before": (tr_noop("Share mapped before, %"), 0),
    "latitude": (tr_noop("Latitude, °"), 5),
    "longitude": (tr_noop("Longitude, °"), 5),
    "elevation_m": (tr_noop("Elevation, m"), 0),
}
"""Titles of columns, and digits behind the point; none of a text. All of them fit on a page 1,440 px wide."""

SHARES = ("share_known", "share_before")
"""Columns with values from 0 to 1, which are written in per cent."""

MEANINGS = {"mean_probability": tr_noop("Mean over the pixels of the polygon."),
            "slope_mean_deg": tr_noop("Mean slope within the polygon.")}  # fmt: skip
"""What titles leave out, by column."""


def _trust(view: View) -> None:
    """Beside what was found, how much of it is right: nobody should read the one without the other."""
    from core.tasks.mapping.findings import score
    from core.tasks.mapping.report.agreement import precision_words, recall_words
    from core.tasks.mapping.report.summary import index_did_better

    scores = score(view.result, view.choice.threshold)
    if scores is None:
        st.caption(tr("This image has no reference: the accuracy of this result is unknown."))
        return
    st.markdown(f"{precision_words(scores.model, partial=scores.is_partial)} {recall_words(scores.model)}")
    better = index_did_better(scores, view.result.place)
    if better is not None:
        st.warning(f"**{better.title}.** {better.text}")


def table(frame: GeoDataFrame) -> tuple[DataFrame, dict[str, object]]:
    """Columns of polygons that people read, and how a table writes them."""
    doubled = {"area_px"} if "area_m2" in frame else set()
    shown = [column for column in COLUMNS if column in frame and column not in doubled]
    shares = {name: 100 * frame[name] for name in SHARES if name in frame}
    digits = {name: COLUMNS[name][1] for name in shown}
    written = frame[shown].assign(**shares).round({name: one for name, one in digits.items() if one is not None})
    return written, {
        name: judged.column() if name == judged.COLUMN else number_column(*COLUMNS[name], MEANINGS.get(name, ""))
        for name in shown
    }


def show(view: View) -> None:
    """Totals, the table linked to the map, and the size–frequency plot."""
    found = view.findings
    if found is None:
        st.info(
            tr("A raster of this size is outlined as a background job: press *Outline landslides* above the map. Until "
            "then, the map and scores follow the threshold, but landslides are not counted.")
        )
        tell_likeness(view.result)
        return
    _trust(view)
    tell_likeness(view.result)
    if not found.count:
        st.info(tr("Nothing reaches this threshold and minimum area. Lower either of them, or try another model."))
        return
    largest = single_area_text(float(found.areas[0]), view.result.grid.in_metres)
    told = tr("Landslides that touch are one polygon. The largest covers {largest}.").format(largest=largest)
    if found.polygons["area_px"].iloc[0] >= SEVERAL:
        told += tr(" It may be several landslides.")
    st.caption(told)
    _table(view)
    _sizes(view)


def _table(view: View) -> None:
    assert view.findings is not None  # noqa: S101  show() returned otherwise
    said = judged.judgements(view.result.id)
    polygons = placed(view.result.id, view.choice, view.record.dem, view.findings.polygons)
    frame, config = table(judged.with_judgements(polygons, said))
    show_table(
        judged.shown(frame, view.result.id), Selection(view.result.id), key=f"table-{view.result.id}", config=config,
        alt="Table of mapped landslides",
    )  # fmt: skip
    judged.tell(said, "landslides")
    if len(frame) < view.findings.count:
        st.caption(
            tr("The table holds the {count:,} largest of {count_2:,}; the export includes all.").format(
                count=len(frame), count_2=view.findings.count
            )
        )
    if view.selected is None:
        st.caption(tr("Select a row, a polygon on the map or a point in the chart below."))


def told(found: Landslides, name: Name) -> list[str]:
    """What is known of a landslide, a fact each."""
    frame = found.polygons[found.polygons["id"] == name]
    # A word after a title needs a colon, a number does not.
    return [
        f"{tr(title).lower()}{'' if values[0][:1].isdigit() else ':'} {tr(values[0])}"
        for title, values in facts(frame).items() if title != "Landslide"
    ]


def facts(polygons: GeoDataFrame) -> dict[str, list[str]]:
    """What the map says of each polygon when pointed at."""
    georeferenced = "area_m2" in polygons
    area = polygons["area_m2"] if georeferenced else polygons["area_px"]
    content = {
        tr_noop("Landslide"): [str(number) for number in polygons["id"]],
        tr_noop("Area"): [single_area_text(value, georeferenced) for value in area],
        tr_noop("Mean probability"): [f"{value:.2f}" for value in polygons["mean_probability"]],
    }
    if "slope_mean_deg" in polygons:
        slopes = polygons["slope_mean_deg"]
        content[tr_noop("Mean slope")] = [f"{value:.0f}°" if value == value else tr_noop("unknown") for value in slopes]
    if judged.COLUMN in polygons:
        content[tr_noop("Review")] = polygons[judged.COLUMN].tolist()
    return content


def _sizes(view: View) -> None:
    """The size–frequency plot, whose points can be selected."""
    assert view.findings is not None  # noqa: S101  show() returned otherwise
    selection, found = Selection(view.result.id), view.findings
    areas = found.polygons["area_m2" if view.result.grid.in_metres else "area_px"].to_numpy(dtype=float)
    names: list[Name] = found.polygons["id"].tolist()
    figure = _sizes_figure(view.result.id, view.choice, view.unit, found)
    if view.selected is not None:
        from core.tasks.mapping.plots import mark_area

        figure = mark_area(figure, found.areas, float(areas[names.index(view.selected)]), str(view.selected))

    def name_of(point: Mapping[str, Any]) -> Name | None:
        if point["curve_number"] != 0:  # the fit, and the smallest area
            return None
        near = int(abs(areas - float(point["x"])).argmin())
        return names[near] if math.isclose(areas[near], float(point["x"]), rel_tol=1e-9) else None

    show_chart(figure, selection, name_of, key=f"sizes-{view.result.id}")
    sizes = view.findings.sizes
    st.caption(sizes.words, help=None if sizes.exponent is None else labels.explained_term("tail_exponent"))


@st.cache_resource(max_entries=16, show_spinner=False)
def _sizes_figure(run: str, choice: Choice, unit: str, _findings: Landslides) -> Figure:
    del run, choice  # parts of the key
    from core.tasks.mapping.plots import size_frequency_figure

    return size_frequency_figure(_findings.areas, _findings.sizes, unit=unit)
