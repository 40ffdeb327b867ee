"""Times as numbers: days of Excel, years with decimals, YYYYMMDD and its like, seconds since 1970, parts of a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.series.monitoring import Times, Values

if TYPE_CHECKING:
    from pandas import Series

EXCEL = (20_000.0, 80_000.0)
"""Numbers that are days of Excel: 1954 to 2119."""

YEARS = (1800, 2200)
"""Years between which things are measured: all of them fit into ``datetime64[ns]``."""

_DIGITS = ((10**9, 2), (10**11, 4), (10**13, 6))
"""How YYYYMMDDHH, YYYYMMDDHHMM and YYYYMMDDHHMMSS begin, and how many digits follow the day."""


def calendar_times(year: Any, month: Any, day: Any, seconds: Any = 0.0) -> Times:  # noqa: ANN401  numbers or arrays
    """Times from parts of dates; NaT where a part is unknown or there is no such day.

    Parameters
    ----------
    year, month, day
        ``(n,)`` numbers, NaN where unknown; or one for all.
    seconds
        Since the beginning of the day, to its end.

    Returns
    -------
    ndarray
        ``(n,)`` ``datetime64[ns]``.
    """
    parts = np.broadcast_arrays(*(np.asarray(one, np.float64) for one in (year, month, day, seconds)))
    with np.errstate(invalid="ignore"):
        good = np.all([np.isfinite(one) for one in parts], axis=0)
        good &= (parts[0] >= YEARS[0]) & (parts[0] <= YEARS[1]) & (parts[1] >= 1) & (parts[1] <= 12)
        good &= (parts[2] >= 1) & (parts[3] >= 0) & (parts[3] <= 86_400)
    years, months, days = (np.where(good, one, 1).astype(np.int64) for one in parts[:3])
    begins = ((years - 1970) * 12 + months - 1).astype("datetime64[M]")
    lengths = ((begins + 1).astype("datetime64[D]") - begins.astype("datetime64[D]")).astype(np.int64)
    good &= days <= lengths
    milliseconds = np.round(np.where(good, parts[3], 0.0) * 1_000).astype("timedelta64[ms]")
    found = begins.astype("datetime64[ms]") + ((days - 1).astype("timedelta64[D]") + milliseconds)
    found[~good] = np.datetime64("NaT")
    return np.asarray(found.astype("datetime64[ns]"))


def times_of_numbers(values: Values, column: str, notes: list[str]) -> Times:
    """Times that are written as numbers, NaT where unknown.

    Parameters
    ----------
    values
        ``(n,)``, NaN where unknown.
    column
        Its name, for messages.
    notes
        Receives what the numbers were taken for.

    Raises
    ------
    InputError
        When they are no times.
    """
    at = np.isfinite(values)
    known = values[at]
    if not known.size:
        raise InputError(f"The column {column} holds no dates or times.", remedy="Choose another column.")
    found = np.full(len(values), np.datetime64("NaT"), "datetime64[ns]")
    low, high = float(known.min()), float(known.max())
    digits = _of_digits(known)
    if low > YEARS[0] and high < YEARS[1]:
        year = np.floor(known)
        begin = (year.astype(np.int64) - 1970).astype("datetime64[Y]")
        length = ((begin + 1).astype("datetime64[s]") - begin.astype("datetime64[s]")).astype(np.float64)
        found[at] = begin.astype("datetime64[s]") + np.round((known - year) * length).astype("timedelta64[s]")
        notes.append(f"Numbers of {column} are read as decimal years.")
    elif digits is not None:
        found[at] = digits
    elif EXCEL[0] <= low and high <= EXCEL[1]:
        found[at] = np.datetime64("1899-12-30", "s") + np.round(known * 86_400).astype("timedelta64[s]")
        notes.append(f"Numbers of {column} are read as Excel dates.")
    elif low >= 1e8 and high < 4.2e9:
        found[at] = np.datetime64("1970-01-01", "ms") + np.round(known * 1e3).astype("timedelta64[ms]")
        notes.append(f"Numbers of {column} are read as seconds since 1970, in UTC.")
    elif low >= 1e11 and high < 4.2e12:
        found[at] = np.datetime64("1970-01-01", "ms") + np.round(known).astype("timedelta64[ms]")
        notes.append(f"Numbers of {column} are read as milliseconds since 1970, in UTC.")
    else:
        raise InputError(
            f"The numbers of {column}, {low:g} to {high:g}, are not dates or times.",
            "They are neither years, nor YYYYMMDD, nor Excel dates, nor seconds since 1970.",
            "Choose another column, or write dates.",
        )  # fmt: skip
    return found


def _of_digits(known: Values) -> Times | None:
    """Times of numbers such as 20200131 or 202001311230; None where most are no such days."""
    if known.min() < 18_000_000 or known.max() >= 22_010_000 * 10**6 or not (known == np.floor(known)).all():
        return None
    size = 0
    for begin, more in _DIGITS:
        if known.min() >= begin:
            size = more
    whole = known.astype(np.int64)
    days, rest = whole // 10**size, whole % 10**size
    clock = rest * 10 ** (6 - size)  # HHMMSS
    hours, minutes, seconds = clock // 10_000, clock // 100 % 100, clock % 100
    wrong = (minutes > 59) | (seconds > 59)
    total = np.where(wrong, -1, hours * 3600 + minutes * 60 + seconds)
    found = calendar_times(days // 10_000, days // 100 % 100, days % 100, total)
    return found if not np.isnat(found).mean() > 0.1 else None


def seconds_of_day(clock: Series[Any], column: str) -> NDArray[np.float64]:
    """Seconds since midnight of times of day, NaN where unknown.

    Parameters
    ----------
    clock
        Text such as ``10:30`` or ``2:15 pm``; or numbers: parts of a day below 1, hours up to 24, else HHMM.

    Raises
    ------
    InputError
        When more than a tenth cannot be read.
    """
    import pandas as pd

    text = clock.astype("string").str.strip().fillna("")
    numbers = pd.to_numeric(text, errors="coerce").to_numpy(np.float64, na_value=np.nan, copy=True)
    known = (text != "").to_numpy(bool)
    numbers[~np.isfinite(numbers)] = np.nan
    if np.isfinite(numbers).any():
        most = float(np.nanmax(numbers))
        if most < 1 and not (numbers[np.isfinite(numbers)] == 0).all():
            found = numbers * 86_400
        elif most <= 24:
            found = numbers * 3600
        else:
            found = np.floor(numbers / 100) * 3600 + numbers % 100 * 60
    else:
        parts = text.str.extract(r"^(\d{1,2})[:h.](\d{2})(?:[:.](\d{2}(?:[.,]\d+)?))?\s*([AaPp])?\.?[Mm]?\.?$")
        hour, minute = (pd.to_numeric(parts[at], errors="coerce") for at in (0, 1))
        second = pd.to_numeric(parts[2].str.replace(",", "."), errors="coerce").fillna(0)
        found = (half_days(hour, parts[3]) * 3600 + minute * 60 + second).to_numpy(np.float64, na_value=np.nan)
    with np.errstate(invalid="ignore"):
        found = np.where((found >= 0) & (found <= 86_400), found, np.nan)
    unread = known & np.isnan(found)
    if unread.sum() > 0.1 * max(int(known.sum()), 1):
        raise InputError(
            f"{int(unread.sum()):,} of {int(known.sum()):,} times of day of {column} cannot be read; the first is "
            f"{str(text[unread].iloc[0])[:40]!r}.",
            remedy="Write them as HH:MM, or choose another column.",
        )  # fmt: skip
    return np.asarray(found)


def half_days(hour: Any, half: Any) -> Any:  # noqa: ANN401  series
    """Hours of 24 from hours of 12 with am and pm."""
    afternoon = half.str.lower().str.startswith("p").fillna(False)
    morning = half.str.lower().str.startswith("a").fillna(False)
    return hour.where(~(afternoon & (hour < 12)), hour + 12).where(~(morning & (hour == 12)), 0)
