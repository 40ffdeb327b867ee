"""Numbers as instruments and people write them: decimal commas, thousands, words for "missing", fill values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.wording import agree, count

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

BEYOND = 1e12
"""Sizes from which a value is none that was measured, in any unit that is read."""

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
    found = _without_fills(np.where(np.isinf(found), BEYOND * np.sign(found), found), column, notes)
    beyond = np.abs(found) >= BEYOND
    if beyond.any():
        many = int(beyond.sum())
        notes.append(
            f"{count(many, 'value')} of {column} {agree(many, 'is', 'are')} too large to be "
            f"{agree(many, 'a measurement and counts', 'measurements and count')} as unknown."
        )
    return np.where(beyond, np.nan, found)


def _from_text(values: Series[Any], column: str, notes: list[str]) -> NDArray[np.float64]:

    text = values.astype("string").str.strip().str.replace("\u2212", "-").str.replace("\u00a0", "").fillna("")
    missing = text.str.lower().isin(MISSING)
    numbers = _floats(text)
    if numbers[~missing].isna().any():
        written = text[~missing]
        plain = _plain(written, column)
        numbers = numbers.where(missing, _floats(plain).reindex(text.index))
        if plain.ne(written).any():
            notes.append(f"Numbers of {column} are read with a decimal comma, or with thousands separators.")
    unread = numbers.isna() & ~missing
    wrong, known = int(unread.sum()), int((~missing).sum())
    if wrong:
        first = str(text[unread].iloc[0])[:30]
        are = agree(wrong, "is not a number", "are not numbers")
        if wrong > LARGEST_SHARE * known:
            raise InputError(
                f"{wrong:,} of {count(known, 'value')} of {column} {are}; the first is {first!r}.",
                "No measurements can be read from them.", "Choose another column, or correct the file.",
            )  # fmt: skip
        notes.append(
            f"{count(wrong, 'value')} of {column} {are} (the first: {first!r}) and {agree(wrong, 'counts', 'count')} "
            "as not measured."
        )
    return np.asarray(numbers, np.float64)


def _floats(text: Series[Any]) -> Series[float]:
    """Numbers of 64 bits, NaN for other text."""
    import pandas as pd

    found = pd.to_numeric(text, errors="coerce")
    return pd.Series(found.to_numpy(np.float64, na_value=np.nan), text.index)


def _plain(text: Series[Any], column: str) -> Series[Any]:
    """Numbers with a point before their decimals and nothing between thousands.

    Of a point and a comma in one number the last one stands before the decimals, and one that comes twice stands
    between thousands; so they do in the whole column. Where no number has both, a comma stands before decimals unless
    three digits follow it throughout.

    Raises
    ------
    InputError
        When a comma could be either.
    """
    text = text.str.replace(r"(?<=\d)['’\u202f ](?=\d{3})", "", regex=True)
    points, commas = text.str.contains(".", regex=False), text.str.contains(",", regex=False)
    both = points & commas
    groups = r"[+-]?[1-9]\d{0,2}(?:{0}\d{3})"
    if both.any():
        decimal_comma = bool((text.str.rfind(",") > text.str.rfind("."))[both].mean() > 0.5)
    elif text.str.fullmatch(groups.replace("{0}", ",") + "{2,}").any():
        decimal_comma = False
    elif text.str.fullmatch(groups.replace("{0}", r"\.") + "{2,}").any():
        decimal_comma = True
    elif not commas.any():
        return text
    elif text[commas].str.fullmatch(groups.replace("{0}", ",")).all():
        if not (~commas & ~points & text.str.fullmatch(r"[+-]?\d{1,3}")).any():
            raise InputError(
                f"Numbers of {column} such as {text[commas].iloc[0][:30]!r} can have a decimal comma or a "
                "thousands separator.",
                "The two readings differ by a factor of a thousand.", "Write them with a decimal point.",
            )  # fmt: skip
        decimal_comma = False
    else:
        decimal_comma = True
    if decimal_comma:
        return text.str.replace(r"\.(?=\d{3}(?:\D|$))", "", regex=True).str.replace(",", ".", regex=False)
    return text.str.replace(",", "", regex=False)


def _without_fills(values: NDArray[np.float64], column: str, notes: list[str]) -> NDArray[np.float64]:
    """Values without those that stand for "not measured", which are noted."""
    for fill in FILLS:
        close = np.isclose(values, fill, rtol=1e-6, atol=0)
        if not close.any():
            continue
        others = values[np.isfinite(values) & ~close & ~np.isin(values, FILLS)] * np.sign(fill)
        if others.size and others.max() * FAR >= abs(fill) and not abs(fill) > 1e19:
            continue  # as large as what was measured, on its side of zero
        values = np.where(close, np.nan, values)
        fills = int(close.sum())
        notes.append(
            f"{count(fills, 'value')} of {column} {agree(fills, 'is', 'are')} {fill:g}, which marks missing values."
        )
    return values
