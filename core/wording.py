"""Words in the form that goes with their number, and areas and times as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

ABBREVIATIONS = ("twi", "spi", "sti", "tpi", "tri", "ndvi", "ndwi", "evi", "pga")
"""Words of factors' names that are written in capitals."""

UNITS_IN_NAMES = {"deg": "°"}
"""Units as names of factors end with them, and as they are written where that differs."""

_MEASURE = re.compile(r"(\d*)(deg|mm|m|km)")

SHORT = {"nms": "NMS", "iou": "IoU", "dem": "DEM", "crs": "CRS", "rmse": "RMSE"}
"""Abbreviations in the names of settings, as they are written."""


def count(number: float, noun: str, several: str = "", form: str = ",") -> str:
    """A number with its noun in the right form, which for several is the one given or has an s.

    Parameters
    ----------
    number
        How many.
    noun
        What is counted, as it is said of one.
    several
        What is counted, as it is said of several; with an s unless given.
    form
        How the number is written, as a format specification.

    Examples
    --------
    >>> count(1, "box", "boxes"), count(1200, "box", "boxes"), count(0, "landslide")
    ('1 box', '1,200 boxes', '0 landslides')
    >>> count(1.0004, "day", form=".3g"), count(1.5, "day", form=".3g")
    ('1 day', '1.5 days')
    """
    told = f"{number:{form}}"
    return f"{told} {noun if told == '1' else several or f'{noun}s'}"


def within(title: str) -> str:
    """A title as it stands within a sentence: with a small letter, unless it begins with an abbreviation.

    Examples
    --------
    >>> within("Random forest"), within("ARIMA"), within("Gradient boosting (XGBoost)"), within("")
    ('random forest', 'ARIMA', 'gradient boosting (XGBoost)', '')
    """
    return title if title[:2].isupper() else title[:1].lower() + title[1:]


def agree(number: float, one: str, several: str) -> str:
    """Whichever word goes with a number: the one said of one, or the one said of none or several.

    Examples
    --------
    >>> [f"{count(number, 'row')} without a date {agree(number, 'was', 'were')} left out." for number in (1, 3)]
    ['1 row without a date was left out.', '3 rows without a date were left out.']
    """
    return one if number == 1 else several


_NUMBER_AND_UNIT = re.compile(r"(?<=\d) (?=(?:%|°|km²|m²|px|km|m|s)(?![\w²]))")


def tied(text: str) -> str:
    """Text in which no line breaks between a number and its unit."""
    return _NUMBER_AND_UNIT.sub("\N{NO-BREAK SPACE}", text)


def with_minus_signs(text: str) -> str:
    """An interval or a number in words, with minus signs in place of hyphens before digits.

    Examples
    --------
    >>> [with_minus_signs(text) for text in ("-0.52 to -0.22", "sand-stone", "1e-07")]
    ['−0.52 to −0.22', 'sand-stone', '1e-07']
    """
    return re.sub(r"(?<![^\s])-(?=\d)", "−", text)


def area(value: float, *, georeferenced: bool = True) -> str:
    """An area in m² below 0.1 km², else in km², with the digits that mean something.

    Examples
    --------
    >>> area(5432.1), area(422_000.0), area(13_394_000.0), area(1204.0, georeferenced=False)
    ('5,432 m²', '0.42 km²', '13.4 km²', '1,204 px')
    """
    if not georeferenced:
        return f"{value:,.0f} px"
    if value < 1e5:
        return f"{value:,.0f} m²"
    square = value / 1e6
    return f"{square:,.{2 if square < 10 else 1 if square < 100 else 0}f} km²"


def single_area(value: float, *, georeferenced: bool = True) -> str:
    """The area of one landslide or box, in the unit in which tables have it; sums are written by `area`.

    Examples
    --------
    >>> single_area(115_583.2), single_area(1204.0, georeferenced=False)
    ('115,583 m²', '1,204 px')
    """
    return f"{value:,.0f} {'m²' if georeferenced else 'px'}"


def cell_text(value: Any, digits: int = 8) -> str:  # noqa: ANN401  whatever a table can hold
    """A value of a table as text; a dash where it is missing.

    Examples
    --------
    >>> import pandas
    >>> [cell_text(value) for value in (None, float("nan"), pandas.NA, pandas.NaT, 0.1 + 0.2, 12, "A")]
    ['–', '–', '–', '–', '0.3', '12', 'A']
    """
    import pandas

    if pandas.api.types.is_scalar(value) and pandas.isna(value):  # also of columns of texts or whole numbers
        return "–"
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def moment(time: datetime) -> str:
    """A time in UTC as it is said; a time without zone is taken as UTC."""
    there = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return f"{there.day} {there:%B %Y, %H:%M} UTC"


def factor_words(name: str) -> str:
    """Name of a factor as people read it, with the unit or length that ends it in brackets.

    Examples
    --------
    >>> factor_words("plan_curvature"), factor_words("twi"), factor_words("ndvi_2019")
    ('plan curvature', 'TWI', 'NDVI 2019')
    >>> factor_words("slope_deg"), factor_words("distance_to_road_m"), factor_words("relief_310m")
    ('slope (°)', 'distance to road (m)', 'relief (310 m)')
    """
    *words, last = [word.upper() if word.lower() in ABBREVIATIONS else word for word in name.split("_")]
    measure = _MEASURE.fullmatch(last) if words else None
    if measure is None:
        return " ".join((*words, last))
    length, unit = measure.groups()
    written = UNITS_IN_NAMES.get(unit, unit)
    return f"{' '.join(words)} ({f'{length} {written}' if length else written})"


def number_words(value: float) -> str:
    """A measured number with four digits at most, and whole from a thousand on.

    Examples
    --------
    >>> number_words(-0.077871), number_words(1115.4), number_words(24.166), number_words(0.0)
    ('−0.07787', '1,115', '24.17', '0')
    """
    return (f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}").replace("-", "−")


def signed_hundredths(value: float) -> str:
    """A number with its sign and two decimals; what rounds to zero has none of its own.

    Examples
    --------
    >>> signed_hundredths(-1.234), signed_hundredths(-0.001), signed_hundredths(2.0)
    ('−1.23', '0.00', '+2.00')
    """
    rounded = round(value, 2)
    return f"{rounded:+.2f}".replace("-", "−") if rounded else "0.00"


def setting_words(name: str) -> str:
    """Name of a setting as people read it.

    Examples
    --------
    >>> setting_words("minimum_area"), setting_words("nms_iou")
    ('minimum area', 'NMS IoU')
    """
    return " ".join(SHORT.get(word.lower(), word) for word in name.split("_"))
