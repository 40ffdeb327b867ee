"""Boosted trees to which both classes weigh the same. Imported where it is used: XGBoost is heavy."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from xgboost import XGBClassifier


class BalancedBooster(XGBClassifier):
    """XGBoost whose cells with a landslide weigh as much together as those without, whatever it is fitted on."""

    def fit(self, X: NDArray[np.float64], y: NDArray[np.bool_], **how: Any) -> Self:  # noqa: ANN401
        """Fit with ``scale_pos_weight``: cells without a landslide to each with one."""
        slide = np.asarray(y, dtype=bool)
        self.set_params(scale_pos_weight=float((~slide).sum() / slide.sum()))
        super().fit(X, y, **how)
        return self
