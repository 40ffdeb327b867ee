"""What is forecast: the movement from one step of a series to a later one, and what is known at the first of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.series.monitoring import Quantity, RegularSeries, Values, steps_per_year, unit_of_step
from core.series.windows import averaged, changed, summed
from core.wording import count

Steps = NDArray[np.int64]
"""Numbers of steps of a series, from 0."""

DAYS = (1, 3, 7, 14, 30, 60, 90, 180, 365)
"""Lengths of the windows that features look back, as far as the step resolves them."""

LONGEST_SHARE = 0.2
"""Share of a series that the longest window may take."""

MEAN = ("discharge", "temperature", "other")
LEVEL = ("level", "groundwater")


@dataclass(frozen=True)
class Problem:
    """A series, how far ahead its movement is forecast, and what may be known of the future.

    Attributes
    ----------
    series
        The station, on a regular step.
    horizon
        Steps from the origin of a forecast to its target.
    known_future
        Drivers that are known up to the target, such as a planned reservoir level; all others end at the origin.
    whole
        Steps of the series by whose length features are chosen, where it was made longer since; 0 for its own.
    """

    series: RegularSeries
    horizon: int
    known_future: tuple[str, ...] = ()
    whole: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.horizon < len(self.series) // 2:
            raise InputError(
                f"A horizon of {count(self.horizon, 'step')} is not possible for a series of "
                f"{count(len(self.series), 'step')}.",
                remedy=f"Choose a horizon of 1 to {max(1, len(self.series) // 2 - 1):,} (--horizon).",
            )
        stray = [one for one in self.known_future if one not in self.series.drivers]
        if stray:
            names = ", ".join(self.series.drivers) or "none"
            raise InputError(f"There is no driver {stray[0]!r} to be known up to the target.",
                             remedy=f"Drivers: {names} (--known-future).")  # fmt: skip

    def __len__(self) -> int:
        return len(self.series)

    @cached_property
    def increments(self) -> Values:
        """``(n,)`` mm from each step to its target; NaN where the target lies beyond the series."""
        moved = np.full(len(self), np.nan)
        x = self.series.displacements
        moved[: -self.horizon] = x[self.horizon :] - x[: -self.horizon]
        return moved

    @cached_property
    def usable(self) -> NDArray[np.bool_]:
        """``(n,)`` whether neither a step nor its target is a filled gap or lies beyond the series."""
        filled, found = self.series.filled, np.zeros(len(self), np.bool_)
        found[: -self.horizon] = ~filled[self.horizon :] & ~filled[: -self.horizon]
        return found

    def learnt_from(self, origin: int) -> Steps:
        """Steps whose movement to their target is known at an origin and may be learnt from."""
        return np.flatnonzero(self.usable[: max(0, origin - self.horizon + 1)])

    @cached_property
    def kept(self) -> dict[str, Values]:
        """What was worked out of the problem and is asked for again, by name."""
        return {}

    @cached_property
    def features(self) -> Features:
        """What is known at each step; see `features_of`."""
        return features_of(self)


@dataclass(frozen=True)
class Features:
    """What is known at each step of a series.

    Attributes
    ----------
    names
        Of the features, for people.
    groups
        Of each, what it is of: ``"rain"``, ``"level"``, ``"past movement"``, ``"season"`` and so on.
    values
        ``(n, features)``; NaN where unknown.
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    values: NDArray[np.float64]


def windows_of(step: str, count: int) -> tuple[int, ...]:
    """Lengths of windows in steps, ascending: those of `DAYS` that the step resolves and the series is long enough for."""  # noqa: E501
    per_day = steps_per_year(step) / 365.25
    found = sorted({max(1, round(days * per_day)) for days in DAYS})
    return tuple(one for one in found if one <= max(1, int(LONGEST_SHARE * count)))


def features_of(problem: Problem) -> Features:
    """What is known at each step, and up to the target of drivers whose future is known.

    Past movement, sums of rain, and levels, discharge and temperature with their changes, over windows from a day to a
    year; the time of the year of the target. A feature at a step uses no value after it, but for known drivers.
    """
    series, horizon = problem.series, problem.horizon
    windows = windows_of(series.step, problem.whole or len(series))
    columns: list[tuple[str, str, Values]] = [
        (f"movement, {_words(window, series.step)}", "past movement", changed(series.displacements, window))
        for window in windows
    ]
    for name, values in series.drivers.items():
        quantity = series.quantities[name]
        columns += _driver(name, quantity, values, windows, series.step)
        if name in problem.known_future:
            columns.append(ahead_of(name, quantity, values, horizon))
    columns += season_of(problem)
    return Features(
        tuple(name for name, _, _ in columns), tuple(group for _, group, _ in columns),
        np.column_stack([values for _, _, values in columns]),
    )  # fmt: skip


def _driver(
    name: str, quantity: Quantity, values: Values, windows: Sequence[int], step: str
) -> list[tuple[str, str, Values]]:
    if quantity == "rain":
        return [(f"{name}, sum of {_words(one, step)}", "rain", summed(values, one)) for one in windows]
    if quantity in LEVEL:
        return [
            (name, quantity, values),
            *((f"{name}, change in {_words(one, step)}", quantity, changed(values, one)) for one in windows),
        ]
    return [(f"{name}, mean of {_words(one, step)}", quantity, averaged(values, one)) for one in windows]


def ahead_of(name: str, quantity: Quantity, values: Values, horizon: int) -> tuple[str, str, Values]:
    """What is known of a driver between the origin and the target."""
    ahead = np.full(len(values), np.nan)
    if quantity == "rain":
        total = summed(values, horizon)
    elif quantity in LEVEL:
        total = changed(values, horizon)
    else:
        total = averaged(values, horizon)
    ahead[:-horizon] = total[horizon:]
    return f"{name}, up to the target", quantity, ahead


def season_of(problem: Problem) -> list[tuple[str, str, Values]]:
    """Sine and cosine of the time of the year of the target; none for less than a year and a half."""
    series, horizon = problem.series, problem.horizon
    if (problem.whole or len(series)) < 1.5 * series.steps_per_year:
        return []
    in_year = series.times - series.times.astype("datetime64[Y]")
    turn = 2 * math.pi * (in_year / np.timedelta64(1, "s") / (365.25 * 86_400) + horizon / series.steps_per_year)
    return [("season (sine)", "season", np.sin(turn)), ("season (cosine)", "season", np.cos(turn))]


def _words(steps: int, step: str) -> str:
    number, unit = unit_of_step(step)
    return count(number * steps, unit, form="d")


def extended(problem: Problem, origin: int) -> RegularSeries:
    """A series as it is known at an origin, as many steps longer as it is forecast ahead.

    It has at least as many steps as before; after the origin the slope stands still and is marked as filled, and
    drivers are unknown but for those whose future is known.
    """
    series, count = problem.series, len(problem)
    total = max(count, origin + problem.horizon + 1)
    at = np.minimum(np.arange(total), count - 1)
    later = np.arange(total) > origin
    beyond = np.arange(total) >= count
    step = series.times[-1] - series.times[-2]
    times = np.where(beyond, series.times[-1] + (np.arange(total) - count + 1) * step, series.times[at])
    return replace(
        series, times=times, displacements=np.where(later, series.displacements[origin], series.displacements[at]),
        filled=np.where(later, True, series.filled[at]),
        drivers={
            name: np.where(beyond | (later & (name not in problem.known_future)), np.nan, values[at])
            for name, values in series.drivers.items()
        },
    )  # fmt: skip
