"""What an evaluation of forecasts leaves: series, forecasts, and scores by station and model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.runs.result import RunResult

SERIES = "series"
"""Role of the input with the monitored slope, and of the artifact with the series on their steps (Parquet: station,
time, displacement, filled, and each driver)."""

DRIVERS = "drivers"
"""Role of the input with rain, levels and other drivers in a file of their own."""

MEASURED, FORECASTS, SCORES = "measured", "forecasts", "scores"
"""Roles of what was measured (Parquet: station, time, displacement, components), of all forecasts (Parquet: station,
model, origin, target, forecast, low, high, measured, scored; mm from origin to target) and of the scores (JSON)."""


@dataclass(frozen=True, kw_only=True)
class ForecastResult(RunResult):
    """Forecasts of the stations of a slope, evaluated by walk-forward.

    Attributes
    ----------
    stations
        By station: ``models`` (scores by model), ``chosen``, ``best_simple``, ``best_on_test``, ``step``, ``steps``,
        ``filled``, ``first``, ``last``, ``test_from``, ``left_out``; see `core.tasks.displacement.evaluate`.
    horizon
        Steps ahead.
    test_share
        Share of a series that was for the test.
    drivers
        What each driver is, by name.
    corrections
        What was changed in the measured values, in order.
    zone
        Zone of the times; empty where the file names none.
    places
        Longitude and latitude of stations whose place is known.
    """

    stations: Mapping[str, Mapping[str, Any]]
    horizon: int
    test_share: float
    drivers: Mapping[str, str]
    corrections: tuple[Mapping[str, Any], ...] = ()
    zone: str = ""
    places: Mapping[str, tuple[float, float]] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the stations, in the order asked."""
        return tuple(self.stations)

    def models(self, station: str) -> tuple[str, ...]:
        """Names of the models that were evaluated on a station."""
        return tuple(self.stations[station]["models"])

    def of(self, station: str, model: str, score: str) -> float:
        """A score; NaN where it is undefined."""
        value = self.stations[station]["models"][model].get(score)
        return float("nan") if value is None else float(value)

    def skill(self, station: str, model: str, simple: str) -> float:
        """Skill of a model against a simple forecast; NaN where it is undefined."""
        value = self.stations[station]["models"][model]["skill"].get(simple)
        return float("nan") if value is None else float(value)

    def metrics(self) -> dict[str, float]:
        """See `RunResult`: of the model that was chosen, of the first station, and how many there are."""
        first = self.names[0]
        chosen, simple = self.stations[first]["chosen"], self.stations[first]["best_simple"]
        return {
            "rmse": self.of(first, chosen, "rmse"), "skill": self.skill(first, chosen, simple),
            "mase": self.of(first, chosen, "mase"), "coverage90": self.of(first, chosen, "coverage90"),
            "stations": float(len(self.stations)), "horizon": float(self.horizon),
        }  # fmt: skip

    def baseline_metrics(self) -> tuple[str, dict[str, float]]:
        """See `RunResult`: the simple forecast that was best on the training part."""
        first = self.names[0]
        simple = self.stations[first]["best_simple"]
        return simple, {"rmse": self.of(first, simple, "rmse"), "mase": self.of(first, simple, "mase")}

    def to_json(self) -> dict[str, Any]:
        """See `RunResult`."""
        return {
            "stations": self.stations, "horizon": self.horizon, "test_share": self.test_share,
            "drivers": dict(self.drivers), "corrections": list(self.corrections), "zone": self.zone,
            "places": {name: list(place) for name, place in (self.places or {}).items()},
        }  # fmt: skip

    @classmethod
    def _fields(cls, content: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "stations": content["stations"], "horizon": int(content["horizon"]),
            "test_share": float(content["test_share"]), "drivers": content["drivers"],
            "corrections": tuple(content["corrections"]), "zone": content["zone"],
            "places": {name: (float(x), float(y)) for name, (x, y) in content.get("places", {}).items()},
        }  # fmt: skip
