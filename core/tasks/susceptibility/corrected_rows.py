"""Rows of a validated table, or units of a layer, with what a review changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.review.units import REVIEW_ID
from core.tasks.susceptibility.cells import labels_of
from core.tasks.susceptibility.rows import to_layer

if TYPE_CHECKING:
    import pandas as pd

    from core.review.units import Changes, Unit
    from core.tasks.susceptibility.cells import Columns
    from core.tasks.susceptibility.rows import Rows


WHOLE = 1 - 1e-6
"""Share of a unit from which on all of it comes from rows of the layer."""


def corrected_rows(read: Rows, columns: Columns, changes: Changes) -> pd.DataFrame:
    """A table, or a layer of units, as a review leaves it: rows taken out, labels and outlines changed, units added.

    Values of added units follow what `core.review.units.Done.attributes` says. Rows that were not validated stay as
    they are. Units of a layer have their names in the review in the column `REVIEW_ID`.
    """
    import geopandas
    import pandas as pd

    table = corrected_table(read.table, columns, changes.labels)
    there = [row not in changes.removed for row in range(len(table))]
    if read.outlines is None:
        return table[there].reset_index(drop=True)
    outlines = read.outlines.to_numpy().copy()
    for row, outline in changes.outlines.items():
        outlines[row] = outline
    shapes = [*outlines[there], *(unit.outline for unit in changes.made)]
    values = [_values(read.table, columns, unit) for unit in changes.made]
    if values:
        added = pd.DataFrame(values, columns=table.columns, dtype=object)
        whole = [name for name in table.columns if pd.api.types.is_integer_dtype(table[name])]
        table = pd.concat([table[there].astype(object), added], ignore_index=True).infer_objects()
        for name in whole:  # which would become decimals where a unit has no value
            if table[name].isna().any():
                table[name] = table[name].astype("Int64")
    else:
        table = table[there].reset_index(drop=True)
    names = [*(f"R{row}" for row, kept in enumerate(there) if kept), *(unit.name for unit in changes.made)]
    table = table.drop(columns=REVIEW_ID, errors="ignore")
    table.insert(0, REVIEW_ID, names)
    return to_layer(table, geopandas.GeoSeries(shapes, crs=read.outlines.crs))


def corrected_table(source: pd.DataFrame, columns: Columns, labels: Mapping[int, bool]) -> pd.DataFrame:
    """A table with other labels, written as the table writes them.

    Parameters
    ----------
    labels
        By row, from 0: True for a landslide. A row that becomes one is given the first value that stands for a
        landslide in the table, one that becomes none the most frequent of those that do not.
    """
    new = source[columns.target].astype(object).copy()
    written = _written(source, columns)
    for row, is_landslide in labels.items():
        new.iloc[row] = written[is_landslide]
    changed = source.copy()
    changed[columns.target] = new.infer_objects()
    return changed


def _written(source: pd.DataFrame, columns: Columns) -> dict[bool, Any]:
    """How a table writes that there is a landslide, and that there is none."""
    target = source[columns.target]
    landslide, known = labels_of(target, columns, "the table")
    return {True: target[landslide].iloc[0], False: target[known & ~landslide].mode().iloc[0]}


def _values(source: pd.DataFrame, columns: Columns, unit: Unit) -> dict[str, Any]:
    """Values of a unit that a reviewer made, by column.

    Those of its largest part; numeric factors are the mean of its parts weighted by area, unknown where that of a part
    is, or where a part was drawn.
    """
    import pandas as pd

    label = None if unit.label is None else _written(source, columns)[unit.label]
    if not unit.shares:
        return {columns.target: label}
    rows = sorted(unit.shares, key=lambda row: (-unit.shares[row], row))
    values: dict[str, Any] = {str(name): value for name, value in source.iloc[rows[0]].items()}
    measured = sum(unit.shares.values()) > WHOLE
    if len(rows) > 1 or not measured:
        for name in columns.factors:
            if name in columns.categorical or name in columns.circular:  # classes and directions have no such mean
                continue
            parts = pd.to_numeric(source[name].iloc[rows], errors="coerce").astype(float)
            weights = [unit.shares[row] for row in rows]
            known = measured and bool(parts.notna().all())
            values[name] = float((parts * weights).sum() / sum(weights)) if known else None
    return {**values, columns.target: label}
