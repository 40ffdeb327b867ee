"""The models by their names, in scikit-learn's one interface: ``fit(factors, landslide)``, ``predict_proba(factors)``.

Each is a pipeline that holds all that is fitted (scaling, classes, weights, calibration), so that nothing of a fold
that is kept back can reach it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.errors import InputError

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from core.tasks.susceptibility.factors import Factors

AVERAGE = "average"
"""The mean of the probabilities of the other models of a run."""

ANCHOR = "logistic_regression"
"""The model that others are compared with."""


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
        ``(factors, seed) -> estimator``: the unfitted last steps, behind what `pipeline_of` puts before.
    scaled
        Whether quantities are brought to mean 0 and deviation 1 first.
    whole
        Whether it takes the factors as they are, classes included.
    most
        Cells beyond which it takes hours; None without a limit.
    """

    name: str
    title: str
    what: str
    build: Callable[[Factors, int], Any]
    scaled: bool = False
    whole: bool = False
    most: int | None = None


def _bivariate(weighting: str) -> Callable[[Factors, int], Any]:
    def build(factors: Factors, seed: int) -> Any:  # noqa: ANN401
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        from core.tasks.susceptibility.bivariate import ClassScore

        del seed
        weights = ClassScore(weighting, factors.classes, factors.circular)  # type: ignore[arg-type]
        return make_pipeline(weights, StandardScaler(), LogisticRegression())

    return build


def _logistic(factors: Factors, seed: int) -> Any:  # noqa: ANN401
    from sklearn.linear_model import LogisticRegression

    del seed
    # Classes alone need a penalty: one without a landslide among the cells has no finite effect.
    return LogisticRegression(C=1.0 if factors.classes else float("inf"), max_iter=2_000)


def _splines(factors: Factors, seed: int) -> Any:  # noqa: ANN401
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import SplineTransformer

    del seed
    curves = SplineTransformer(degree=3, n_knots=5, extrapolation="linear")
    bent = ColumnTransformer(
        [("splines", curves, slice(0, len(factors.quantities)))],
        remainder="passthrough",
    )
    return make_pipeline(bent, LogisticRegression(C=1.0, max_iter=2_000))


def _svm(factors: Factors, seed: int) -> Any:  # noqa: ANN401
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import StratifiedKFold
    from sklearn.svm import SVC

    del factors
    inner = StratifiedKFold(3, shuffle=True, random_state=seed)
    return CalibratedClassifierCV(SVC(C=1.0, gamma="scale"), method="sigmoid", cv=inner, ensemble=False)


def _tree(factors: Factors, seed: int) -> Any:  # noqa: ANN401
    from sklearn.tree import DecisionTreeClassifier

    del factors
    return DecisionTreeClassifier(max_depth=4, min_samples_leaf=10, random_state=seed)


def _bayes(factors: Factors, seed: int) -> Any:  # noqa: ANN401
    from sklearn.naive_bayes import GaussianNB

    del factors, seed
    return GaussianNB(var_smoothing=1e-6)


def _forest(factors: Factors, seed: int) -> Any:  # noqa: ANN401
    from sklearn.ensemble import RandomForestClassifier

    del factors
    return RandomForestClassifier(100, min_samples_leaf=10, random_state=seed)


def _extra(factors: Factors, seed: int) -> Any:  # noqa: ANN401
    from sklearn.ensemble import ExtraTreesClassifier

    del factors
    return ExtraTreesClassifier(100, min_samples_leaf=10, random_state=seed)


def _adaboost(factors: Factors, seed: int) -> Any:  # noqa: ANN401
    from sklearn.ensemble import AdaBoostClassifier

    del factors
    return AdaBoostClassifier(n_estimators=50, learning_rate=0.5, random_state=seed)


def _xgboost(factors: Factors, seed: int) -> Any:  # noqa: ANN401
    from xgboost import XGBClassifier

    del factors
    return XGBClassifier(
        n_estimators=150, max_depth=2, learning_rate=0.05, subsample=0.8, colsample_bytree=0.8, reg_lambda=1.0,
        n_jobs=1, random_state=seed, tree_method="hist",
    )  # fmt: skip


def _mlp(factors: Factors, seed: int) -> Any:  # noqa: ANN401
    from sklearn.neural_network import MLPClassifier

    del factors
    return MLPClassifier((16,), alpha=1.0, solver="lbfgs", max_iter=300, random_state=seed)


MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model("frequency_ratio", "Frequency ratio", "sums how much landslides prefer each class",
              _bivariate("frequency_ratio"), whole=True),
        Model("information_value", "Information value", "sums the logarithms of the frequency ratios",
              _bivariate("information_value"), whole=True),
        Model("weights_of_evidence", "Weights of evidence", "sums the contrasts of classes",
              _bivariate("weights_of_evidence"), whole=True),
        Model("logistic_regression", "Logistic regression", "a weighted sum of the factors", _logistic, scaled=True),
        Model("logistic_splines", "Logistic regression with splines", "a sum of smooth curves, one a factor", _splines,
              scaled=True),
        Model("svm", "Support vector machine", "a smooth border between the classes (radial kernel)", _svm,
              scaled=True, most=20_000),
        Model("decision_tree", "Decision tree", "at most four questions, one after the other", _tree),
        Model("naive_bayes", "Naive Bayes", "each factor by itself, as normal distributions", _bayes, scaled=True),
        Model("random_forest", "Random forest", "100 trees on samples of the cells", _forest),
        Model("extra_trees", "Extra trees", "100 trees with random cuts", _extra),
        Model("adaboost", "AdaBoost", "50 single questions, each on what the others miss", _adaboost),
        Model("xgboost", "Gradient boosting (XGBoost)", "150 small trees, each mending the sum of the others",
              _xgboost),
        Model("mlp", "Neural network (MLP)", "one hidden layer of 16", _mlp, scaled=True),
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
        raise InputError(f"There is no model {unknown[0]!r}.", remedy=f"Models are {', '.join(NAMES)}.")
    if not names:
        raise InputError("No model was chosen.", remedy=f"Choose of {', '.join(NAMES)}.")
    if len(set(names)) < len(names):
        raise InputError("A model is named twice.", remedy="Name each once.")
    for name in names:
        most = None if name == AVERAGE else MODELS[name].most
        if most is not None and cells > most:
            raise InputError(
                f"{title_of(name)} takes at most {most:,} cells; there are {cells:,}.",
                "Its time grows with the square of their number.", "Leave it out, or take a sample of the cells.",
            )  # fmt: skip
    if AVERAGE in names and len(names) < 3:
        raise InputError("An average is of two models at least.", remedy="Choose two more.")


def pipeline_of(name: str, factors: Factors, seed: int) -> Pipeline:
    """An unfitted model with all that comes before it.

    Parameters
    ----------
    name
        Of `MODELS`.
    factors
        Names of the factors by kind.
    seed
        Of whatever is random in it.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    from core.tasks.susceptibility.directions import SineCosine

    model = MODELS[name]
    last = model.build(factors, seed)
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
