"""Rows with labels and factors: of a table, or of a layer whose features are units, such as slope units."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.raster.inside import points_inside
from core.runs.records import Form

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame, GeoSeries

FORMS: tuple[Form, ...] = ("table", "vector")
"""Forms of datasets whose rows can be validated."""

LONGITUDE, LATITUDE = "longitude_epsg4326", "latitude_epsg4326"
"""Columns that the rows of a layer are given: a point inside each unit, in degrees (WGS 84)."""

MOST_COLUMNS = 4096
"""Attributes of a layer that are read."""

MOST_ROWS = 200_000
"""Units of a layer that are read as rows."""

UNITS = (
    "The rows are the units of a vector layer, called cells in what is said of models and scores. The position of a "
    f"unit is a point inside it, in the added columns {LONGITUDE} and {LATITUDE}."
)


@dataclass(frozen=True)
class Rows:
    """Rows with labels and factors.

    Attributes
    ----------
    table
        A row each, in the order of the file.
    outlines
        Outlines of the rows of a layer, None where a unit has none; None for a table.
    """

    table: pd.DataFrame
    outlines: GeoSeries | None = None


def read_rows(path: Path, form: Form) -> Rows:
    """Read the rows of a table, or of a layer of units: its attributes and a point inside each unit.

    Parameters
    ----------
    form
        Of the dataset.

    Raises
    ------
    UnsafeFileError, InputError
        When the file cannot be read safely, is damaged, or holds too many units or none.
    """
    from core.series.table import read_table_untrusted

    if form == "table":
        return Rows(read_table_untrusted(path))
    from core.raster.vectors import first_attributes, read_vectors_untrusted

    features = read_vectors_untrusted(path)
    if len(features) > MOST_ROWS:
        raise InputError(
            f"{path.name} holds {len(features):,} units; the limit is {MOST_ROWS:,}.", remedy="Choose a smaller area."
        )
    said = first_attributes(path, len(features), MOST_COLUMNS)
    if len(said.rows) != len(features):
        raise InputError(
            f"{path.name} holds {len(features):,} units and {len(said.rows):,} rows of attributes.",
            "It cannot be said which belong together.", "Export the layer again, for example with QGIS.",
        )  # fmt: skip
    return Rows(_table(said.names[:MOST_COLUMNS], said.rows, features), features.geometry)


def _table(names: tuple[str, ...], rows: tuple[tuple[Any, ...], ...], features: GeoDataFrame) -> pd.DataFrame:
    """Attributes as columns, behind the coordinates of a point inside each unit where these are known."""
    import pandas as pd

    table = pd.DataFrame([tuple(map(_plain, row)) for row in rows], columns=list(names)).infer_objects()
    table = table.drop(columns=[LONGITUDE, LATITUDE], errors="ignore")  # of a layer that was a table of ours before
    if features.crs is None:
        return table
    inside = points_inside(features.geometry).to_crs(4326)
    table.insert(0, LATITUDE, inside.y.round(7).to_numpy())
    table.insert(0, LONGITUDE, inside.x.round(7).to_numpy())
    return table


def _plain(value: Any) -> Any:  # noqa: ANN401  whatever a file holds
    """A value that a table can hold: numbers and texts; others, such as lists and dates, as text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return None
    return value.item() if hasattr(value, "item") and not hasattr(value, "isoformat") else str(value)[:200]


def to_layer(table: pd.DataFrame, outlines: GeoSeries) -> GeoDataFrame:
    """Rows of a layer as a layer again, without what `read_rows` has added.

    A GeoPackage numbers its rows in ``fid`` by itself, and tells names apart by more than upper and lower case.
    """
    import geopandas

    kept = [name for name in table.columns if name not in (LONGITUDE, LATITUDE) and str(name).lower() != "fid"]
    names: dict[str, str] = {}
    for name in map(str, kept):
        free = name
        while free.lower() in (*(one.lower() for one in names.values()), "geom", "geometry"):
            free += "_"
        names[name] = free
    return geopandas.GeoDataFrame(table[kept].rename(columns=names), geometry=outlines.to_numpy(), crs=outlines.crs)
