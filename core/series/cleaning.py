"""What may be wrong with a station: gaps, silence, outliers, steps, and a changed or stuck instrument.

Everything is found and shown; nothing is corrected here. `core.series.corrections` corrects what people choose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from core.series.monitoring import Monitoring, Station, Times, Values

What = Literal["gap", "silence", "outlier", "step", "instrument", "stuck"]
Part = Literal["", "north", "east", "up"]

GAP = 3.0
"""How many times the usual spacing readings lie apart where there is a gap."""

SILENCE = 5.0
"""How many times the usual spacing a station says nothing before it is silent."""

HALF_WINDOW, HAMPEL = 5, 4.0
"""Readings on each side that an outlier is held against, and how many standard deviations of them it lies off."""

STEP_WINDOW, STEP = 10, 6.0
"""Readings on each side that a step is held against, and how many standard errors it is high."""

CHANGE_WINDOW, CHANGE = 30, 3.0
"""Readings on each side of a change of an instrument, and the ratio of its noise or spacing before and after."""

STUCK = 10
"""Equal readings in a row after which an instrument may be stuck, where its readings differ otherwise."""

MAD = 1.4826
"""Standard deviations of a normal distribution in its median absolute deviation."""

PARTS: tuple[Part, ...] = ("north", "east", "up")

MOST = 1_000
"""Findings of one kind and station that are told."""

CHUNK = 100_000


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
        Gap and silence: days. Outlier and step: mm. Change: ratio. Stuck: readings.
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
            "what": self.what, "station": self.station, "begin": _day(self.begin), "end": _day(self.end),
            "size": self.size, "text": self.text, "part": self.part,
        }  # fmt: skip


def findings(monitoring: Monitoring) -> tuple[Finding, ...]:
    """All that is found about all stations, by station and time."""
    found: list[Finding] = []
    last = _last(monitoring)
    for station in monitoring.stations:
        ours = [*find_gaps(station), *find_outliers(station), *find_changes(station), *find_stuck(station)]
        silent = find_silence(station, last)
        ours += find_steps(station)
        found += sorted(ours, key=lambda one: one.begin) + ([silent] if silent is not None else [])
    return tuple(found)


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


def find_gaps(station: Station, factor: float = GAP) -> list[Finding]:
    """Gaps between readings that are longer than `factor` times the usual spacing."""
    times, _ = _known(station)
    usual = usual_spacing(times)
    days = np.diff(times) / np.timedelta64(1, "s") / 86_400
    return [
        Finding(
            "gap", station.name, times[at], times[at + 1], float(days[at]),
            f"No reading of {station.name} for {days[at]:.3g} days from {_day(times[at])} on; usual are {usual:.3g}.",
        )
        for at in np.flatnonzero(days > factor * usual)[:MOST]
    ]  # fmt: skip


def find_silence(station: Station, now: np.datetime64, factor: float = SILENCE) -> Finding | None:
    """That a station has said nothing up to a time for longer than `factor` times its usual spacing.

    Parameters
    ----------
    now
        Such as the last time at which anything of the slope was measured, or the present.
    """
    times, _ = _known(station)
    usual = usual_spacing(times)
    days = float((now - times[-1]) / np.timedelta64(1, "s")) / 86_400 if len(times) else 0.0
    if not days > factor * usual:
        return None
    return Finding(
        "silence", station.name, times[-1], now, days,
        f"{station.name} has been silent since {_day(times[-1])}: {days:.3g} days before {_day(now)}; usual between "
        f"readings are {usual:.3g}.",
    )  # fmt: skip


def find_outliers(station: Station, half: int = HALF_WINDOW, threshold: float = HAMPEL) -> list[Finding]:
    """Readings far from the median of those around them (identifier of Hampel).

    A reading is one when it lies more than `threshold` standard deviations from the median of itself and `half`
    readings on each side; the deviation is 1.4826 times their median absolute deviation, and not less than
    `noise_of` the series. Windows are as wide on both sides, and so narrower at the ends: the two outermost readings
    are not judged.

    References
    ----------
    Hampel 1974, doi:10.1080/01621459.1974.10482962; Pearson 2002, doi:10.1109/87.974338.
    """
    times, values = _known(station)
    off, scale = np.zeros(len(values)), np.full(len(values), np.inf)
    for width in range(2, half + 1):
        if len(values) < 2 * width + 1:
            break
        # A narrower window judges only those that a wider one cannot.
        inner = np.arange(width, len(values) - width)
        at = inner if width == half else inner[(inner == width) | (inner == len(values) - 1 - width)]
        for part in np.array_split(at, len(at) // CHUNK + 1):
            windows = values[part[:, None] + np.arange(-width, width + 1)]
            middle = np.median(windows, axis=1)
            off[part] = values[part] - middle
            scale[part] = MAD * np.median(np.abs(windows - middle[:, None]), axis=1)
    floor = max(np.nan_to_num(noise_of(values)), 1e-9)
    flagged = np.flatnonzero(np.abs(off) > threshold * np.maximum(scale, floor))
    return [
        Finding(
            "outlier", station.name, times[at], times[at], float(off[at]),
            f"{station.name} lies {off[at]:+.3g} mm off its neighbours on {_day(times[at])}, more than {threshold:g} "
            f"standard deviations ({max(scale[at], floor):.2g} mm) of {2 * half + 1} readings.",
        )
        for at in flagged[:MOST]
    ]  # fmt: skip


def find_steps(station: Station, window: int = STEP_WINDOW, threshold: float = STEP) -> list[Finding]:
    """Sudden jumps between two readings, such as a new antenna makes, or a fast movement.

    Between each two readings a line through the `window` readings before, and one through those after, are carried to
    the middle of the two. A step is where they differ by more than `threshold` standard errors, and by more than any
    other within the window. The standard error follows from the larger of the residuals of the lines and `noise_of`
    the series. A trend and an even acceleration are no steps. Where positions were measured, each component is looked
    at: the distance from the first position has no direction that a correction could follow.
    """
    parts: dict[Part, Values] = {"": station.displacements}
    if station.components:
        parts = {what: station.components[what] for what in PARTS if what in station.components}
    found = []
    for part, values in parts.items():
        known = np.isfinite(values)
        found += _steps(station.name, part, station.times[known], values[known], window, threshold)
    return found


def _steps(name: str, part: Part, times: Times, values: Values, window: int, threshold: float) -> list[Finding]:
    if len(values) < 2 * window:
        return []
    days = (times - times[0]) / np.timedelta64(1, "s") / 86_400
    middle = (days[window - 1 : -window] + days[window : len(days) - window + 1]) / 2
    before, at_before, variance_before = _lines(days, values, window, middle, shift=0)
    after, at_after, variance_after = _lines(days, values, window, middle, shift=window)
    noise = np.maximum((before + after) / 2, max(np.nan_to_num(noise_of(values)) ** 2, 1e-12))
    jump = at_after - at_before
    score = np.abs(jump) / np.sqrt(noise * (variance_before + variance_after))
    padded = np.pad(score, window, constant_values=0.0)
    highest = sliding_window_view(padded, 2 * window + 1).max(axis=1)
    at = np.flatnonzero((score > threshold) & (score >= highest))[:MOST]
    return [
        Finding(
            "step", name, times[one + window - 1], times[one + window], float(jump[one]),
            f"{name}{f' ({part})' if part else ''} jumps by {jump[one]:+.3g} mm between "
            f"{_day(times[one + window - 1])} and {_day(times[one + window])} ({score[one]:.3g} standard errors): a "
            "new antenna or mount, or a movement.",
            part,
        )
        for one in at
    ]  # fmt: skip


def _lines(
    days: NDArray[np.float64], values: Values, window: int, where: NDArray[np.float64], shift: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Lines through windows: variance of their residuals, their values at `where`, and the variance of those.

    The last is in units of the variance of a reading.
    """
    count = len(where)
    x = sliding_window_view(days, window)[shift : shift + count]
    y = sliding_window_view(values, window)[shift : shift + count]
    x_mean, y_mean = x.mean(axis=1), y.mean(axis=1)
    centred = x - x_mean[:, None]
    square = (centred**2).sum(axis=1)
    slope = (centred * (y - y_mean[:, None])).sum(axis=1) / square
    left = y - y_mean[:, None] - slope[:, None] * centred
    distance = where - x_mean
    return (left**2).sum(axis=1) / (window - 2), y_mean + slope * distance, 1 / window + distance**2 / square


