"""The rows of a table, or units with outlines, on a map, in the colours of what was said of their labels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import streamlit as st

from ui import resources
from ui.map_layers import Outlines, Tiles, scene_tiles
from ui.maps import Caption, DynamicLayers, MapSpec, show_map
from ui.messages import tr, tr_noop

if TYPE_CHECKING:
    from geopandas import GeoSeries

    from core.raster.grid import Grid
    from core.review.labels import OpenedLabels
    from core.runs.scenes import SceneSummary
    from ui.task.labelling import Labelling

DRAWN = 2000
"""Rows on the map: those whose score contradicts the label most, and of the others the reviewed and the selected."""

SIDE = 1000
"""Cells along the longer side of the grid that carries the map of a table."""

LARGE, SMALL = 140, 240
"""What part of the map a mark reaches from its middle: of a row that is labelled as a landslide, and of another."""

SMALLEST = 200.0
"""Metres that the map shows at least."""

AROUND = "44rem"
"""Height that the page needs above and below the map."""

HEIGHT = 420


@st.cache_resource(max_entries=8, show_spinner=False)
def placed(run: str, _opened: OpenedLabels) -> tuple[GeoSeries, Grid] | None:
    """Outlines or points of the rows in metres, and a grid about them; None where no coordinate system is known."""
    del run  # the key: places do not change
    from affine import Affine
    from rasterio.crs import CRS

    from core.raster.grid import Grid

    places = _opened.labelled.places
    if places is None:
        return None
    if places.crs.is_geographic:
        places = places.to_crs(places.estimate_utm_crs())
    left, bottom, right, top = (float(one) for one in places.total_bounds)
    margin = max(SMALLEST - max(right - left, top - bottom), 0.1 * max(right - left, top - bottom)) / 2
    left, bottom, right, top = left - margin, bottom - margin, right + margin, top + margin
    cell = max(right - left, top - bottom) / SIDE
    size = max(1, math.ceil((right - left) / cell)), max(1, math.ceil((top - bottom) / cell))
    grid = Grid(*size, Affine(cell, 0, left, 0, -cell, top), CRS.from_wkt(places.crs.to_wkt()))
    return places, grid


def spec_of(at: Labelling) -> MapSpec | None:
    """The map of a table; None where no coordinate system is known."""
    found = placed(at.run, at.opened)
    return None if found is None else MapSpec(f"labels-{at.run}", found[1], drawable=False)


def map_key(run: str) -> str:
    """Key of the map's widget."""
    return f"label-map-{run}"


def show_rows_on_map(at: Labelling) -> None:
    """The map, with a raster of the store below the rows where one is chosen."""
    spec = spec_of(at)
    if spec is None:
        st.caption(tr("The table names no coordinate system for its rows, so there is no map. Give it under *Classes, "
                      "coordinates and areas* to see them on one."))
        return
    tiles = _background(spec.grid)
    over = _layer(at.run, at.review.number, at.opened.labelled.scored_by, at.selection.current, at.opened)
    show_map(
        spec, DynamicLayers(tiles, (over,), selected=tuple(at.ticked), focus=_focus(at), caption=Caption(
            at.opened.run.subject.name), arrival=at.selection.arrival),
        key=map_key(at.run), height=HEIGHT, around=AROUND,
    )  # fmt: skip


def _focus(at: Labelling) -> tuple[float, float, float, float] | None:
    """Extent about what was selected beside the map: of a point a tenth of the map."""
    found, current = placed(at.run, at.opened), at.selection.current
    if found is None or current not in at.opened.features or at.selection.origin == "map":
        return None
    places, grid = found
    west, south, east, north = places.iloc[list(at.opened.features).index(current)].bounds
    left, bottom, right, top = grid.bounds
    reach = max(max(right - left, top - bottom) / 20, east - west, north - south)
    return west - reach, south - reach, east + reach, north + reach


