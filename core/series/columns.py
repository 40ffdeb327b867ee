"""Which columns of a table are what: times, displacement, its components, and what may drive it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.errors import InputError
from core.series.monitoring import Quantity

DateOrder = Literal["", "dmy", "mdy", "ymd"]
Unit = Literal["", "mm", "cm", "m"]

MM_PER: dict[str, float] = {"mm": 1.0, "cm": 10.0, "m": 1000.0}
"""Millimetres in a unit of displacement."""

DRIVERS: tuple[Quantity, ...] = ("rain", "level", "groundwater", "discharge", "temperature")
"""What a column may be beside times and displacement, each a field of `Columns`."""


class QuestionError(InputError):
    """Something about a table is not known and has to be asked.

    Parameters
    ----------
    asks
        Name of the field of `Columns` that answers it.
    what, why, remedy
        See `core.errors.LandslideError`; the remedy names the option of the command that answers it.
    """

    def __init__(self, asks: str, what: str, why: str, remedy: str) -> None:
        super().__init__(what, why, remedy)
        self.asks = asks


@dataclass(frozen=True)
class Components:
    """Columns of the position of a station.

    Attributes
    ----------
    name
        Name of the station.
    north, east, up
        Columns; `up` is empty where height was not measured, or is not to count.
    """

    name: str
    north: str
    east: str
    up: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are named."""
        return tuple(one for one in (self.north, self.east, self.up) if one)


@dataclass(frozen=True)
class Places:
    """Columns of where a station stands.

    Attributes
    ----------
    station
        Name of the station; empty for that, or those, of each row.
    latitude, longitude
        Columns, degrees of WGS 84.
    """

    station: str
    latitude: str
    longitude: str


@dataclass(frozen=True)
class Columns:
    """How a table of a monitored slope is read.

    Attributes
    ----------
    time
        Column of the times.
    displacements
        Columns of displacement, a station each; one column alone where `station` is named.
    components
        Columns of the positions of stations, in place of displacement.
    station
        Column of the names of stations, in a table with a row for each station and time.
    reference
        Column of displacement, or of components, of a stable station that is subtracted; with a column of stations
        also the name of one of them. None without one.
    rain, level, groundwater, discharge, temperature
        Columns of what may drive the slope.
    increments
        Whether displacement is the movement since the row before, and not since the first one.
    unit
        Of displacement and components; asked where it is empty and no heading says it.
    date_order
        Order of day, month and year; asked where it is empty and the dates do not say it.
    clock
        Column of the time of day, where it stands apart; empty otherwise.
    places
        Columns of where stations stand; none where the table does not say it.
    """

    time: str
    displacements: tuple[str, ...] = ()
    components: tuple[Components, ...] = ()
    station: str = ""
    reference: str | Components | None = None
    rain: tuple[str, ...] = ()
    level: tuple[str, ...] = ()
    groundwater: tuple[str, ...] = ()
    discharge: tuple[str, ...] = ()
    temperature: tuple[str, ...] = ()
    increments: bool = False
    unit: Unit = ""
    date_order: DateOrder = ""
    clock: str = ""
    places: tuple[Places, ...] = ()

    @property
    def drivers(self) -> tuple[tuple[Quantity, str], ...]:
        """What each driver is, and its column."""
        return tuple((quantity, name) for quantity in DRIVERS for name in getattr(self, quantity))

    @property
    def referenced(self) -> tuple[str, ...]:
        """Columns of the reference."""
        if self.reference is None:
            return ()
        return (self.reference,) if isinstance(self.reference, str) else self.reference.columns

    @property
    def named(self) -> tuple[str, ...]:
        """All columns that are used."""
        return (
            self.time, *([self.clock] if self.clock else []), *self.displacements,
            *(name for one in self.components for name in one.columns), *([self.station] if self.station else []),
            *self.referenced, *(name for _, name in self.drivers),
            *(name for one in self.places for name in (one.latitude, one.longitude)),
        )  # fmt: skip

    @property
    def named_station(self) -> str:
        """Name of the reference, where it may be one of the names in a column of stations."""
        return self.reference if self.station and isinstance(self.reference, str) else ""

    def check(self, known: list[str], name: str) -> None:
        """Refuse columns that a table does not have, or that do not go together.

        Raises
        ------
        InputError
            When there are such.
        """
        if not self.time:
            raise InputError(
                f"It is unclear which column of {name} holds the times.", remedy="Name the column of times (--time).",
            )  # fmt: skip
        if not self.displacements and not self.components:
            raise InputError(
                f"It is unclear which column of {name} holds the displacement.",
                remedy="Name the column or columns (--displacement, or --components NORTH,EAST).",
            )
        for one in self.named:
            if one not in known and not (one and one == self.named_station):
                raise InputError(f"{name} has no column {one!r}.", remedy=f"Its columns: {', '.join(known[:40])}.")
        if self.displacements and self.components:
            raise InputError("Both displacement and its components are given.", remedy="Give one of them.")
        if self.station and len(self.displacements) + len(self.components) != 1:
            raise InputError(
                "A table with a column of stations can have only one column of displacement.",
                "Each of its rows belongs to one station.",
                "Name one column (--displacement), or no column of stations.",
            )  # fmt: skip
        mixed = bool(self.components) == isinstance(self.reference, str) and not self.named_station
        if self.reference is not None and mixed:
            raise InputError(
                "The reference is not measured in the same way as the stations.",
                "A displacement cannot be subtracted from positions, nor positions from a displacement.",
                "Name one column of displacement, or its components (--reference).",
            )  # fmt: skip
        names = [one.name for one in self.components]
        if len(set(names)) < len(names):
            raise InputError("Two stations have the same name.", remedy="Give each station its own name.")
        twice = sorted({one for one in self.named if self.named.count(one) > 1} - set(self.referenced))
        if twice:
            raise InputError(f"The column {twice[0]!r} is named twice.", remedy="Name each column once.")
