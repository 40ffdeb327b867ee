"""Factors of labelled cells, read from the columns of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError
from core.tasks.susceptibility.factors import FLAT
from core.wording import agree, count

if TYPE_CHECKING:
    import pandas as pd

    from core.tasks.susceptibility.cells import Columns

MOST_CATEGORIES = 50
"""Categories of a factor; more are no classes but names or numbers."""

FILLS = (-9999.0, -32768.0)
"""Values that usually stand for no data; so do all beyond 1e30 to both sides."""


def read_factors(table: pd.DataFrame, columns: Columns, name: str, notes: list[str]) -> pd.DataFrame:
    """Factors of all rows: numbers as float64, classes as text, NaN or None where unknown.

    Parameters
    ----------
    name
        What users call the table.
    notes
        Is added what was taken for no data or may be meant otherwise.

    Raises
    ------
    InputError
        When a factor holds text that is not declared as classes, or too many classes.
    """
    import pandas as pd

    made: dict[str, Any] = {}
    for factor in columns.factors:
        values = table[factor]
        if factor in columns.categorical:
            made[factor] = _classes(values, factor, name)
            continue
        if pd.api.types.is_bool_dtype(values):
            values = values.astype(float)
        numbers = pd.to_numeric(values, errors="coerce")
        spoilt = numbers.isna() & values.notna()
        if spoilt.any():
            raise InputError(
                f"Factor {factor} of {name} holds text, such as {str(values[spoilt].iloc[0])[:40]!r}.",
                "Factors must be numeric unless they are declared as categorical.",
                f"Declare it as categorical (--categorical {factor}), or leave it out.",
            )
        numbers = numbers.astype(np.float64)
        fill = numbers.isin(FILLS) | (numbers.abs() > 1e30)
        if fill.any():
            told = ", ".join(f"{one:g}" for one in sorted(set(numbers[fill])))
            fills = int(fill.sum())
            notes.append(
                f"{count(fills, 'value')} of {factor} {agree(fills, 'is', 'are')} {told}, which usually stands for no "
                "data: treated as unknown."
            )
            numbers = numbers.mask(fill)
        if factor in columns.circular:
            made[factor] = _directions(numbers, factor, notes)
            continue
        made[factor] = numbers
        distinct = numbers.nunique()
        if 2 < distinct <= 12 and (numbers.dropna() % 1 == 0).all() and len(numbers) > 10 * distinct:
            notes.append(
                f"{factor} holds {distinct} different whole numbers and is treated as a quantity; if they are class "
                f"codes, declare it as categorical (--categorical {factor})."
            )
    return pd.DataFrame(made, index=table.index)


def _directions(numbers: pd.Series[Any], factor: str, notes: list[str]) -> pd.Series[Any]:
    """Directions within a turn, flat ground as -1; what is neither is unknown."""
    none = numbers.notna() & ~((numbers >= 0) & (numbers <= 360)) & (numbers != FLAT)
    if none.any():
        wrong = int(none.sum())
        are = agree(wrong, "is", "are")
        notes.append(f"{count(wrong, 'value')} of {factor} {are} not a direction (0 to 360°, -1 if flat) and {are} "
                     "treated as unknown.")
    return numbers.mask(none)


def _classes(values: pd.Series[Any], factor: str, name: str) -> pd.Series[Any]:
    """Classes as text; whole numbers that were stored as floats as whole numbers."""

    def word(value: object) -> str | None:
        if value is None or value != value or str(value).strip() == "":
            return None
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()

    words = values.map(word).astype(object)
    if words.nunique() > MOST_CATEGORIES:
        raise InputError(
            f"{factor} of {name} has {words.nunique():,} different values; the limit is {MOST_CATEGORIES}.",
            "Classes with very few cells cannot be used for training.",
            "Merge classes, or treat it as a quantity.",
        )
    return words
