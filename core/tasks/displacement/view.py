"""What only chooses what of a run is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import InputError
from core.runs.view import chosen

if TYPE_CHECKING:
    from core.tasks.displacement.result import ForecastResult


@dataclass(frozen=True)
class Look:
    """Which station and which model are looked at.

    Attributes
    ----------
    station, model
        Their names.
    day
        Last day that is known in the replay, as YYYY-MM-DD; empty for the end of the series.
    """

    station: str = chosen("station that is shown first", address="station", default="")
    model: str = chosen("model whose forecasts are shown", address="model", default="")
    day: str = chosen("last day that is known, as YYYY-MM-DD", address="day", default="")

    @classmethod
    def default(cls, result: ForecastResult) -> Look:
        """The first station, and the model that was chosen on its training part."""
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
        return Look(station, model, self.day)
