"""The one map of the app.

The script of a scene's map is constant, because whatever changes it makes the browser build the map anew and
lose pan, zoom and drawings. Everything that a widget can change goes to the running map as one update, which
``static/map.js`` compares with what it shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from ui.map_layers import Outlines, Tiles, script_json, street_map
from ui.resources import base_path
from ui.state import Slot

if TYPE_CHECKING:
    from core.raster.grid import Grid

STATIC = Path(__file__).parent / "static"
PIXEL_LOWEST_ZOOM = -8
DRAW_STYLE = {"color": "#ffffff", "weight": 3, "opacity": 1, "dashArray": "8 6", "fillOpacity": 0.05}

RETURNED = ("last_clicked", "last_object_clicked", "last_active_drawing", "all_drawings")
"""What the map tells the page."""

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
class DynamicLayers:
    """What the map shows now; any of it may change without the map being built anew.

    Parameters
    ----------
    tiles
        Rasters, from bottom to top.
    outlines
        Polygons above them, from bottom to top.
    selected
        Id of the polygon to highlight.
    marker
        Point to mark, x and y in the scene's CRS, or column and row in pixel space.
    focus
        Extent to move to when it changes: left, bottom, right, top in the scene's CRS; in pixel space the
        least and greatest column and row: left, least row, right, greatest row.
    """

    tiles: tuple[Tiles, ...] = ()
    outlines: tuple[Outlines, ...] = ()
    selected: int | None = None
    marker: Point | None = None
    focus: tuple[float, float, float, float] | None = None


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
    selected: int | None = None
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
    from core.serve.coordinates import flip_pixels

    known = drawn_on(spec, key=key)
    shown = known if known is None or spec.grid.is_georeferenced else flip_pixels(known)
    background = (street_map(),) if spec.online and spec.grid.is_georeferenced else ()
    value = _show(
        _written(spec, spec.drawable, base_path()),
        _update(spec, layers, [tile.to_script() for tile in background + layers.tiles], drawn=shown),
        key=key,
        height=height,
        around=around,
    )
    _keep_drawing(spec, key, value)
    return _event(spec, value, drawn_on(spec, key=key))


def drawn_on(spec: MapSpec, *, key: str) -> dict[str, Any] | None:
    """What is drawn on a map, as the browser told last, also before the map is shown in this run of the page.

    Whoever draws and at once presses a button is heard with both: the page then acts before it comes to the map.

    Parameters
    ----------
    spec, key
        As given to `show_map`; the key belongs to this scene's map alone.

    Returns
    -------
    dict or None
        As `MapEvent.drawn`.
    """
    # st_folium keeps under this key what the map told since it was built.
    _keep_drawing(spec, key, cast("Mapping[str, Any]", st.session_state.get(key) or {}))
    return _drawing(spec, key).get()


def _drawing(spec: MapSpec, key: str) -> Slot[dict[str, Any] | None]:
    return Slot(f"{key}-drawn-{spec.key}", None)


def _keep_drawing(spec: MapSpec, key: str, value: Mapping[str, Any]) -> None:
    from core.serve.coordinates import drawn_area

    # None means that nothing was drawn since the map was built, not that the drawing was removed.
    if value.get("all_drawings") is not None:
        _drawing(spec, key).put(drawn_area(spec.grid, value["all_drawings"]))


def show_swipe(
    spec: MapSpec,
    left: Tiles,
    right: Tiles,
    *,
    key: str,
    height: int = 620,
    around: str = "14rem",
    over: tuple[Outlines, ...] = (),
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
    """
    sides = {"left": left, "right": right}
    tiles = [
        tile.to_script() | {"id": f"{side}-{tile.id}", "pane": f"swipe-{side}", "opacity": 1.0}
        for side, tile in sides.items()
    ]
    names = {side: tile.name for side, tile in sides.items()}
    update = _update(spec, DynamicLayers(outlines=over), tiles, swipe=names)
    _show(_written(spec, False, base_path()), update, key=key, height=height, around=around)


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
    tiles: list[dict[str, Any]],
    drawn: Mapping[str, Any] | None = None,
    swipe: Mapping[str, str] | None = None,
) -> str:
    """What the map shows now, as JSON; polygons come as text that is written once."""
    from core.serve.coordinates import to_map

    focus = None
    if layers.focus is not None:
        left, bottom, right, top = layers.focus
        focus = [to_map(spec.grid, left, bottom), to_map(spec.grid, right, top)]
    content = {
        "dark": st.context.theme.type == "dark",
        "tiles": tiles,
        "selected": layers.selected,
        "marker": None if layers.marker is None else to_map(spec.grid, *layers.marker),
        "focus": focus,
        "drawn": drawn,
        "swipe": swipe,
    }
    vectors = ",".join(outlines.script for outlines in layers.outlines)
    return f'{{"vectors":[{vectors}],{script_json(content)[1:]}'


@dataclass(frozen=True)
class _Written:
    """A map as `st_folium` sends it to the browser: everything that stays while a scene is on it.

    Attributes
    ----------
    script, header, html, identity, css_links, js_links
        What the component takes of these names; the identity is its ``id``.
    before, after
        What stands before and after the script of an update.
    """

    script: str
    header: str
    html: str
    identity: str
    css_links: tuple[str, ...]
    js_links: tuple[str, ...]
    before: str
    after: str


