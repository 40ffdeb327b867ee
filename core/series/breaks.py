"""Breaks in a station: steps, as new antennas make, and changes of its noise or spacing."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from core.series.finding import MOST, Finding, Part, iso, known_values, noise_of
from core.series.monitoring import Station, Times, Values
from core.series.words import signed

STEP_WINDOW, STEP = 10, 6.0
"""Readings on each side that a step is held against, and how many standard errors it is high."""

CHANGE_WINDOW, CHANGE = 30, 3.0
"""Readings on each side of a change of an instrument, and the ratio of its noise or spacing before and after."""

PARTS: tuple[Part, ...] = ("north", "east", "up")


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
            f"{name}{f' ({part})' if part else ''} jumps by {signed(float(jump[one]), '+.3g')} mm between "
            f"{iso(times[one + window - 1])} and {iso(times[one + window])} ({score[one]:.3g} standard errors): a "
            "change of antenna or mount, or a movement.",
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

    Compared are the geometric means over `window` readings on each side; told is the largest change within a window.
    """
    times, values = known_values(station)
    if len(values) < 2 * window + 2:
        return []
    days = np.diff(times) / np.timedelta64(1, "s") / 86_400
    found = []
    rough = np.abs(np.diff(values, 2))
    for what, series, shift in (("noise", rough, 1), ("spacing", days, 0)):
        if not (series > 0).any():
            continue
        floor = 0.01 * float(np.median(series[series > 0]))  # readings that are rounded repeat
        total = np.concatenate([[0.0], np.cumsum(np.log(np.maximum(series, floor)))])
        mean = (total[window:] - total[:-window]) / window
        logs = mean[window:] - mean[:-window]
        size = np.abs(logs)
        highest = sliding_window_view(np.pad(size, window, constant_values=0.0), 2 * window + 1).max(axis=1)
        peaks = np.flatnonzero((size > np.log(ratio)) & (size >= highest))
        for at in _one_of_each_run(peaks)[:MOST]:
            where = times[at + window + shift]
            found.append(Finding(
                "instrument", station.name, where, where, float(np.exp(logs[at])),
                f"The {what} of {station.name} changes by a factor of {np.exp(logs[at]):.2g} about {iso(where)}: the "
                "instrument or its settings may have changed.",
            ))  # fmt: skip
    return found


def _one_of_each_run(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """The middle of each run of neighbouring numbers."""
    if not numbers.size:
        return numbers
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    return np.array([run[len(run) // 2] for run in runs])
