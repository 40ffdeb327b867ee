"""InSAR points on the map: where they move, and the series of those that are clicked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.series.words import signed
from core.tasks.displacement.points_result import (
    ACCELERATION,
    CELLS,
    EAST,
    FURTHER,
    POINTS,
    RASTERS,
    SLOPE_VELOCITY,
    UP,
    VALUES,
    VELOCITY,
    PointsResult,
)
from ui import resources
from ui.displacement import points_form
from ui.feedback import guard, plain
from ui.maps import DynamicLayers, MapEvent, MapSpec, show_map
from ui.messages import tr, tr_noop
from ui.state import Slot, rerun_fragment
from ui.task import export, kept, provenance
from ui.task.caption import caption_of
from ui.task.inspector import show_coordinates
from ui.task.jobs import notice_runs
from ui.task.notes import show_lead
from ui.task.rows import show_rows
from ui.task.tabs import show_tabs
from ui.task.view import view_from_address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pandas import DataFrame
    from scipy.spatial import KDTree

    from core.runs.records import Run
    from core.tasks.displacement.view import Look
    from ui.map_layers import Outlines, Tiles
    from ui.task.task import TaskPage

CHART = {"displaylogo": False, "modeBarButtonsToRemove": ["lasso2d", "select2d"]}

AROUND = "27rem"
"""Height that the head above the map and the names of the tabs below it need."""

NEAR = 60
"""Part of the longer side of the map within which a click finds a point."""

TOWARD = {
    "line of sight": ("away", "towards"), "vertical": ("down", "up"), "east": ("west", "east"), UP: ("down", "up"),
    SLOPE_VELOCITY: ("upslope", "downslope"),
}  # fmt: skip
"""What lies at the ends of colours, by direction or layer."""

TABLE = {
    "pid": tr_noop("Point"), "velocity": tr_noop("Velocity (mm/year)"), "velocity_sd": tr_noop("Standard error"),
    "acceleration": tr_noop("Acceleration (mm/year²)"), "seasonality": tr_noop("Annual amplitude (mm)"),
    "rmse": tr_noop("Residual (mm)"), "outliers": tr_noop("Outliers"), "step": tr_noop("Step (mm)"),
    "step_date": tr_noop("Date of step"),
}  # fmt: skip
"""Columns of the table of the fastest points."""


@dataclass(frozen=True)
class Shown:
    """What the tabs are given: the run's result, and which points are looked at."""

    result: PointsResult
    look: Look


@st.cache_resource(max_entries=8, show_spinner="Reading the points")
def _points(run: str) -> tuple[PointsResult, DataFrame, KDTree]:
    """What a run computed, which never changes, its points, and where they lie."""
    from scipy.spatial import KDTree

    from core.tasks.displacement.points_result import points_table

    result = resources.store().result(run, PointsResult)
    table = points_table(result)
    return result, table, KDTree(table[["x", "y"]].to_numpy())


def show(task: TaskPage, found: Run) -> None:
    """The result of a finished run."""
    _shown(task, found)


@st.fragment
def _shown(task: TaskPage, found: Run) -> None:
    """A fragment: a click on the map leaves the rest of the page alone."""
    with guard():
        _show(task, found)
        kept.remember()
        notice_runs()


def _show(task: TaskPage, found: Run) -> None:
    from core.tasks.displacement.points_findings import verdict

    result, table, tree = _points(found.id)
    look: Look = view_from_address(found)
    said = verdict(result)
    show_lead(said.lead, result.id)
    told = [*said.others, *result.notes]
    with st.expander(tr("Basis and limitations ({count})").format(count=len(told))):
        st.markdown("\n".join(f"- {plain(one)}" for one in told))
    left, right = st.columns([3, 2], gap="medium")
    with left, guard():
        event = _map(result, table, look)
        _choose(result, table, tree, look, event)
    with right, guard():
        _series(result, table, look)
    parts = {"Fastest points": _fastest, "Export": _export, "Provenance": _provenance}
    show_tabs(task.name, parts, Shown(result, look))


def _map(result: PointsResult, table: DataFrame, look: Look) -> MapEvent:
    spec = MapSpec(result.id, result.grid, drawable=False)
    tiles = tuple(_tiles(result, role, visible=role == VELOCITY) for role in reversed(result.layers))
    over = () if not look.ids else (_rings(result, table, _rows(table, look.ids)),)
    says, at = caption_of(result, "InSAR velocities"), _go_to(result).get()
    focus = _around(result, table.iloc[_rows(table, [at])[0]]) if at and at in look.ids else None
    return show_map(spec, DynamicLayers(tiles, over, focus=focus, caption=says), key=f"map-{result.id}", around=AROUND)


def _around(result: PointsResult, point: Any) -> tuple[float, float, float, float]:  # noqa: ANN401  a row of the table
    """Extent of a tenth of the map about a point."""
    left, bottom, right, top = result.grid.bounds
    reach = max(right - left, top - bottom) / 20
    x, y = float(point["x"]), float(point["y"])
    return x - reach, y - reach, x + reach, y + reach


