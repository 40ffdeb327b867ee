"""What the columns of exported shapes hold: names for people, meanings, units, codes, and what an empty value means."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np

from core.raster.write import atomic_path
from core.wording import moment, single_area

LONGEST_FIELD = 10
"""Bytes of a field's name in a Shapefile."""

LONGEST_TEXT = 254
"""Bytes of a text in a Shapefile; what is longer is cut."""

MANY = 100.0
"""Number from which figures are whole."""

_UNITS = {"m2": "m²", "px": "px", "m": "m", "deg": "°", "km2": "km²", "mm": "mm"}


@dataclass(frozen=True)
class Field:
    """What a column holds.

    Attributes
    ----------
    title
        Its name for people, without unit.
    meaning
        What it holds, as a sentence.
    unit
        Of its numbers, or how its text is written; empty for plain text.
    codes
        What each of its values means, by the value as it is written; empty where values speak for themselves.
    empty
        What an empty value means; empty where none is.
    kind
        How a value is shown to people.
    digits
        Behind the point, where it is a number that is shown to people.
    balloon
        Its place among the lines that a map viewer shows of a shape; 0 where it is not among them.
    is_long
        Whether its text may be longer than `LONGEST_TEXT`.
    """

    title: str
    meaning: str
    unit: str = ""
    codes: Mapping[str, str] = field(default_factory=dict)
    empty: str = ""
    kind: Literal["text", "number", "area", "time"] = "text"
    digits: int = 0
    balloon: int = 0
    is_long: bool = False

    @property
    def named(self) -> str:
        """Its title with the unit of its numbers."""
        return f"{self.title} ({self.unit})" if self.unit and self.kind in ("number", "area") else self.title

    @property
    def described(self) -> str:
        """What it holds with unit, codes, and what an empty value means, as text."""
        word = "Range" if self.unit.startswith("0 to") else "Format" if self.kind == "time" else "Unit"
        unit = f" {word}: {self.unit}." if self.unit else ""
        codes = "; ".join(f"{code} = {words}" for code, words in self.codes.items())
        empty = f" Empty: {self.empty}." if self.empty else ""
        return f"{self.meaning.rstrip('.')}.{unit}{f' Codes: {codes}.' if codes else ''}{empty}"

    def shown(self, value: Any) -> str:  # noqa: ANN401  of any column
        """A value as people read it; empty where it is empty.

        Examples
        --------
        >>> KNOWN["area_m2"].shown(5432.1), KNOWN["slope_mean_deg"].shown(23.4), KNOWN["score"].shown(None)
        ('5,432 m²', '23°', '')
        """
        text = figure(value)
        if not text or self.kind == "text":
            return self.codes.get(text, text)
        if self.kind == "time":
            return moment(datetime.fromisoformat(text))
        if self.kind == "area":
            return single_area(float(value), georeferenced=self.unit != "px")
        unit = "" if self.unit.startswith("0 to") else self.unit if self.unit == "°" else f" {self.unit}"
        return f"{float(value):,.{self.digits}f}{unit}"


