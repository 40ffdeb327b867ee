"""Shapes in the formats that others ask for: a table with coordinates, a Shapefile and KML.

GeoPackage and GeoJSON are written by `core.raster.features`; they keep more and are the better choice where there is
one.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np

from core.errors import GridError, StorageError
from core.raster.features import on_the_globe
from core.raster.files import one_line
from core.raster.write import atomic_path

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import DataFrame

LONGEST_FIELD = 10
"""Bytes of a field's name in a Shapefile."""

MANY = 100.0
"""Number from which figures are whole."""

_UNITS = {"m2": "m²", "px": "px", "m": "m", "deg": "°", "km2": "km²", "mm": "mm"}
_EARLIEST = (1980, 1, 1, 0, 0, 0)


def table_with_places(features: GeoDataFrame) -> DataFrame:
    """The attributes of shapes, and a point inside each as it can be pasted into a GIS or looked up on a map.

    Columns added: ``x`` and ``y`` in the shapes' coordinate system, whose name stands in ``crs``, and ``longitude`` and
    ``latitude`` in WGS 84; in pixel space ``x`` and ``y`` alone, which are column and row of the image.
    """
    import pandas

    inside = features.geometry.representative_point()
    table = pandas.DataFrame(features.drop(columns=features.geometry.name))
    digits = 7 if features.crs is not None and features.crs.is_geographic else 2
    table["x"], table["y"] = inside.x.round(digits).to_numpy(), inside.y.round(digits).to_numpy()
    if features.crs is None:
        return table
    degrees = inside.to_crs(4326)
    authority = features.crs.to_authority()
    table["crs"] = ":".join(authority) if authority else one_line(features.crs.name)
    table["longitude"], table["latitude"] = degrees.x.round(7).to_numpy(), degrees.y.round(7).to_numpy()
    return table


def write_table(features: GeoDataFrame, path: Path) -> None:
    """Write the table of `table_with_places` as CSV in UTF-8.

    Raises
    ------
    StorageError
        When the disk does not take it.
    """
    with atomic_path(path) as aside:
        table_with_places(features).to_csv(aside, index=False, lineterminator="\n")


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Names of fields that a Shapefile can hold: ASCII, 10 bytes at most, no two alike whatever their case.

    Examples
    --------
    >>> short_names(["id", "mean_probability", "mean_probable", "größe"])
    {'id': 'id', 'mean_probability': 'mean_proba', 'mean_probable': 'mean_prob2', 'größe': 'gr__e'}
    """
    made: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        plain = "".join(sign if sign.isascii() and sign.isalnum() else "_" for sign in name) or "field"
        short, number = plain[:LONGEST_FIELD], 1
        while short.lower() in taken:
            number += 1
            short = f"{plain[: LONGEST_FIELD - len(str(number))]}{number}"
        taken.add(short.lower())
        made[name] = short
    return made


def write_shapefile(features: GeoDataFrame, path: Path, layer: str) -> None:
    """Write shapes as a zipped Shapefile: with ``.prj``, ``.cpg`` (UTF-8) and a table of what its fields mean.

    Names of fields are cut to 10 letters; ``<layer>_fields.csv`` in the zip has the whole ones. In pixel space there is
    no ``.prj``.

    Parameters
    ----------
    path
        The zip; GIS programs open it as it is when it ends in ``.shp.zip``.

    Raises
    ------
    StorageError
        When the disk does not take it.
    """
    names = short_names([str(name) for name in features.columns if name != features.geometry.name])
    kind: dict[str, Any] = {} if len(features) else {"geometry_type": "Polygon"}
    with atomic_path(path) as aside, tempfile.TemporaryDirectory(prefix=".shp-", dir=aside.parent) as made:
        folder = Path(made)
        try:
            features.rename(columns=names).to_file(
                folder / f"{layer}.shp", driver="ESRI Shapefile", engine="pyogrio", index=False, encoding="UTF-8",
                **kind,
            )  # fmt: skip
        except (OSError, RuntimeError, ValueError) as error:
            raise StorageError(f"{path.name} could not be written.", str(error),
                "Free up disk space and try again.") from error
        legend = io.StringIO()
        legend.write("field,meaning\n")
        legend.writelines(f'{short},"{titled(name)}"\n' for name, short in names.items())
        (folder / f"{layer}_fields.csv").write_text(legend.getvalue(), encoding="utf-8")
        with ZipFile(aside, "w") as archive:
            for one in sorted(folder.iterdir()):
                entry = ZipInfo(one.name, _EARLIEST)
                entry.compress_type, entry.external_attr = ZIP_DEFLATED, 0o644 << 16
                archive.writestr(entry, one.read_bytes())


def write_interchange(
    features: GeoDataFrame,
    folder: Path,
    layer: str,
    title: str,
    colour: str | Mapping[str, str],
    about: Mapping[str, str],
    *,
    table: bool = True,
    by: str = "",
) -> None:
    """Write ``<layer>.csv``, ``<layer>.shp.zip`` and, where the shapes have coordinates, ``<layer>.kml``.

    Parameters
    ----------
    title, colour, about, by
        As for `write_kml`; texts by name.
    table
        Whether the CSV is written.

    Raises
    ------
    StorageError
        When the disk does not take them.
    """
    if table:
        write_table(features, folder / f"{layer}.csv")
    write_shapefile(features, folder / f"{layer}.shp.zip", layer)
    if features.crs is not None:
        told = "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in about.items())
        write_kml(features, folder / f"{layer}.kml", title, colour, told, by)


def titled(name: str) -> str:
    """Name of a column for people, its unit in parentheses.

    Examples
    --------
    >>> titled("area_m2"), titled("mean_probability"), titled("slope_mean_deg")
    ('Area (m²)', 'Mean probability', 'Slope mean (°)')
    """
    head, _, last = name.rpartition("_")
    words, unit = (head, f" ({_UNITS[last]})") if head and last in _UNITS else (name, "")
    return f"{words.replace('_', ' ').capitalize()}{unit}"


def write_kml(
    features: GeoDataFrame, path: Path, title: str, colour: str | Mapping[str, str], about: str = "", by: str = ""
) -> None:
    """Write polygons as KML in WGS 84, each with its name and its figures.

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
        file.writelines(_kml(on_the_globe(features), title, colours, about, by))


