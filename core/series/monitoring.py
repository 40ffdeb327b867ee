"""Monitoring series: what moved, when and by how much, and what may have driven it.

Displacement is in mm and cumulative: how far a station has moved since its first value. Unknown values are NaN and are
never taken for zero. Times have no zone; where a file names one, `Monitoring.zone` says which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError

Times = NDArray[np.datetime64]
Values = NDArray[np.float64]

Quantity = Literal["rain", "level", "groundwater", "discharge", "temperature", "other"]

UNITS: dict[Quantity, str] = {
    "rain": "mm", "level": "m", "groundwater": "m", "discharge": "m³/s", "temperature": "°C", "other": "",
}  # fmt: skip
"""Units of what may drive a landslide: rain as a total per step, all else as the mean over it."""


@dataclass(frozen=True)
class Station:
    """A point whose movement is measured.

    Attributes
    ----------
    name
        Its name, unique within a `Monitoring`.
    times
        ``(n,)``, ``datetime64[ns]``, strictly ascending.
    displacements
        ``(n,)``, mm, cumulative; NaN where unknown.
    components
        ``"north"``, ``"east"``, ``"up"``: ``(n,)`` in mm, of those that were measured.
    place
        Longitude and latitude in degrees (WGS 84); None where unknown.
    """

    name: str
    times: Times
    displacements: Values
    components: Mapping[str, Values] = field(default_factory=dict)
    place: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        check_times(self.name, self.times, self.displacements)


@dataclass(frozen=True)
class Driver:
    """Something measured that may drive a landslide.

    Attributes
    ----------
    name
        Its name, unique within a `Monitoring`.
    quantity
        What it is.
    times, values
        As of `Station`, in the unit of `UNITS`.
    """

    name: str
    quantity: Quantity
    times: Times
    values: Values

    def __post_init__(self) -> None:
        check_times(self.name, self.times, self.values)


@dataclass(frozen=True)
class Monitoring:
    """Stations and drivers of one place, as they were read.

    Attributes
    ----------
    stations, drivers
        What was measured.
    notes
        What was assumed, guessed, left out or found, each with its number, for people.
    corrections
        What was changed in the values, in order, as plain values for JSON: each with ``"what"`` and its settings.
    zone
        Zone of the times as the file names it; empty where it names none.
    """

    stations: tuple[Station, ...]
    drivers: tuple[Driver, ...] = ()
    notes: tuple[str, ...] = ()
    corrections: tuple[Mapping[str, Any], ...] = ()
    zone: str = ""

    def station(self, name: str) -> Station:
        """A station by its name.

        Raises
        ------
        InputError
            When there is none of that name.
        """
        for one in self.stations:
            if one.name == name:
                return one
        names = ", ".join(one.name for one in self.stations[:20])
        raise InputError(f"There is no station {name!r}.", remedy=f"Stations: {names}.")


@dataclass(frozen=True)
class RegularSeries:
    """One station on a regular step, with its drivers on the same step.

    Attributes
    ----------
    name
        Name of the station.
    step
        Length of a step: ``"month"``, or a number and ``h`` or ``D``, such as ``"D"``, ``"7D"``, ``"6h"``.
    times
        ``(n,)``, beginnings of the steps.
    displacements
        ``(n,)``, mm, cumulative. Gaps between known values are filled along a line; NaN before the first and after
        the last known value do not occur.
    filled
        ``(n,)``, whether a value was filled: nothing is scored by it.
    drivers
        By name, ``(n,)``; NaN where unknown.
    quantities
        What each driver is.
    """

    name: str
    step: str
    times: Times
    displacements: Values
    filled: NDArray[np.bool_]
    drivers: Mapping[str, Values] = field(default_factory=dict)
    quantities: Mapping[str, Quantity] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = len(self.times)
        others = (self.displacements, self.filled, *self.drivers.values())
        if any(len(one) != count for one in others):
            raise ValueError("times, displacement, filled and drivers differ in length")
        if set(self.drivers) != set(self.quantities):
            raise ValueError("each driver has a quantity")
        if not np.isfinite(self.displacements).all():
            raise ValueError("displacement holds values that are not finite")

    def __len__(self) -> int:
        return len(self.times)

    @property
    def steps_per_year(self) -> float:
        """How many steps a year has: 12 for months, 365.25 for days."""
        return steps_per_year(self.step)

    def until(self, count: int) -> Self:
        """The first steps alone, such as all that was known at an origin."""
        return replace(
            self, times=self.times[:count], displacements=self.displacements[:count], filled=self.filled[:count],
            drivers={name: values[:count] for name, values in self.drivers.items()},
        )  # fmt: skip


def check_times(name: str, times: Times, values: Values) -> None:
    """Refuse times that do not ascend, or that are not as many as the values.

    Raises
    ------
    ValueError
        When they are not: readers sort and join repeated times before.
    """
    if len(times) != len(values):
        raise ValueError(f"{name}: {len(times)} times for {len(values)} values")
    if len(times) > 1 and not (np.diff(times) > np.timedelta64(0, "ns")).all():
        raise ValueError(f"{name}: times are not in ascending order")


def steps_per_year(step: str) -> float:
    """How many steps of a length a year has.

    Raises
    ------
    InputError
        When the step is not ``"month"`` or a number and ``h`` or ``D``.
    """
    if step == "month":
        return 12.0
    number, unit = step[:-1] or "1", step[-1:]
    if unit not in ("h", "D") or not number.isdecimal() or not int(number):
        raise InputError(
            f"{step[:20]!r} is not a valid time step.", remedy='Give "month", or a number followed by D or h, such as '
                                                             '"7D".'
        )
    return 365.25 * (24 if unit == "h" else 1) / int(number)


def unit_of_step(step: str) -> tuple[int, str]:
    """How many of which unit a step is: ``(7, "day")`` for ``"7D"``."""
    if step == "month":
        return 1, "month"
    return int(step[:-1] or "1"), {"D": "day", "h": "hour"}[step[-1]]
