"""The script of a scene's map, which is constant: built and rendered once, its text kept.

`streamlit_folium.st_folium` renders a map at every rerun of a page. Here its parts are called apart, so that only the
update of the map is written anew; `tests/browser/test_map.py` says whether they still fit together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.map_layers import script_json
from ui.map_words import FULL_SCREEN, script_words
from ui.messages import tr
from ui.resources import base_path

if TYPE_CHECKING:
    from ui.maps import MapSpec

STATIC = Path(__file__).parent / "static"
MODULES = ("tools", "beside")
"""Further scripts of the map, each of which makes a module of it: ``window.slidelensTools`` of ``tools.js``."""

PLANE_ZOOMS = 8
"""Zooms of a plane below that at which every pixel is shown."""

DRAW_STYLE = {"color": "#ffffff", "weight": 3, "opacity": 1, "dashArray": "8 6", "fillOpacity": 0.05}

RETURNED = ("last_clicked", "last_object_clicked", "last_active_drawing", "all_drawings")
"""What the map tells the page."""


@dataclass(frozen=True)
class WrittenMap:
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
def written(spec: MapSpec, drawable: bool, base: str, spoken: str) -> WrittenMap:
    """Write the map of a scene; once, because folium compiles and fills two dozen templates each time.

    Parameters
    ----------
    spec, drawable
        The scene's map.
    base
        Path of the app on its origin, which stands in the addresses of the map's scripts.
    spoken
        Code of the visitor's language, in which its tools are.
    """
    del base, spoken  # parts of the key
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
    return WrittenMap(
        script, header, html, identity, links["default_css"], links["default_js"], before, after,
    )  # fmt: skip


def component(base: WrittenMap, update: str, *, key: str, height: int) -> object:
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
    from core.serve.placing import map_of
    from core.serve.pointer import pointer

    kind = map_of(spec.grid)
    globe = kind == "globe"
    (south, west), (north, east) = bounds = map_bounds(spec.grid)
    native = native_zoom(spec.grid)
    base = leafmap.Map(
        tiles=None,
        crs="EPSG3857" if globe else "Simple",
        location=[(south + north) / 2, (west + east) / 2],
        zoom_start=native,
        scale_control=False,
        fullscreen_control=False,
        layers_control=False,
    )
    enter, leave = (tr(text) for text in FULL_SCREEN)
    Fullscreen(title=enter, title_cancel=leave, force_separate_button=True).add_to(base)
    known = pointer(spec.grid)
    learnt = script_json(script_words(str(known.get("note", ""))))
    # Before the tools to draw, which take their words when they are made.
    base.add_child(_script(f"{_static('words.js')}\nslidelensWords.learn({learnt});"))
    if drawable:
        shapes = {
            "shapeOptions": DRAW_STYLE,
            "showArea": False,
            "showLength": False,
            "allowIntersection": False,
        }
        base.add_child(_script("slidelensWords.translate(L.drawLocal);"))
        others = dict.fromkeys(("polyline", "circle", "circlemarker", "marker"), False)
        Draw(
            show_geometry_on_click=False, draw_options={"polygon": shapes, "rectangle": shapes, **others}
        ).add_to(base)
    settings = {
        "key": spec.key,
        "bounds": bounds,
        "nativeZoom": native,
        "minZoom": 0 if globe else native - PLANE_ZOOMS,
        "maxZoom": native + 5,
        "kind": kind,
        "across": east > 180.0,
        "pointer": known,
        "drawStyle": DRAW_STYLE,
        "css": _static("map.css"),
    }
    code = "\n".join(_static(f"{name}.js") for name in ("places", "map", *MODULES))
    parts = ", ".join(f"slidelens{name.capitalize()}" for name in MODULES)
    base.add_child(_script(f"{code}\nslidelens.start(map_div, {script_json(settings)}, [{parts}]);"))
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


@lru_cache(maxsize=8)
def _static(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")