def _kml(frame: GeoDataFrame, title: str, colours: Mapping[str, str], about: str, by: str) -> Iterator[str]:
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">\n<Document>\n'
        f"<name>{_xml(title)}</name>\n<description>{_xml(escape(about))}</description>\n"
    )
    for value, colour in colours.items():
        line = f"{colour[5:7]}{colour[3:5]}{colour[1:3]}".lower()  # blue, green, red
        yield (
            f'<Style id="{value}"><LineStyle><color>ff{line}</color><width>2</width></LineStyle>'
            f"<PolyStyle><color>40{line}</color></PolyStyle></Style>\n"
        )
    columns = [str(name) for name in frame.columns if name != frame.geometry.name]
    for row, shape in zip(frame[columns].to_dict("records"), frame.geometry, strict=True):
        told = {str(name): _figure(value) for name, value in row.items()}
        # What a viewer shows as HTML is escaped for it first, and then for the file.
        shown = "<br/>".join(f"{titled(name)}: {escape(text)}" for name, text in told.items() if name != "id" and text)
        data = "".join(
            f'<Data name="{_xml(name)}"><value>{_xml(text)}</value></Data>' for name, text in told.items() if text
        )
        style = row[by] if by else "found"
        yield (
            f"<Placemark><name>{_xml(told.get('id', ''))}</name><description>{_xml(shown)}</description>"
            f"<styleUrl>#{style}</styleUrl><ExtendedData>{data}</ExtendedData>{_geometry(shape)}</Placemark>\n"
        )
    yield "</Document>\n</kml>\n"


def _xml(text: str) -> str:
    return escape(one_line(text))


def _figure(value: Any) -> str:  # noqa: ANN401  of any column
    if isinstance(value, (float, np.floating)):
        number = float(value)
        return "" if np.isnan(number) else f"{number:.0f}" if abs(number) >= MANY else f"{number:.3g}"
    return "" if value is None else str(value)


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
