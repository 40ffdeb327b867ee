"""How desktop GIS programs show the shapes that are taken away: QGIS's own style (QML), and SLD for the others."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from core.plots.colours import FOUND, MISSED, REFERENCE, rgb
from core.raster.geopackage import LayerStyle

POLYGON, POINT = "fill", "marker"

BEYOND = 1e9
"""End of a range that has none."""

_SLD = (
    '<StyledLayerDescriptor xmlns="http://www.opengis.net/sld" xmlns:ogc="http://www.opengis.net/ogc" '
    'xmlns:se="http://www.opengis.net/se" version="1.1.0"><NamedLayer><se:Name>{name}</se:Name><UserStyle>'
    "<se:Name>{name}</se:Name><se:FeatureTypeStyle>{rules}</se:FeatureTypeStyle></UserStyle></NamedLayer>"
    "</StyledLayerDescriptor>"
)


def class_table(*colours: str) -> dict[int, tuple[int, int, int, int]]:
    """Colour table of a raster of classes: 0 is clear, and 1 and the following have the given colours."""
    return {0: (255, 255, 255, 0), **{value: (*rgb(one), 255) for value, one in enumerate(colours, start=1)}}


def found_style(name: str, *, filled: bool = True) -> LayerStyle:
    """Style of landslides that were found: vermillion, pale inside unless it is a box."""
    return plain_style(name, FOUND, opacity=0.25 if filled else 0.0)


def missed_style(name: str) -> LayerStyle:
    """Style of landslides of the reference that were missed."""
    return plain_style(name, MISSED)


def reference_style(name: str, *, points: bool = False) -> LayerStyle:
    """Style of landslides of a reference or an inventory."""
    return plain_style(name, REFERENCE, points=points)


def plain_style(name: str, colour: str, *, opacity: float = 0.25, points: bool = False) -> LayerStyle:
    """One colour for all shapes.

    Parameters
    ----------
    name
        Of the style, and in the legend.
    colour
        ``#RRGGBB``.
    opacity
        Of the inside of polygons, 0 to 1; points are filled whole.
    points
        Whether the shapes are points.
    """
    symbol = _qml_symbol("0", colour, opacity, points=points)
    renderer = f'<renderer-v2 type="singleSymbol" symbollevels="0"><symbols>{symbol}</symbols></renderer-v2>'
    rule = f"<se:Rule><se:Name>{escape(name)}</se:Name>{_sld_symbol(colour, opacity, points=points)}</se:Rule>"
    return _style(name, renderer, rule, points=points)


def category_style(
    name: str, column: str, colours: Mapping[str, str], *, opacity: float = 0.6, points: bool = False,
    labels: Mapping[str, str] | None = None,
) -> LayerStyle:  # fmt: skip
    """A colour for each value of a column of texts.

    Parameters
    ----------
    colours
        ``#RRGGBB`` by value, in the order of the legend.
    labels
        What values are called in the legend; a value of no other name by itself.
    """
    named = {value: escape((labels or {}).get(value, value)) for value in colours}
    rows = list(colours.items())
    categories = "".join(
        f'<category render="true" symbol="{number}" type="string" value="{escape(value)}" label="{named[value]}"/>'
        for number, (value, _) in enumerate(rows)
    )
    symbols = "".join(
        _qml_symbol(str(number), colour, opacity, points=points) for number, (_, colour) in enumerate(rows)
    )
    renderer = (
        f'<renderer-v2 type="categorizedSymbol" attr="{escape(column)}" symbollevels="0">'
        f"<categories>{categories}</categories><symbols>{symbols}</symbols></renderer-v2>"
    )
    rules = "".join(
        f"<se:Rule><se:Name>{named[value]}</se:Name><ogc:Filter><ogc:PropertyIsEqualTo><ogc:PropertyName>"
        f"{escape(column)}</ogc:PropertyName><ogc:Literal>{escape(value)}</ogc:Literal></ogc:PropertyIsEqualTo>"
        f"</ogc:Filter>{_sld_symbol(colour, opacity, points=points)}</se:Rule>"
        for value, colour in rows
    )
    return _style(name, renderer, rules, points=points)


def range_style(name: str, column: str, ranges: list[tuple[float, float, str]]) -> LayerStyle:
    """Points whose colour says in which range a number of theirs lies.

    Parameters
    ----------
    ranges
        Lowest and highest value and ``#RRGGBB`` of each, ascending; a value belongs to the first range that holds it.
        The first begins at −`BEYOND` and the last ends at it.
    """
    told = "".join(
        f'<range render="true" symbol="{number}" lower="{low!r}" upper="{high!r}" label="{_between(low, high)}"/>'
        for number, (low, high, _) in enumerate(ranges)
    )
    symbols = "".join(
        _qml_symbol(str(number), colour, 1.0, points=True) for number, (*_, colour) in enumerate(ranges)
    )
    renderer = (
        f'<renderer-v2 type="graduatedSymbol" attr="{escape(column)}" graduatedMethod="GraduatedColor" '
        f'symbollevels="0"><ranges>{told}</ranges><symbols>{symbols}</symbols></renderer-v2>'
    )
    rules = "".join(
        f"<se:Rule><se:Name>{_between(low, high)}</se:Name><ogc:Filter><ogc:PropertyIsBetween><ogc:PropertyName>"
        f"{escape(column)}</ogc:PropertyName><ogc:LowerBoundary><ogc:Literal>{low!r}</ogc:Literal></ogc:LowerBoundary>"
        f"<ogc:UpperBoundary><ogc:Literal>{high!r}</ogc:Literal></ogc:UpperBoundary></ogc:PropertyIsBetween>"
        f"</ogc:Filter>{_sld_symbol(colour, 1.0, points=True)}</se:Rule>"
        for low, high, colour in ranges
    )
    return _style(name, renderer, rules, points=True)


def _between(low: float, high: float) -> str:
    if low <= -BEYOND:
        return f"below {high:.3g}"
    return f"above {low:.3g}" if high >= BEYOND else f"{low:.3g} to {high:.3g}"


def _style(name: str, renderer: str, rules: str, *, points: bool) -> LayerStyle:
    qml = (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        f'<qgis version="3.28.0" styleCategories="Symbology">{renderer}'
        f"<layerGeometryType>{0 if points else 2}</layerGeometryType></qgis>"
    )
    return LayerStyle(name, qml, _SLD.format(name=escape(name), rules=rules))


def _qml_symbol(name: str, colour: str, opacity: float, *, points: bool) -> str:
    red, green, blue = rgb(colour)
    inside = f"{red},{green},{blue},{round(255 * (1.0 if points else opacity))}"
    line = f"{red},{green},{blue},255"
    kind, layer = (POINT, "SimpleMarker") if points else (POLYGON, "SimpleFill")
    options = {"color": inside, "outline_color": "35,35,35,255" if points else line, "outline_style": "solid",
               "outline_width": "0.2" if points else "0.5", "outline_width_unit": "MM"}  # fmt: skip
    options |= {"name": "circle", "size": "2", "size_unit": "MM"} if points else {"style": "solid"}
    told = "".join(f'<Option type="QString" name="{key}" value="{value}"/>' for key, value in options.items())
    return (
        f'<symbol type="{kind}" name="{name}" alpha="1" clip_to_extent="1" force_rhr="0">'
        f'<layer class="{layer}" enabled="1" locked="0" pass="0"><Option type="Map">{told}</Option></layer></symbol>'
    )


def _sld_symbol(colour: str, opacity: float, *, points: bool) -> str:
    def told(name: str, value: object) -> str:
        return f'<se:SvgParameter name="{name}">{value}</se:SvgParameter>'

    fill = f"<se:Fill>{told('fill', colour)}{told('fill-opacity', 1 if points else opacity)}</se:Fill>"
    stroke = f"<se:Stroke>{told('stroke', '#232323' if points else colour)}{told('stroke-width', 0.5 if points else 2)}"
    if points:
        mark = f"<se:Mark><se:WellKnownName>circle</se:WellKnownName>{fill}{stroke}</se:Stroke></se:Mark>"
        return f"<se:PointSymbolizer><se:Graphic>{mark}<se:Size>7</se:Size></se:Graphic></se:PointSymbolizer>"
    return f"<se:PolygonSymbolizer>{fill}{stroke}</se:Stroke></se:PolygonSymbolizer>"
