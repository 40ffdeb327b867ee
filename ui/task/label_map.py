"""The rows of a table, or units with outlines, on a map, in the colours of what was said of their labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from ui import resources
from ui.map_layers import Outlines, Tiles, scene_tiles
from ui.maps import Caption, DynamicLayers, MapSpec, show_map
from ui.messages import tr, tr_noop
from ui.task.review_map import SEVERAL
from ui.task.selection import around

if TYPE_CHECKING:
    import numpy as np
    from geopandas import GeoDataFrame, GeoSeries
    from numpy.typing import NDArray
    from pandas import DataFrame
    from shapely.geometry.base import BaseGeometry

    from core.plots.colours import Legend
    from core.raster.grid import Grid
    from core.review.labels import OpenedLabels
    from core.review.state import Feature
    from core.runs.scenes import SceneSummary
    from ui.task.labelling import Labelling

DRAWN = 2000
"""Rows on the map: those whose score contradicts the label most, and of the others the reviewed and the selected."""

LARGE, SMALL = 140, 240
"""What part of the map a mark reaches from its middle: of a row that is labelled as a landslide, and of another."""

AROUND = "44rem"
"""Height that the page needs above and below the map."""

HEIGHT = 420


@st.cache_resource(max_entries=8, show_spinner=False)
def placed(run: str, _opened: OpenedLabels) -> tuple[GeoSeries, Grid] | None:
    """Places of the rows as `core.review.label_places.for_map` gives them."""
    del run  # the key: places do not change
    from core.review.label_places import for_map

    return for_map(_opened.labelled.places)


def spec_of(opened: OpenedLabels) -> MapSpec | None:
    """The map of a table, on which outlines of units can be drawn; None where no coordinate system is known."""
    found, run = placed(opened.run.id, opened), opened.run.id
    return None if found is None else MapSpec(f"labels-{run}", found[1], drawable=opened.labelled.has_outlines)


def show_rows_on_map(at: Labelling) -> None:
    """The map, with a raster of the store below the rows where one is chosen."""
    spec = at.spec
    if spec is None:
        st.caption(tr("The table names no coordinate system for its rows, so there is no map. Give it under *Classes, "
                      "coordinates and areas* to see them on one."))
        return
    with st.container(gap="small"):
        tiles = _background(spec.grid)
    over = _layers(
        at.run, at.review.number, at.opened.labelled.scored_by, at.selection.current, bool(tiles), at.opened
    )  # fmt: skip
    show_map(
        spec, DynamicLayers(
            tiles, over, selected=tuple(at.ticked), marker=_marker(at), focus=_focus(at),
            caption=Caption(at.opened.run.subject.name), arrival=at.selection.arrival,
        ),
        key=at.map_key, height=HEIGHT, around=AROUND,
    )  # fmt: skip


def place_of(at: Labelling) -> BaseGeometry | None:
    """Where the selected row is, as `placed`; None where nothing is selected, or that is not known."""
    one = at.selected
    if one is None:
        return None
    (place,) = _places(at.opened, [one])
    return place


def _places(opened: OpenedLabels, features: Sequence[Feature]) -> list[BaseGeometry | None]:
    """Where rows are, in the coordinates of the map; None of those without a place, or where there is no map."""
    from core.review.label_places import places_of

    found = placed(opened.run.id, opened)
    return [None] * len(features) if found is None else list(places_of(opened, features, found[0]))


def _marker(at: Labelling) -> tuple[float, float] | None:
    """Where the selected point is; an outline is seen by itself."""
    place = place_of(at)
    return (place.x, place.y) if place is not None and place.geom_type == "Point" else None


def _focus(at: Labelling) -> tuple[float, float, float, float] | None:
    """Extent about what was selected beside the map, all of it in the table: of a point a tenth of the map."""
    import shapely

    found, place = placed(at.run, at.opened), place_of(at)
    if found is None or place is None or at.selection.origin == "map":
        return None
    if len(at.ticked) > 1 and at.selection.origin == "table":
        features = [at.review.features[name] for name in at.ticked if name in at.review.features]
        there = [one for one in _places(at.opened, features) if one is not None]
        return around(shapely.total_bounds(there), SEVERAL)
    west, south, east, north = place.bounds
    left, bottom, right, top = found[1].bounds
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
def _layers(
    run: str, number: int, scored_by: str, selected: str | None, on_image: bool, _opened: OpenedLabels
) -> tuple[Outlines, ...]:
    """The rows in the colours of their scores, hidden at first, and above them in those of their labels.

    Parameters
    ----------
    on_image
        Whether they lie on an image, from which a seam sets their lines apart.
    """
    del run, number, scored_by  # parts of the key
    import numpy as np

    from core.plots.colours import NO_LANDSLIDE, NOT_KNOWN, PROBABILITY_RAMP, REFERENCE, ramp_colours, ramp_legend
    from core.review.labels import COLOURS, JUDGED, STATUSES
    from core.serve.coordinates import features

    table, order = _opened.rows, _opened.order
    also = (_opened.status[order] != "unreviewed") | (table["id"].to_numpy()[order] == (selected or ""))
    shown = order[(np.arange(len(order)) < DRAWN) | also]
    shown = shown[np.argsort(table["made"].to_numpy()[shown], kind="stable")]  # what was drawn over others is on top
    places = np.array(_places(_opened, [_opened.review.features[name] for name in table["id"].iloc[shown]]), object)
    there = np.array([place is not None for place in places], bool)
    shown = shown[there]
    shapes, are_points = _marks(_opened, table.iloc[shown], places[there])
    slides, status = table["landslide"].iloc[shown].tolist(), _opened.status[shown]
    scores = table["score"].to_numpy(float)[shown]
    facts = {
        tr_noop("Row"): list(shapes["id"]),
        tr_noop("Label"): [tr_noop("landslide") if one else tr_noop("no landslide") for one in slides],
        tr_noop("Held-out score"): ["–" if one != one else f"{one:.2f}" for one in scores],
        tr_noop("Status"): [STATUSES[name] for name in status],
    }
    waiting = {True: REFERENCE, False: NO_LANDSLIDE}
    colours = [
        COLOURS[name] if name in JUDGED else waiting[bool(one)] for one, name in zip(slides, status, strict=True)
    ]
    ramp = ramp_colours(scores, PROBABILITY_RAMP)
    ramp = [NOT_KNOWN if one != one else colour for one, colour in zip(scores, ramp, strict=True)]
    left_out, score_title = len(order) - len(shown), tr_noop("Held-out score")
    if np.isnan(scores).any():
        score_title = tr_noop("Held-out score (grey: none)")
    changed = _changed(_opened)
    by_score, by_label = (features(shapes, facts, colours=one, most=len(shapes) or 1)[0] for one in (ramp, colours))
    return (
        Outlines(
            "scores", tr_noop("Held-out score"), by_score, NOT_KNOWN, visible=False, fill=1.0, weight=0.5,
            hides=("labels",), selectable=True, marked=False,
            legend=ramp_legend(score_title, PROBABILITY_RAMP, "0", "0.5", "1"), left_out=left_out,
        ),
        Outlines(
            "labels", tr_noop("Labelled rows"), by_label, NOT_KNOWN, selectable=True,
            legend=_legend(are_points=are_points), fill=0.25, weight=2.0, seam=on_image,
            left_out=left_out,
        ),
        *([changed] if changed else []),
    )  # fmt: skip


def _changed(opened: OpenedLabels) -> Outlines | None:
    """Outlines of units that a reviewer made, changed or deleted, over the units; None where there are none."""
    import geopandas
    import numpy as np

    from core.plots.colours import NOT_KNOWN, OUTLINE_CHANGED, Legend, LegendEntry
    from core.serve.coordinates import features

    found = placed(opened.run.id, opened)
    changed = [one for one in opened.review.features.values() if one.origin != "model" and one.is_polygon]
    gone = [one for one in opened.review.deleted.values() if one.is_polygon]
    if found is None or not (changed or gone):
        return None
    everything = [*changed, *gone]
    places = np.array(_places(opened, everything), object)
    table = geopandas.GeoDataFrame({"id": [one.id for one in everything]}, geometry=places, crs=found[0].crs)
    colours = [OUTLINE_CHANGED] * len(changed) + [NOT_KNOWN] * len(gone)
    entries = [
        LegendEntry(colour, words, "dashed")
        for colour, words, units in (
            (OUTLINE_CHANGED, tr_noop("outline changed or drawn"), changed), (NOT_KNOWN, tr_noop("deleted"), gone),
        )
        if units
    ]  # fmt: skip
    told, _ = features(table, {}, colours=colours, most=len(table))
    return Outlines(
        "changed", tr_noop("Changed and deleted units"), told, OUTLINE_CHANGED, dashed=True, fill=0.0, weight=1.8,
        legend=Legend(tr_noop("Units"), tuple(entries)),
    )  # fmt: skip


def _marks(
    opened: OpenedLabels, table: DataFrame, places: NDArray[np.object_]
) -> tuple[GeoDataFrame, bool]:
    """Some rows with their outlines, or marks of points, large ones for landslides; and whether all are points."""
    import geopandas
    import numpy as np
    import shapely

    found = placed(opened.run.id, opened)
    assert found is not None  # noqa: S101  callers looked
    left, bottom, right, top = found[1].bounds
    slides = table["landslide"].fillna(value=False).to_numpy(bool)
    reach = max(right - left, top - bottom) / np.where(slides, LARGE, SMALL)
    points = shapely.get_dimensions(places) == 0
    marks = np.where(points, shapely.buffer(places, reach, quad_segs=1), places)  # diamonds
    return geopandas.GeoDataFrame({"id": table["id"].to_numpy()}, geometry=marks, crs=found[0].crs), bool(points.all())


def _legend(*, are_points: bool) -> Legend:
    from core.plots.colours import NO_LANDSLIDE, REFERENCE, Legend, LegendEntry
    from core.review.labels import COLOURS, JUDGED, STATUSES

    entries = (
        LegendEntry(REFERENCE, tr_noop("labelled: landslide"), "line"),
        LegendEntry(NO_LANDSLIDE, tr_noop("labelled: no landslide"), "line"),
        *(LegendEntry(COLOURS[name], STATUSES[name], "line") for name in JUDGED),
    )
    return Legend(tr_noop("Labels (large marks: landslide)") if are_points else tr_noop("Labels"), entries)
