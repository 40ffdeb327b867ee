"""Numbers as instruments and people write them: decimal commas, thousands, words for "missing", fill values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError

if TYPE_CHECKING:
    from pandas import Series

FILLS = (-9999.0, -99999.0, -999.0, -999.9, -32768.0, -32767.0, 9999.0, 99999.0, 1e20, -1e20, -3.4028234663852886e38)
"""Values that stand for "not measured" in the files of many instruments."""

FAR = 3.0
"""How many times further from zero than every other value a fill value has to lie to be taken for one."""

MISSING = frozenset(
    {"", "-", "--", "---", "na", "n/a", "nan", "null", "none", "nil", "missing", "m", "x", "*", "#n/a", "?", "无", "缺"}
)
"""Words for "not measured", in lower case."""

LARGEST_SHARE = 0.2
"""Share of the values that may be other text before a column is refused."""


def numbers_of(values: Series[Any], column: str, notes: list[str]) -> NDArray[np.float64]:
    """A column of a table as numbers.

    Parameters
    ----------
    values
        Of any type.
    column
        Its name, for messages.
    notes
        Receives what was left out, with its number.

    Returns
    -------
    ndarray
        float64; NaN where unknown.

    Raises
    ------
    InputError
        When more than a fifth of its values are no numbers.
    """
    import pandas as pd

    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_datetime64_any_dtype(values):
        raise InputError(f"The column {column} holds no numbers.", remedy="Choose another column.")
    if pd.api.types.is_numeric_dtype(values):
        found = values.to_numpy(np.float64, na_value=np.nan)
    else:
        found = _from_text(values, column, notes)
    found = np.where(np.isfinite(found), found, np.nan)
    return _without_fills(found, column, notes)


def _from_text(values: Series[Any], column: str, notes: list[str]) -> NDArray[np.float64]:
    import pandas as pd

    text = values.astype("string").str.strip().str.replace("\u2212", "-").str.replace("\u00a0", "").fillna("")
    missing = text.str.lower().isin(MISSING)
    numbers = pd.to_numeric(text, errors="coerce")
    if numbers[~missing].isna().any():
        plain = _plain(text)
        numbers = numbers.fillna(pd.to_numeric(plain, errors="coerce"))
        if plain[~missing].ne(text[~missing]).any():
            notes.append(f"Numbers of {column} are read with a decimal comma, or with marks between thousands.")
    unread = numbers.isna() & ~missing
    count, known = int(unread.sum()), int((~missing).sum())
    if count:
        first = str(text[unread].iloc[0])[:30]
        if count > LARGEST_SHARE * known:
            raise InputError(
                f"{count:,} of {known:,} values of {column} are no numbers, the first of them {first!r}.",
                "What was measured cannot be read from them.", "Choose another column, or correct the file.",
            )  # fmt: skip
        notes.append(f"{count:,} values of {column} are no numbers (the first: {first!r}) and count as not measured.")
    return numbers.to_numpy(np.float64, na_value=np.nan)


def _plain(text: Series[Any]) -> Series[Any]:
    """Numbers with a point before their decimals and nothing between thousands.

    Of a point and a comma the last one stands before the decimals. A comma alone does so too, unless each is followed
    by three digits and there are two in one number.
    """
    points, commas = text.str.contains(".", regex=False), text.str.contains(",", regex=False)
    comma_last = text.str.rfind(",") > text.str.rfind(".")
    thousands = text.str.fullmatch(r"[+-]?\d{1,3}(,\d{3}){2,}").any()
    swapped = text.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    without = text.str.replace(",", "", regex=False).str.replace("'", "", regex=False).str.replace(" ", "", regex=False)
    several = bool(thousands)
    decimal_comma = (points & commas & comma_last) | (commas & ~points if not several else points & False)
    return without.mask(decimal_comma, swapped.str.replace(" ", "", regex=False))


def _without_fills(values: NDArray[np.float64], column: str, notes: list[str]) -> NDArray[np.float64]:
    """Values without those that stand for "not measured", which are noted."""
    for fill in FILLS:
        close = np.isclose(values, fill, rtol=1e-6, atol=0)
        if not close.any():
            continue
        others = np.abs(values[~close & ~np.isin(values, FILLS)])
        if others.size and np.nanmax(others, initial=0.0) * FAR >= abs(fill) and not abs(fill) > 1e19:
            continue  # as large as what was measured
        values = np.where(close, np.nan, values)
        notes.append(f"{int(close.sum()):,} values of {column} are {fill:g}, which stands for not measured.")
    return values
