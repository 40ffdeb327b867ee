"""The one map of the app.

The script of a scene's map is constant, because whatever changes it makes the browser build the map anew and
lose pan, zoom and drawings. Everything that a widget can change goes to the running map as one update, which
``static/map.js`` compares with what it shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from ui.map_drawing import Replaced, asked_visible, drawn_on, keep_drawing, replaced_drawing
from ui.map_layers import Outlines, Tiles, script_json, street_map
from ui.map_script import WrittenMap, component, written
from ui.map_words import translated
from ui.messages import language
from ui.resources import base_path

if TYPE_CHECKING:
    from core.raster.grid import Grid

Point = tuple[float, float]


@dataclass(frozen=True)
class MapSpec:
    """What makes a map the map of one scene; a change of it builds the map anew.

    Parameters
    ----------
    key
        Name of the scene for the browser, such as its id: view, opacities and ticks are remembered under it.
    grid
        The scene's grid. Without a coordinate system the map is in pixel space.
    drawable
        Whether an area can be drawn.
    online
        Whether a street map from outside is offered, unticked.
    """

    key: str
    grid: Grid
    drawable: bool = True
    online: bool = True


@dataclass(frozen=True)
class Caption:
    """What a picture of a map says beside it.

    Parameters
    ----------
    title
        What is seen, such as the name of the scene.
    about
        The run that it shows: its model, id and date.
    credits
        Where the data come from.
    """

    title: str = ""
    about: str = ""
    credits: tuple[str, ...] = ()


@dataclass(frozen=True)
class DynamicLayers:
    """What the map shows now; any of it may change without the map being built anew.

    Parameters
    ----------
    tiles
        Rasters, from bottom to top.
    outlines
        Polygons above them, from bottom to top.
    selected
        Ids of the polygons to highlight.
    marker
        Point to mark, x and y in the scene's CRS, or column and row in pixel space.
    focus
        Extent to move to when it changes: left, bottom, right, top in the scene's CRS; in pixel space the
        least and greatest column and row: left, least row, right, greatest row.
    caption
        What a picture of the map says.
    arrival
        Names an arrival by an address: the map moves to `focus` once for each, even where it was left elsewhere.
    """

    tiles: tuple[Tiles, ...] = ()
    outlines: tuple[Outlines, ...] = ()
    selected: tuple[str | int, ...] = ()
    marker: Point | None = None
    focus: tuple[float, float, float, float] | None = None
    caption: Caption = Caption()
    arrival: str = ""


@dataclass(frozen=True)
class MapEvent:
    """What the visitor did on the map.

    Parameters
    ----------
    clicked
        Last click: x and y in the scene's CRS, or column and row in pixel space, as `Grid.rowcol` takes them.
    selected
        Id of the polygon under that click.
    drawn
        Drawn area as GeoJSON Polygon or MultiPolygon, in EPSG:4326 or in pixel space (x column, y row).
    """

    clicked: Point | None = None
    selected: str | int | None = None
    drawn: Mapping[str, Any] | None = None


def show_map(
    spec: MapSpec, layers: DynamicLayers, *, key: str, height: int = 620, around: str = "14rem"
) -> MapEvent:
    """Show the map of a scene and tell what the visitor did on it.

    Parameters
    ----------
    spec
        The scene's map.
    layers
        What it shows now.
    key
        Key of the widget on the page.
    height
        Height in pixels where the window's height is not known; else the map takes what the window offers.
    around
        What the page needs of the window's height above and below the map, in CSS.
    """
    from core.serve.coordinates import drawing_on_map
    from core.serve.placing import map_of

    known = drawn_on(spec, key=key)
    shown = None if known is None else drawing_on_map(spec.grid, known)
    background = (street_map(),) if spec.online and map_of(spec.grid) == "globe" else ()
    given = replaced_drawing(spec, key).get()
    put = None if given.drawing is None else drawing_on_map(spec.grid, given.drawing)
    value = _show(
        written(spec, spec.drawable, base_path(), language()),
        _update(
            spec, layers, background + layers.tiles, drawn=shown, replaced=Replaced(given.number, put),
            visible=asked_visible(spec, key).get(),
        ),
        key=key,
        height=height,
        around=around,
    )
    keep_drawing(spec, key, value)
    return _event(spec, value, drawn_on(spec, key=key))


def told_by(spec: MapSpec, *, key: str) -> MapEvent:
    """What the visitor did on a map, as the browser told last, also before the map is shown in this run of the page.

    Parameters
    ----------
    spec, key
        As given to `show_map`.
    """
    value = cast("Mapping[str, Any]", st.session_state.get(key) or {})
    return _event(spec, value, drawn_on(spec, key=key))


def show_swipe(
    spec: MapSpec,
    left: Tiles,
    right: Tiles,
    *,
    key: str,
    height: int = 620,
    around: str = "14rem",
    over: tuple[Outlines, ...] = (),
    caption: Caption | None = None,
) -> None:
    """Show two rasters on both sides of a divider that can be moved.

    Parameters
    ----------
    spec
        The scene's map; nothing is drawn on this one.
    left, right
        The rasters; their names stand at the sides.
    key
        Key of the widget on the page.
    height, around
        As of `show_map`.
    over
        Polygons above both.
    caption
        What a picture of the map says.
    """
    sides = {"left": left, "right": right}
    tiles = tuple(replace(tile, id=f"{side}-{tile.id}", opacity=1.0, visible=True) for side, tile in sides.items())
    names = {side: tile.name for side, tile in sides.items()}
    update = _update(spec, DynamicLayers(outlines=over, caption=caption or Caption()), tiles, swipe=names)
    _show(written(spec, False, base_path(), language()), update, key=key, height=height, around=around)


def _event(spec: MapSpec, value: Mapping[str, Any], drawn: Mapping[str, Any] | None) -> MapEvent:
    from core.serve.coordinates import from_map

    click = value.get("last_clicked")
    if not click:
        return MapEvent(drawn=drawn)
    clicked = from_map(spec.grid, click["lat"], click["lng"])
    on_polygon = value.get("last_object_clicked") == click
    properties = (value.get("last_active_drawing") or {}).get("properties") or {}
    return MapEvent(clicked, properties.get("id") if on_polygon else None, drawn)


def _update(
    spec: MapSpec,
    layers: DynamicLayers,
    tiles: tuple[Tiles, ...],
    drawn: Mapping[str, Any] | None = None,
    swipe: Mapping[str, str] | None = None,
    replaced: Replaced | None = None,
    visible: int = 0,
) -> str:
    """What the map shows now, as JSON; polygons come as text that is written once."""
    from core.serve.coordinates import to_map

    focus, replaced = None, replaced or Replaced()
    if layers.focus is not None:
        left, bottom, right, top = layers.focus
        focus = [to_map(spec.grid, left, bottom), to_map(spec.grid, right, top)]
    sides = list(swipe or ())
    panes = [{"pane": f"swipe-{side}"} for side in sides] or [{}] * len(tiles)
    content = {
        "dark": st.context.theme.type == "dark",
        "tiles": [tile.to_script() | pane for tile, pane in zip(tiles, panes, strict=True)],
        "selected": list(layers.selected),
        "marker": None if layers.marker is None else to_map(spec.grid, *layers.marker),
        "focus": focus,
        "arrival": layers.arrival,
        "drawn": drawn,
        "replaced": {"number": replaced.number, "drawing": replaced.drawing},
        "visible": visible,
        "swipe": swipe,
    }
    placed = [_placed(spec.grid, outlines) for outlines in layers.outlines]
    picture = {
        "address": _picture(spec, layers, tiles, sides, placed, drawn, script_json(content)),
        "tiles": [tile.id for tile in tiles],
        "vectors": [outlines.id for outlines in layers.outlines],
    }
    vectors = ",".join(outlines.script for outlines in placed)
    words = script_json(translated(_texts(layers, tiles)))
    return f'{{"vectors":[{vectors}],"words":{words},"picture":{script_json(picture)},{script_json(content)[1:]}'


def _texts(layers: DynamicLayers, tiles: tuple[Tiles, ...]) -> Iterator[str]:
    """What the layers of a map are called and say."""
    for tile in tiles:
        yield from tile.texts
    for outlines in layers.outlines:
        yield from outlines.texts



def _picture(
    spec: MapSpec,
    layers: DynamicLayers,
    tiles: tuple[Tiles, ...],
    sides: list[str],
    outlines: list[Outlines],
    drawn: Mapping[str, Any] | None,
    text: str,
) -> str:
    """Address of a picture of the map, for which the server keeps what is on it."""
    from core.serve.layers import Layer
    from core.serve.shown import Raster, ShownMap, remember

    rasters = tuple(
        Raster(tile.id, tile.name, Layer.at(tile.url), tile.legend, side)
        for tile, side in zip(tiles, sides or [""] * len(tiles), strict=True)
    )
    scripts, says = tuple(one.script for one in outlines), layers.caption
    shown = ShownMap(spec.grid, rasters, scripts, drawn, says.title, says.about, says.credits, layers.selected)
    return f"{base_path()}/maps/{remember(shown, text)}.png"


def _placed(grid: Grid, outlines: Outlines) -> Outlines:
    """Polygons as they lie on the map of a grid."""
    from core.serve.coordinates import is_as_it_is, on_map

    return outlines if is_as_it_is(grid) else replace(outlines, features=on_map(grid, outlines.features))


def _show(base: WrittenMap, update: str, *, key: str, height: int, around: str) -> Mapping[str, Any]:
    frame = f"map-{key}"
    with st.container(key=frame):
        # The window's height is known to the browser only.
        room = f"clamp(380px, calc(100vh - {around}), 1000px)"
        st.html(f"<style>.st-key-{frame} iframe {{ height: {room}; }}</style>")
        value = component(base, f"{base.before}slidelens.update({update});{base.after}", key=key, height=height)
    return cast("Mapping[str, Any]", value or {})