def _tiles(result: PointsResult, role: str, *, visible: bool) -> Tiles:
    from core.plots.colours import ramp_legend
    from core.tasks.displacement.points_layers import RAMPS, ends
    from ui.map_layers import run_tiles

    low, high = ends(role, result.spans[role])
    words = (f"{low:g}", f"{(low + high) / 2:g}", f"{high:g}")
    toward = TOWARD.get(role) or (TOWARD.get(result.direction) if role in (VELOCITY, ACCELERATION) else None)
    if toward is not None:
        words = (f"{words[0]} {toward[0]}", words[1], f"{toward[1]} {words[2]}")
    title = {**RASTERS, **FURTHER}[role]
    legend = ramp_legend(title, RAMPS[role], *words)
    made = run_tiles(result.id, role, name=title, opacity=0.9, visible=visible, key=legend)
    return replace(made, url=f"{made.url}?range={low:g},{high:g}", redrawn=role not in (EAST, UP))


def _rings(result: PointsResult, table: DataFrame, rows: Sequence[int]) -> Outlines:
    """A ring about each point that is shown, in the colour of its series."""
    import geopandas
    import shapely

    from core.plots.colours import CATEGORIES
    from core.serve.coordinates import features
    from ui.map_layers import Outlines

    chosen = table.iloc[list(rows)]
    left, bottom, right, top = result.grid.bounds
    radius = max(2 * result.summary["cell"], max(right - left, top - bottom) / 150)
    rings = shapely.buffer(shapely.points(chosen[["x", "y"]].to_numpy()), radius)
    shapes = geopandas.GeoDataFrame({"id": range(len(rings))}, geometry=rings, crs=result.grid.crs)
    colours = [CATEGORIES[number % len(CATEGORIES)] for number in range(len(rings))]
    facts = {tr_noop("Point"): [str(one) for one in chosen["pid"]],
             tr_noop("Velocity"): [f"{signed(one, '+.1f')} mm/year" for one in chosen["velocity"]]}  # fmt: skip
    collection, _ = features(shapes, facts, colours=colours)
    return Outlines("chosen", tr_noop("Points in the chart"), collection, colours[0], weight=3, fill=0.0, seam=True)


def _rows(table: DataFrame, ids: Sequence[str]) -> list[int]:
    from core.tasks.displacement.points_findings import rows_of

    return rows_of(table, ids)


def _choose(result: PointsResult, table: DataFrame, tree: KDTree, look: Look, event: MapEvent) -> None:
    """Put the point that was clicked into the address, beside those before where that is wanted."""
    row = st.container(horizontal=True, vertical_alignment="center")
    several = row.toggle(
        tr("Keep earlier points"), key=f"several-{result.id}", help=tr("Up to eight points are shown.")
    )
    if look.ids and row.button(tr("Clear"), key=f"clear-{result.id}"):
        st.query_params.pop("points", None)
        rerun_fragment()
    if look.ids and row.button(
        tr("Use as reference"),
        key=f"refer-{result.id}",
        help=tr("Sets the position of the last point as the stable area in the form."),
    ):
        point = table.iloc[_rows(table, look.ids)[-1]]
        place = (round(float(point["longitude"]), 5), round(float(point["latitude"]), 5), points_form.RADIUS)
        points_form.reference(result.subject.dataset_id).put(place)
        st.rerun()
    handled: Slot[tuple[float, float] | None] = Slot(f"point-click-{result.id}", None)
    if event.clicked is None or event.clicked == handled.get():
        return
    handled.put(event.clicked)
    left, bottom, right, top = result.grid.bounds
    distance, at = tree.query(event.clicked)
    _go_to(result).clear()
    if distance > max(right - left, top - bottom) / NEAR:
        if look.ids and not several:
            _put_ids([])
            rerun_fragment()
        st.caption(tr("There is no point near this location."))
        return
    _show_ids([str(table["pid"].iloc[int(at)])], look, several=several)


def _show_ids(ids: list[str], look: Look, *, several: bool) -> None:
    """Show these points in the chart, the latest last; the page's address names them."""
    _put_ids([*(one for one in look.ids if one not in ids), *ids] if several else ids)
    rerun_fragment()


def _go_to(result: PointsResult) -> Slot[str]:
    """Point to which the map is to move, because it was chosen in the table."""
    return Slot(f"points-go-to-{result.id}", "")


def _put_ids(ids: Sequence[str]) -> None:
    """Have the page's address name these points, which map, chart and table then show."""
    from core.tasks.displacement.view import MOST_SHOWN

    if ids:
        st.query_params["points"] = ",".join(ids[-MOST_SHOWN:])
    else:
        st.query_params.pop("points", None)


