"""Settings, weights and directions of models, and tuning that never looks at a cell kept back."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter
from sklearn.compose import ColumnTransformer
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from core.catalog.samples import sample_table
from core.errors import InputError, ModelError, RunCancelled
from core.jobs.perform import run_inline
from core.runs.store import Store
from core.tasks.susceptibility import tuning, validate
from core.tasks.susceptibility.cells import Cells, Columns
from core.tasks.susceptibility.commands import add_commands, asked
from core.tasks.susceptibility.directions import SineCosine
from core.tasks.susceptibility.factors import Factors
from core.tasks.susceptibility.findings import cells_table
from core.tasks.susceptibility.map_config import read_config
from core.tasks.susceptibility.models import (
    MODELS,
    UNWEIGHTED,
    Model,
    check_monotone,
    monotone_of,
    monotone_text,
    pipeline_of,
)
from core.tasks.susceptibility.report import tables_of_settings
from core.tasks.susceptibility.result import SusceptibilityResult
from core.tasks.susceptibility.run import Request, notes_of, order_of
from core.tasks.susceptibility.run_explanation import _refitted
from core.tasks.susceptibility.run_map import MapRequest, _Fitting
from core.tasks.susceptibility.tuning import Tuner, Tuning, fits_of, trials_of
from core.tasks.susceptibility.validate import Plan, Validation
from core.tasks.susceptibility.validate import validate as run
from tests.tasks.susceptibility.test_validate import cells

KINDS = Factors(("slope", "noise"), ("rock",))

BEFORE = {
    "frequency_ratio": (0.267794, 0.740875, 0.740875),
    "information_value": (0.315277, 0.756010, 0.686462),
    "weights_of_evidence": (0.320649, 0.706838, 0.781540),
    "logistic_regression": (0.690984, 0.235083, 0.322828),
    "logistic_splines": (0.654641, 0.323315, 0.357413),
    "svm": (0.705420, 0.348739, 0.278202),
    "decision_tree": (0.600000, 0.600000, 0.384615),
    "naive_bayes": (0.727815, 0.229744, 0.311672),
    "random_forest": (0.594102, 0.490094, 0.445143),
    "extra_trees": (0.626436, 0.430366, 0.454867),
    "adaboost": (0.529344, 0.471059, 0.472092),
    "xgboost": (0.559510, 0.612280, 0.378208),
}
"""What each model said of three cells when its settings stood in its code. The neural network's training carries the
rounding of a processor to the third digit, so it is trained here as its code did, see `written_out`."""


def written_out() -> Pipeline:
    """Return the neural network as its code had it."""
    before = ColumnTransformer(
        [("quantities", StandardScaler(), ["slope", "noise"]), ("circular", SineCosine(), []),
         ("classes", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["rock"])]
    )  # fmt: skip
    return make_pipeline(before, MLPClassifier((16,), alpha=1.0, solver="lbfgs", max_iter=300, random_state=0))


@pytest.mark.parametrize("name", MODELS)
def test_the_defaults_are_the_settings_that_models_had(name: str) -> None:
    ours, kept = cells(), np.arange(120) < 80
    model = pipeline_of(name, KINDS, 0).fit(ours.factors[kept], ours.landslide[kept])

    said = model.predict_proba(ours.factors[~kept])[:3, 1]

    expected = BEFORE.get(name)
    if expected is None:
        assert name == "mlp"
        expected = written_out().fit(ours.factors[kept], ours.landslide[kept]).predict_proba(ours.factors[~kept])[:3, 1]
    assert said == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_every_space_holds_its_default_and_the_model_takes_its_values(model: Model) -> None:
    assert model.space
    for name, values in model.space.items():
        assert model.settings[name] in values
        ends = [pipeline_of(model.name, KINDS, 0, {name: value}).get_params() for value in (values[0], values[-1])]
        assert str(ends[0]) != str(ends[1])


def test_a_setting_that_is_not_known_is_refused() -> None:
    with pytest.raises(InputError, match="no setting 'depth'") as refused:
        pipeline_of("xgboost", KINDS, 0, {"depth": 3})
    assert "max_depth" in str(refused.value.remedy)


@pytest.mark.parametrize("name", MODELS)
def test_equal_weights_bring_the_mean_probability_to_a_half(name: str) -> None:
    """Without anything to learn a model says the share of landslides: 20 %, or 50 % when classes weigh the same."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"slope": rng.normal(size=1_000), "noise": rng.normal(size=1_000)})
    slide, kinds = np.arange(1_000) % 5 == 0, Factors(("slope", "noise"))
    means = {}
    for weights in ("none", "balanced"):
        model = pipeline_of(name, kinds, 0, weights=weights).fit(frame, slide)
        means[weights] = float(model.predict_proba(frame)[:, 1].mean())

    if name in UNWEIGHTED:
        assert means["none"] == means["balanced"]
    elif name == "svm":  # calibrated to the cells as they are
        assert means["balanced"] == pytest.approx(0.2, abs=0.03)
    else:
        assert means["none"] == pytest.approx(0.2, abs=0.03)
        assert means["balanced"] == pytest.approx(0.5, abs=0.08)