def find_changes(station: Station, window: int = CHANGE_WINDOW, ratio: float = CHANGE) -> list[Finding]:
    """Times at which the noise or the spacing of readings changes and stays so, as with a new instrument.

    Compared are `window` readings on each side; told is the largest change within a window.
    """
    times, values = _known(station)
    if len(values) < 2 * window + 2:
        return []
    days = np.diff(times) / np.timedelta64(1, "s") / 86_400
    found = []
    rough = np.abs(np.diff(values, 2))
    for what, series, shift in (("noise", rough, 1), ("spacing", days, 0)):
        middle = np.concatenate([
            np.median(part, axis=1) for part in _pieces(sliding_window_view(series, window))
        ])  # fmt: skip
        before, after = middle[:-window], middle[window:]
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.where((before > 0) & (after > 0), np.log(after / before), 0.0)
        size = np.abs(logs)
        highest = sliding_window_view(np.pad(size, window, constant_values=0.0), 2 * window + 1).max(axis=1)
        peaks = np.flatnonzero((size > np.log(ratio)) & (size >= highest))
        for at in _one_of_each_run(peaks)[:MOST]:
            where = times[at + window + shift]
            found.append(Finding(
                "instrument", station.name, where, where, float(np.exp(logs[at])),
                f"The {what} of {station.name} changes by a factor of {np.exp(logs[at]):.2g} about {_day(where)}: the "
                "instrument or its settings may have changed.",
            ))  # fmt: skip
    return found


