"""Times as the tables of the world write them, read without guessing: what can be meant two ways is asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError
from core.series.columns import DateOrder, QuestionError
from core.series.monitoring import Times

if TYPE_CHECKING:
    from pandas import DataFrame, Series

MONTHS = {
    name: number + 1
    for names in (
        "jan feb mar apr may jun jul aug sep oct nov dec", "ene feb mar abr may jun jul ago sep oct nov dic",
        "jan fev mar avr mai juin juil aout sept oct nov dec", "jan feb mrz apr mai jun jul aug sep okt nov dez",
        "gen feb mar apr mag giu lug ago set ott nov dic",
    )
    for number, name in enumerate(names.split())
}  # fmt: skip
"""Months by the beginnings of their names in English, Spanish, French, German and Italian."""

_CLOCK = (
    r"(?:[T ,]+(?P<hour>\d{1,2})[:h](?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
    r"\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?"
)
_YEAR_FIRST = r"^(?P<a>\d{4})[-/.年 ](?P<b>\d{1,2})[-/.月 ](?P<c>\d{1,2})日?" + _CLOCK + "$"
_YEAR_LAST = r"^(?P<a>\d{1,2})[-/. ](?P<b>\d{1,2})[-/. ](?P<c>\d{2}|\d{4})" + _CLOCK + "$"
_COMPACT = r"^(?P<a>\d{4})(?P<b>\d{2})(?P<c>\d{2})(?:[T ]?(?P<hour>\d{2}):?(?P<minute>\d{2}):?(?P<second>\d{2})?)?$"
_MONTH_NAMED = r"^(?P<a>\d{1,2})[-/. ]+(?P<b>[^\W\d_]{3,})\.?[-/., ]+(?P<c>\d{2}|\d{4})" + _CLOCK + "$"
_NAME_FIRST = r"^(?P<b>[^\W\d_]{3,})\.? +(?P<a>\d{1,2}),? +(?P<c>\d{4})" + _CLOCK + "$"
_MONTH_ONLY = r"^(?P<a>\d{4})[-/.年](?P<b>\d{1,2})月?$"
_NAMED_MONTH_ONLY = r"^(?P<b>[^\W\d_]{3,})\.?[-/. ](?P<a>\d{2}|\d{4})$"

LARGEST_SHARE = 0.1
"""Share of the times that may be unreadable before a column is refused."""

EXCEL = (20_000.0, 80_000.0)
"""Numbers that are days of Excel: 1954 to 2119."""

PIVOT = 70
"""Years of two digits from this one on are of the last century."""


def times_of(
    values: Series[Any], column: str, order: DateOrder, notes: list[str], clock: Series[Any] | None = None
) -> tuple[Times, str]:
    """A column of times.

    Parameters
    ----------
    values
        Text, numbers (days of Excel, YYYYMMDD, or years with decimals) or dates.
    column
        Its name, for messages.
    order
        Order of day, month and year where the year comes last; empty to find it from the dates.
    notes
        Receives what was assumed or left out, with its number.
    clock
        Times of day, where they stand apart.

    Returns
    -------
    tuple
        ``(n,)`` ``datetime64[ns]``, NaT where unknown; and the zone that the times name, empty without one.

    Raises
    ------
    QuestionError
        When day and month can be taken for each other.
    InputError
        When more than a tenth cannot be read, or only some times name a zone.
    """
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(values):
        zone = getattr(values.dtype, "tz", None)
        if zone is not None:
            values = values.dt.tz_convert("UTC").dt.tz_localize(None)
        return values.to_numpy("datetime64[ns]"), "UTC" if zone is not None else ""
    if pd.api.types.is_numeric_dtype(values):
        return _from_numbers(values.to_numpy(np.float64, na_value=np.nan), column, notes), ""
    text = values.astype("string").str.strip().fillna("")
    numbers = pd.to_numeric(text, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    compact = text.str.fullmatch(r"\d{8}([T ]?\d{4,6})?").fillna(False).to_numpy(bool)
    known = (text != "").to_numpy(bool)
    if known.any() and (np.isfinite(numbers) & ~compact)[known].mean() > 1 - LARGEST_SHARE:
        return _from_numbers(numbers, column, notes), ""
    if clock is not None:
        text = text.str.cat(clock.astype("string").str.strip().fillna(""), sep=" ").str.strip()
    return _from_text(text, column, order, notes)


def _from_numbers(values: Any, column: str, notes: list[str]) -> Times:  # noqa: ANN401  an array
    known = values[np.isfinite(values)]
    if not known.size:
        raise InputError(f"The column {column} holds no times.", remedy="Choose another column.")
    low, high = float(known.min()), float(known.max())
    found = np.full(len(values), np.datetime64("NaT"), "datetime64[ns]")
    at = np.isfinite(values)
    if low > 1800 and high < 2200:
        year = np.floor(values[at]).astype(int)
        begin = (year - 1970).astype("datetime64[Y]")
        length = ((begin + 1).astype("datetime64[s]") - begin.astype("datetime64[s]")).astype(np.float64)
        seconds = np.round((values[at] - year) * length).astype("timedelta64[s]")
        found[at] = begin.astype("datetime64[s]") + seconds
        notes.append(f"Numbers of {column} are taken for years with decimals.")
    elif low >= 18_000_101 and high <= 22_001_231 and (known == np.floor(known)).all():
        import pandas as pd

        days = pd.Series(values[at].astype(np.int64).astype(str))
        found[at] = pd.to_datetime(days, format="%Y%m%d", errors="coerce").to_numpy("datetime64[ns]")
    elif EXCEL[0] <= low and high <= EXCEL[1]:
        seconds = np.round(values[at] * 86_400).astype("timedelta64[s]")
        found[at] = np.datetime64("1899-12-30", "s") + seconds
        notes.append(f"Numbers of {column} are taken for days of Excel.")
    else:
        raise InputError(
            f"The numbers of {column}, {low:g} to {high:g}, are no times.",
            "They are neither years, nor YYYYMMDD, nor days of Excel.", "Choose another column, or write dates.",
        )  # fmt: skip
    return found


def _from_text(text: Series[Any], column: str, order: DateOrder, notes: list[str]) -> tuple[Times, str]:
    """Times of text: the pattern that most of them follow is that of all."""
    import pandas as pd

    text = text.str.replace(r"\s+", " ", regex=True)
    known = text != ""
    patterns = (_YEAR_FIRST, _YEAR_LAST, _COMPACT, _MONTH_NAMED, _NAME_FIRST, _MONTH_ONLY, _NAMED_MONTH_ONLY)
    sample = text[known].iloc[:2_000]
    if sample.empty:
        raise InputError(f"The column {column} is empty.", remedy="Choose another column.")
    best = max(patterns, key=lambda one: int(sample.str.match(one).sum()))
    parts = text.str.extract(re.compile(best))
    year, month, day = _ymd(parts, best, column, order)
    whole = pd.DataFrame({"year": year, "month": month, "day": day})
    for name in ("hour", "minute", "second"):
        whole[name] = pd.to_numeric(parts[name], errors="coerce").fillna(0) if name in parts else 0
    if "half" in parts:
        whole["hour"] = _of_half_days(whole["hour"], parts["half"])
    found = pd.to_datetime(whole, errors="coerce")
    unread = found.isna() & known
    if int(unread.sum()) > LARGEST_SHARE * int(known.sum()):
        raise InputError(
            f"{int(unread.sum()):,} of {int(known.sum()):,} times of {column} cannot be read, the first of them "
            f"{str(text[unread].iloc[0])[:40]!r}.",
            "They are not written in one known way.", "Write them as YYYY-MM-DD, or choose another column.",
        )  # fmt: skip
    if unread.any():
        notes.append(
            f"{int(unread.sum()):,} rows were left out: their time cannot be read (the first: "
            f"{str(text[unread].iloc[0])[:40]!r})."
        )
    return _in_one_zone(found, parts, column, notes)


def _ymd(parts: DataFrame, pattern: str, column: str, order: DateOrder) -> tuple[Any, Any, Any]:
    """Year, month and day as numbers."""
    import pandas as pd

    def number(name: str) -> Any:  # noqa: ANN401  a series
        return pd.to_numeric(parts[name], errors="coerce")

    if pattern in (_YEAR_FIRST, _COMPACT):
        return number("a"), number("b"), number("c")
    if pattern == _MONTH_ONLY:
        return number("a"), number("b"), 1
    if pattern in (_MONTH_NAMED, _NAME_FIRST, _NAMED_MONTH_ONLY):
        month = parts["b"].map(_month)
        if pattern == _NAMED_MONTH_ONLY:
            return _century(number("a")), month, 1
        return _century(number("c")), month, number("a")
    first, second = number("a"), number("b")
    chosen = order if order in ("dmy", "mdy") else _order(first, second, column)
    day, month = (first, second) if chosen == "dmy" else (second, first)
    return _century(number("c")), month, day


def _order(first: Any, second: Any, column: str) -> str:  # noqa: ANN401  series
    """Whether the day or the month comes first, where the dates say it.

    Raises
    ------
    QuestionError
        When they do not.
    InputError
        When some say the one and some the other.
    """
    day_first, month_first = bool((first > 12).any()), bool((second > 12).any())
    if day_first and month_first:
        raise InputError(
            f"Some dates of {column} have the day first and others the month.", "They cannot be told apart.",
            "Write them as YYYY-MM-DD.",
        )  # fmt: skip
    if day_first or month_first:
        return "dmy" if day_first else "mdy"
    example = f"{first.dropna().iloc[0]:02.0f}/{second.dropna().iloc[0]:02.0f}"
    raise QuestionError(
        "date_order", f"Dates of {column} such as {example} can be read with the day or with the month first.",
        "The wrong order moves values by months.", "Say which (--date-order dmy or mdy).",
    )  # fmt: skip


def _month(name: object) -> float:
    import unicodedata

    if not isinstance(name, str):
        return float("nan")
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return float(MONTHS.get(plain[:4], MONTHS.get(plain[:3], float("nan"))))


def _century(year: Any) -> Any:  # noqa: ANN401  a series
    return year.where(year >= 100, year + 1900).where((year >= PIVOT) | (year >= 100), year + 2000)


def _of_half_days(hour: Any, half: Any) -> Any:  # noqa: ANN401  series
    afternoon = half.str.lower().str.startswith("p").fillna(False)
    morning = half.str.lower().str.startswith("a").fillna(False)
    return hour.where(~(afternoon & (hour < 12)), hour + 12).where(~(morning & (hour == 12)), 0)


def _in_one_zone(found: Any, parts: DataFrame, column: str, notes: list[str]) -> tuple[Times, str]:  # noqa: ANN401
    """Times without zones: as they stand where all name one, in UTC where they name several."""
    import pandas as pd

    times = found.to_numpy("datetime64[ns]")
    named = parts["zone"].dropna() if "zone" in parts else pd.Series(dtype=str)
    if named.empty:
        return times, ""
    if len(named) < int(found.notna().sum()):
        raise InputError(
            f"Only {len(named):,} of {int(found.notna().sum()):,} times of {column} name a zone.",
            "The others may be hours off.", "Write all times in one zone.",
        )  # fmt: skip
    zones = sorted(set(named))
    if len(zones) == 1:
        return times, "UTC" if zones[0] in ("Z", "GMT") else zones[0]
    hours = parts["zone"].map(_offset).fillna(0).to_numpy(np.float64)
    notes.append(f"Times of {column} name {len(zones)} zones ({', '.join(zones[:4])}) and were brought to UTC.")
    return times - np.round(hours * 3600).astype("timedelta64[s]"), "UTC"


def _offset(zone: object) -> float:
    if not isinstance(zone, str) or zone[0] not in "+-":
        return 0.0
    digits = zone[1:].replace(":", "")
    return (-1 if zone[0] == "-" else 1) * (int(digits[:2]) + int(digits[2:]) / 60)
