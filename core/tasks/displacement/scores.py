"""How good forecasts are: errors, skill against simple forecasts, and whether a difference may be chance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.series.monitoring import Values


@dataclass(frozen=True)
class Scores:
    """Scores of forecasts.

    Attributes
    ----------
    n
        Forecasts that were scored.
    rmse, mae
        Root mean squared and mean absolute error, mm.
    bias
        Mean of forecast less measured, mm.
    mape
        Mean absolute error as a share of the measured movement; NaN where a movement is zero or of the other sign than
        most.
    mase
        Mean absolute error divided by that of ``no_change`` at the same horizon on the training part.
    r2_increment, r2_cumulative
        Share of the variance that is explained, of the movement to the target and of the cumulative displacement. The
        errors are the same: the second is close to 1 for any forecast of a slope that has moved far.
    bias_factor
        Mean of the forecast cumulative displacement divided by the mean of the measured one; 1 is without bias.
    """

    n: int
    rmse: float
    mae: float
    bias: float
    mape: float
    mase: float
    r2_increment: float
    r2_cumulative: float
    bias_factor: float


def score(forecast: Values, measured: Values, begin: Values, scale: float) -> Scores:
    """Score forecasts of movements.

    Parameters
    ----------
    forecast, measured
        ``(n,)`` mm from origin to target, all known.
    begin
        ``(n,)`` cumulative displacement at the origins, mm.
    scale
        Mean absolute movement over the horizon on the training part, mm.
    """
    n = len(forecast)
    if not n:
        return Scores(0, *(math.nan,) * 8)
    error = forecast - measured
    squares, mae = float((error**2).sum()), float(np.abs(error).mean())
    total = float((begin + measured).mean())
    return Scores(
        n, math.sqrt(squares / n), mae, float(error.mean()), _mape(error, measured),
        mae / scale if scale > 0 else math.nan, _r2(squares, measured), _r2(squares, begin + measured),
        float((begin + forecast).mean()) / total if total else math.nan,
    )  # fmt: skip


def _mape(error: Values, measured: Values) -> float:
    sign = np.sign(np.median(measured))
    if not sign or (np.sign(measured) != sign).any():
        return math.nan
    return float(np.mean(np.abs(error / measured)))


def _r2(squares: float, measured: Values) -> float:
    spread = float(((measured - measured.mean()) ** 2).sum())
    return 1 - squares / spread if spread > 0 else math.nan


def skill(rmse: float, simple: Mapping[str, float]) -> dict[str, float]:
    """1 less the ratio of an error to that of each simple forecast: above 0 is better than it, 1 is perfect."""
    return {name: 1 - rmse / one if one > 0 else math.nan for name, one in simple.items()}


@dataclass(frozen=True)
class Comparison:
    """A Diebold–Mariano test.

    Attributes
    ----------
    statistic
        Below 0 where the first forecast has the smaller squared errors.
    p_value
        How likely a difference as large is by chance, on both sides; NaN where it is undefined.
    n
        Forecasts that both made.
    """

    statistic: float
    p_value: float
    n: int


def diebold_mariano(difference: NDArray[np.float64], horizon: int) -> Comparison:
    """Test whether two forecasts have equal losses.

    Parameters
    ----------
    difference
        ``(n,)`` loss of the first less loss of the second forecast, of origins that follow each other; NaN where one of
        them is not scored.
    horizon
        Steps ahead: forecasts of as many origins overlap.

    Notes
    -----
    Diebold and Mariano 1995, doi:10.1080/07350015.1995.10524599, with the correction of Harvey, Leybourne and Newbold
    1997, doi:10.1016/S0169-2070(96)00719-4, and Student's t with n - 1 degrees of freedom. Where the estimated variance
    is not positive, that of uncorrelated differences is taken.
    """
    from scipy.stats import t as student

    known = np.isfinite(difference)
    n = int(known.sum())
    if n < 4 or horizon >= n:
        return Comparison(math.nan, math.nan, n)
    mean = float(difference[known].mean())
    centred = np.where(known, difference - mean, 0.0)  # steps stay as far apart as they are
    autocovariance = [float((centred[lag:] * centred[: len(centred) - lag]).sum()) / n for lag in range(horizon)]
    variance = (autocovariance[0] + 2 * sum(autocovariance[1:])) / n
    if variance <= 0:
        variance = autocovariance[0] / n
    if variance <= 0:
        return Comparison(math.nan, math.nan, n)
    correction = math.sqrt(max(0.0, (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n))
    statistic = correction * mean / math.sqrt(variance)
    return Comparison(statistic, float(2 * student.sf(abs(statistic), n - 1)), n)