def test_the_index_falls_nowhere_along_a_factor_with_which_it_may_only_rise() -> None:
    ours = cells(400)
    along = pd.DataFrame({"slope": np.linspace(-3, 3, 61), "noise": 0.3, "rock": "a"})

    def steps(name: str, **monotone: int) -> np.ndarray:
        model = pipeline_of(name, KINDS, 0, {"max_depth": 6}, monotone=monotone).fit(ours.factors, ours.landslide)
        return np.diff(model.predict_proba(along)[:, 1])

    assert steps("xgboost").min() < 0 < steps("xgboost").max()
    assert steps("xgboost", slope=1).min() >= 0
    # The label leans on the slope, so an index that may only fall with it falls nowhere far.
    assert steps("xgboost", slope=-1).max() <= 0
    assert (steps("decision_tree", slope=-1) == steps("decision_tree")).all()


@pytest.mark.parametrize(
    ("monotone", "models", "message"),
    [
        ({"rock": 1}, ("xgboost",), "it is classes"),
        ({"aspect": 1}, ("xgboost",), "it is a direction"),
        ({"height": 1}, ("xgboost",), "no numeric factor 'height'"),
        ({"slope": 2}, ("xgboost",), "No direction is given for 'slope'"),
        ({"slope": 1}, ("mlp",), "Only Gradient boosting"),
    ],
)
def test_directions_that_cannot_be_held_are_refused(
    monotone: dict[str, int], models: tuple[str, ...], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        check_monotone(monotone, Factors(("slope",), ("rock",), ("aspect",)), models)


def test_directions_are_read_as_they_are_written() -> None:
    assert monotone_of("slope:+, distance:-") == {"slope": 1, "distance": -1}
    assert monotone_of(monotone_text({"a:b": 1, "c": -1})) == {"a:b": 1, "c": -1}
    assert monotone_of("") == {}
    for wrong in ("slope", "slope:up", ":+", "slope:+,slope:-"):
        with pytest.raises(InputError, match="is not a factor with a direction"):
            monotone_of(wrong)


class Spy:
    """A pipeline that writes down what it is fitted on and asked about."""

    seen: list[tuple[frozenset[int], frozenset[int]]] = []

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, factors: pd.DataFrame, landslide: np.ndarray) -> Spy:
        self.rows = frozenset(factors.index)
        self.model.fit(factors, landslide)
        return self

    def predict_proba(self, factors: pd.DataFrame) -> np.ndarray:
        self.seen.append((self.rows, frozenset(factors.index)))
        return np.asarray(self.model.predict_proba(factors))


