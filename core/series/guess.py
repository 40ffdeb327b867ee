"""What the columns of a table of a monitored slope probably are, by their headings and what they hold."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.series.columns import Columns, Components
from core.series.dates import times_of

if TYPE_CHECKING:
    from pandas import DataFrame

ROWS = 500
"""Rows that are looked at."""

_TIME = (
    r"\b(date|time|datetime|timestamp|fecha|hora|datum|zeit|tiempo|data|dia|day|epoch|yyyymmdd|month)\b"
    r"|日期|时间|时刻"
)
_CLOCK = r"^(time|hour|hora|zeit|uhrzeit|clock|heure|ora|时间|时刻)$"
_WORDS = {
    "rain": r"\b(rain|rainfall|precip|precipitation|prcp|lluvia|regen|niederschlag|pioggia|pluie|pluvio)\b|降雨|雨量",
    "groundwater": r"\b(groundwater|gwl|gw|piezo|piezometer|freatico|grundwasser|falda|nappe|borehole)\b|地下水",
    "level": r"\b(level|reservoir|lake|stage|nivel|embalse|pegel|wasserstand|livello|niveau|rwl)\b|水位|库水",
    "discharge": r"\b(discharge|flow|streamflow|caudal|abfluss|portata|debit|cfs|m3s)\b|流量",
    "temperature": r"\b(temp|temperature|tmax|tmin|temperatura|temperatur|tair)\b|气温|温度",
}
_DISPLACEMENT = (
    r"\b(disp|displacement|cumulative|cum|desplazamiento|verschiebung|spostamento|deplacement|deformation|movement|"
    r"gps|gnss|los|extensometer|crack|settlement)\b|位移|变形"
)
_STATION = r"^(station|site|id|point|name|sensor|estacion|punto|messpunkt|stazione|测点|站点|点号)( ?(id|name|code))?$"
_COMPONENT = re.compile(
    r"^(?P<name>.*?)[ _\-.]*(?P<which>north|east|up|nord|ost|est|vertical|norte|este|[neuz])[ _\-.]*"
    r"(\(?\[?(mm|cm|m)\]?\)?)?$",
    re.IGNORECASE,
)
_WHICH = {
    "n": "north", "north": "north", "nord": "north", "norte": "north", "e": "east", "east": "east", "ost": "east",
    "est": "east", "este": "east", "u": "up", "up": "up", "z": "up", "vertical": "up",
}  # fmt: skip
_STABLE = re.compile(r"^(base|ref|reference|stable|control|fix|estable|referenz)", re.IGNORECASE)


def guess_columns(frame: DataFrame) -> Columns:
    """Guess which columns are what.

    Parameters
    ----------
    frame
        As `core.series.table.read_table_untrusted` gives it.

    Returns
    -------
    Columns
        What could not be guessed is empty.
    """
    names = [str(one) for one in frame.columns]
    head = frame.head(ROWS)
    time = next((one for one in _ranked(names, _TIME) if _holds_times(head, one)), "")
    time = time or next((one for one in names if _holds_times(head, one, text_only=True)), "")
    numbers = [one for one in names if one != time and _holds_numbers(head, one)]
    drivers = {what: tuple(one for one in numbers if _matches(one, words)) for what, words in _WORDS.items()}
    taken = {one for found in drivers.values() for one in found}
    drivers = {what: tuple(one for one in found if _first(drivers, one) == what) for what, found in drivers.items()}
    left = [one for one in numbers if one not in taken]
    clock = next((one for one in names if one != time and re.search(_CLOCK, _plain(one)) and one not in numbers), "")
    station = next((one for one in names if one not in (time, clock) and re.search(_STATION, _plain(one))), "")
    left = [one for one in left if one != station]
    found: dict[str, Any] = dict(drivers)
    known = Columns(time, station=station, clock=clock, **found)
    components = _components(left)
    if components:
        stable = next((one for one in components if _STABLE.match(one.name)), None)
        others = tuple(one for one in components if one is not stable)
        return replace(known, components=others or components, reference=stable if others else None)
    displaced = [one for one in left if _matches(one, _DISPLACEMENT)] or [
        one for one in left if re.search(r"(^|[_ (\[])(mm|cm)([)\] _]|$)", one, re.IGNORECASE)
    ]
    base = next((one for one in displaced if _STABLE.match(one)), None) if len(displaced) > 1 else None
    chosen = tuple(one for one in displaced if one != base)
    return replace(known, displacements=chosen[:1] if station else chosen, reference=base)


def _first(drivers: dict[str, tuple[str, ...]], name: str) -> str:
    return next(what for what, found in drivers.items() if name in found)


def _plain(name: str) -> str:
    text = unicodedata.normalize("NFKD", name.lower())
    text = "".join(one for one in text if not unicodedata.combining(one))
    return re.sub(r"[_\-./()\[\]]+", " ", text).strip()


def _matches(name: str, words: str) -> bool:
    plain = _plain(name)
    return re.search(words, plain) is not None


def _ranked(names: list[str], words: str) -> list[str]:
    """Columns whose heading has one of the words, those that are it alone before the others."""
    found = [one for one in names if _matches(one, words)]
    return sorted(found, key=lambda one: re.fullmatch(words, _plain(one)) is None)


def _holds_times(frame: DataFrame, name: str, *, text_only: bool = False) -> bool:
    import pandas as pd

    values = frame[name]
    if text_only and pd.api.types.is_numeric_dtype(values):
        return False
    try:
        times_of(values, name, "dmy", [])
    except InputError:
        try:
            times_of(values, name, "mdy", [])
        except InputError:
            return False
    return True


def _holds_numbers(frame: DataFrame, name: str) -> bool:
    from core.series.numbers import numbers_of

    try:
        found = numbers_of(frame[name], name, [])
    except InputError:
        return False
    return bool((found == found).any()) or len(frame) >= ROWS


def _components(names: list[str]) -> tuple[Components, ...]:
    """Columns that are the components of stations: two of each at least."""
    found: dict[str, dict[str, str]] = {}
    for name in names:
        match = _COMPONENT.match(name)
        if match is None or (len(match["which"]) == 1 and not re.search(r"[ _\-.]", name[len(match["name"]):] + " ")):
            continue
        which = _WHICH[match["which"].lower()]
        found.setdefault(match["name"].strip(" _-.") or "station", {}).setdefault(which, name)
    return tuple(
        Components(station, parts["north"], parts["east"])
        for station, parts in found.items()
        if "north" in parts and "east" in parts
    )
