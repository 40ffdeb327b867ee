"""Words of the forms of displacement."""

from __future__ import annotations

NONE = "–"
"""Choice of no column."""

DRIVER_TITLES = {
    "rain": "Rain", "level": "Reservoir level", "groundwater": "Groundwater level", "discharge": "Discharge",
    "temperature": "Temperature",
}  # fmt: skip

ORDERS = {"": "detected from the dates", "dmy": "day, month, year", "mdy": "month, day, year"}