@pytest.mark.parametrize("scheme", ["random", "spatial", "blocks"])
def test_no_inner_fit_or_score_sees_a_cell_of_the_fold_kept_back(
    scheme: Any, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(tuning, "pipeline_of", lambda *a, **k: Spy(pipeline_of(*a, **k)))
    chosen: list[frozenset[int]] = []
    choose = Tuner.choose

    def watched(self: Tuner, name: str, cells: Cells, rows: np.ndarray) -> dict[str, Any]:
        before = len(Spy.seen)
        found = choose(self, name, cells, rows)
        allowed = frozenset(cells.factors.index[rows])
        for fitted, scored in Spy.seen[before:]:
            assert fitted | scored == allowed
            assert not fitted & scored
        chosen.append(allowed)
        return found

    monkeypatch.setattr(validate.Tuner, "choose", watched)
    monkeypatch.setattr(validate.os, "cpu_count", lambda: 1)  # one after the other, so that each sees its own
    Spy.seen = []
    found = run(cells(), Plan(("decision_tree",), (scheme,), folds=4, repeats=1, tuning="random", trials=3))

    fold = found.first[scheme].fold
    assert sorted(map(sorted, chosen)) == sorted(sorted(np.flatnonzero(fold != n).tolist()) for n in range(4))
    assert len(Spy.seen) >= 4 * 2 * 2  # two inner folds at least, for the usual settings and others


@pytest.mark.parametrize("how", ["random", "grid", "bayesian"])
def test_the_better_setting_is_found(how: Tuning, monkeypatch: pytest.MonkeyPatch) -> None:
    """A landslide where slope and noise have the same sign: one question says nothing of it, several say all."""
    ours = cells(400)
    same = (ours.factors["slope"] > 0) == (ours.factors["noise"] > 0)
    ours = Cells(ours.factors, ours.categorical, same.to_numpy(), ours.places, {}, ours.rows, ())
    space = {"max_depth": (1, 2, 8), "min_samples_leaf": (10,)}
    tree = MODELS["decision_tree"]
    stump = Model(tree.name, tree.title, tree.what, tree.build, settings={**tree.settings, "max_depth": 1}, space=space)
    monkeypatch.setitem(MODELS, "decision_tree", stump)

    plan = Plan(("decision_tree",), ("random",), folds=3, repeats=1, trials=8)
    usual, tuned = run(ours, plan), run(ours, Plan(**{**vars(plan), "tuning": how}))

    assert usual.settings == {}
    assert "settings" not in usual.scores["random"]["decision_tree"].to_json()
    assert tuned.settings == {"decision_tree": {"max_depth": 8, "min_samples_leaf": 10}}
    assert tuned.scores["random"]["decision_tree"].to_json()["settings"]["max_depth"] == 8
    assert tuned.scores["random"]["decision_tree"].auroc > usual.scores["random"]["decision_tree"].auroc + 0.2
    assert run(ours, Plan(**{**vars(plan), "tuning": how})).settings == tuned.settings


def test_inner_fits_are_counted_and_can_be_stopped() -> None:
    assert trials_of("naive_bayes", "grid", 50) == 4  # all values that it has
    assert fits_of("naive_bayes", "random", 5) == 1 + 3 * 5
    told: list[tuple[int, int]] = []
    plan = Plan(("naive_bayes",), ("random",), folds=3, repeats=1, tuning="random", trials=2)

    run(cells(), plan, lambda done, total: told.append((done, total)))

    assert told[-1] == (3 * 7, 3 * 7)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    asked = iter([False] * 6)
    with pytest.raises(RunCancelled):
        run(cells(), plan, cancel=lambda: next(asked, True))
    with pytest.raises(InputError, match="trials"):
        run(cells(), Plan(tuple(MODELS), repeats=50, tuning="random", trials=100))


def test_a_search_that_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    import optuna

    def broken(**_how: object) -> None:
        raise optuna.exceptions.StorageInternalError("no room")

    monkeypatch.setattr(optuna, "create_study", broken)
    with pytest.raises(ModelError, match="could not be tuned"):
        run(cells(), Plan(("naive_bayes",), ("random",), repeats=1, tuning="bayesian"))


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (Plan(tuning="magic"), "Unknown tuning method 'magic'"),  # type: ignore[arg-type]
        (Plan(trials=0), "number of trials, 0, is out of range"),
        (Plan(weights="heavy"), "Unknown weights 'heavy'"),  # type: ignore[arg-type]
        (Plan(monotone={"slope": 1}), "Only Gradient boosting"),
        (Plan(monotone={"slope:up": 0}), "No direction is given for 'slope:up'"),
    ],
)
def test_what_cannot_be_tuned_is_refused_first(plan: Plan, message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(cells(), plan)


def test_a_plan_comes_back_from_json() -> None:
    plan = Plan(("xgboost",), tuning="grid", trials=4, weights="balanced", monotone={"slope": 1, "noise": -1})
    adapter = TypeAdapter(Plan)

    assert adapter.validate_python(json.loads(adapter.dump_json(plan))) == plan
    assert adapter.validate_python({"models": ["xgboost"]}) == Plan(("xgboost",))
    assert Request.of(None, plan).plan == plan  # type: ignore[arg-type]


def test_notes_say_how_models_were_tuned_and_weighted() -> None:
    plan = Plan(("mlp", "svm"), ("random",), repeats=1, tuning="grid", weights="balanced")
    scores: Any = {name: {"random": {"folds_skipped": 0}} for name in plan.models}
    notes = " ".join(notes_of(plan, scores))

    assert "grid search, at most 15 trials" in notes
    assert "Neural network (MLP) does not support weights" in notes
    assert "Support vector machine: the weights affect its decision boundary" in notes
    assert notes_of(Plan(plan.models, ("random",), repeats=1), scores) == ()


def test_a_report_shows_the_settings_that_were_chosen() -> None:
    told: Any = SimpleNamespace(
        models=("xgboost", "naive_bayes"), schemes=("random", "spatial"),
        scores={"xgboost": {"random": {}, "spatial": {"settings": {"max_depth": 2, "learning_rate": 0.1}}},
                "naive_bayes": {"random": {}, "spatial": {}}},
    )  # fmt: skip

    (table,) = tables_of_settings(told)
    assert table.rows == (
        ("Gradient boosting (XGBoost)", "max_depth", "2"), ("Gradient boosting (XGBoost)", "learning_rate", "0.1"),
    )  # fmt: skip


def test_without_both_classes_in_an_inner_fold_the_usual_settings_stand() -> None:
    ours = cells()
    alone = np.zeros(120, np.bool_)
    alone[np.flatnonzero(ours.landslide)[:30]] = True
    tuner = Tuner("random", 3, "spatial", 0, "none", {})

    assert tuner.choose("decision_tree", ours, alone) == dict(MODELS["decision_tree"].settings)


def test_a_command_takes_tuning_from_its_options_and_its_configuration(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    add_commands(parser)
    config = tmp_path / "ask.toml"
    config.write_text(
        'table = "t.csv"\ntarget = "slide"\nfactors = ["slope"]\nmodels = ["xgboost"]\ntune = "grid"\ntrials = 4\n'
        'weights = "balanced"\nmonotone = { slope = -1 }\n'
    )
    _, request = asked(parser.parse_args(["evaluate", str(config)]))
    expected = Plan(("xgboost",), ("random",), tuning="grid", trials=4, weights="balanced", monotone={"slope": -1})
    assert request.plan == expected

    _, request = asked(parser.parse_args(["evaluate", str(config), "--tune", "random", "--monotone", "slope:+"]))
    assert (request.tuning, request.monotone) == ("random", {"slope": 1})

    config.write_text('monotone = { slope = "up" }\n')
    with pytest.raises(InputError, match="monotone in ask.toml is not a table of 1 and -1"):
        asked(parser.parse_args(["evaluate", str(config)]))


def test_a_map_takes_its_plan_from_its_configuration(tmp_path: Path) -> None:
    config = tmp_path / "map.toml"
    config.write_text('[plan]\nmodels = ["xgboost"]\ntuning = "bayesian"\nmonotone = { slope = 1 }\n')

    _, request = read_config(config)

    assert (request.plan.tuning, request.plan.monotone) == ("bayesian", {"slope": 1})


def test_a_prevalence_needs_an_index_of_a_known_share() -> None:
    plan = Plan(("logistic_regression", "mlp"), weights="balanced")
    MapRequest(plan=plan, mapped=("logistic_regression",), prevalence=0.02).check()
    with pytest.raises(InputError, match="handles balanced weights differently"):
        MapRequest(plan=plan, mapped=("mlp",), prevalence=0.02).check()


def test_final_fits_use_the_settings_that_were_chosen() -> None:
    """On the map and for explanations: a tree of one question gives two values, one of many more."""
    ours = cells(400)
    plan = Plan(("decision_tree",), ("random", "spatial"), folds=3, repeats=1)
    for depth, leaves in ((1, 2), (2, 4)):
        chosen = {"decision_tree": {"max_depth": depth, "min_samples_leaf": 5}}
        work = _Fitting(MapRequest(plan=plan, mapped=plan.models, uncertainty=False), ours, Validation(
            {}, run(ours, plan).first, chosen))  # fmt: skip
        assert work.mapped()[0].fitted[0][-1].get_n_leaves() == leaves


def test_explanations_are_of_the_settings_that_were_tuned(quick_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    only = Model(**{**vars(MODELS["decision_tree"]), "space": {"max_depth": (1,), "min_samples_leaf": (10,)},
                    "settings": {"max_depth": 1, "min_samples_leaf": 10}})  # fmt: skip
    sample = sample_table("valley-cells")
    record = quick_store.add_dataset(sample.path, sample.title, "table", synthetic=True)
    plan = Plan(("decision_tree",), ("random",), 3, 1, tuning="grid", weights="balanced")
    with monkeypatch.context() as patched:
        patched.setitem(MODELS, "decision_tree", only)
        order = order_of(record, Request.of(Columns("landslide", ("slope_deg", "relief_310m")), plan))
        result = quick_store.result(run_inline(quick_store, order), SusceptibilityResult)

    (model,) = _refitted(result, cells_table(result), "decision_tree")

    assert result.scores["decision_tree"]["random"]["settings"]["max_depth"] == 1
    assert model[-1].get_n_leaves() == 2  # four questions by default
    assert model[-1].class_weight == "balanced"
