"""What is found about the readings of a station, and what finding it needs: spacing and noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from core.series.monitoring import Station, Times, Values

What = Literal["gap", "silence", "outlier", "step", "instrument", "stuck"]
Part = Literal["", "north", "east", "up"]

MAD = 1.4826
"""Standard deviations of a normal distribution in its median absolute deviation."""

MOST = 1_000
"""Findings of one kind and station that are told."""


@dataclass(frozen=True)
class Finding:
    """Something about the readings of a station that people should look at.

    Attributes
    ----------
    what
        Its kind.
    station
        Name of the station.
    begin, end
        First and last time it concerns.
    size
        Gap and silence: days. Outlier and step: mm. Instrument: ratio. Stuck: readings.
    text
        What was found, for people.
    part
        Component it concerns; empty for the displacement.
    """

    what: What
    station: str
    begin: np.datetime64
    end: np.datetime64
    size: float
    text: str
    part: Part = ""

    def to_json(self) -> dict[str, Any]:
        """As plain values, times in ISO 8601."""
        return {
            "what": self.what, "station": self.station, "begin": iso(self.begin), "end": iso(self.end),
            "size": self.size, "text": self.text, "part": self.part,
        }  # fmt: skip


def usual_spacing(times: Times) -> float:
    """Median of the days between times; NaN for fewer than two."""
    return float(np.median(np.diff(times) / np.timedelta64(1, "s"))) / 86_400 if len(times) > 1 else float("nan")


def noise_of(values: Values) -> float:
    """Standard deviation of the noise of readings, in their unit, robust against trend, gaps and outliers.

    From the median of the absolute second differences, whose variance is six times that of independent noise. NaN for
    fewer than three readings.

    Parameters
    ----------
    values
        ``(n,)`` known readings.
    """
    if len(values) < 3:
        return float("nan")
    return float(MAD * np.median(np.abs(np.diff(values, 2))) / np.sqrt(6.0))


def known_values(station: Station) -> tuple[Times, Values]:
    """Times and displacements of a station where both are known."""
    known = np.isfinite(station.displacements)
    return station.times[known], station.displacements[known]


def iso(time: np.datetime64) -> str:
    """A time as ISO 8601, as short as it can be without a loss: the day alone at midnight."""
    return str(np.datetime_as_string(time, unit="auto"))
