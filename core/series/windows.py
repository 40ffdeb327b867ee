"""Sums, means and changes over the last steps of what was measured; a window with an unknown step is unknown."""

from __future__ import annotations

import numpy as np

from core.series.monitoring import Values


def changed(values: Values, window: int) -> Values:
    """``(n,)`` change over the last `window` steps; NaN where it reaches before the series."""
    found = np.full(len(values), np.nan)
    if window < len(values):
        found[window:] = values[window:] - values[:-window]
    return found


def summed(values: Values, window: int) -> Values:
    """``(n,)`` sum over the last `window` steps, this one among them; NaN where one is unknown."""
    found = np.full(len(values), np.nan)
    if window <= len(values):
        known = np.isfinite(values)
        total = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))])
        number = np.concatenate([[0], np.cumsum(known)])
        whole = number[window:] - number[:-window] == window
        found[window - 1 :] = np.where(whole, total[window:] - total[:-window], np.nan)
    return found


def averaged(values: Values, window: int) -> Values:
    """``(n,)`` mean over the last `window` steps; NaN where one is unknown."""
    return summed(values, window) / window
