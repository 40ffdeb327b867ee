"""Areas and events of the cells of a map, so that one of them at a time can be left out of a validation.

An area is named by a column of the inventory or by a layer of areas; an event by a column of the inventory, such as
the date of the landslides. Cells are given theirs by where they lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.tasks.susceptibility.folds import MOST_GROUPS
from core.tasks.susceptibility.landslides import InventoryPlan, on_grid, table_system
from core.wording import count

if TYPE_CHECKING:
    from core.raster.grid import Grid

Names = NDArray[np.object_]

OUTSIDE = "outside all areas"
"""Area of cells that no area of a layer covers."""

UNKNOWN = ("", "nan", "none", "nat", "<na>", "null")


@dataclass(frozen=True)
class GroupLabels:
    """Which area and event belongs to which place of a grid.

    Attributes
    ----------
    shapes
        Landslides in columns and rows of the grid.
    areas, events
        Of each landslide; None where no column is named.
    layer, layer_names
        Areas in columns and rows, and their names; None without a layer.
    notes
        What was assumed.
    """

    shapes: NDArray[np.object_]
    areas: Names | None = None
    events: Names | None = None
    layer: NDArray[np.object_] | None = None
    layer_names: Names | None = None
    notes: tuple[str, ...] = ()

    def of(
        self, cells: NDArray[np.int64], landslide: NDArray[np.bool_], width: int, seed: int, *, drawn: bool
    ) -> tuple[dict[str, Names], tuple[str, ...]]:
        """Areas (``"group"``) and events (``"date"``) of cells.

        Parameters
        ----------
        cells, landslide
            (cells,) numbers on a grid of `width` columns, and whether each has a landslide.
        seed
            Of dealing cells out to events.
        drawn
            Whether cells without a landslide were drawn and are of no event of their own.

        Returns
        -------
        dict, tuple of str
            By role, (cells,) names; and how they were found.
        """
        import shapely

        row, column = np.divmod(cells, width)
        places = shapely.points(column + 0.5, row + 0.5)
        found: dict[str, Names] = {}
        notes = list(self.notes)
        if self.layer is not None and self.layer_names is not None:
            found["group"] = names = np.full(len(cells), OUTSIDE, object)
            at, which = shapely.STRtree(self.layer).query(places, predicate="intersects")
            names[at[::-1]] = self.layer_names[which[::-1]]  # the first of areas that overlap
            beside = int((names == OUTSIDE).sum())
            if beside:
                notes.append(f"{count(beside, 'cell')} outside all areas of the layer; treated as one more area.")
        if self.areas is None and self.events is None:
            return found, tuple(notes)
        nearest = shapely.STRtree(self.shapes).nearest(places)
        if self.areas is not None and "group" not in found:
            found["group"] = self.areas[nearest]
            notes.append("Each cell is assigned to the area of the nearest landslide.")
        if self.events is not None:
            events = self.events[nearest]
            if drawn:
                ours = events[landslide]
                events[~landslide] = np.random.default_rng(seed).choice(ours, int((~landslide).sum()))
                notes.append(
                    "Cells drawn without a landslide belong to no event; they were assigned to events at random, in "
                    f"proportion to the landslides of each event (seed {seed})."
                )
            found["date"] = events
        return found, tuple(notes)


def group_labels(
    path: Path, form: str, plan: InventoryPlan, grid: Grid, name: str, layer: tuple[Path, str] | None = None
) -> GroupLabels | None:
    """Read the areas and events of an inventory.

    Parameters
    ----------
    path, form, plan, name
        Of the inventory; see `core.tasks.susceptibility.landslides.landslides_of`.
    layer
        File and name of a layer of areas (polygons); `plan.area` then is a column of it, or empty for each polygon on
        its own.

    Returns
    -------
    GroupLabels or None
        None where neither areas nor events are named.

    Raises
    ------
    LandslideError
        When a file cannot be read, lies elsewhere or lacks a column.
    """
    wanted = [one for one in ("" if layer is not None else plan.area, plan.event) if one]
    if not wanted and layer is None:
        return None
    notes: list[str] = []
    shapes: NDArray[np.object_] = np.empty(0, object)
    columns: dict[str, Names] = {}
    if wanted:
        shapes, columns = _landslides(path, form, plan, grid, name, wanted, notes)
    events = _events(columns[plan.event], plan.event, notes) if plan.event else None
    areas = columns.get(plan.area) if layer is None and plan.area else None
    outlines = names = None
    if layer is not None:
        outlines, names = _layer(*layer, plan.area, grid, notes)
    return GroupLabels(shapes, areas, events, outlines, names, tuple(notes))


def _landslides(
    path: Path, form: str, plan: InventoryPlan, grid: Grid, name: str, wanted: Sequence[str], notes: list[str]
) -> tuple[NDArray[np.object_], dict[str, Names]]:
    """Features of an inventory in columns and rows, and some of its columns as text."""
    import shapely

    if form == "table":
        import pandas as pd

        from core.series.table import read_table_untrusted

        table = read_table_untrusted(path)
        _check_columns(wanted, list(table.columns), name)
        x, y = (plan.y, plan.x) if plan.swap_xy else (plan.x, plan.y)
        places = np.column_stack([pd.to_numeric(table[one], errors="coerce").to_numpy(np.float64) for one in (x, y)])
        kept = np.isfinite(places).all(axis=1)
        placed = on_grid(places[kept], table_system(plan, places[kept], grid, name, []), grid, name, [])
        points = np.asarray(shapely.points(placed), dtype=object)
        return _known(points, {one: table[one].to_numpy(object)[kept] for one in wanted}, name, notes)
    shapes, columns = _features(path, grid, name, wanted)
    return _known(shapes, columns, name, notes)


def _features(
    path: Path, grid: Grid, name: str, wanted: Sequence[str]
) -> tuple[NDArray[np.object_], dict[str, Names]]:
    import shapely

    from core.raster.vectors import first_attributes, read_vectors_untrusted

    features = read_vectors_untrusted(path)
    said = first_attributes(path, len(features), 4096)
    _check_columns(wanted, said.names, name)
    columns = {
        one: np.array([row[said.names.index(one)] for row in said.rows], dtype=object) for one in wanted
    }  # fmt: skip
    geometry = np.asarray(features.geometry.array, dtype=object)
    moved: Any = shapely.transform(geometry, lambda at: on_grid(at, features.crs, grid, name, []))
    return moved, columns


def _known(
    shapes: NDArray[np.object_], columns: dict[str, Names], name: str, notes: list[str]
) -> tuple[NDArray[np.object_], dict[str, Names]]:
    """Features with a place and all of their columns, as text."""
    import shapely

    text = {one: np.array([_text(value) for value in values], dtype=object) for one, values in columns.items()}
    kept = np.asarray(np.isfinite(shapely.bounds(shapes)).all(axis=1))
    without = np.zeros(len(shapes), np.bool_)
    for values in text.values():
        without |= np.array([value == "" for value in values], dtype=bool)
    if (kept & without).any():
        notes.append(
            f"{count(int((kept & without).sum()), 'landslide')} of {name} without {' or '.join(text)}: cells there are "
            "assigned to the nearest landslide that has it."
        )
    kept &= ~without
    if not kept.any():
        raise InputError(
            f"No landslide of {name} has a value for {' and '.join(text)}.", remedy="Choose another column."
        )
    return shapes[kept], {one: values[kept] for one, values in text.items()}


def _text(value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) and value == value else str(value).strip()
    return "" if text.lower() in UNKNOWN else text


def _events(values: Names, column: str, notes: list[str]) -> Names:
    """Events by their names, or by the year where they are more dates than can be left out in turn."""
    if len(set(values)) <= MOST_GROUPS:
        return values
    import pandas as pd

    dates = pd.to_datetime(pd.Series(values), errors="coerce", format="ISO8601")
    if dates.isna().any():
        return values  # whoever leaves events out refuses so many, and says so
    notes.append(f"{column} holds {len(set(values)):,} dates; years are left out one at a time instead.")
    return dates.dt.year.astype(str).to_numpy(object)


def _layer(
    path: Path, name: str, column: str, grid: Grid, notes: list[str]
) -> tuple[NDArray[np.object_], Names]:
    """Areas of a layer in columns and rows, and their names."""
    import shapely

    shapes, columns = _features(path, grid, name, [column] if column else [])
    kept = np.isin(shapely.get_type_id(shapes), (3, 6)) & np.isfinite(shapely.bounds(shapes)).all(axis=1)
    if not kept.any():
        raise InputError(f"{name} holds no polygons.", "Areas must be polygons.", "Choose another layer.")
    number = np.array([f"area {one:,}" for one in range(1, len(shapes) + 1)], dtype=object)
    names = np.array([_text(one) for one in columns[column]], dtype=object) if column else number
    unnamed = np.array([one == "" for one in names])
    names[unnamed] = number[unnamed]
    if (unnamed & kept).any():
        without = count(int((unnamed & kept).sum()), "area")
        notes.append(f"{without} of {name} without {column}; each is treated as a separate area.")
    return shapely.make_valid(shapes[kept]), names[kept]


def _check_columns(wanted: Sequence[str], known: Sequence[Any], name: str) -> None:
    for one in wanted:
        if one not in list(known):
            raise InputError(f"{name} has no column {one!r}.",
                             remedy=f"Its columns are {', '.join(map(str, list(known)[:40]))}.")  # fmt: skip
