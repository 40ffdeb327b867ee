"""How each of many points moves: velocity, acceleration, seasonal amplitude, outliers and steps, all at once.

Velocity is the slope of a line with an annual wave, acceleration twice the quadratic term of a parabola with one, and
the seasonal amplitude and the residual are of a cubic with one: as the European Ground Motion Service publishes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.raster.progress import Cancel, ProgressCallback, ignore, never, stop_if
from core.series.insar.points import Points

if TYPE_CHECKING:
    from pandas import DataFrame

YEAR = 365.25

AT_ONCE = 20_000
"""Points that are fitted together."""

SPARE = 4
"""Values beyond the terms of a fit that a point needs."""

OUTLIER = 3.5
"""Robust standard deviations of the residual from which a value is an outlier."""

STEP = 7.0
"""Size of a step over its standard error from which it is told."""

CANDIDATES = 24
"""Dates at which a step is looked for first; the best one is then sought between its neighbours."""

MARGIN = 4
"""Dates at either end at which no step can be told."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Motion:
    """How points move; each ``(n,)``, NaN where a point has too few values.

    Attributes
    ----------
    velocity, velocity_sd
        mm a year, and its standard error.
    acceleration, acceleration_sd
        mm a year², and its standard error.
    seasonality
        Amplitude of the annual wave, mm.
    rmse
        Root mean square of what a cubic with an annual wave leaves, mm.
    outliers
        Values further than `OUTLIER` robust standard deviations from that.
    step, step_at
        mm of the largest step that stands out of the residual, and the number of the date at which it begins; 0 and -1
        without one.
    known
        Known values.
    """

    velocity: Doubles
    velocity_sd: Doubles
    acceleration: Doubles
    acceleration_sd: Doubles
    seasonality: Doubles
    rmse: Doubles
    outliers: NDArray[np.int32]
    step: Doubles
    step_at: NDArray[np.int32]
    known: NDArray[np.int32]


