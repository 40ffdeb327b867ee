"""Shapes as KML, for Google Earth and mobile apps: each with a name, and a balloon of a few lines that people read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import GridError
from core.raster.features import on_the_globe
from core.raster.fields import Field, field_of, figure
from core.raster.files import one_line
from core.raster.write import atomic_path

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

BALLOON = "<b>$[name]</b><br/>$[description]"
"""What a viewer shows of a shape that is clicked: without it some add a table of all fields."""

NAME = "id"
"""Column that names the shapes."""


def write_kml(
    features: GeoDataFrame, path: Path, title: str, colour: str | Mapping[str, str], about: str = "", by: str = "",
    fields: Mapping[str, Field] | None = None,
) -> None:  # fmt: skip
    """Write polygons as KML in WGS 84, each with its name, what people want to know of it, and its fields.

    Parameters
    ----------
    features
        Polygons with a column ``id``; cut at 180° of longitude.
    title, about
        Name of the document, and what it is of.
    colour
        ``#RRGGBB``; with `by` one for each value of that column.
    by
        Column by which the polygons are coloured; none where all have one colour.
    fields
        As `own` of `core.raster.fields.field_of`.

    Raises
    ------
    GridError
        When they have no coordinate system: KML is in longitude and latitude.
    StorageError
        When the disk does not take it.
    """
    if features.crs is None:
        raise GridError(
            f"{path.name} cannot be written.",
            "KML requires longitude and latitude, and these shapes have no geographic coordinates.",
            "Use the GeoPackage, which is in pixels.",
        )  # fmt: skip
    colours = colour if isinstance(colour, Mapping) else {"found": colour}
    with atomic_path(path) as aside, aside.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(_kml(on_the_globe(features), title, colours, about, by, fields))


def _kml(
    frame: GeoDataFrame, title: str, colours: Mapping[str, str], about: str, by: str, own: Mapping[str, Field] | None
) -> Iterator[str]:
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">\n<Document>\n'
        f"<name>{_xml(title)}</name>\n<description>{_xml(escape(about))}</description>\n"
    )
    for value, colour in colours.items():
        line = f"{colour[5:7]}{colour[3:5]}{colour[1:3]}".lower()  # blue, green, red
        yield (
            f'<Style id="{value}"><LineStyle><color>ff{line}</color><width>2</width></LineStyle>'
            f"<PolyStyle><color>40{line}</color></PolyStyle>"
            f"<BalloonStyle><text>{_xml(BALLOON)}</text></BalloonStyle></Style>\n"
        )
    names = [str(name) for name in frame.columns if name != frame.geometry.name]
    known = {name: field_of(name, own) for name in names}
    lines = sorted((name for name in names if name != NAME and known[name].balloon), key=lambda n: known[n].balloon)
    heads = {name: f'<Data name="{_xml(name)}"><displayName>{_xml(known[name].named)}</displayName>' for name in names}
    for row, shape in zip(frame[names].to_dict("records"), frame.geometry, strict=True):
        told = {name: known[name].shown(row[name]) for name in lines}
        # What a viewer shows as HTML is escaped for it first, and then for the file.
        shown = "<br/>".join(f"{escape(known[name].title)}: {escape(text)}" for name, text in told.items() if text)
        raw = {name: figure(row[name]) for name in names}
        data = "".join(f"{heads[name]}<value>{_xml(text)}</value></Data>" for name, text in raw.items() if text)
        style = row[by] if by else "found"
        yield (
            f"<Placemark><name>{_xml(raw.get(NAME, ''))}</name><description>{_xml(shown)}</description>"
            f"<styleUrl>#{style}</styleUrl><ExtendedData>{data}</ExtendedData>{_geometry(shape)}</Placemark>\n"
        )
    yield "</Document>\n</kml>\n"


def _xml(text: str) -> str:
    return escape(one_line(text))


def _geometry(shape: Any) -> str:  # noqa: ANN401  any polygon
    parts = list(shape.geoms) if shape.geom_type == "MultiPolygon" else [shape]
    polygons = "".join(
        f"<Polygon><outerBoundaryIs>{_ring(one.exterior)}</outerBoundaryIs>"
        + "".join(f"<innerBoundaryIs>{_ring(hole)}</innerBoundaryIs>" for hole in one.interiors)
        + "</Polygon>"
        for one in parts
    )
    return f"<MultiGeometry>{polygons}</MultiGeometry>" if len(parts) > 1 else polygons


def _ring(ring: Any) -> str:  # noqa: ANN401  shapely's
    places = " ".join(f"{x:.7f},{y:.7f}" for x, y in np.asarray(ring.coords)[:, :2])
    return f"<LinearRing><coordinates>{places}</coordinates></LinearRing>"
