"""Walk-forward evaluation: each forecast is made by a model that was fitted on nothing later than its origin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, ModelError
from core.raster.progress import Cancel, never, stop_if
from core.series.monitoring import Values
from core.tasks.displacement.forecasters import FORECASTERS, Fitted, Forecaster, Setting
from core.tasks.displacement.problem import Problem, Steps
from core.wording import agree

REFITS = 10
"""How often cheap models are fitted anew over the test part, and costly ones half as often."""

CALIBRATION = 0.3
"""Share of the training part over which models are compared and their intervals are found."""


SAME = ("increments", "usable", "features", "kept")


@dataclass(frozen=True)
class Parts:
    """How a series is divided.

    Attributes
    ----------
    calibration
        Origins of the last share of the training part.
    test
        Origins of the test part.
    """

    calibration: Steps
    test: Steps


def parts_of(problem: Problem, test_share: float) -> Parts:
    """Divide a series: the last share is for the test, the last `CALIBRATION` of the rest for calibration.

    The target of every forecast of the calibration lies before the test part.

    Raises
    ------
    InputError
        When the share is out of range, or a part would hold too few forecasts.
    """
    if not 0.05 <= test_share <= 0.9:
        raise InputError(f"A test share of {test_share:g} is out of range.",
                         remedy="Choose 0.05 to 0.9 (--test-share).")  # fmt: skip
    count, horizon = len(problem), problem.horizon
    first = count - round(test_share * count)
    test = np.arange(first, count - horizon)
    begin = round(first * (1 - CALIBRATION))
    calibration = np.arange(begin, first - horizon)
    if len(test) < 3 or len(calibration) < 3:
        raise InputError(
            f"A series of {count:,} {agree(count, 'step', 'steps')} leaves {len(test):,} "
            f"{agree(len(test), 'forecast', 'forecasts')} {horizon:,} {agree(horizon, 'step', 'steps')} ahead for "
            f"testing and {len(calibration):,} for calibration; at least 3 of each are needed.",
            remedy="Choose a shorter horizon, another test share, or a shorter step.",
        )  # fmt: skip
    return Parts(calibration, test)


@dataclass(frozen=True)
class Walked:
    """Forecasts of a model over a part.

    Attributes
    ----------
    origins
        ``(n,)`` steps at which the forecasts were made.
    forecast
        ``(n,)`` mm to the target; NaN where the model has none, and from a filled gap: its filling is drawn from both
        sides, so that the forecast would see what comes after it.
    refits
        How often it was fitted.
    last
        The last fitted model.
    """

    origins: Steps
    forecast: Values
    refits: int
    last: Fitted

    def errors(self, problem: Problem) -> Values:
        """``(n,)`` forecast less measured, mm; NaN where there is no forecast, or nothing is scored."""
        usable: NDArray[np.bool_] = problem.usable[self.origins]
        return np.where(usable, self.forecast - problem.increments[self.origins], np.nan)


def refit_at(origins: Steps, every: int, *, costly: bool) -> Steps:
    """Origins at which a model is fitted anew: each `every` of them, or as many times as `REFITS` says.

    Parameters
    ----------
    every
        Origins between two fits; 0 for the usual number of fits.
    costly
        Whether half as many are made, equally spaced, whatever `every` says.
    """
    if costly:
        return np.unique(np.linspace(0, len(origins), REFITS // 2, endpoint=False).astype(np.int64))
    step = every or max(1, round(len(origins) / REFITS))
    return np.arange(0, len(origins), step)


def walk(
    problem: Problem, model: Forecaster, origins: Steps, every: int = 0, seed: int = 0,
    settings: Mapping[str, Setting] | None = None, window: int = 0, cancel: Cancel = never,
) -> Walked:  # fmt: skip
    """Forecast from each of some origins, ascending.

    Parameters
    ----------
    every
        See `refit_at`; a model that does not learn is never fitted.
    settings
        Of the model; its own when None.
    window
        Steps of the past that are learnt from (sliding); 0 for all (expanding).

    Raises
    ------
    RunCancelled
        When asked to stop.
    """
    forecast = np.full(len(origins), np.nan)
    fits = 0
    fitted: Fitted | None = None
    for part, fitted in fits_of(problem, model, origins, every, seed, settings, window, cancel):
        forecast[part] = fitted.predict(problem, origins[part])
        fits += 1
    forecast[problem.series.filled[origins]] = np.nan
    assert fitted is not None  # noqa: S101  there is one origin at least
    return Walked(origins, forecast, fits if model.learns else 0, fitted)


def fits_of(
    problem: Problem, model: Forecaster, origins: Steps, every: int = 0, seed: int = 0,
    settings: Mapping[str, Setting] | None = None, window: int = 0, cancel: Cancel = never,
) -> Iterator[tuple[slice, Fitted]]:  # fmt: skip
    """Fit a model as often as `walk` does, and give which origins each fit is asked about, and the fit."""
    chosen = model.settings if settings is None else settings
    starts = np.array([0]) if not model.learns else refit_at(origins, every, costly=model.costly)
    for begin, end in zip(starts, [*starts[1:], len(origins)], strict=True):
        stop_if(cancel)
        origin = int(origins[begin])
        yield slice(int(begin), int(end)), fitted_at(model, limited(problem, origin, window), origin, seed, chosen)


def fitted_at(
    model: Forecaster, problem: Problem, origin: int, seed: int, settings: Mapping[str, Setting]
) -> Fitted:
    """Fit a model at an origin.

    Raises
    ------
    ModelError
        When a library cannot do with the values.
    """
    try:
        return model.fit(problem, origin, seed, settings)
    except ValueError as error:  # that of linear algebra is one, too
        raise ModelError(f"{model.title} could not be fitted.", str(error).partition("\n")[0][:200]) from error


def limited(problem: Problem, origin: int, window: int) -> Problem:
    """A problem whose steps before a sliding window cannot be learnt from."""
    if not window or origin < window:
        return problem
    made = _Sliding(problem.series, problem.horizon, problem.known_future, problem.whole, origin - window + 1)
    # What has been worked out of the whole series is the same for its windows.
    made.__dict__.update({name: problem.__dict__[name] for name in SAME if name in problem.__dict__})
    return made


@dataclass(frozen=True)
class _Sliding(Problem):
    """A problem whose first steps are not learnt from."""

    first: int = 0

    def learnt_from(self, origin: int) -> Steps:
        rows = super().learnt_from(origin)
        return rows[rows >= self.first]


def model_of(name: str) -> Forecaster:
    """A model by its name.

    Raises
    ------
    InputError
        When there is none of that name.
    """
    if name not in FORECASTERS:
        raise InputError(f"Unknown model {name!r}.", remedy=f"Models: {', '.join(FORECASTERS)}.")
    return FORECASTERS[name]