def _series(result: PointsResult, table: DataFrame, look: Look) -> None:
    from core.tasks.displacement.points_figure import histogram, points_figure
    from core.tasks.displacement.points_result import values_of
    from core.tasks.displacement.warning import DISCLAIMER

    if look.ids:
        rows = _rows(table, look.ids)
        times, values = values_of(result, rows)
        figure = points_figure(times, values, table.iloc[rows])
        st.plotly_chart(figure, key=f"points-{result.id}", config=CHART)
        last = table.iloc[rows[-1]]
        st.markdown(_told(last))
        show_coordinates(float(last["x"]), float(last["y"]), result.grid)
    else:
        st.info(tr("Click a point on the map to see its series."))
        st.plotly_chart(histogram(table, result.spans[VELOCITY]), key=f"histogram-{result.id}", config=CHART)
        st.caption(tr("Points outside the range of the colours are counted in the end bins."))
    st.caption(DISCLAIMER)


def _told(point: Any) -> str:  # noqa: ANN401  a row of the table
    parts = [
        f"**{plain(point['pid'])}**", f"{signed(point['velocity'], '+.1f')} ± {point['velocity_sd']:.1f} mm/year",
        f"acceleration {signed(point['acceleration'], '+.2f')} mm/year²",
        f"annual amplitude {point['seasonality']:.1f} mm",
        f"residual {point['rmse']:.1f} mm", f"outliers: {point['outliers']}",
    ]  # fmt: skip
    if SLOPE_VELOCITY in point and point[SLOPE_VELOCITY] == point[SLOPE_VELOCITY]:
        along = signed(point[SLOPE_VELOCITY], "+.1f")
        parts.append(f"along the slope {along} ± {point['slope_velocity_sd']:.1f} mm/year")
    if point["step_date"]:
        parts.append(f"candidate step of {signed(point['step'], '+.1f')} mm on {point['step_date']}")
    return " · ".join(parts)


def _fastest(view: Shown) -> None:
    """The table of the fastest points, those shown in the chart above them; ticked rows are what the chart shows."""
    from core.tasks.displacement.points_findings import FASTEST, fastest

    table, result = _points(view.result.id)[1], view.result
    first = fastest(table)
    if first.empty:
        st.info(tr("No point has a velocity above three standard errors."))
        return
    others = [one for one in view.look.ids if one not in set(first["pid"].astype(str))]
    if others:
        import pandas

        first = pandas.concat([table.iloc[_rows(table, others)], first])
    st.caption(
        tr(
            "The {min} fastest points whose velocity exceeds three standard errors. Other selected points are listed "
            "first. Selected points are shown in the chart and ringed on the map."
        ).format(min=min(FASTEST, len(first) - len(others)))
    )
    config: dict[str, object] = {name: tr(title) for name, title in TABLE.items()}
    formats = {name: st.column_config.NumberColumn(tr(title), format="%.2f") for name, title in TABLE.items()
               if name not in ("pid", "outliers", "step_date")}  # fmt: skip

    def choose(ticked: list[str]) -> None:
        new = [one for one in ticked if one not in view.look.ids]
        _put_ids([*(one for one in view.look.ids if one in ticked), *new])
        _go_to(result).put(new[-1] if new else "")

    show_rows(
        first[list(TABLE)], [str(one) for one in first["pid"]], view.look.ids, choose, key=f"fastest-{result.id}",
        several=True, width="stretch", column_config=config | formats, alt="Table of points",
    )  # fmt: skip


def _export(view: Shown) -> None:
    from core.tasks.displacement.points_export import TITLES, export_points

    result = view.result
    export.show_report(result, view.look, export.values_of(view.look), "The report holds the selected points")
    run = resources.store().run(result.id)
    files = {
        POINTS: "All points with their motion", VALUES: "Series of all points, mm, in the same order",
        **{role: f"{title}, mean per cell" for role, title in RASTERS.items()},
        CELLS: "East and up motion, one row per cell", EAST: FURTHER[EAST], UP: FURTHER[UP],
    }  # fmt: skip
    for role, title in files.items():
        export.link(run, role, title)
    folder = export.folder_of(result.id, "points")
    if st.button(tr("Prepare CSV and GeoPackage"), key=f"prepare-{result.id}"):
        with st.spinner(tr("Writing the files")):
            export_points(result, folder)
    if folder.is_dir():
        export.offer(folder, {name: TITLES[name] for name in TITLES if not name.endswith(".tif")}, result.id)
    _keep(result)


def _keep(result: PointsResult) -> None:
    """Make the velocities a raster that other pages offer."""
    name = f"Velocity of {result.subject.name}"[:120]
    if st.button(tr("Save velocities as raster"), key=f"keep-{result.id}"):
        with result.artifact(VELOCITY).open("rb") as file:
            resources.store().upload_dataset(file, f"{name}.tif", "raster")
        st.success(
            tr("{name} is now available as an earlier raster on every page, as a factor or as an image.").format(
                name=plain(name)
            )
        )


def _provenance(view: Shown) -> None:
    record = resources.store().dataset(view.result.subject.dataset_id)
    provenance.show_record(view.result, record.origin)
