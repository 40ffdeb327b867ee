"""Words of the forms of displacement."""

from __future__ import annotations

from ui.messages import tr_noop

NONE = "–"
"""Choice of no column."""

DRIVER_TITLES = {
    "rain": tr_noop("Rain"), "level": tr_noop("Reservoir level"), "groundwater": tr_noop("Groundwater level"),
    "discharge": tr_noop("Discharge"), "temperature": tr_noop("Temperature"),
}  # fmt: skip

ORDERS = {
    "": tr_noop("detected from the dates"), "dmy": tr_noop("day, month, year"), "mdy": tr_noop("month, day, year"),
}  # fmt: skip
