"""Which columns of a table are likely what: a beginning for a form, never taken without being shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.tasks.susceptibility.cells import FEWEST, MOST_CATEGORIES, Columns

if TYPE_CHECKING:
    import pandas as pd

_TARGETS = ("landslide", "lslpts", "slide", "label", "target", "class", "presence", "event")
_X = re.compile(r"(x|easting|east|lon|longitude|long|e)(_epsg\d+|_coord|_?coordinate|_m|_utm)?", re.IGNORECASE)
_Y = re.compile(r"(y|northing|north|lat|latitude|n)(_epsg\d+|_coord|_?coordinate|_m|_utm)?", re.IGNORECASE)
_NUMBER = re.compile(r"(.*[_ ])?(id|fid|no|nr|index|row|objectid|ogc_fid|cell_?id)|unnamed.*", re.IGNORECASE)
_ASPECT = re.compile(r"aspect(_?deg(rees)?)?|exposition", re.IGNORECASE)
_EPSG = re.compile(r"epsg_?(\d{4,6})", re.IGNORECASE)


def guess_columns(table: pd.DataFrame) -> Columns:
    """Guess label, coordinates and factors by the names of the columns and what they hold.

    Factors are the columns of numbers that are neither label, coordinates nor numbers of rows, and the columns of text
    of a few values, as classes. What is not plain stays empty.
    """
    names = [str(name) for name in table.columns]
    target = _target(table, names)
    x, y = (next((name for name in names if known.fullmatch(name)), "") for known in (_X, _Y))
    x, y = (x, y) if x and y else ("", "")
    code = _EPSG.search(x)
    rest = [name for name in names if name not in (target, x, y) and not _NUMBER.fullmatch(name)]
    numbers = [name for name in rest if table[name].dtype.kind in "iufb"]
    classes = [
        name for name in rest
        if name not in numbers and 2 <= table[name].nunique() <= min(MOST_CATEGORIES, len(table) // FEWEST)
    ]  # fmt: skip
    circular = tuple(name for name in numbers if _ASPECT.fullmatch(name) and table[name].between(-1, 360).all())
    crs = f"EPSG:{code[1]}" if code else ""
    return Columns(target, (*numbers, *classes), tuple(classes), x, y, crs, circular=circular)


def _target(table: pd.DataFrame, names: list[str]) -> str:
    lowered = {name.lower(): name for name in reversed(names)}
    named = next((lowered[one] for one in _TARGETS if one in lowered), "")
    if named and table[named].nunique() == 2:
        return named
    two = [name for name in names if table[name].nunique() == 2]
    return two[0] if len(two) == 1 else named
