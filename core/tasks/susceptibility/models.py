"""The models by their names, in scikit-learn's one interface: ``fit(factors, landslide)``, ``predict_proba(factors)``.

Each is a pipeline that holds all that is fitted (scaling, classes, weights, calibration), so that nothing of a fold
that is kept back can reach it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from core.errors import InputError

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from core.tasks.susceptibility.factors import Factors

AVERAGE = "average"
"""The mean of the probabilities of the other models of a run."""

ANCHOR = "logistic_regression"
"""The model that others are compared with."""


Setting = float | int | str
"""Value of a setting of a model."""

Weights = Literal["none", "balanced"]
"""Whether both classes weigh the same, however many cells each has."""

MONOTONE = "xgboost"
"""The model whose index can be held to rise, or to fall, with a factor."""

UNWEIGHTED = ("adaboost", "mlp")
"""Models that learn from the cells as they are, whatever the weights."""

CALIBRATED = ("svm",)
"""Models whose probabilities are fitted afterwards, to the cells as they are."""


@dataclass(frozen=True)
class Model:
    """A model.

    Attributes
    ----------
    name, title
        Name in commands, and for people.
    what
        What it does, in a few words.
    build
        ``(factors, seed, **settings) -> estimator``: the unfitted last steps, behind what `pipeline_of` puts before.
    scaled
        Whether quantities are brought to mean 0 and deviation 1 first.
    whole
        Whether it takes the factors as they are, classes included.
    most
        Cells beyond which it takes hours; None without a limit.
    settings
        Defaults of its settings by name.
    space
        Values among which tuning chooses, in ascending order, by setting; the default is one of them.
    """

    name: str
    title: str
    what: str
    build: Callable[..., Any]
    scaled: bool = False
    whole: bool = False
    most: int | None = None
    settings: Mapping[str, Setting] = field(default_factory=dict)
    space: Mapping[str, tuple[Setting, ...]] = field(default_factory=dict)


def _bivariate(weighting: str) -> Callable[..., Any]:
    def build(factors: Factors, seed: int, bins: int) -> Any:  # noqa: ANN401
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        from core.tasks.susceptibility.bivariate import ClassScore

        del seed
        weights = ClassScore(weighting, factors.classes, factors.circular, bins)  # type: ignore[arg-type]
        return make_pipeline(weights, StandardScaler(), LogisticRegression())

    return build


def _logistic(factors: Factors, seed: int, C: Setting) -> Any:  # noqa: ANN401
    from sklearn.linear_model import LogisticRegression

    del seed
    if C == "auto":
        # Classes alone need a penalty: one without a landslide among the cells has no finite effect.
        C = 1.0 if factors.classes else float("inf")
    return LogisticRegression(C=C, max_iter=2_000)


def _splines(factors: Factors, seed: int, C: float, n_knots: int) -> Any:  # noqa: ANN401
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import SplineTransformer

    del seed
    line = LogisticRegression(C=C, max_iter=2_000)
    if not factors.quantities:
        return make_pipeline(line)
    curves = SplineTransformer(degree=3, n_knots=n_knots, extrapolation="linear")
    bent = ColumnTransformer(
        [("splines", curves, slice(0, len(factors.quantities)))],
        remainder="passthrough",
    )
    return make_pipeline(bent, line)


def _svm(factors: Factors, seed: int, C: float, gamma: Setting) -> Any:  # noqa: ANN401
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import StratifiedKFold
    from sklearn.svm import SVC

    del factors
    inner = StratifiedKFold(3, shuffle=True, random_state=seed)
    return CalibratedClassifierCV(SVC(C=C, gamma=gamma), method="sigmoid", cv=inner, ensemble=False)


def _tree(factors: Factors, seed: int, **settings: Setting) -> Any:  # noqa: ANN401
    from sklearn.tree import DecisionTreeClassifier

    del factors
    return DecisionTreeClassifier(**settings, random_state=seed)


def _bayes(factors: Factors, seed: int, **settings: Setting) -> Any:  # noqa: ANN401
    from sklearn.naive_bayes import GaussianNB

    del factors, seed
    return GaussianNB(**settings)


def _forest(factors: Factors, seed: int, **settings: Setting) -> Any:  # noqa: ANN401
    from sklearn.ensemble import RandomForestClassifier

    del factors
    return RandomForestClassifier(**settings, random_state=seed)


def _extra(factors: Factors, seed: int, **settings: Setting) -> Any:  # noqa: ANN401
    from sklearn.ensemble import ExtraTreesClassifier

    del factors
    return ExtraTreesClassifier(**settings, random_state=seed)


def _adaboost(factors: Factors, seed: int, **settings: Setting) -> Any:  # noqa: ANN401
    from sklearn.ensemble import AdaBoostClassifier

    del factors
    return AdaBoostClassifier(**settings, random_state=seed)


def _xgboost(factors: Factors, seed: int, **settings: Setting) -> Any:  # noqa: ANN401
    from xgboost import XGBClassifier

    del factors
    return XGBClassifier(
        **settings, subsample=0.8, colsample_bytree=0.8, n_jobs=1, random_state=seed, tree_method="hist",
    )  # fmt: skip


def _mlp(factors: Factors, seed: int, units: int, alpha: float) -> Any:  # noqa: ANN401
    from sklearn.neural_network import MLPClassifier

    del factors
    return MLPClassifier((units,), alpha=alpha, solver="lbfgs", max_iter=300, random_state=seed)


_BINS: dict[str, Any] = {"settings": {"bins": 10}, "space": {"bins": (4, 6, 8, 10, 15, 20)}}
_C = (0.01, 0.1, 1.0, 10.0, 100.0)
_FOREST: dict[str, Any] = {
    "settings": {"n_estimators": 100, "min_samples_leaf": 10, "max_features": "sqrt"},
    "space": {"min_samples_leaf": (1, 2, 5, 10, 20), "max_features": ("sqrt", 0.5, 1.0)},
}

MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model("frequency_ratio", "Frequency ratio", "sum of the frequency ratios of the classes",
              _bivariate("frequency_ratio"), whole=True, **_BINS),
        Model("information_value", "Information value", "sum of the logarithms of the frequency ratios",
              _bivariate("information_value"), whole=True, **_BINS),
        Model("weights_of_evidence", "Weights of evidence", "sum of the contrasts of the classes",
              _bivariate("weights_of_evidence"), whole=True, **_BINS),
        Model("logistic_regression", "Logistic regression", "weighted sum of the factors", _logistic,
              scaled=True, settings={"C": "auto"}, space={"C": (*_C, "auto")}),
        Model("logistic_splines", "Logistic regression with splines", "sum of smooth curves, one per factor", _splines,
              scaled=True, settings={"C": 1.0, "n_knots": 5}, space={"C": _C, "n_knots": (3, 4, 5, 7)}),
        Model("svm", "Support vector machine", "smooth boundary between the classes (radial kernel)", _svm,
              scaled=True, most=20_000, settings={"C": 1.0, "gamma": "scale"},
              space={"C": _C, "gamma": (0.01, 0.1, "scale", 1.0)}),
        Model("decision_tree", "Decision tree", "at most four levels of splits", _tree,
              settings={"max_depth": 4, "min_samples_leaf": 10},
              space={"max_depth": (2, 3, 4, 6, 8), "min_samples_leaf": (5, 10, 20, 40)}),
        Model("naive_bayes", "Naive Bayes", "factors as independent normal distributions", _bayes, scaled=True,
              settings={"var_smoothing": 1e-6}, space={"var_smoothing": (1e-9, 1e-6, 1e-3, 0.1)}),
        Model("random_forest", "Random forest", "100 trees on bootstrap samples of the cells", _forest, **_FOREST),
        Model("extra_trees", "Extra trees", "100 trees with random splits", _extra, **_FOREST),
        Model("adaboost", "AdaBoost", "50 one-level trees, each weighted towards the errors of the "
                                      "previous ones", _adaboost,
              settings={"n_estimators": 50, "learning_rate": 0.5},
              space={"n_estimators": (25, 50, 100), "learning_rate": (0.1, 0.5, 1.0)}),
        Model("xgboost", "Gradient boosting (XGBoost)", "150 small trees, each correcting the sum of the previous ones",
              _xgboost,
              settings={"n_estimators": 150, "max_depth": 2, "learning_rate": 0.05, "reg_lambda": 1.0},
              space={"n_estimators": (75, 150, 300), "max_depth": (1, 2, 3, 4, 6), "learning_rate": (0.02, 0.05, 0.1),
                     "reg_lambda": (0.1, 1.0, 10.0)}),
        Model("mlp", "Neural network (MLP)", "one hidden layer of 16", _mlp, scaled=True,
              settings={"units": 16, "alpha": 1.0},
              space={"units": (4, 8, 16, 32), "alpha": (0.01, 0.1, 1.0, 10.0)}),
    )
}  # fmt: skip

NAMES = (*MODELS, AVERAGE)


def title_of(name: str) -> str:
    """Name of a model for people."""
    if name == AVERAGE:
        return "Average of the models"
    return MODELS[name].title if name in MODELS else name


def check_models(names: Sequence[str], cells: int) -> None:
    """Refuse models that are not known, named twice, or too slow for so many cells, or an average of fewer than two.

    Raises
    ------
    InputError
        When they are.
    """
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise InputError(f"Unknown model {unknown[0]!r}.", remedy=f"Models are {', '.join(NAMES)}.")
    if not names:
        raise InputError("No model was chosen.", remedy=f"Choose from {', '.join(NAMES)}.")
    if len(set(names)) < len(names):
        raise InputError("A model is listed twice.", remedy="List each model once.")
    for name in names:
        most = None if name == AVERAGE else MODELS[name].most
        if most is not None and cells > most:
            raise InputError(
                f"{title_of(name)} accepts at most {most:,} cells; there are {cells:,}.",
                "Its computing time grows with the square of the number of cells.",
                "Leave it out, or use a sample of the cells.",
            )  # fmt: skip
    if AVERAGE in names and len(names) < 3:
        raise InputError("An average needs at least two models.", remedy="Choose at least two other models.")


def check_signs(monotone: Mapping[str, int]) -> None:
    """Refuse directions that are neither 1 nor -1.

    Raises
    ------
    InputError
        When one is.
    """
    for name, sign in monotone.items():
        if sign not in (1, -1):
            raise InputError(
                f"No direction is given for {name!r}.", "The index may only rise (+, 1) or only fall (-, -1) with a "
                                                    "factor.",
                "Write, for example, slope:+,distance:-.",
            )  # fmt: skip


def check_monotone(monotone: Mapping[str, int], factors: Factors, models: Sequence[str]) -> None:
    """Refuse directions that no model, or no factor, can take.

    Parameters
    ----------
    monotone
        By factor, 1 where the index may only rise with it, -1 where it may only fall.

    Raises
    ------
    InputError
        When a factor is not known or no quantity, the value is neither, or no model can be held to them.
    """
    if not monotone:
        return
    check_signs(monotone)
    for name in monotone:
        if name in (*factors.classes, *factors.circular):
            what = "classes" if name in factors.classes else "a direction"
            raise InputError(
                f"A direction cannot be set for {name}: it is {what}.",
                "Only quantities have higher and lower values.", "Remove it (--monotone).",
            )  # fmt: skip
        if name not in factors.quantities:
            raise InputError(f"There is no numeric factor {name!r} for which to set a direction.",
                             remedy=f"Numeric factors are {', '.join(factors.quantities)}.")  # fmt: skip
    if MONOTONE not in models:
        raise InputError(f"Only {title_of(MONOTONE)} supports directions (--monotone).",
                         remedy=f"Add {MONOTONE} to the models, or remove the directions.")  # fmt: skip


def monotone_of(text: str) -> dict[str, int]:
    """Directions written as ``slope:+,distance:-``.

    Raises
    ------
    InputError
        When they are written otherwise.
    """
    signs = {"+": 1, "-": -1, "−": -1}
    found: dict[str, int] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, _, sign = (one.strip() for one in part.rpartition(":"))
        if not name or sign not in signs or name in found:
            raise InputError(f"{part!r} is not a factor with a direction.",
                             remedy="List each factor once, for example slope:+,distance:-.")  # fmt: skip
        found[name] = signs[sign]
    return found


def monotone_text(monotone: Mapping[str, int]) -> str:
    """What `monotone_of` reads."""
    return ", ".join(f"{name}:{'+' if sign > 0 else '-'}" for name, sign in monotone.items())


def pipeline_of(
    name: str, factors: Factors, seed: int, settings: Mapping[str, Setting] | None = None, *,
    weights: Weights = "none", monotone: Mapping[str, int] | None = None,
) -> Pipeline:  # fmt: skip
    """An unfitted model with all that comes before it.

    Parameters
    ----------
    name
        Of `MODELS`.
    factors
        Names of the factors by kind.
    seed
        Of whatever is random in it.
    settings
        Those that differ from `Model.settings`.
    weights
        ``"balanced"`` weighs each class by the inverse of its number of cells, in each fit anew; `UNWEIGHTED` models do
        not heed it.
    monotone
        By factor, 1 or -1; see `check_monotone`. Models but `MONOTONE` do not heed it.

    Raises
    ------
    InputError
        When a setting or a factor is not known.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    from core.tasks.susceptibility.directions import SineCosine

    model = MODELS[name]
    stray = sorted(set(settings or {}) - set(model.settings))
    if stray:
        raise InputError(f"{model.title} has no setting {stray[0]!r}.",
                         remedy=f"Its settings are {', '.join(model.settings)}.")  # fmt: skip
    last = model.build(factors, seed, **{**model.settings, **(settings or {})})
    if weights == "balanced":
        last = _balanced(name, last)
    if monotone and name == MONOTONE:
        check_monotone(monotone, factors, (name,))
        # Quantities are the first columns; XGBoost takes those beyond as free.
        last.set_params(monotone_constraints=tuple(monotone.get(one, 0) for one in factors.quantities))
    if model.whole:
        return make_pipeline(last)
    before = ColumnTransformer(
        [
            ("quantities", StandardScaler() if model.scaled else "passthrough", list(factors.quantities)),
            ("circular", SineCosine(), list(factors.circular)),
            ("classes", OneHotEncoder(handle_unknown="ignore", sparse_output=False), list(factors.classes)),
        ]
    )
    return make_pipeline(before, last)


def _balanced(name: str, last: Any) -> Any:  # noqa: ANN401
    """The last steps of a model, with both classes weighing the same."""
    if name == "xgboost":
        from core.tasks.susceptibility.balanced import BalancedBooster

        return BalancedBooster(**last.get_params())
    if name == "naive_bayes":
        return last.set_params(priors=[0.5, 0.5])
    if name in UNWEIGHTED:
        return last
    # What is weighted may lie deeper: in a pipeline's last step, or under a calibration.
    where = next(one for one in last.get_params() if one == "class_weight" or one.endswith("__class_weight"))
    return last.set_params(**{where: "balanced"})