def _background(grid: Grid) -> tuple[Tiles, ...]:
    """A raster of the store to compare the labels with."""
    from core.errors import LandslideError

    known: dict[str, SceneSummary] = {one.id: one for one in resources.store().scenes()}
    if not known:
        return ()
    chosen = st.selectbox(
        tr("Image below the rows"), ["", *known], key="label-background", width=360,
        format_func=lambda one: known[one].name if one else tr("none"),
        help=tr("One of the rasters that were loaded before, to check the labels by."),
    )  # fmt: skip
    if not chosen:
        return ()
    try:
        scene = resources.store().scene_record(chosen).scene
    except LandslideError as error:
        st.caption(error.what)
        return ()
    ours, theirs = grid.to_wgs84_bounds(), scene.grid.to_wgs84_bounds()
    if ours is None or theirs is None or not _meet(ours, theirs):
        st.caption(tr("This image does not cover the rows."))
        return ()
    return (scene_tiles(chosen, scene.name, version=scene.digest),)


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@st.cache_resource(max_entries=8, show_spinner=False)
def _layer(run: str, number: int, scored_by: str, selected: str | None, _opened: OpenedLabels) -> Outlines:
    """The outline of each unit, or a mark for each point: large ones are labelled as landslides."""
    del run, number, scored_by  # parts of the key
    import geopandas
    import numpy as np
    import shapely

    from core.plots.colours import NOT_KNOWN, REFERENCE, Legend, LegendEntry
    from core.review.labels import COLOURS, STATUSES
    from core.serve.coordinates import features

    found = placed(_opened.run.id, _opened)
    assert found is not None  # noqa: S101  callers looked
    places, grid = found
    table, status, order = _opened.labelled.table, _opened.status, _opened.order
    also = (status[order] != "unreviewed") | (table["id"].to_numpy()[order] == (selected or ""))
    shown = order[(np.arange(len(order)) < DRAWN) | also]
    left, bottom, right, top = grid.bounds
    slides, status = table["landslide"].to_numpy(bool)[shown], status[shown]
    marks = places.to_numpy()[shown]
    are_points = shapely.get_dimensions(marks) == 0
    reach = max(right - left, top - bottom) / np.where(slides, LARGE, SMALL)
    marks = np.where(are_points, shapely.buffer(marks, reach, quad_segs=1), marks)  # diamonds
    shapes = geopandas.GeoDataFrame({"id": table["id"].to_numpy()[shown]}, geometry=marks, crs=places.crs)
    facts = {
        tr_noop("Row"): list(shapes["id"]),
        tr_noop("Label"): [tr_noop("landslide") if one else tr_noop("no landslide") for one in slides],
        tr_noop("Held-out score"): ["–" if one != one else f"{one:.2f}" for one in table["score"].to_numpy()[shown]],
        tr_noop("Status"): [STATUSES[name] for name in status],
    }
    waiting = {True: REFERENCE, False: NOT_KNOWN}
    colours = [
        waiting[bool(one)] if name == "unreviewed" else COLOURS[name] for one, name in zip(slides, status, strict=True)
    ]
    told, _ = features(shapes, facts, colours=colours, most=len(shapes) or 1)
    entries = (
        LegendEntry(REFERENCE, tr_noop("labelled: landslide, not reviewed"), "line"),
        LegendEntry(NOT_KNOWN, tr_noop("labelled: no landslide, not reviewed"), "line"),
        *(LegendEntry(colour, STATUSES[name], "line") for name, colour in COLOURS.items() if name != "unreviewed"),
    )
    title = tr_noop("Labels (large marks: landslide)") if are_points.all() else tr_noop("Labels")
    legend = Legend(title, entries)
    return Outlines(
        "labels", tr_noop("Labelled rows"), told, NOT_KNOWN, selectable=True,
        legend=legend, fill=0.25, weight=2.0, seam=True, left_out=len(order) - len(shown),
    )  # fmt: skip
