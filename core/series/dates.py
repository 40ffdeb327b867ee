"""Times as the tables of the world write them, read without guessing: what can be meant two ways is asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError
from core.series.columns import DateOrder, QuestionError
from core.series.monitoring import Times, Values
from core.series.serials import YEARS, calendar_times, half_days, seconds_of_day, times_of_numbers
from core.series.zones import in_one_zone
from core.wording import agree, count

if TYPE_CHECKING:
    from pandas import Series

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
    r"(?:[T ,]+(?P<hour>\d{1,2})[:h](?P<minute>\d{2})(?::(?P<second>\d{2}(?:[.,]\d+)?))?\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
    r"\s*(?P<zone>[+-]\d{2}(?::?\d{2})?|[A-Z]{1,5})?)?"
)
_YEAR_FIRST = r"^(?P<a>\d{4})[-/.年 ] ?(?P<b>\d{1,2})[-/.月 ] ?(?P<c>\d{1,2})日?" + _CLOCK + "$"
_YEAR_LAST = r"^(?P<a>\d{1,2})(?P<mark>[-/. ]) ?(?P<b>\d{1,2})[-/. ] ?(?P<c>\d{2}|\d{4})" + _CLOCK + "$"
_COMPACT = r"^(?P<a>\d{4})(?P<b>\d{2})(?P<c>\d{2})(?:[T ]?(?P<hour>\d{2}):?(?P<minute>\d{2}):?(?P<second>\d{2})?)?$"
_MONTH_NAMED = r"^(?P<a>\d{1,2})[-/. ]+(?P<b>[^\W\d_]{3,})\.?[-/., ]+(?P<c>\d{2}|\d{4})" + _CLOCK + "$"
_NAME_FIRST = r"^(?P<b>[^\W\d_]{3,})\.? +(?P<a>\d{1,2}),? +(?P<c>\d{4})" + _CLOCK + "$"
_DAY_OF_YEAR = r"^(?P<a>\d{4})[-/. ](?P<d>\d{3})" + _CLOCK + "$"
_MONTH_ONLY = r"^(?P<a>\d{4})[-/.年](?P<b>\d{1,2})月?$"
_NAMED_MONTH_ONLY = r"^(?P<b>[^\W\d_]{3,})\.?[-/. ](?P<a>\d{2}|\d{4})$"
_WEEKDAY = r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}[.,]? "

_QUICK = (
    (r"\d{4}-\d{2}-\d{2}", "%Y-%m-%d"), (r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}", "%Y-%m-%d %H:%M"),
    (r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}", "%Y-%m-%d %H:%M:%S"),
    (r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}", "%Y-%m-%dT%H:%M:%S"),
)  # fmt: skip

CHUNK = 200_000
"""Times that are taken apart at once: a large table is read in bounded memory."""

LARGEST_SHARE = 0.1
"""Share of the times that may be unreadable before a column is refused."""

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
        times = values.to_numpy("datetime64[ns]")
        return _with_clock(times, clock), "UTC" if zone is not None else ""
    if pd.api.types.is_bool_dtype(values):
        raise InputError(f"The column {column} holds no dates or times.", remedy="Choose another column.")
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.to_numpy(np.float64, na_value=np.nan)
        return _with_clock(times_of_numbers(numbers, column, notes), clock), ""
    if clock is None and (quick := _quickly(values)) is not None:
        return quick, ""
    text = values.astype("string").str.strip().fillna("")
    numbers = pd.to_numeric(text, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    known = (text != "").to_numpy(bool)
    if known.any() and np.isfinite(numbers)[known].mean() > 1 - LARGEST_SHARE:
        return _with_clock(times_of_numbers(numbers, column, notes), clock), ""
    if clock is not None and text.str.contains(":", regex=False).any():
        clock = None  # the times have their time of day already
    if clock is None or pd.api.types.is_numeric_dtype(clock):
        times, zone = _from_text(text, column, order, notes)
        return _with_clock(times, clock), zone
    hours = clock.astype("string").str.strip().fillna("")
    return _from_text(text.str.cat(hours, sep=" ").str.strip(), column, order, notes)


def _quickly(values: Series[Any]) -> Times | None:
    """Times of one of the usual formats, which need no look at each; None where one of them has another."""
    import pandas as pd

    known = values.notna().to_numpy(bool)
    first = values[known].iloc[:1].astype(str)
    for expression, formatted in _QUICK:
        if first.str.fullmatch(expression).any():
            times = pd.to_datetime(values, format=formatted, errors="coerce")
            if times[known].isna().any() or not times[known].dt.year.between(*YEARS).all():
                return None
            return times.to_numpy("datetime64[ns]")
    return None


def _with_clock(times: Times, clock: Series[Any] | None) -> Times:
    """Times with the time of day that stands apart; midnight where it is not known."""
    if clock is None:
        return times
    seconds = np.nan_to_num(seconds_of_day(clock, str(clock.name)))
    return np.asarray(times + np.round(seconds * 1_000).astype("timedelta64[ms]"))


def _from_text(text: Series[Any], column: str, order: DateOrder, notes: list[str]) -> tuple[Times, str]:
    """Times of text: the pattern that most of them follow is that of all."""
    import pandas as pd

    text = text.str.replace(r"\s+", " ", regex=True).str.replace(_WEEKDAY, "", regex=True, case=False)
    known = text != ""
    patterns = (
        _YEAR_FIRST, _YEAR_LAST, _COMPACT, _MONTH_NAMED, _NAME_FIRST, _DAY_OF_YEAR, _MONTH_ONLY, _NAMED_MONTH_ONLY,
    )  # fmt: skip
    sample = text[known].iloc[:2_000]
    if sample.empty:
        raise InputError(f"The column {column} is empty.", remedy="Choose another column.")
    best = max(patterns, key=lambda one: int(sample.str.match(one).sum()))
    found = [_fields(text.iloc[at : at + CHUNK], best) for at in range(0, len(text), CHUNK)]
    numbers = {name: np.concatenate([one[0][name] for one in found]) for name in found[0][0]}
    year, month, day = _ymd(numbers, best, column, order)
    times = calendar_times(year, month, day, numbers["seconds"])
    unread = np.isnat(times) & known.to_numpy(bool)
    if int(unread.sum()) > LARGEST_SHARE * int(known.sum()):
        chosen = f"with the order {order}" if order else "in any one known format"
        raise InputError(
            f"{int(unread.sum()):,} of {count(int(known.sum()), 'time')} of {column} cannot be read; the first is "
            f"{str(text[unread].iloc[0])[:40]!r}.",
            f"They are not written {chosen}.",
            f"{'Choose another order (--date-order)' if order else 'Write them as YYYY-MM-DD'}, or choose another "
            "column.",
        )  # fmt: skip
    if unread.any():
        lost = int(unread.sum())
        notes.append(
            f"{count(lost, 'row')} {agree(lost, 'was', 'were')} left out because {agree(lost, 'its', 'their')} time "
            f"cannot be read (the first: {str(text[unread].iloc[0])[:40]!r})."
        )
    return in_one_zone(times, pd.concat([one[1] for one in found]), column, notes)


def _fields(text: Series[Any], pattern: str) -> tuple[dict[str, Values], Series[Any]]:
    """The fields of dates as numbers, NaN where there are none, and their zones.

    ``seconds`` are since midnight; ``short`` is 1 where the last field has two digits, ``dashed`` where dashes stand
    between them.
    """
    import pandas as pd

    parts = text.str.extract(re.compile(pattern))
    found: dict[str, Values] = {}
    for name in ("a", "b", "c", "d", "hour", "minute", "second"):
        if name in parts:
            field = parts[name]
            if name == "b" and pattern in (_MONTH_NAMED, _NAME_FIRST, _NAMED_MONTH_ONLY):
                field = field.map(_month, na_action="ignore")
            else:
                field = pd.to_numeric(field.str.replace(",", "."), errors="coerce")
            found[name] = field.to_numpy(np.float64, na_value=np.nan)
    for name, group, said in (("short", "c", r"\d\d"), ("dashed", "mark", "-")):
        says = parts[group].str.fullmatch(said).fillna(False) if group in parts else np.zeros(len(text))
        found[name] = np.asarray(says, np.float64)
    hour, minute, second = (np.nan_to_num(found.pop(one, np.zeros(len(text)))) for one in ("hour", "minute", "second"))
    if "half" in parts:
        hour = half_days(pd.Series(hour, parts.index), parts["half"]).to_numpy(np.float64)
    wrong = (minute > 59) | (second >= 61)
    found["seconds"] = np.where(wrong, np.nan, hour * 3600 + minute * 60 + second)
    zones = parts["zone"] if "zone" in parts else pd.Series(pd.NA, parts.index, dtype="string")
    return found, zones


def _ymd(found: dict[str, Values], pattern: str, column: str, order: DateOrder) -> tuple[Any, Any, Any]:
    """Year, month and day as numbers."""
    if pattern == _DAY_OF_YEAR:
        return _from_day_of_year(found["a"], found["d"])
    if pattern in (_YEAR_FIRST, _COMPACT):
        return found["a"], found["b"], found["c"]
    if pattern == _MONTH_ONLY:
        return found["a"], found["b"], 1.0
    if pattern == _NAMED_MONTH_ONLY:
        return _century(found["a"]), found["b"], 1.0
    if pattern in (_MONTH_NAMED, _NAME_FIRST):
        return _century(found["c"]), found["b"], found["a"]
    first, second, third = found["a"], found["b"], found["c"]
    short = bool(found["short"].any())
    chosen = order or _order(first, second, third, column, year_may_be_first=short and bool(found["dashed"].any()))
    if chosen == "ymd":
        return (_century(first), second, third) if short else (third, second, first)
    day, month = (first, second) if chosen == "dmy" else (second, first)
    return _century(third), month, day


def _from_day_of_year(year: Values, number: Values) -> tuple[Values, Values, Values]:
    begins = calendar_times(year, 1.0, 1.0)
    good = ~np.isnat(begins) & (number >= 1) & (number <= 366)
    days = begins.astype("datetime64[D]") + np.where(good, number - 1, 0).astype("timedelta64[D]")
    months = days.astype("datetime64[M]")
    good &= days.astype("datetime64[Y]") == begins.astype("datetime64[Y]")
    month = np.where(good, months.astype(np.int64) % 12 + 1, np.nan)
    return year, month, np.where(good, (days - months.astype("datetime64[D]")).astype(np.int64) + 1, np.nan)


def _order(first: Values, second: Values, third: Values, column: str, *, year_may_be_first: bool) -> DateOrder:
    """Which of day, month and year comes first, where the dates say it.

    Raises
    ------
    QuestionError
        When they do not.
    InputError
        When some say the one and some the other.
    """
    known = np.isfinite(first) & np.isfinite(second)
    first, second, third = first[known], second[known], third[known]
    day_first, month_first = bool((first > 12).any()), bool((second > 12).any())
    year_first = year_may_be_first and not month_first and bool(((third >= 1) & (third <= 31)).all())
    if day_first and month_first:
        raise InputError(
            f"Some dates of {column} have the day first and others the month.", "The order of the others is ambiguous.",
            "Write all dates as YYYY-MM-DD.",
        )  # fmt: skip
    if year_first and bool((first > 31).any()):
        return "ymd"
    if (first == second).all() and not year_first:
        return "dmy"
    if month_first or (day_first and not year_first):
        return "dmy" if day_first else "mdy"
    at = int(np.argmax(first != second))
    example = f"{first[at]:02.0f}/{second[at]:02.0f}/{third[at]:02.0f}"
    readings = "year or the day" if day_first else "day, the month or the year" if year_first else "day or the month"
    names = "dmy or ymd" if day_first else "dmy, mdy or ymd" if year_first else "dmy or mdy"
    raise QuestionError(
        "date_order", f"Dates of {column} such as {example} can be read with the {readings} first.",
        "The wrong order shifts values by months.", f"Name the order (--date-order {names}).",
    )  # fmt: skip


def _month(name: str) -> float:
    import unicodedata

    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return float(MONTHS.get(plain[:4], MONTHS.get(plain[:3], float("nan"))))


def _century(year: Values) -> Values:
    """Years of four digits."""
    return np.where(year >= 100, year, np.where(year >= PIVOT, year + 1900, year + 2000))
