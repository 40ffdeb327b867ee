"""The models: one way to fit each on what was known at an origin, and to ask it about later ones.

What they can do is asked of their declaration (`Forecaster`), never told from their names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.series.monitoring import Values
from core.tasks.displacement.problem import Problem, Steps
from core.tasks.displacement.simple import SIMPLE
from core.wording import agree, count

FEWEST_PAIRS = 10
"""Movements that a model learns from, at least."""

KNOWN = 0.8
"""Share of the steps learnt from at which a feature has to be known; unknown values become their median."""

Setting = float | int | str


class Fitted(Protocol):
    """A model that was fitted on what was known at an origin."""

    def predict(self, problem: Problem, origins: Steps) -> Values:
        """``(n,)`` mm from each origin to its target; NaN where it is undefined."""


@dataclass(frozen=True)
class Forecaster:
    """A model as it is declared.

    Attributes
    ----------
    name, title, what
        Name in commands, name for people, and what it does in a few words.
    fit
        ``(problem, origin, seed, settings) -> Fitted``: uses nothing later than the origin.
    settings
        Those it is fitted with where no others are chosen.
    space
        Values of each setting that tuning may choose.
    family
        ``"simple"``, ``"series"`` (of the series alone), ``"features"`` or ``"network"``.
    wrapped
        Whether it forecasts by way of a decomposition or a step at a time, so that its features do not tell all.
    """

    name: str
    title: str
    what: str
    fit: Callable[[Problem, int, int, Mapping[str, Setting]], Fitted]
    family: Literal["simple", "series", "features", "network"]
    settings: Mapping[str, Setting] = field(default_factory=dict)
    space: Mapping[str, tuple[Setting, ...]] = field(default_factory=dict)
    wrapped: bool = False

    @property
    def learns(self) -> bool:
        """Whether anything is fitted."""
        return self.family != "simple"

    @property
    def explained(self) -> bool:
        """Whether a forecast can be divided among features."""
        return self.family == "features" and not self.wrapped

    @property
    def costly(self) -> bool:
        """Whether it takes seconds to fit, so that it is fitted less often."""
        return self.family == "network"


@dataclass(frozen=True)
class _Simple:
    """A forecast that needs no fit."""

    forecast: Callable[[Problem, Steps], Values]

    def predict(self, problem: Problem, origins: Steps) -> Values:
        return self.forecast(problem, origins)


@dataclass(frozen=True)
class FeatureModel:
    """A regression on features.

    Attributes
    ----------
    model
        A fitted pipeline of scikit-learn, or a regressor of XGBoost.
    kept
        ``(features,)`` which features it was fitted on; see `known_enough`.
    settings
        That it was fitted with.
    """

    model: Any
    kept: NDArray[np.bool_]
    settings: Mapping[str, Setting] = field(default_factory=dict)

    def predict(self, problem: Problem, origins: Steps) -> Values:
        """See `Fitted`."""
        if not len(origins):
            return np.empty(0)
        return self.of(problem.features.values[origins])

    def of(self, values: NDArray[np.float64]) -> Values:
        """``(n,)`` mm, of ``(n, features)`` values of all features."""
        return np.asarray(self.model.predict(values[:, self.kept]), dtype=np.float64)


def _of_features(
    make: Callable[[int, Mapping[str, Setting]], Any],
) -> Callable[[Problem, int, int, Mapping[str, Setting]], Fitted]:
    def fit(problem: Problem, origin: int, seed: int, settings: Mapping[str, Setting]) -> Fitted:
        rows = pairs(problem, origin)
        values = problem.features.values[rows]
        kept, most = known_enough(values), int(settings.get("features", 0))
        if most:
            from core.tasks.displacement.ranking import most_informative

            kept = most_informative(values, problem.increments[rows], kept, most, seed)
        return FeatureModel(make(seed, settings).fit(values[:, kept], problem.increments[rows]), kept, settings)

    return fit


def known_enough(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """``(features,)`` which of ``(n, features)`` values are known at a share `KNOWN` of the steps; all where none is.

    Windows almost as long as the past are known for its end alone: models that learnt from them had errors larger by up
    to a third.
    """
    share = np.isfinite(values).mean(axis=0)
    kept: NDArray[np.bool_] = share >= KNOWN
    return kept if kept.any() else share > 0


def pairs(problem: Problem, origin: int) -> Steps:
    """Steps that a model may learn from at an origin.

    Raises
    ------
    InputError
        When there are too few.
    """
    rows = problem.learnt_from(origin)
    if len(rows) < FEWEST_PAIRS:
        raise InputError(
            f"Only {count(len(rows), 'movement')} over {count(problem.horizon, 'step')} "
            f"{agree(len(rows), 'is', 'are')} known before step {origin + 1:,}; {FEWEST_PAIRS} are needed.",
            "No model can be trained on so few.", "Choose a smaller test share or a shorter horizon.",
        )  # fmt: skip
    return rows


def _filled_in(scaled: bool, *steps: Any) -> Any:  # noqa: ANN401  scikit-learn's own
    """A pipeline that fills unknown features with the median of those that it is fitted on."""
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(SimpleImputer(strategy="median"), *([StandardScaler()] if scaled else []), *steps)


def _linear(seed: int, settings: Mapping[str, Setting]) -> Any:  # noqa: ANN401
    from sklearn.linear_model import LinearRegression

    del seed, settings
    return _filled_in(True, LinearRegression())


def _ridge(seed: int, settings: Mapping[str, Setting]) -> Any:  # noqa: ANN401
    from sklearn.linear_model import Ridge, RidgeCV

    del seed
    alpha = float(settings["alpha"])
    return _filled_in(True, Ridge(alpha) if alpha > 0 else RidgeCV(np.logspace(-2, 4, 13)))


def _svr(seed: int, settings: Mapping[str, Setting]) -> Any:  # noqa: ANN401
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVR

    del seed
    return TransformedTargetRegressor(
        _filled_in(True, SVR(C=float(settings["C"]), epsilon=float(settings["epsilon"]))), transformer=StandardScaler()
    )


def _mars_like(seed: int, settings: Mapping[str, Setting]) -> Any:  # noqa: ANN401
    from sklearn.linear_model import LassoCV
    from sklearn.preprocessing import SplineTransformer, StandardScaler

    del seed
    lines = SplineTransformer(n_knots=int(settings["n_knots"]), degree=1, extrapolation="linear")
    return _filled_in(True, lines, StandardScaler(), LassoCV(alphas=20, cv=3, max_iter=5_000))


def _forest(seed: int, settings: Mapping[str, Setting]) -> Any:  # noqa: ANN401
    from sklearn.ensemble import RandomForestRegressor

    return _filled_in(False, RandomForestRegressor(
        int(settings["n_estimators"]), min_samples_leaf=int(settings["min_samples_leaf"]), max_features=0.5,
        random_state=seed,
    ))  # fmt: skip


def _xgboost(seed: int, settings: Mapping[str, Setting]) -> Any:  # noqa: ANN401
    from xgboost import XGBRegressor

    return XGBRegressor(
        n_estimators=int(settings["n_estimators"]), max_depth=int(settings["max_depth"]),
        learning_rate=float(settings["learning_rate"]), subsample=0.8, colsample_bytree=0.8, random_state=seed,
        n_jobs=1, tree_method="hist",
    )  # fmt: skip


def _mlp(seed: int, settings: Mapping[str, Setting]) -> Any:  # noqa: ANN401
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPRegressor
    from sklearn.preprocessing import StandardScaler

    net = MLPRegressor(
        hidden_layer_sizes=(int(settings["units"]),), alpha=float(settings["alpha"]), solver="lbfgs", max_iter=200,
        random_state=seed,
    )
    return TransformedTargetRegressor(_filled_in(True, net), transformer=StandardScaler())


def _arima(problem: Problem, origin: int, seed: int, settings: Mapping[str, Setting]) -> Fitted:
    from core.tasks.displacement.arima import fit_arima

    del seed, settings
    return fit_arima(problem, origin)


def _network(kind: str) -> Callable[[Problem, int, int, Mapping[str, Setting]], Fitted]:
    def fit(problem: Problem, origin: int, seed: int, settings: Mapping[str, Setting]) -> Fitted:
        from core.tasks.displacement.network import fit_network

        return fit_network(problem, origin, seed, kind, settings)

    return fit


def _without_fit(forecast: Callable[[Problem, Steps], Values]) -> Callable[..., Fitted]:
    return lambda *_: _Simple(forecast)


_NETWORK: dict[str, Setting] = {"hidden": 16, "window": 0, "epochs": 25}

FORECASTERS: dict[str, Forecaster] = {
    one.name: one
    for one in (
        *(Forecaster(name, title, what, _without_fit(forecast), "simple")
          for name, (title, what, forecast) in SIMPLE.items()),
        Forecaster("arima", "ARIMA", "autoregression and moving average of the increments, order selected by "
                                     "AICc", _arima,
                   "series"),
        Forecaster("linear_regression", "Linear regression", "weighted sum of the features", _of_features(_linear),
                   "features"),
        Forecaster("ridge", "Ridge regression", "weighted sum with small weights", _of_features(_ridge), "features",
                   {"alpha": 0.0}, {"alpha": (0.0, 0.1, 1.0, 10.0, 100.0, 1000.0)}),
        Forecaster("svr", "Support vector regression", "smooth function that tolerates small errors",
                   _of_features(_svr), "features", {"C": 1.0, "epsilon": 0.1},
                   {"C": (0.1, 1.0, 10.0, 100.0), "epsilon": (0.01, 0.1, 0.3)}),
        Forecaster("mars_like", "Piecewise linear regression (MARS-like)", "sum of a few piecewise linear functions",
                   _of_features(_mars_like), "features", {"n_knots": 4}, {"n_knots": (3, 4, 6)}),
        Forecaster("random_forest", "Random forest", "100 trees on bootstrap samples of the "
                                                     "past", _of_features(_forest),
                   "features", {"n_estimators": 100, "min_samples_leaf": 3}, {"min_samples_leaf": (1, 3, 5, 10)}),
        Forecaster("xgboost", "Gradient boosting (XGBoost)", (
            "150 small trees, each correcting the sum of the previous ones"
        ),
                   _of_features(_xgboost), "features",
                   {"n_estimators": 150, "max_depth": 3, "learning_rate": 0.05},
                   {"n_estimators": (75, 150, 300), "max_depth": (1, 2, 3, 4), "learning_rate": (0.02, 0.05, 0.1)}),
        Forecaster("mlp", "Neural network (MLP)", "one hidden layer on the features", _of_features(_mlp), "features",
                   {"units": 16, "alpha": 10.0}, {"units": (4, 8, 16), "alpha": (0.1, 1.0, 10.0, 100.0)}),
        Forecaster("lstm", "Sequence network (LSTM)", "long short-term memory over the last steps", _network("lstm"),
                   "network", _NETWORK),
        Forecaster("gru", "Sequence network (GRU)", "gated recurrent units over the last steps", _network("gru"),
                   "network", _NETWORK),
        Forecaster("cnn_lstm", "Sequence network (CNN-LSTM)", "a convolution followed by long short-term memory",
                   _network("cnn_lstm"), "network", _NETWORK),
    )
}  # fmt: skip
"""All models by name, the simple ones first."""

NAMES = tuple(FORECASTERS)

FIRST = (*SIMPLE, "arima", "ridge", "random_forest", "xgboost")
"""Models that are tried where none are named: quick, and of every family but networks."""


def title_of(name: str) -> str:
    """Name of a model for people; the name itself where it is not known."""
    return FORECASTERS[name].title if name in FORECASTERS else name


def check_models(models: tuple[str, ...]) -> None:
    """Refuse models that are not known, or that are named twice.

    Raises
    ------
    InputError
        When there are such, or there is none.
    """
    if not models or len(set(models)) < len(models):
        raise InputError(
            "No model was chosen, or a model is listed twice.", remedy=f"Choose from {', '.join(NAMES)} (--models)."
        )
    for name in models:
        if name not in FORECASTERS:
            raise InputError(f"Unknown model {name!r}.", remedy=f"Choose from {', '.join(NAMES)} (--models).")
