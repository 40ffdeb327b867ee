"""Headings of tables that people laid out for the eye: cells that are merged, rows of units."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.series.table import read_table_untrusted

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_ROWS = 2
"""Rows below the first that may belong to the headings."""


def read_series_table(path: str | os.PathLike[str], *, sheet: str | None = None) -> DataFrame:
    """Read a table of a monitored slope, its headings in one row.

    A position file of the PBO becomes a table with the columns of `core.series.pbo.placed_table_of`.

    Parameters
    ----------
    path, sheet
        See `core.series.table.read_table_untrusted`.

    Raises
    ------
    UnsafeFileError, InputError
        See `core.series.table.read_table_untrusted` and `with_one_head`.
    """
    from core.series.pbo import is_position_file, placed_table_of, read_positions

    if is_position_file(path):
        return placed_table_of([read_positions(path)])
    return with_one_head(read_table_untrusted(path, sheet=sheet), Path(path).name)


def with_one_head(frame: DataFrame, name: str = "The table") -> DataFrame:
    """A table whose headings stood in several rows, with one heading a column.

    A heading holds for the columns to its right that have none, as where cells were merged, and a row of texts above
    rows of numbers belongs to the headings: ``Station A | (none)`` above ``date | disp (mm)`` become
    ``Station A date | Station A disp (mm)``.

    Parameters
    ----------
    frame
        As `core.series.table.read_table_untrusted` gives it.
    name
        What users call it.

    Raises
    ------
    InputError
        When most headings are numbers or dates: those are values of a row.
    """
    import pandas as pd

    names = [str(one) for one in frame.columns]
    values = sum(_is_value(one) for one in names)
    if len(names) > 1 and values > len(names) / 2:
        raise InputError(
            f"The first row of {name} holds values such as {next(one for one in names if _is_value(one))!r} "
            "instead of headings.", "The table has no headings, or they span several rows of merged cells.",
            "Give each column one heading, in one row.",
        )  # fmt: skip
    rows = 0
    while rows < min(MOST_ROWS, len(frame) - 1) and _is_heading(frame, rows):
        rows += 1
    if not rows:
        return frame
    heads = [_spread([None if one.startswith("Unnamed: ") else one for one in names])]
    heads += [[_text(one) for one in frame.iloc[row]] for row in range(rows)]
    made: list[str] = []
    for at, parts in enumerate(zip(*heads, strict=True)):
        whole = " ".join(dict.fromkeys(part for part in parts if part)) or f"Unnamed: {at}"
        number, free = 1, whole
        while free in made:
            free, number = f"{whole}.{number}", number + 1
        made.append(free)
    below = frame.iloc[rows:].reset_index(drop=True).set_axis(made, axis="columns")
    for one in made:
        if not pd.api.types.is_numeric_dtype(below[one]):
            numbers = pd.to_numeric(below[one], errors="coerce")
            if numbers.notna().equals(below[one].notna()):
                below[one] = numbers
    return below


def _is_heading(frame: DataFrame, row: int) -> bool:
    """Whether a row holds texts alone, in two columns or more, where the row below holds values."""
    here = [text for text in map(_text, frame.iloc[row]) if text]
    below = [text for text in map(_text, frame.iloc[row + 1]) if text]
    if not here or any(map(_is_value, here)):
        return False
    later = [text for at in range(row + 1, min(row + 4, len(frame))) for text in map(_text, frame.iloc[at]) if text]
    return bool(below) and sum(map(_is_value, later)) > len(later) / 2


def _text(cell: Any) -> str | None:  # noqa: ANN401  whatever a cell holds
    import pandas as pd

    return None if cell is None or (pd.api.types.is_scalar(cell) and pd.isna(cell)) else str(cell).strip() or None


def _is_value(text: str) -> bool:
    """Whether a text is a number, or a date in digits."""
    digits = sum(one.isdigit() for one in text)
    return digits > 0 and digits >= 0.5 * len(text.replace(" ", "")) and not any(one.isalpha() for one in text)


def _spread(names: list[str | None]) -> list[str | None]:
    """Each heading also for the columns to its right that have none."""
    found: list[str | None] = []
    for name in names:
        found.append(name if name is not None or not found else found[-1])
    return found
