"""What a run found, in sentences and tables: the same for page, report and command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import StorageError
from core.series.monitoring import unit_of_step
from core.series.words import ahead_name, signed
from core.tasks.displacement.forecasters import title_of
from core.tasks.displacement.result import FORECASTS, MEASURED, SERIES, ForecastResult
from core.tasks.displacement.simple import SIMPLE
from core.wording import count, within

if TYPE_CHECKING:
    import pandas as pd

SIGNIFICANT = 0.05
"""Probability by chance below which a difference is called more than chance."""


@dataclass(frozen=True)
class Verdict:
    """What was found: one sentence, and others that stand below it."""

    lead: str
    others: tuple[str, ...]


def verdict(result: ForecastResult, station: str) -> Verdict:
    """What was found of a station."""
    ours = result.stations[station]
    chosen, simple, on_test = (str(ours[name]) for name in ("chosen", "best_simple", "best_on_test"))
    ahead = in_words(result.horizon, str(ours["step"]))
    error, simple_error = result.of(station, chosen, "rmse"), result.of(station, simple, "rmse")
    others = [_forecast(result, station, chosen)]
    if chosen in SIMPLE:
        lead = (
            f"{station}: on the training set, no model is better than a simple forecast. Forecasts {ahead} ahead have "
            f"an error (RMSE) of {error:.2f} mm with {within(title_of(chosen))}."
        )
    else:
        lead = (
            f"{station}: forecasts {ahead} ahead have an error (RMSE) of {error:.2f} mm with "
            f"{within(title_of(chosen))} and {simple_error:.2f} mm with {within(title_of(simple))}"
            f"{_sure(result, station, chosen)}."
        )
        others.append(_skill(result, station, chosen, simple))
    if on_test != chosen:
        others.append(
            f"On the test set, {within(title_of(on_test))} has the lowest error "
            f"({result.of(station, on_test, 'rmse'):.2f} mm). This is known only afterwards; the assessment is of "
            "the model selected on the training set."
        )
    others.append(_covered(result, station, chosen))
    return Verdict(lead, tuple(one for one in others if one))


def _forecast(result: ForecastResult, station: str, model: str) -> str:
    ahead, low, high = (result.of(station, model, name) for name in ("ahead", "ahead_low", "ahead_high"))
    if ahead != ahead:
        return ""
    ends = f"90 % interval {signed(low, '.1f')} to {signed(high, '.1f')} mm"
    interval = ends if low == low else "no interval: too few errors are known"
    ours = result.stations[station]
    span = ahead_name(str(ours["last"]), str(ours["step"]), result.horizon)
    return f"Forecast for {span}: a movement of {signed(ahead, '.1f')} mm ({interval})."


def _skill(result: ForecastResult, station: str, model: str, simple: str) -> str:
    gain = result.skill(station, model, simple)
    chance = _chance(result, station, model)
    if gain != gain:
        return ""
    more = "smaller" if gain > 0 else "larger"
    size = f"{100 * abs(gain):.0f} % {more} than" if abs(gain) >= 0.005 else "as large as"
    told = f"Its error is {size} that of {within(title_of(simple))}, the best simple forecast on the training set"
    if chance is None:
        return f"{told}."
    return f"{told}{_sure(result, station, model)} (Diebold–Mariano test, p {p_words(chance, '= ')})."


def _chance(result: ForecastResult, station: str, model: str) -> float | None:
    """Probability by chance of the difference in error to the best simple forecast; None where it was not tested."""
    chance: float | None = result.stations[station]["models"][model].get("dm", {}).get("p_value")
    return chance


def _sure(result: ForecastResult, station: str, model: str) -> str:
    chance = _chance(result, station, model)
    if chance is None:
        return ""
    return f"; the difference is {'' if chance < SIGNIFICANT else 'not '}statistically significant"


def p_words(chance: object, equals: str = "") -> str:
    """A probability by chance with three decimals, or that it is below 0.001; a dash where there is none.

    Examples
    --------
    >>> p_words(0.0312), p_words(0.0002), p_words(None), p_words(0.0312, "= "), p_words(0.0002, "= ")
    ('0.031', '<0.001', '–', '= 0.031', '< 0.001')
    """
    if not isinstance(chance, int | float) or chance != chance:
        return "–"
    below = "< " if equals else "<"
    return f"{below}0.001" if chance < 0.0005 else f"{equals}{chance:.3f}"


def _covered(result: ForecastResult, station: str, model: str) -> str:
    ours = result.stations[station]["models"][model]
    share, number, plausible = ours["coverage90"], ours["coverage_n"], ours["coverage_ok"]
    if share is None:
        return "The intervals could not be tested: too few errors are known."
    fits = "consistent with 90 %" if plausible else "not consistent with 90 %"
    return f"Its 90 % intervals contained {100 * share:.0f} % of {count(number, 'measurement')}, {fits}."


def in_words(steps: int, step: str) -> str:
    """A number of steps in words, such as ``"7 days"``."""
    number, unit = unit_of_step(step)
    return count(steps * number, unit)


HEADS = {
    "rmse": "RMSE (mm)", "mae": "MAE (mm)", "mase": "MASE", "r2_increment": "R² of movement",
    "r2_cumulative": "R² of displacement", "bias_factor": "Bias factor", "n": "Number of forecasts", "coverage90": (
        "90 % interval coverage"
    ),
    "training_rmse": "Training RMSE (mm)", "refits": "Fits", "seconds": "Time (s)",
}  # fmt: skip


def table_of_scores(result: ForecastResult) -> pd.DataFrame:
    """All scores, a row a station and model, and the skill against each simple forecast."""
    import pandas as pd

    rows = []
    for station in result.names:
        for model in result.models(station):
            row: dict[str, object] = {"station": station, "model": model}
            row |= {name: result.of(station, model, name) for name in (*HEADS, "bias", "mape", "coverage_n")}
            row |= {f"skill_{simple}": result.skill(station, model, simple) for simple in SIMPLE}
            compared = result.stations[station]["models"][model].get("dm", {})
            row |= {"dm": compared.get("statistic"), "dm_p": compared.get("p_value")}
            rows.append(row)
    return pd.DataFrame(rows)


def ahead_table(result: ForecastResult) -> pd.DataFrame:
    """Forecasts beyond the end of the series, in mm from origin to target, with the ends of the 90 % interval."""
    import pandas as pd

    every = forecasts_of(result)
    rows = []
    for station in result.names:
        own = every[every["station"] == station]
        last = own[own["origin"] == own["origin"].max()]
        for one in last[last["measured"].isna()].itertuples():
            rows.append({
                "station": station, "model": one.model, "chosen": one.model == result.stations[station]["chosen"],
                "origin": one.origin, "target": one.target, "forecast_mm": round(one.forecast, 3),
                "low_mm": round(one.low, 3), "high_mm": round(one.high, 3),
            })  # fmt: skip
    return pd.DataFrame(rows)


def _read(result: ForecastResult, role: str) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_parquet(result.artifact(role))
    except (OSError, ValueError) as error:
        raise StorageError(f"The {role} of run {result.id[:8]} cannot be read.", str(error), (
            "Repeat the run."
        )) from error


def series_of(result: ForecastResult) -> pd.DataFrame:
    """The series on their steps; see `core.tasks.displacement.result.SERIES`.

    Raises
    ------
    StorageError
        When they are gone.
    """
    return _read(result, SERIES)


def measured_of(result: ForecastResult) -> pd.DataFrame:
    """What was measured; see `core.tasks.displacement.result.MEASURED`."""
    return _read(result, MEASURED)


def forecasts_of(result: ForecastResult) -> pd.DataFrame:
    """All forecasts; see `core.tasks.displacement.result.FORECASTS`."""
    return _read(result, FORECASTS)
