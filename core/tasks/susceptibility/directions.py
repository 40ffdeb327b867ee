"""How directions enter a model. Apart from the names of factors, as scikit-learn takes a second to import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

if TYPE_CHECKING:
    import pandas as pd


class SineCosine(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Directions as sine and cosine, so that 359° and 1° are near each other; both are 0 on flat ground.

    The columns are the sines of all directions, then their cosines.
    """

    def fit(self, directions: pd.DataFrame, landslide: object = None) -> Self:
        """Nothing is learnt."""
        del landslide
        self.n_features_in_ = directions.shape[1]
        self.feature_names_in_ = np.asarray(directions.columns, dtype=object)
        return self

    def transform(self, directions: pd.DataFrame) -> NDArray[np.float64]:
        """(cells, 2 × directions) sines, then cosines."""
        degrees = np.asarray(directions, dtype=np.float64)
        turned, known = np.radians(degrees), degrees >= 0
        return np.hstack([np.where(known, np.sin(turned), 0.0), np.where(known, np.cos(turned), 0.0)])

    def get_feature_names_out(self, input_features: object = None) -> NDArray[Any]:
        """Names of the columns."""
        names = self.feature_names_in_ if input_features is None else np.asarray(input_features, dtype=object)
        return np.asarray([f"{name} ({part})" for part in ("sine", "cosine") for name in names], dtype=object)
