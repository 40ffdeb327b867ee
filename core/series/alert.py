"""Velocity thresholds: levels calibrated on a quiet period, and when each was reached, seen from each day alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import InputError
from core.series.kinematics import DAY, Velocities, usual_spacing
from core.series.monitoring import Times, Values
from core.wording import count

FACTORS = (3.0, 6.0, 12.0)
"""How many robust standard deviations above the median of the quiet period each level lies."""

NAMES = ("normal", "level 1", "level 2", "level 3", "level 4", "level 5")

HOLD = 2
"""Velocities in a row that have to lie above a level for it to be reached, and below it for it to end."""

SILENT = 3.0
"""How many times the usual spacing a station may be silent."""

FEWEST_QUIET = 10
"""Velocities of a quiet period, at least."""


@dataclass(frozen=True)
class Transition:
    """A change of level.

    Attributes
    ----------
    time
        Of the reading at which it was seen.
    level
        From 0 (normal).
    velocity
        mm a day at that time; NaN for silence.
    """

    time: np.datetime64
    level: int
    velocity: float


def levels_of(quiet: Values) -> tuple[float, ...]:
    """Levels from the velocities of a quiet period: median and `FACTORS` times 1.4826 times the median deviation.

    Parameters
    ----------
    quiet
        ``(n,)`` mm a day; unknown ones are left out.

    Raises
    ------
    InputError
        When fewer than `FEWEST_QUIET` are known.
    """
    known = quiet[np.isfinite(quiet)]
    if len(known) < FEWEST_QUIET:
        raise InputError(
            f"The quiet period holds {count(len(known), 'velocity', 'velocities')}; {FEWEST_QUIET} are needed.",
            "Levels derived from fewer would not be reliable.", "Choose a longer period, or set the levels by hand.",
        )  # fmt: skip
    middle = float(np.median(known))
    spread = 1.4826 * float(np.median(np.abs(known - middle)))
    if spread <= 0:
        raise InputError("All velocities of the quiet period are equal.",
            "Levels are derived from their spread.",
                         "Choose another period, or set the levels by hand.")  # fmt: skip
    return tuple(middle + factor * spread for factor in FACTORS)


def check_levels(levels: Sequence[float]) -> tuple[float, ...]:
    """Levels, if they ascend and are above zero.

    Raises
    ------
    InputError
        When they do not.
    """
    found = tuple(map(float, levels))
    ascending = all(low < high for low, high in zip(found, found[1:], strict=False))
    if not 1 <= len(found) < len(NAMES) or not ascending or not all(0 < one < float("inf") for one in found):
        raise InputError(
            f"Invalid velocity levels: {', '.join(f'{one:g}' for one in found)}.",
            remedy=f"Give 1 to {len(NAMES) - 1} ascending numbers in mm per day, such as 1,3,10.",
        )
    return found


def transitions(found: Velocities, levels: Sequence[float], hold: int = HOLD) -> tuple[Transition, ...]:
    """When each level was reached and left.

    A level is reached when `hold` velocities in a row lie at or above it, and left when as many lie below it. Each
    transition rests on velocities up to its own time alone. Where a velocity is unknown the level stays.
    """
    limits = np.asarray(check_levels(levels))
    level, made = 0, []
    above, below = 0, 0
    for time, velocity in zip(found.times, found.values, strict=True):
        if not np.isfinite(velocity):
            continue
        now = int(np.searchsorted(limits, velocity, side="right"))
        above = above + 1 if now > level else 0
        below = below + 1 if now < level else 0
        if above == 1:
            lowest = now
        elif above > 1:
            lowest = min(lowest, now)
        if below == 1:
            highest = now
        elif below > 1:
            highest = max(highest, now)
        if above >= hold or below >= hold:
            level = lowest if above >= hold else highest
            made.append(Transition(np.datetime64(str(time)), level, float(velocity)))
            above = below = 0
    return tuple(made)


def level_at(found: Sequence[Transition], time: np.datetime64) -> int:
    """The level at a time, from the transitions up to it."""
    past = [one for one in found if one.time <= time]
    return past[-1].level if past else 0


def silence(times: Times, now: np.datetime64) -> float | None:
    """Days since the last reading, where they are more than `SILENT` times the usual spacing; None otherwise.

    Parameters
    ----------
    times
        Of the known readings up to now.
    """
    if len(times) < FEWEST_QUIET:
        return None
    since = float((now - times[-1]) / DAY)
    return since if since > SILENT * usual_spacing(times) else None
