"""What may be wrong with a station: gaps, silence, outliers, steps, and a changed or stuck instrument.

Everything is found and shown; nothing is corrected here. `core.series.corrections` corrects what people choose.
"""

from __future__ import annotations

import numpy as np

from core.series.breaks import find_changes, find_steps
from core.series.finding import MAD, MOST, Finding, iso, known_values, noise_of, usual_spacing
from core.series.monitoring import Monitoring, Station
from core.series.words import signed
from core.wording import count

GAP = 3.0
"""How many times the usual spacing readings lie apart where there is a gap."""

SILENCE = 5.0
"""How many times the usual spacing a station says nothing before it is silent."""

HALF_WINDOW, HAMPEL = 5, 4.0
"""Readings on each side that an outlier is held against, and how many standard deviations of them it lies off."""

STUCK = 10
"""Equal readings in a row after which an instrument may be stuck, where its readings differ otherwise."""

CHUNK = 100_000


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


def find_gaps(station: Station, factor: float = GAP) -> list[Finding]:
    """Gaps between readings that are longer than `factor` times the usual spacing."""
    times, _ = known_values(station)
    usual = usual_spacing(times)
    days = np.diff(times) / np.timedelta64(1, "s") / 86_400
    return [
        Finding(
            "gap", station.name, times[at], times[at + 1], float(days[at]),
            f"No reading of {station.name} for {count(days[at], 'day', form='.3g')} from {iso(times[at])}; the usual "
            f"interval is {count(usual, 'day', form='.3g')}.",
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
    times, _ = known_values(station)
    usual = usual_spacing(times)
    days = float((now - times[-1]) / np.timedelta64(1, "s")) / 86_400 if len(times) else 0.0
    if not days > factor * usual:
        return None
    return Finding(
        "silence", station.name, times[-1], now, days,
        f"No reading of {station.name} since {iso(times[-1])}, {count(days, 'day', form='.3g')} before {iso(now)}; the "
        f"usual interval is {count(usual, 'day', form='.3g')}.",
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
    times, values = known_values(station)
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
            f"{station.name} deviates by {signed(float(off[at]), '+.3g')} mm from its neighbours on {iso(times[at])}, "
            f"more than {threshold:g} standard deviations ({max(scale[at], floor):.2g} mm) of {2 * half + 1} readings.",
        )
        for at in flagged[:MOST]
    ]  # fmt: skip


def find_stuck(station: Station, fewest: int = STUCK) -> list[Finding]:
    """Runs of equal readings, where readings differ otherwise."""
    times, values = known_values(station)
    if len(values) < 2 or (np.diff(values) == 0).mean() > 0.5:
        return []
    starts = np.flatnonzero(np.concatenate([[True], np.diff(values) != 0]))
    lengths = np.diff(np.append(starts, len(values)))
    return [
        Finding(
            "stuck", station.name, times[starts[at]], times[starts[at] + lengths[at] - 1], float(lengths[at]),
            f"{station.name} has the same reading {lengths[at]:,} times from {iso(times[starts[at]])}: the "
            "instrument may be stuck.",
        )
        for at in np.flatnonzero(lengths >= fewest)[:MOST]
    ]  # fmt: skip


def _last(monitoring: Monitoring) -> np.datetime64:
    """The last time at which anything was known of a slope."""
    ends = [times[-1] for times, _ in map(known_values, monitoring.stations) if len(times)]
    ends += [one.times[-1] for one in monitoring.drivers if len(one.times)]
    return np.datetime64(max(ends))
