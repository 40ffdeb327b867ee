"""What a decomposition of a whole series knows of the future, in numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.errors import InputError
from core.series.decomposition import FEWEST, How, carried_on, decomposed_series, has_season
from core.series.monitoring import RegularSeries, Times, Values
from core.series.words import MONTH, step_name
from core.wording import count

MOST_ORIGINS = 40
"""Origins at which the past is decomposed anew, evenly spaced; half as many of a series of `LONG` steps or more."""

FEW_ORIGINS = 8
"""Origins where a decomposition takes seconds."""

LONG = 1_000

NOTHING = 0.01
"""Share of an error that counts as no gain."""


@dataclass(frozen=True)
class Lesson:
    """A decomposition of the whole series beside one that is made anew of the past at each origin.

    Attributes
    ----------
    times
        ``(k,)`` origins.
    whole, known
        ``(k,)`` mm: the trend at each origin of the whole series, and of the series up to that origin.
    leaky, honest, still
        RMSE in mm of the movement over the horizon: read off trend and periodic part of the whole series, carried on
        from the past alone, and if nothing moves; NaN where no movement is known.
    scored
        Movements by which they are scored.
    """

    times: Times
    whole: Values
    known: Values
    leaky: float
    honest: float
    still: float
    scored: int

    @property
    def apart(self) -> float:
        """RMS of the distance of the two trends, mm."""
        return float(np.sqrt(np.mean((self.whole - self.known) ** 2)))


def lesson_of(series: RegularSeries, how: How, horizon: int, first: int) -> Lesson:
    """Decompose the whole series, and the past of origins from the step `first` on.

    Raises
    ------
    InputError
        When fewer than three origins have a past that can be decomposed.
    """
    whole = decomposed_series(series, how)
    start = max(first, how.window, FEWEST)
    origins = [at for at in range(start, len(series)) if not series.filled[at] and _enough(series, how, at)]
    if len(origins) < 3:
        raise InputError("The series before the test set is too short for this decomposition.",
                         remedy="Choose another method or a shorter window.")  # fmt: skip
    most = FEW_ORIGINS if how.method == "ceemdan" else MOST_ORIGINS if len(series) < LONG else MOST_ORIGINS // 2
    chosen = np.array(origins)[np.unique(np.linspace(0, len(origins) - 1, most).astype(np.int64))]
    ends, ahead = [], []
    for origin in map(int, chosen):
        past = series.until(origin + 1)
        parts = decomposed_series(past, how)
        ends.append(parts.trend[-1])
        ahead.append(carried_on(past, how, horizon, parts))
    target = chosen + horizon
    scored = target < len(series)
    scored[scored] = ~series.filled[target[scored]]
    at, to = chosen[scored], target[scored]
    moved = series.displacements[to] - series.displacements[at]
    both = whole.trend + whole.periodic
    return Lesson(
        series.times[chosen], whole.trend[chosen], np.array(ends), _rms(both[to] - both[at] - moved),
        _rms(np.array(ahead)[scored] - moved), _rms(moved), int(scored.sum()),
    )  # fmt: skip


def _enough(series: RegularSeries, how: How, at: int) -> bool:
    """Whether the past up to a step can be decomposed."""
    past = series.until(at + 1)
    return int((~past.filled).sum()) >= FEWEST and (how.method != "stl" or has_season(past))


def _rms(values: Values) -> float:
    return float(np.sqrt(np.mean(values**2))) if len(values) else float("nan")


def lesson_sentences(found: Lesson, ahead: str, step: str = "D") -> tuple[str, ...]:
    """What the two ways differ by.

    Parameters
    ----------
    ahead
        The horizon in words, such as ``"7 days"``.
    step
        Length of a step; see `core.series.monitoring.RegularSeries`.
    """
    apart = found.whole - found.known
    largest = int(np.argmax(np.abs(apart)))
    told = [
        f"At {count(len(apart), 'origin')} of the test set, the trend of the whole series differs by "
        f"{found.apart:.2f} mm (RMS) from the trend known at the time, and by at most {abs(apart[largest]):.2f} mm, "
        f"{'in' if step == MONTH else 'on'} {step_name(found.times[largest], step)}."
    ]
    if found.scored:
        told.append(
            f"Trend and periodic part of the whole series “forecast” the movement in {ahead} with an error of "
            f"{found.leaky:.2f} mm (RMSE, {count(found.scored, 'forecast')}). Calculated from the past only and "
            f"extrapolated, the error is {found.honest:.2f} mm; assuming no movement, {found.still:.2f} mm."
        )
        if found.honest > NOTHING * found.still and found.leaky < (1 - NOTHING) * found.honest:
            told.append(
                f"The {100 * (1 - found.leaky / found.honest):.0f} % lower error comes from knowledge of the future, "
                "which no "
                "real forecast has. Scores calculated after decomposing the whole series contain this advantage."
            )
    return tuple(told)
