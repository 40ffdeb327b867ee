"""What only chooses what of a run is looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.runs.view import chosen
from core.series.alert import check_levels

if TYPE_CHECKING:
    from core.tasks.displacement.points_result import PointsResult
    from core.tasks.displacement.result import ForecastResult


FIRST_YEAR, LAST_YEAR = 1678, 2261
"""Years that are counted in nanoseconds."""

MOST_SHOWN = 8
"""Points whose series are shown at once."""


@dataclass(frozen=True)
class Look:
    """Which station and which model are looked at.

    Attributes
    ----------
    station, model
        Their names.
    day
        Last day that is known in the replay, as YYYY-MM-DD; empty for the end of the series.
    span
        Days over which a velocity is taken; 0 for ten times the usual spacing of the readings.
    levels
        Velocities in mm a day, ascending and separated by commas, from which each level counts; empty for levels from
        the quiet period.
    quiet
        Share of the series, its beginning, that is taken for the quiet period, in per cent.
    points
        Of InSAR points, ids of those whose series are shown, separated by commas.
    """

    station: str = chosen("station to show first", address="station", default="")
    model: str = chosen("model whose forecasts are shown", address="shown", default="")
    day: str = chosen("date of the view, as YYYY-MM-DD; later readings are ignored", address="day", default="")
    span: float = chosen("moving window for velocities in days; 0 for ten readings", address="span", default=0.0)
    levels: str = chosen("velocity levels in mm/day, such as 1,3,10", address="levels", default="")
    quiet: float = chosen("per cent of the series, from its start, that was quiet", address="quiet", default=30.0)
    points: str = chosen("ids of InSAR points whose series are shown, separated by commas", address="points",
                         default="")  # fmt: skip

    def __post_init__(self) -> None:
        if not 0 <= self.span <= 36_525 or not 1 <= self.quiet <= 100:
            raise InputError("The number of days (--span) or the quiet share (--quiet) is out of range.",
                             remedy="Choose 0 to 36,525 days (--span) and 1 to 100 per cent (--quiet).")  # fmt: skip
        self.given_levels()
        if self.day:
            self.last_day()

    def given_levels(self) -> tuple[float, ...]:
        """Levels of one's own; none where none are given.

        Raises
        ------
        InputError
            When they are no ascending numbers above zero.
        """
        if not self.levels.strip():
            return ()
        try:
            found = tuple(float(one) for one in self.levels.split(","))
        except ValueError:
            found = (0.0,)
        return check_levels(found)

    def last_day(self) -> np.datetime64:
        """The end of the last day that is known.

        Raises
        ------
        InputError
            When it is no day.
        """
        try:
            day = date.fromisoformat(self.day)
        except ValueError as error:
            raise InputError(f"{self.day[:20]!r} is not a date.", remedy="Write it as YYYY-MM-DD.") from error
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise InputError(
                f"{self.day[:20]} is outside the valid dates of a series.",
                remedy=f"Choose a date from {FIRST_YEAR} to {LAST_YEAR}."
            )
        return np.datetime64(day + timedelta(days=1), "ns") - np.timedelta64(1, "ns")

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the points whose series are shown."""
        return tuple(dict.fromkeys(one.strip() for one in self.points.split(",") if one.strip()))[:MOST_SHOWN]

    @classmethod
    def default(cls, result: ForecastResult | PointsResult) -> Look:
        """The first station, and the model that was chosen on its training part; nothing of points."""
        from core.tasks.displacement.result import ForecastResult

        if not isinstance(result, ForecastResult):
            return cls()
        first = result.names[0]
        return cls(first, str(result.stations[first]["chosen"]))

    def checked(self, result: ForecastResult) -> Look:
        """The choice, if the run has both; the model that was chosen on the station where that one was not evaluated.

        Raises
        ------
        InputError
            When there is no such station.
        """
        station = self.station or result.names[0]
        if station not in result.stations:
            raise InputError(f"This run has no station {station!r}.", remedy=f"It has {', '.join(result.names[:20])}.")
        model = self.model if self.model in result.models(station) else str(result.stations[station]["chosen"])
        return replace(self, station=station, model=model)
