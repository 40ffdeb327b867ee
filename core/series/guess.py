"""What the columns of a table of a monitored slope probably are, by their headings and what they hold."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.series.columns import Columns, Components, QuestionError
from core.series.dates import times_of
from core.series.places import guess_places
from core.series.serials import seconds_of_day
from core.series.units import length_in
from core.series.zones import ZoneError

if TYPE_CHECKING:
    from pandas import DataFrame

ROWS = 500
"""Rows that are looked at."""

_TIME = (
    r"\b(dates?|times?|date ?time\w*|timestamp|fecha\w*|hora|datum|zeit\w*|tiempo|data|dia|day|tag|jour|heure|epoch|"
    r"yyyymmdd|month|monat|mes|mois|year|ano|jahr|annee|anno|tarih|tijd\w*|czas|t)\b|日期|时间|时刻|年月|日時|дата|время|날짜"
)
_CLOCK = r"^(time|hour|hora|zeit|uhrzeit|clock|heure|ora|hhmm|time of day|时间|时刻|время)$"
_WORDS = {
    "rain": r"\b(rain\w*|precip\w*|prcp|lluvia|lluvias|regen\w*|niederschlag\w*|pioggia|precipitazion\w*|pluie\w*|"
            r"pluvio\w*|chuva|neerslag|opad\w*|yagis)\b|降雨|雨量|降水|осадки|강우",
    "groundwater": r"\b(ground ?water\w*|gwl|gw|piezo\w*|pore ?pressure|freatico|agua subterranea|grundwasser\w*|falda|"
                   r"nappe|borehole\w*|water ?table)\b|地下水",
    "level": r"\b(level\w*|reservoir\w*|lake\w*|stage|nivel|embalse|pegel\w*|wasserstand|livello|niveau|rwl|pool|"
             r"seviye|cota)\b|水位|库水",
    "discharge": r"\b(discharge\w*|flow|streamflow|caudal|abfluss\w*|portata|debit|debiet|cfs|m3s|vazao)\b|流量",
    "temperature": r"\b(temp|temp ?[cfk]|temperature\w*|tmax|tmin|tavg|tmean|temperatura\w*|temperatur\w*|tair)\b|"
                   r"气温|温度|температура",
}  # fmt: skip
_DISPLACEMENT = (
    r"\b(disp\w*|displacement\w*|cumul\w*|cum\w*|desplazamiento\w*|desloc\w*|verschiebung\w*|spostament\w*|"
    r"deplacement\w*|deformation\w*|deformacion\w*|movement\w*|movimiento\w*|gps\d*|gnss\d*|los|extensom\w*|"
    r"crack\w*|settlement\w*|setzung\w*|inclinom\w*|prism\w*|przemieszcz\w*)\b|位移|变形|沉降|変位|смещение"
)
_NOT_DISPLACEMENT = (
    r"\b(std\w*|sigma|error\w*|uncert\w*|accuracy|precision|rms|quality|velocity|speed|rate|evapo\w*|snow\w*|count|"
    r"geschwindigkeit|velocidad|vitesse)\b|速率|速度"
)
_STATION = (
    r"^(station|stations|site|sensor|id|pid|point|marker|name|target|prism|estacion|punto|punkt|messpunkt|stazione|"
    r"estacao|测点|站点|点号|监测点)( ?(id|name|code|no|nr))?$"
)
_COMPONENT = re.compile(
    r"^(?P<name>.*?)[ _\-.]*(?P<which>north|east|up|nord|ost|est|vertical|norte|este|[neuz])[ _\-.]*"
    r"(\(?\[?(mm|cm|m)\]?\)?)?$",
    re.IGNORECASE,
)
_WHICH = {
    "n": "north", "north": "north", "nord": "north", "norte": "north", "e": "east", "east": "east", "ost": "east",
    "est": "east", "este": "east", "u": "up", "up": "up", "z": "up", "vertical": "up",
}  # fmt: skip
_PLACE = r"\b(lat|latitude|latitud|lon|long|lng|longitude|longitud)\b"
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
    clock = next((one for one in names if one != time and _is_clock(head, one)), "")
    station = next((one for one in names if one not in (time, clock) and _is_station(frame, one)), "")
    left = [one for one in left if one not in (station, clock) and not _matches(one, _NOT_DISPLACEMENT)]
    found: dict[str, Any] = dict(drivers)
    known = Columns(time, station=station, clock=clock, **found)
    standing = [one for one in left if _matches(one, _PLACE)]
    left = [one for one in left if one not in standing]
    components = _components(left)
    stations = [one.name for one in components]
    known = replace(known, places=guess_places([_plain(one) for one in standing], standing, stations))
    if components:
        stable = next((one for one in components if _STABLE.match(one.name)), None)
        others = tuple(one for one in components if one is not stable)
        return replace(known, components=others or components, reference=stable if others else None)
    displaced = [one for one in left if _matches(one, _DISPLACEMENT)] or [
        one for one in left if length_in(one) is not None
    ]
    base = next((one for one in displaced if _STABLE.match(one)), None) if len(displaced) > 1 else None
    chosen = tuple(one for one in displaced if one != base)
    return replace(known, displacements=chosen[:1] if station else chosen, reference=base)


def _first(drivers: dict[str, tuple[str, ...]], name: str) -> str:
    return next(what for what, found in drivers.items() if name in found)


def _plain(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", name)  # CamelCase
    text = unicodedata.normalize("NFKD", spaced.lower())
    text = "".join(one for one in text if not unicodedata.combining(one))
    return re.sub(r"[_\-./,:;#()\[\]]+", " ", text).strip()


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
    if pd.api.types.is_numeric_dtype(values):
        whole_years = values.between(1800, 2200).all() and (values % 1 == 0).all()
        if text_only or (whole_years and values.nunique() < min(12, len(values))):
            return False  # the year of dates that stand in several columns
    try:
        times_of(values, name, "", [])
    except (QuestionError, ZoneError):
        return True  # times, of which something has to be asked
    except InputError:
        return False
    return True


def _is_clock(frame: DataFrame, name: str) -> bool:
    """Whether a column holds times of day, which stand apart from the dates."""
    if not re.search(_CLOCK, _plain(name)):
        return False
    try:
        found = seconds_of_day(frame[name], name)
    except InputError:
        return False
    return bool((found == found).any())


def _is_station(frame: DataFrame, name: str) -> bool:
    """Whether a column holds names of stations, each of several rows."""
    return bool(re.search(_STATION, _plain(name))) and 2 * frame[name].nunique() <= len(frame) > 0


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