def _pieces(windows: Values) -> list[Values]:
    return np.array_split(windows, len(windows) // CHUNK + 1)


def _one_of_each_run(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """The middle of each run of neighbouring numbers."""
    if not numbers.size:
        return numbers
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    return np.array([run[len(run) // 2] for run in runs])


def find_stuck(station: Station, fewest: int = STUCK) -> list[Finding]:
    """Runs of equal readings, where readings differ otherwise."""
    times, values = _known(station)
    if len(values) < 2 or (np.diff(values) == 0).mean() > 0.5:
        return []
    starts = np.flatnonzero(np.concatenate([[True], np.diff(values) != 0]))
    lengths = np.diff(np.append(starts, len(values)))
    return [
        Finding(
            "stuck", station.name, times[starts[at]], times[starts[at] + lengths[at] - 1], float(lengths[at]),
            f"{station.name} reads the same {lengths[at]:,} times from {_day(times[starts[at]])} on: the instrument "
            "may be stuck.",
        )
        for at in np.flatnonzero(lengths >= fewest)[:MOST]
    ]  # fmt: skip


def _known(station: Station) -> tuple[Times, Values]:
    known = np.isfinite(station.displacements)
    return station.times[known], station.displacements[known]


def _last(monitoring: Monitoring) -> np.datetime64:
    """The last time at which anything was known of a slope."""
    ends = [times[-1] for times, _ in map(_known, monitoring.stations) if len(times)]
    ends += [one.times[-1] for one in monitoring.drivers if len(one.times)]
    return np.datetime64(max(ends))


def _day(time: np.datetime64) -> str:
    """A time as ISO 8601, the day alone at midnight."""
    text = str(time.astype("datetime64[s]"))
    return text.removesuffix("T00:00:00")