KNOWN: Mapping[str, Field] = {
    "id": Field(
        "ID", "Name of the outline, unique within its run. It is derived from the location and does not change with "
        "the settings."),
    "area_m2": Field(
        "Area", "Area on the ground. For a landslide mapped by the model, or merged from such: the sum of its pixel "
        "areas; for any other outline: the enclosed area. Both are measured on the WGS 84 ellipsoid, and differ "
        "slightly from areas in the plane of the coordinate system.", "m²", kind="area", balloon=10),
    "area_px": Field(
        "Area", "Area in pixels of the image.", "px", kind="area"),
    "perimeter_m": Field(
        "Perimeter", "Length of the outline on the ground, edges of holes included. Outlines by the model follow the "
        "edges of pixels and are longer than smooth ones: by 27 % on average over all directions, by 41 % along "
        "diagonals.", "m", kind="number"),
    "perimeter_px": Field(
        "Perimeter", "Length of the outline in sides of a pixel, edges of holes included. Outlines by the model follow "
        "the edges of pixels and are longer than smooth ones: by 27 % on average over all directions, by 41 % along "
        "diagonals.", "px", kind="number"),
    "mean_probability": Field(
        "Mean probability", "Mean of the model's landslide probability over the pixels of the outline.", "0 to 1",
        kind="number", digits=2, balloon=20),
    "score": Field(
        "Confidence", "Confidence of the model in this detection.", "0 to 1",
        kind="number", digits=2, balloon=20),
    "class": Field("Class", "What the model takes it for.", balloon=22),
    "left_px": Field("Left edge", "Distance of the left edge of the box from the left edge of the image.", "px"),
    "top_px": Field("Top edge", "Distance of the top edge of the box from the top edge of the image.", "px"),
    "right_px": Field("Right edge", "Distance of the right edge of the box from the left edge of the image.", "px"),
    "bottom_px": Field("Bottom edge", "Distance of the bottom edge of the box from the top edge of the image.", "px"),
    "outcome": Field(
        "Compared with the reference", "Whether the reference of the image holds a landslide here.",
        codes={"true": "a landslide of the reference", "false": "a false alarm by the reference",
               "not known": "not covered by the reference"}, balloon=24),
    "slope_mean_deg": Field(
        "Mean slope", "Mean slope angle of the ground within the outline, from the elevation model.", "°",
        empty="no elevation is known there", kind="number", balloon=30),
    "relief_m": Field(
        "Relief", "Difference between the highest and the lowest elevation within the outline.", "m",
        empty="no elevation is known there", kind="number", balloon=32),
    "aspect_deg": Field(
        "Aspect", "Mean direction in which the slope faces, clockwise from north.", "°",
        empty="no elevation is known there, or directions cancel each other", kind="number", balloon=34),
    "elevation_m": Field(
        "Elevation", "Elevation of a point within the outline (x and y in the table), not a mean.", "m",
        empty="no elevation is known there", kind="number", balloon=36),
    "share_known": Field(
        "Share with earlier data", "Share of the outline of which the earlier image has data.", "0 to 1",
        kind="number", digits=2, balloon=26),
    "share_before": Field(
        "Share mapped before", "Share of that part that was mapped as landslide in the earlier image, too.", "0 to 1",
        empty="the earlier image has no data there", kind="number", digits=2, balloon=28),
    "pixel_size_m": Field(
        "Pixel size", "Size of a pixel on the ground that a user stated for an image without coordinate system. "
        "Areas and perimeters in metres follow from it.", "m", kind="number", digits=2),
    "run": Field("Run", "Identifier of the run."),
    "model": Field("Model", "Identifier of the model of the run, as in commands."),
    "x": Field(
        "x", "Position of a point within the outline, in the coordinate system of the layer (see crs); in an image "
        "without coordinate system, its pixel column.", "unit of the coordinate system, or px"),
    "y": Field(
        "y", "Position of a point within the outline, in the coordinate system of the layer (see crs); in an image "
        "without coordinate system, its pixel row, counted from the top.",
        "unit of the coordinate system, or px"),
    "crs": Field("Coordinate system", "Coordinate system of x and y."),
    "longitude": Field("Longitude", "Longitude of the same point in WGS 84, east positive.", "°", kind="number"),
    "latitude": Field("Latitude", "Latitude of the same point in WGS 84, north positive.", "°", kind="number"),
}  # fmt: skip
"""Columns of what runs find, by name."""

IN_SHAPEFILE = "shapefile_field"

COLUMNS = ("field", IN_SHAPEFILE, "meaning", "unit", "codes", "empty_value")
"""Columns of the table of `fields_table`."""

NEVER = "never empty"


def field_of(name: str, own: Mapping[str, Field] | None = None) -> Field:
    """What a column holds.

    Parameters
    ----------
    own
        Columns of an export that others do not have, or that mean something else there.

    Examples
    --------
    >>> field_of("depth_mean_m").named
    'Depth mean (m)'
    """
    found = (own or {}).get(name) or KNOWN.get(name)
    if found is not None:
        return found
    title, unit = _read(name)
    return Field(title, title, unit, kind="number" if unit else "text", balloon=90)


def _read(name: str) -> tuple[str, str]:
    """Title and unit of a column, from its name."""
    head, _, last = name.rpartition("_")
    words, unit = (head, _UNITS[last]) if head and last in _UNITS else (name, "")
    return words.replace("_", " ").capitalize(), unit


def figure(value: Any) -> str:  # noqa: ANN401  of any column
    """A value as text with the digits that mean something; empty where it is empty."""
    if isinstance(value, (float, np.floating)):
        number = float(value)
        return "" if np.isnan(number) else f"{number:.0f}" if abs(number) >= MANY else f"{number:.3g}"
    missing = value is None or str(value) == "<NA>"
    return "" if missing else str(value)


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


def fields_table(
    names: Iterable[str], own: Mapping[str, Field] | None = None, short: Mapping[str, str] | None = None
) -> str:
    """A table of what columns hold, as CSV; a row a column, see `COLUMNS`.

    Parameters
    ----------
    names
        Of the columns, in their order.
    own
        As of `field_of`.
    short
        Names in a Shapefile, of those columns that it has; None where there is none, and no column for it.
    """
    made = io.StringIO()
    rows = csv.writer(made, lineterminator="\n")
    rows.writerow([name for name in COLUMNS if name != IN_SHAPEFILE or short is not None])
    for name in names:
        one = field_of(name, own)
        codes = "; ".join(f"{code} = {words}" for code, words in one.codes.items())
        in_shapefile = (short or {}).get(name, "")
        cut = f" Cut to {LONGEST_TEXT} bytes in the Shapefile." if one.is_long and in_shapefile else ""
        names_of = [name] if short is None else [name, in_shapefile]
        rows.writerow([*names_of, one.meaning + cut, one.unit, codes, one.empty or NEVER])
    return made.getvalue()


def write_fields(
    path: Path, names: Iterable[str], own: Mapping[str, Field] | None = None, short: Mapping[str, str] | None = None
) -> None:
    """Write the table of `fields_table`.

    Raises
    ------
    StorageError
        When the disk does not take it.
    """
    with atomic_path(path) as aside:
        aside.write_text(fields_table(names, own, short), encoding="utf-8")