@lru_cache(maxsize=64)
def _written(spec: MapSpec, drawable: bool, base: str) -> _Written:
    """Write the map of a scene; once, because folium compiles and fills two dozen templates each time.

    Parameters
    ----------
    spec, drawable
        The scene's map.
    base
        Path of the app on its origin, which stands in the addresses of the map's scripts.
    """
    del base  # part of the key
    import folium
    import streamlit_folium

    drawn = _base_map(spec, drawable=drawable)
    drawn.get_root().render()
    html, header = streamlit_folium._get_html(drawn), streamlit_folium._get_header(drawn)
    script, identity = streamlit_folium._get_map_string(drawn), streamlit_folium.get_full_id(drawn)
    elements = [drawn, *drawn._children.values()]
    links = {
        kind: tuple(dict.fromkeys(address for part in elements for _, address in getattr(part, kind, ())))
        for kind in ("default_css", "default_js")
    }
    group, place = folium.FeatureGroup(name="update", control=False), "/* update */"
    group.add_child(_script(place))
    before, after = streamlit_folium._get_feature_group_string(group, map=drawn).split(place)
    return _Written(
        script, header, html, identity, links["default_css"], links["default_js"], before, after,
    )  # fmt: skip


def _show(base: _Written, update: str, *, key: str, height: int, around: str) -> Mapping[str, Any]:
    frame = f"map-{key}"
    with st.container(key=frame):
        # The window's height is known to the browser only.
        room = f"clamp(380px, calc(100vh - {around}), 1000px)"
        st.html(f"<style>.st-key-{frame} iframe {{ height: {room}; }}</style>")
        value = _component(base, f"{base.before}slidelens.update({update});{base.after}", key=key, height=height)
    return cast("Mapping[str, Any]", value or {})


def _component(base: _Written, update: str, *, key: str, height: int) -> object:
    """Do as ``st_folium`` does, which would render the map anew, with one that is written already."""
    import streamlit_folium

    identity = streamlit_folium.generate_js_hash(base.script, key)

    def keep() -> None:
        st.session_state[key] = st.session_state.get(identity, {})

    return streamlit_folium._component_func(
        script=base.script, header=base.header, html=base.html, id=base.identity, key=identity, height=height,
        width=None, returned_objects=list(RETURNED), default=dict.fromkeys(RETURNED), zoom=None, center=None,
        feature_group=update, return_on_hover=False, layer_control=None, pixelated=False,
        css_links=list(base.css_links), js_links=list(base.js_links), on_change=keep, wrap_longitude=False,
    )  # fmt: skip


def _base_map(spec: MapSpec, *, drawable: bool) -> Any:  # noqa: ANN401 - folium has no types
    """Everything that stays while a scene is on the map."""
    import leafmap.foliumap as leafmap
    from folium.plugins import Draw, Fullscreen

    from core.serve.coordinates import map_bounds, native_zoom

    georeferenced = spec.grid.is_georeferenced
    (south, west), (north, east) = bounds = map_bounds(spec.grid)
    native = native_zoom(spec.grid)
    base = leafmap.Map(
        tiles=None,
        crs="EPSG3857" if georeferenced else "Simple",
        location=[(south + north) / 2, (west + east) / 2],
        zoom_start=native if georeferenced else 0,
        scale_control=False,
        fullscreen_control=False,
        layers_control=False,
    )
    Fullscreen(force_separate_button=True).add_to(base)
    if drawable:
        shapes = {
            "shapeOptions": DRAW_STYLE,
            "showArea": False,
            "showLength": False,
            "allowIntersection": False,
        }
        others = dict.fromkeys(("polyline", "circle", "circlemarker", "marker"), False)
        Draw(
            show_geometry_on_click=False, draw_options={"polygon": shapes, "rectangle": shapes, **others}
        ).add_to(base)
    settings = {
        "key": spec.key,
        "bounds": bounds,
        "nativeZoom": native,
        "minZoom": 0 if georeferenced else PIXEL_LOWEST_ZOOM,
        "maxZoom": native + 5,
        "scale": georeferenced,
        "drawStyle": DRAW_STYLE,
        "css": _static("map.css"),
    }
    base.add_child(_script(f"{_static('map.js')}\nslidelens.start(map_div, {script_json(settings)});"))
    _serve_locally(base)
    return base


def _serve_locally(base: Any) -> None:  # noqa: ANN401
    """Load from our own origin what the map needs, and drop what folium loads but nothing on this map uses.

    Icons, pop-ups and their libraries (jQuery, Bootstrap, Font Awesome) are not used: the map draws circles
    and outlines and writes its own tooltips. Without installed assets the addresses folium knows stay.
    """
    from core.serve.assets import LINKS, installed

    ours = installed()
    for element in [base, *base._children.values()]:
        for kind in ("default_js", "default_css"):
            links = getattr(element, kind, None)
            if not links:
                continue
            used = [(name, address) for name, address in links if name in LINKS]
            if ours:
                used = [(name, f"{base_path()}/assets/{LINKS[name]}") for name, _ in used]
            setattr(element, kind, used)


def _script(code: str) -> Any:  # noqa: ANN401
    """Make an element of folium that is nothing but script."""
    from branca.element import MacroElement
    from folium.template import Template

    class Script(MacroElement):
        _template = Template("{% macro script(this, kwargs) %}{{ this.code }}{% endmacro %}")

    element = Script()
    element._name = "Script"
    element.code = code
    return element


@lru_cache(maxsize=4)
def _static(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")
