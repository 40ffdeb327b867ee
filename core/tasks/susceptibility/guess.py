"""What columns of a table and bands of rasters likely are: a beginning for a form, never taken without being shown."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from core.tasks.susceptibility.cells import FEWEST, Columns
from core.tasks.susceptibility.factor_columns import MOST_CATEGORIES

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from core.raster.resample import Kind
    from core.raster.scene import Scene
    from core.tasks.susceptibility.area import GivenFactor
    from core.tasks.susceptibility.landslides import InventoryPlan

MOST_BANDS = 20
"""Bands of a raster that are offered as factors."""

MOST_CLASSES = 30
"""Different whole numbers up to which a raster is taken for one of classes."""

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


def numbering_columns(table: pd.DataFrame) -> list[str]:
    """Columns that number or name the rows, by their own names, such as ``id`` or ``unit_no``."""
    return [str(name) for name in table.columns if _NUMBER.fullmatch(str(name))]


def _target(table: pd.DataFrame, names: list[str]) -> str:
    lowered = {name.lower(): name for name in reversed(names)}
    named = next((lowered[one] for one in _TARGETS if one in lowered), "")
    if named and table[named].nunique() == 2:
        return named
    two = [name for name in names if table[name].nunique() == 2]
    return two[0] if len(two) == 1 else named


def guess_factors(scene: Scene, number: int, taken: Collection[str] = (), *, but: int = 0) -> tuple[GivenFactor, ...]:
    """Guess what the bands of a raster are as factors.

    Parameters
    ----------
    number
        Of the raster among those of the role ``factor``; -1 for the elevation model.
    taken
        Names that are not free any more.
    but
        Band that is no factor of its own, such as that of elevations; 0 for none.

    Returns
    -------
    tuple of GivenFactor
        Whole numbers of few values are taken for classes, and bands or files called aspect for directions.
    """
    from core.tasks.susceptibility.area import GivenFactor

    with scene.reader() as reader:
        values, valid = reader.sample()
    found: list[GivenFactor] = []
    used = set(taken)
    alpha = scene.alpha or 0
    for band in scene.bands[:MOST_BANDS]:
        if band.index in (but, alpha):
            continue
        name = _named(band.name if band.name and len(scene.bands) > 1 else scene.name, used)
        used.add(name)
        known = values[band.index - 1][valid[band.index - 1]]
        found.append(GivenFactor(name, number, _kind(name, known), band.index))
    return tuple(found)


def _named(text: str, taken: Collection[str]) -> str:
    """A free name for a factor from the name of a file or band."""
    plain = re.sub(r"\W+", "_", re.sub(r"\(.*?\)", "", text)).strip("_").lower()[:36] or "factor"
    plain = plain if not plain[0].isdigit() else f"f_{plain}"
    name, number = plain, 2
    while name in taken:
        name, number = f"{plain}_{number}", number + 1
    return name


def _kind(name: str, known: NDArray[Any]) -> Kind:
    import numpy as np

    numbers = known[np.isfinite(known)] if known.dtype.kind == "f" else known
    if "aspect" in name and numbers.size and numbers.min() >= -1 and numbers.max() <= 360:
        return "aspect"
    few = np.unique(numbers)
    whole = numbers.dtype.kind in "iub" or bool((few % 1 == 0).all())
    return "category" if whole and 2 <= len(few) <= MOST_CLASSES else "continuous"


def elevation_band(scene: Scene) -> int:
    """The band of a raster that holds elevations by its name, from 1; the first where none says so."""
    names = [(band.name or "").lower() for band in scene.bands]
    return next((at for at, one in enumerate(names, 1) if one.startswith(("elev", "dem", "dtm", "height"))), 1)


def guess_inventory(table: pd.DataFrame) -> InventoryPlan:
    """Guess where the rows of a table of landslides lie, and which column says whether each is one."""
    from core.tasks.susceptibility.landslides import InventoryPlan

    columns = guess_columns(table)
    label = columns.target if columns.target and table[columns.target].nunique() == 2 else ""
    return InventoryPlan(x=columns.x, y=columns.y, crs=columns.crs, label=label)
