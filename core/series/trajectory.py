"""Trajectory of a station: trend, seasons, steps and relaxations fitted at once, with the errors of what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.series.kinematics import DAY
from core.series.monitoring import Times, Values
from core.series.trajectory_plan import SPARE, YEAR, Relaxation, TrajectoryPlan, check_plan, counted, time_of
from core.wording import agree, count

if TYPE_CHECKING:
    import pandas as pd

LARGEST_CONDITION = 1e6
"""Of the scaled columns, beyond which terms cannot be told apart."""

GRID, REFINED = 40, 160
"""Relaxation times that are tried, and how often the best is refined."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of a trajectory.

    Attributes
    ----------
    name, unit
        For people.
    value
        In the unit.
    error
        Standard error where residuals do not depend on each other.
    error_correlated
        The same for residuals whose correlation from one reading to the next is `Trajectory.memory`.
    """

    name: str
    value: float
    unit: str
    error: float
    error_correlated: float


@dataclass(frozen=True)
class Trajectory:
    """A fitted trajectory.

    Attributes
    ----------
    times
        ``(n,)`` of the known readings.
    used
        ``(n,)`` whether each counted.
    values, fitted
        ``(n,)`` mm measured, and by the trajectory.
    parts
        By name (``"trend"``, ``"seasons"``, ``"steps"``, ``"relaxation"``) ``(n,)`` mm of those that there are; they
        add up to `fitted`.
    parameters
        What was found.
    reference
        Time at which the position and, of a curved trend, its velocity hold.
    rmse
        Root mean square of the residuals of the readings that count, less the degrees of freedom, mm.
    memory
        Correlation of the residuals from one reading to the next, 0 where it is negative.
    notes
        What was assumed or left out.
    """

    times: Times
    used: NDArray[np.bool_]
    values: Values
    fitted: Values
    parts: dict[str, Values]
    parameters: tuple[Parameter, ...]
    reference: np.datetime64
    rmse: float
    memory: float
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Term:
    """A column of the design: its name, unit, part and values at all readings."""

    name: str
    unit: str
    part: str
    column: Values


def fit_trajectory(times: Times, values: Values, plan: TrajectoryPlan) -> Trajectory:
    """Fit a trajectory by least squares.

    With t in years since the reference (the middle of the readings that count), x in mm,

        x(t) = x0 + v t + a t²/2 + b t³/6 + Σ [ s sin(2πkt') + c cos(2πkt') ] + Σ d H(t - t_j) + A f((t - t_0)/T)

    with k = 1, 2 and t' the time of the calendar year, H the unit step (1 from t_j on), and f(u) = log(1 + u) or
    1 - exp(-u), 0 before t_0: the trajectory model of Bevis and Brown 2014, with a step and a relaxation at dates that
    are given. T is searched on a logarithmic grid from the usual spacing to ten times what follows t_0, and refined;
    its error is that of the linearised fit.

    Parameters
    ----------
    times, values
        ``(n,)`` ascending, and mm; NaN where unknown.

    Raises
    ------
    InputError
        When a date is none, too few readings count, a step or relaxation has no readings on one of its sides, a wave is
        longer than what was measured, or terms cannot be told apart.

    Notes
    -----
    Residuals of monitoring depend on each other. Standard errors for independent ones are too small;
    `Parameter.error_correlated` are larger by sqrt((1 + r)/(1 - r)), r the correlation of residuals from one reading to
    the next, as for a mean of a first-order autoregression. Slower noise makes them larger still.

    References
    ----------
    Bevis, M. and Brown, A. (2014). Trajectory models and reference frames for crustal motion geodesy. Journal of
    Geodesy 88, 283-311. doi:10.1007/s00190-013-0685-5
    """
    known = np.isfinite(values)
    times, values = times[known], values[known]
    used = counted(times, plan.excluded)
    reference, years = _years(times, used)
    check_plan(times, used, plan)
    terms = _terms(times, years, plan)
    relaxation = plan.relaxation
    span = float("nan")
    if relaxation is not None:
        span = relaxation.days or _search(times, values, used, terms, relaxation)
        terms.append(_relaxing(times, relaxation, span))
    design = np.column_stack([one.column for one in terms])
    covariance = _covariance(design[used], [one.name for one in terms])
    found = _solved(design[used], values[used])
    residuals = values[used] - design[used] @ found
    free = int(used.sum()) - len(terms)
    if relaxation is not None and not relaxation.days:
        free -= 1
        derived = _by_time(times, relaxation, span) * found[-1]
        names = [*(one.name for one in terms), "relaxation time"]
        covariance = _covariance(np.column_stack([design, derived])[used], names)
    variance = float((residuals**2).sum()) / free
    memory = _memory(residuals)
    errors = np.sqrt(variance * np.diag(covariance))
    wider = float(np.sqrt((1 + memory) / (1 - memory)))
    parameters = [
        Parameter(one.name, float(value), one.unit, float(error), float(error * wider))
        for one, value, error in zip(terms, found, errors, strict=False)
    ]
    if relaxation is not None and not relaxation.days:
        error = float(errors[-1])
        parameters.append(Parameter("relaxation time", span, "days", error, error * wider))
    parameters += _waves(parameters, variance * covariance, terms, wider)
    return Trajectory(
        times, used, values, design @ found, _parts(terms, found), tuple(parameters), reference,
        float(np.sqrt(variance)), memory, _notes(times, used, plan, span, memory),
    )  # fmt: skip


def _years(times: Times, used: NDArray[np.bool_]) -> tuple[np.datetime64, Values]:
    """The reference, at midnight, and the years since it."""
    if used.sum() < SPARE:
        few = int(used.sum())
        raise InputError(
            f"Only {count(few, 'reading')} {agree(few, 'is', 'are')} used.", remedy="Exclude fewer readings."
        )
    first, last = times[used][0], times[used][-1]
    reference = (first + (last - first) / 2).astype("datetime64[D]").astype("datetime64[ns]")
    return reference, (times - reference) / DAY / YEAR


def _terms(times: Times, years: Values, plan: TrajectoryPlan) -> list[_Term]:
    terms = [_Term("position", "mm", "trend", np.ones(len(times))), _Term("velocity", "mm/year", "trend", years)]
    if plan.degree > 1:
        terms.append(_Term("acceleration", "mm/year²", "trend", years**2 / 2))
    if plan.degree > 2:
        terms.append(_Term("change of acceleration", "mm/year³", "trend", years**3 / 6))
    # The 1st of January as origin, so that phases are times of the year.
    turn = 2 * np.pi * ((times - np.datetime64("2000-01-01", "ns")) / DAY) / YEAR
    for name, asked, number in (("annual", plan.annual, 1), ("semi-annual", plan.semiannual, 2)):
        if asked:
            terms += [_Term(f"{name} sine", "mm", "seasons", np.sin(number * turn)),
                      _Term(f"{name} cosine", "mm", "seasons", np.cos(number * turn))]  # fmt: skip
    for text in sorted(set(plan.steps), key=lambda one: time_of(one, "date of a step")):
        terms.append(_Term(f"step {text.strip()}", "mm", "steps", (times >= time_of(text, "date")).astype(np.float64)))
    return terms


def _since(times: Times, begin: str) -> Values:
    return np.maximum(0.0, (times - time_of(begin, "date of a relaxation")) / DAY)


def _relaxing(times: Times, relaxation: Relaxation, days: float) -> _Term:
    share = _since(times, relaxation.begin) / days
    column = np.log1p(share) if relaxation.shape == "logarithmic" else -np.expm1(-share)
    return _Term(f"{relaxation.shape} relaxation from {relaxation.begin.strip()}", "mm", "relaxation", column)


def _by_time(times: Times, relaxation: Relaxation, days: float) -> Values:
    """Derivative of the relaxation by its time."""
    since = _since(times, relaxation.begin)
    if relaxation.shape == "logarithmic":
        return np.asarray(-since / (days * (days + since)))
    return np.asarray(-since / days**2 * np.exp(-since / days))


def _search(
    times: Times, values: Values, used: NDArray[np.bool_], terms: list[_Term], relaxation: Relaxation
) -> float:
    """The relaxation time with the smallest residuals."""
    base = np.column_stack([one.column for one in terms])[used]
    own, x = times[used], values[used]

    def left(log_days: float) -> float:
        design = np.column_stack([base, _relaxing(own, relaxation, float(np.exp(log_days))).column])
        return float(((x - design @ _solved(design, x)) ** 2).sum())

    since = _since(own, relaxation.begin)
    shortest = max(float(np.median(np.diff(own) / DAY)) / 2, 1e-4)
    grid = np.linspace(np.log(shortest), np.log(10 * since.max()), GRID)
    at = int(np.argmin([left(one) for one in grid]))
    if at in (0, GRID - 1):
        raise InputError(
            f"No relaxation time can be fitted after {relaxation.begin}: "
            + ("it would be shorter than the interval between "
               "readings." if at == 0 else "the movement does not decay."),
            remedy="Enter the days, choose another date, or leave the relaxation out.",
        )
    from scipy.optimize import minimize_scalar

    best = minimize_scalar(left, bounds=(grid[at - 1], grid[at + 1]), method="bounded",
                           options={"xatol": 1e-7, "maxiter": REFINED})  # fmt: skip
    return float(np.exp(best.x))


def _scaled(design: NDArray[np.float64]) -> tuple[NDArray[np.float64], Values]:
    scale = np.linalg.norm(design, axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    return design / scale, scale


def _covariance(design: NDArray[np.float64], names: Sequence[str]) -> NDArray[np.float64]:
    """Covariance of the parameters for residuals of variance 1."""
    scaled, scale = _scaled(design)
    _, sizes, directions = np.linalg.svd(scaled, full_matrices=False)
    if sizes[-1] * LARGEST_CONDITION < sizes[0]:
        mixed = [name for name, share in zip(names, np.abs(directions[-1]), strict=True) if share > 0.2]
        raise InputError(
            f"The readings cannot separate these terms: {', '.join(mixed)}.", remedy="Leave one of them out."
        )
    turned = directions / sizes[:, None]
    return np.asarray(turned.T @ turned / np.outer(scale, scale))


def _solved(design: NDArray[np.float64], values: Values) -> Values:
    """Parameters of the smallest squares."""
    scaled, scale = _scaled(design)
    found, *_ = np.linalg.lstsq(scaled, values, rcond=None)
    return np.asarray(found / scale)


def _memory(residuals: Values) -> float:
    """Correlation of residuals from one to the next, at most 0.99; 0 where it is negative or there are none."""
    power = float(residuals @ residuals)
    if power <= 0:
        return 0.0
    return float(np.clip(residuals[1:] @ residuals[:-1] / power, 0.0, 0.99))


def _waves(
    parameters: Sequence[Parameter], covariance: NDArray[np.float64], terms: Sequence[_Term], wider: float
) -> list[Parameter]:
    """Amplitude and day of the maximum of each wave, with errors by linear propagation."""
    made = []
    for at, one in enumerate(terms):
        if not one.name.endswith(" sine"):
            continue
        name = one.name.removesuffix(" sine")
        sine, cosine = parameters[at].value, parameters[at + 1].value
        size = float(np.hypot(sine, cosine))
        own = covariance[at : at + 2, at : at + 2]
        if size <= 0:
            continue
        direction = np.array([sine, cosine]) / size
        error = float(np.sqrt(direction @ own @ direction))
        made.append(Parameter(f"{name} amplitude", size, "mm", error, error * wider))
        turns = 1 if name == "annual" else 2
        day = float(np.arctan2(sine, cosine) % (2 * np.pi) / (2 * np.pi * turns) * YEAR)
        across = np.array([cosine, -sine]) / size**2
        error = float(np.sqrt(across @ own @ across)) / (2 * np.pi * turns) * YEAR
        made.append(Parameter(f"{name} maximum, days from 1 January", day, "days", error, error * wider))
    return made


def _parts(terms: Sequence[_Term], found: Values) -> dict[str, Values]:
    made: dict[str, Values] = {}
    for one, value in zip(terms, found, strict=True):
        made[one.part] = made.get(one.part, 0.0) + value * one.column
    return made


def _notes(times: Times, used: NDArray[np.bool_], plan: TrajectoryPlan, span: float, memory: float) -> tuple[str, ...]:
    number = int(used.sum())
    notes = [f"{number:,} of {count(len(times), 'reading')} {agree(number, 'is', 'are')} used."]
    if plan.relaxation is not None and plan.relaxation.days:
        notes.append(f"The relaxation time of {count(span, 'day', form='g')} was given, not fitted.")
    notes.append(
        f"Residuals are correlated by {memory:.2f} from one reading to the next; the second error takes that into "
        "account (factor sqrt((1 + r)/(1 - r))). Slower noise increases the errors further."
    )  # fmt: skip
    return tuple(notes)


def table_of(found: Trajectory) -> pd.DataFrame:
    """The parameters, one a row, for people and other programs."""
    import pandas as pd

    return pd.DataFrame({
        "parameter": [one.name for one in found.parameters], "value": [one.value for one in found.parameters],
        "unit": [one.unit for one in found.parameters], "standard_error": [one.error for one in found.parameters],
        "standard_error_correlated": [one.error_correlated for one in found.parameters],
        "reference_time": str(found.reference)[:10], "rmse_mm": found.rmse, "readings": int(found.used.sum()),
    })  # fmt: skip
