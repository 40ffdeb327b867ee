"""Steps of a series, and numbers with a sign, as sentences name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.series.monitoring import unit_of_step
from core.wording import count

if TYPE_CHECKING:
    from datetime import datetime

MINUS = "−"

MONTH = "month"


def step_name(time: np.datetime64 | datetime | str, step: str) -> str:
    """The step that begins at a time: by its month where steps are months, else by its date, with the time for hours.

    Examples
    --------
    >>> step_name(np.datetime64("2018-06-01"), "month"), step_name(np.datetime64("2018-06-01"), "7D")
    ('June 2018', '2018-06-01')
    >>> step_name(np.datetime64("2018-06-01T06:00"), "6h")
    '2018-06-01 06:00'
    """
    date = str(time)[:10]
    if unit_of_step(step)[1] == "hour":
        return str(np.datetime64(str(time), "m")).replace("T", " ")
    return date if step != MONTH else f"{np.datetime64(date).item():%B %Y}"


def steps_name(first: np.datetime64, last: np.datetime64, step: str) -> str:
    """Steps from one to another.

    Examples
    --------
    >>> steps_name(np.datetime64("2018-06-01"), np.datetime64("2018-08-01"), "month")
    'June to August 2018'
    >>> steps_name(np.datetime64("2018-12-01"), np.datetime64("2019-01-01"), "month")
    'December 2018 to January 2019'
    >>> steps_name(np.datetime64("2018-06-01"), np.datetime64("2018-06-07"), "D")
    '2018-06-01 to 2018-06-07'
    """
    begin, end = step_name(first, step), step_name(last, step)
    if begin == end:
        return end
    same_year = step == MONTH and begin[-4:] == end[-4:]
    return f"{begin[:-5] if same_year else begin} to {end}"


def ahead_name(last: np.datetime64 | datetime | str, step: str, steps: int) -> str:
    """The steps that follow one, up to the target of a forecast.

    Examples
    --------
    >>> ahead_name("2019-12-01", "month", 1), ahead_name("2019-12-01", "month", 3)
    ('January 2020', 'January to March 2020')
    >>> ahead_name("2019-12-01", "D", 1), ahead_name("2019-12-01", "7D", 2)
    ('the day after 2019-12-01', 'the 14 days after 2019-12-01')
    """
    if step == MONTH:
        month = np.datetime64(str(last)[:7], "M")
        return steps_name(month + 1, month + steps, step)
    number, unit = unit_of_step(step)
    return f"the {count(steps * number, unit).removeprefix('1 ')} after {step_name(last, step)}"


def signed(value: float, form: str) -> str:
    """A number with a real minus sign; what rounds to zero has none.

    Examples
    --------
    >>> signed(-1.25, ".1f"), signed(1.25, "+.1f"), signed(-0.04, "+.1f")
    ('−1.2', '+1.2', '0.0')
    """
    text = f"{value:{form}}"
    return text.replace("-", MINUS if any(sign in "123456789" for sign in text) else "")