def motion_of(points: Points, progress: ProgressCallback = ignore, cancel: Cancel = never) -> Motion:
    """Fit all points.

    Raises
    ------
    RunCancelled
        When asked to stop.
    """
    years = (points.times - points.times[0]) / np.timedelta64(1, "D") / YEAR
    t = np.asarray(years - years.mean(), dtype=np.float64)
    parts = []
    for begin in range(0, len(points), AT_ONCE):
        stop_if(cancel)
        progress(begin, len(points))
        parts.append(_fit(points.values[begin : begin + AT_ONCE].astype(np.float64), t, years))
    progress(len(points), len(points))
    return Motion(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _design(t: Doubles, years: Doubles, degree: int) -> Doubles:
    """``(d, terms)`` a polynomial of time about its middle, and an annual wave."""
    turn = 2 * np.pi * years
    return np.column_stack([*(t**power for power in range(degree + 1)), np.sin(turn), np.cos(turn)])


def _fit(values: Doubles, t: Doubles, years: Doubles) -> tuple[NDArray[np.generic], ...]:
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    count = known.sum(axis=1)
    line, line_sd, _ = _least_squares(filled, known, _design(t, years, 1))
    bent, bent_sd, _ = _least_squares(filled, known, _design(t, years, 2))
    cubic, _, rest = _least_squares(filled, known, _design(t, years, 3))
    rmse = np.sqrt((rest**2).sum(axis=1) / np.maximum(count, 1))
    enough = count >= 6 + SPARE
    outliers = _outliers(rest, known)
    step, step_at = _steps(rest, known, _design(t, years, 3))

    def where(found: Doubles, least: int) -> Doubles:
        return np.where(count >= least + SPARE, found, np.nan)

    return (
        where(line[:, 1], 4), where(line_sd[:, 1], 4), where(2 * bent[:, 2], 5), where(2 * bent_sd[:, 2], 5),
        np.where(enough, np.hypot(cubic[:, 4], cubic[:, 5]), np.nan), np.where(enough, rmse, np.nan),
        np.where(enough, outliers, 0).astype(np.int32), np.where(enough, step, 0.0),
        np.where(enough, step_at, -1).astype(np.int32), count.astype(np.int32),
    )  # fmt: skip


def _least_squares(values: Doubles, known: NDArray[np.bool_], design: Doubles) -> tuple[Doubles, Doubles, Doubles]:
    """Coefficients of each row, their standard errors, and what is left; rows may lack values."""
    terms, inverse = design.shape[1], _inverse(known, design)
    found = np.einsum("nij,nj->ni", inverse, values @ design)
    rest = np.where(known, values - found @ design.T, 0.0)
    freedom = np.maximum(known.sum(axis=1) - terms, 1)
    variance = (rest**2).sum(axis=1) / freedom
    spread = np.sqrt(np.maximum(np.einsum("nii->ni", inverse) * variance[:, None], 0.0))
    return found, spread, rest


def _outliers(rest: Doubles, known: NDArray[np.bool_]) -> NDArray[np.int64]:
    sizes = np.where(known, np.abs(rest), np.nan)
    with np.errstate(all="ignore"):
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # rows without values
            spread = 1.4826 * np.nanmedian(sizes, axis=1)
    far = known & (np.abs(rest) > OUTLIER * np.maximum(spread, 1e-9)[:, None])
    return np.asarray(far.sum(axis=1))


def _steps(rest: Doubles, known: NDArray[np.bool_], design: Doubles) -> tuple[Doubles, NDArray[np.int64]]:
    """The step that explains most of what a cubic with an annual wave leaves, where it stands out.

    What a step beside the other terms would explain is found without fitting them again (Frisch and Waugh 1933).
    """
    count, dates = rest.shape
    size, gain, at = np.zeros(count), np.zeros(count), np.full(count, -1)
    coarse = max(1, (dates - 2 * MARGIN) // CANDIDATES)
    inverse = _inverse(known, design)

    def tried(date: int, rows: NDArray[np.int64]) -> None:
        after = known[rows] & (np.arange(dates) >= date)
        shared = np.einsum("nij,nj->ni", inverse[rows], after.astype(np.float64) @ design)
        stepped = np.where(known[rows], after - shared @ design.T, 0.0)
        length = (stepped**2).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            found = np.where(length > 1e-6, (stepped * rest[rows]).sum(axis=1) / length, 0.0)
        gained = found**2 * length
        better = rows[gained > gain[rows]]
        size[better], gain[better], at[better] = found[gained > gain[rows]], gained[gained > gain[rows]], date

    everything = np.arange(count)
    for date in range(MARGIN, dates - MARGIN, coarse):
        tried(date, everything)
    freedom = np.maximum(known.sum(axis=1) - design.shape[1] - 1, 1)
    total = (rest**2).sum(axis=1)

    def stands_out(limit: float) -> NDArray[np.bool_]:
        return np.asarray(gain / (np.maximum(total - gain, 1e-12) / freedom) > limit**2)

    near = np.flatnonzero(stands_out(STEP / 2))
    first = at.copy()
    for offset in range(1 - coarse, coarse):
        for date in np.unique(first[near] + offset) if offset else ():
            if MARGIN <= date < dates - MARGIN:
                tried(int(date), near[first[near] + offset == date])
    out = stands_out(STEP)
    return np.where(out, size, 0.0), np.where(out, at, -1)


def _inverse(known: NDArray[np.bool_], design: Doubles) -> Doubles:
    """Inverse of the normal matrix of each row."""
    terms = design.shape[1]
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    normal = (known.astype(np.float64) @ products).reshape(-1, terms, terms)
    normal[:, range(terms), range(terms)] += 1e-9  # a row with too few values stays solvable and is left out later
    return np.asarray(np.linalg.inv(normal))


def table_of(points: Points, motion: Motion) -> DataFrame:
    """Points with their motion, a row a point: ``pid, longitude, latitude, x, y, velocity …``; mm and years."""
    import pandas as pd
    from pyproj import Transformer

    longitude, latitude = points.x, points.y
    if points.crs != "EPSG:4326":
        to_degrees = Transformer.from_crs(points.crs, "EPSG:4326", always_xy=True)
        longitude, latitude = to_degrees.transform(points.x, points.y)
    at = motion.step_at
    dates = points.times.astype("datetime64[D]").astype(str)
    return pd.DataFrame({
        "pid": points.ids, "longitude": longitude, "latitude": latitude, "x": points.x, "y": points.y,
        "velocity": motion.velocity, "velocity_sd": motion.velocity_sd, "acceleration": motion.acceleration,
        "acceleration_sd": motion.acceleration_sd, "seasonality": motion.seasonality, "rmse": motion.rmse,
        "outliers": motion.outliers, "step": motion.step, "step_date": np.where(at >= 0, dates[np.maximum(at, 0)], ""),
        "known": motion.known,
    })  # fmt: skip
