"""Cross-validation: nothing of a fold kept back reaches a model, and scores are what they say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError, RunCancelled
from core.tasks.susceptibility import models, validate
from core.tasks.susceptibility.cells import Cells, Columns, cells_of
from core.tasks.susceptibility.factors import Factors
from core.tasks.susceptibility.folds import divide
from core.tasks.susceptibility.models import MODELS, NAMES
from core.tasks.susceptibility.validate import Plan, table_of
from core.tasks.susceptibility.validate import validate as run


def cells(count: int = 120, seed: int = 0, strength: float = 2.0, **columns: Any) -> Cells:
    """Cells whose label leans on the slope; rock is of no meaning."""
    rng = np.random.default_rng(seed)
    slope = rng.normal(size=count)
    table = pd.DataFrame({
        "slide": np.where(strength * slope + rng.logistic(size=count) > 0, "yes", "no"), "slope": slope,
        "noise": rng.normal(size=count), "rock": rng.choice(["a", "b", "c"], count),
        "x": rng.uniform(700_000, 710_000, count), "y": rng.uniform(9_550_000, 9_560_000, count),
        "area": np.arange(count) % 4,
    })  # fmt: skip
    return cells_of(table, Columns("slide", ("slope", "noise", "rock"), ("rock",), "x", "y", "EPSG:32717", **columns))


def test_every_model_ranks_cells_that_it_has_not_seen_better_than_chance() -> None:
    found = run(cells(), Plan(NAMES, ("random",), folds=3, repeats=1))

    for name, scores in found.scores["random"].items():
        assert 0.65 < scores.auroc < 0.95, name
        assert scores.auroc_low < scores.auroc < scores.auroc_high, name
        assert scores.folds == 3


def test_labels_drawn_by_lot_are_ranked_by_chance() -> None:
    plan = Plan(("logistic_regression", "random_forest"), ("random", "spatial"), repeats=2)
    found = run(cells(400, strength=0.0), plan)

    for schemes in found.scores.values():
        for scores in schemes.values():
            assert abs(scores.auroc - 0.5) < 0.08
    # What was fitted on is another matter: a forest learns it by heart.
    assert found.scores["random"]["random_forest"].auroc_fitted > 0.8


class Peeping:
    """A model that remembers the cells that it was fitted on."""

    seen: list[frozenset[int]] = []

    def fit(self, factors: pd.DataFrame, landslide: np.ndarray) -> Peeping:
        self.seen.append(frozenset(factors.index))
        return self

    def predict_proba(self, factors: pd.DataFrame) -> np.ndarray:
        return np.full((len(factors), 2), 0.5)


def test_nothing_of_a_fold_reaches_what_is_fitted_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = cells()
    Peeping.seen = []
    monkeypatch.setattr(validate, "pipeline_of", lambda *how, **more: Peeping())

    found = run(ours, Plan(("logistic_regression",), ("spatial",), folds=4, repeats=1))

    fold = found.first["spatial"].fold
    assert sorted(map(sorted, Peeping.seen)) == sorted(sorted(np.flatnonzero(fold != n).tolist()) for n in range(4))


@pytest.mark.parametrize("name", MODELS)
def test_what_a_model_says_of_a_cell_does_not_depend_on_the_cells_asked_beside_it(name: str) -> None:
    """A scaling or a class that looked at the cells asked about would show: they would be scaled by one another."""
    ours = cells()
    kept = np.arange(120) < 80
    model = models.pipeline_of(name, Factors(("slope", "noise"), ("rock",)), 0)
    model.fit(ours.factors[kept], ours.landslide[kept])
    asked = ours.factors[~kept]

    together = model.predict_proba(asked)[:, 1]
    strange = asked.assign(slope=asked["slope"] + np.where(np.arange(len(asked)) == 0, 0, 1_000))

    assert model.predict_proba(strange)[0, 1] == pytest.approx(together[0])
    assert model.predict_proba(asked.iloc[:1])[0, 1] == pytest.approx(together[0])


def test_the_same_seed_gives_the_same_folds_and_another_one_others() -> None:
    ours = cells()
    for scheme in ("random", "spatial", "blocks"):
        one, again, other = (divide(scheme, ours, 5, seed) for seed in (3, 3, 4))
        assert (one == again).all()
        assert not (one == other).all()
        assert set(one) == set(range(5))


def test_spatial_folds_lie_apart_and_random_ones_do_not() -> None:
    ours = cells(400)
    assert ours.places is not None
    whole = np.ptp(ours.places, axis=0).prod()

    def largest(scheme: Any) -> float:
        fold = divide(scheme, ours, 5, 0)
        return max(np.ptp(ours.places[fold == n], axis=0).prod() for n in range(5)) / whole  # type: ignore[index]

    assert largest("random") > 0.85
    assert largest("spatial") < 0.7


def test_named_areas_are_left_out_one_at_a_time_and_once() -> None:
    found = run(cells(group="area"), Plan(("logistic_regression",), ("group",), repeats=20))

    scores = found.scores["group"]["logistic_regression"]
    assert (scores.repeats, scores.folds) == (1, 4)
    assert np.isnan(scores.auroc_sd)


def test_folds_of_one_class_are_skipped_and_counted() -> None:
    ours = cells()
    order = np.argsort(ours.landslide, kind="stable")
    apart = np.linspace(0, 10_000, 120)
    places = np.empty((120, 2))
    places[order] = np.stack([apart + 700_000, apart * 0 + 9_550_000], axis=1)
    sorted_by_label = Cells(
        ours.factors, ours.categorical, ours.landslide, places, {}, ours.rows, ()
    )

    scores = run(sorted_by_label, Plan(("logistic_regression",), ("spatial",), folds=5, repeats=1)).scores["spatial"]

    assert scores["logistic_regression"].folds_skipped >= 3
    assert scores["logistic_regression"].folds + scores["logistic_regression"].folds_skipped == 5


def test_a_fold_with_one_landslide_gives_no_interval_and_no_significance() -> None:
    ours = cells()
    area = np.full(120, "rest", dtype=object)
    area[np.flatnonzero(~ours.landslide)[:20]] = "hill"
    area[np.flatnonzero(ours.landslide)[0]] = "hill"
    grouped = replace(ours, groups={"group": area})

    scores = run(grouped, Plan(("logistic_regression", "naive_bayes"), ("group",), repeats=1)).scores["group"]

    assert np.isfinite(scores["naive_bayes"].auroc)
    assert np.isnan(scores["naive_bayes"].auroc_low)
    assert np.isnan(scores["naive_bayes"].p_value)


def test_a_fold_that_leaves_too_few_landslides_to_learn_from_is_skipped() -> None:
    ours = cells()
    area = np.full(120, "most", dtype=object)
    area[np.flatnonzero(ours.landslide)[:2]] = "few"
    area[np.flatnonzero(~ours.landslide)[:20]] = "few"
    grouped = replace(ours, groups={"group": area})

    scores = run(grouped, Plan(("svm",), ("group",), repeats=1)).scores["group"]["svm"]

    assert (scores.folds, scores.folds_skipped) == (1, 1)


def test_splines_do_without_quantities() -> None:
    ours = cells()
    classes = replace(ours, factors=ours.factors[list(ours.categorical)])

    found = run(classes, Plan(("logistic_splines", "logistic_regression"), ("random",), folds=3, repeats=1))

    assert found.scores["random"]["logistic_splines"].auroc == pytest.approx(
        found.scores["random"]["logistic_regression"].auroc, abs=0.1
    )


def test_the_design_matrix_holds_the_scores_of_models_that_had_not_seen_the_cell() -> None:
    ours = cells()
    table = table_of(ours, run(ours, Plan(("logistic_regression",), ("random",), repeats=2)))

    assert list(table.columns) == [
        "row", "landslide", "x", "y", "slope", "noise", "rock", "fold:random", "score:random:logistic_regression",
    ]  # fmt: skip
    assert table["score:random:logistic_regression"].between(0, 1).all()
    assert table["row"].tolist() == list(range(120))


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (Plan(("magic",)), "Unknown model 'magic'"),
        (Plan(()), "No model was chosen"),
        (Plan(("average", "svm")), "at least two models"),
        (Plan(schemes=("jackknife",)), "Unknown validation scheme 'jackknife'"),  # type: ignore[arg-type]
        (Plan(schemes=("group",)), "--group"),
        (Plan(folds=100), "fewer cells than the number of folds"),
        (Plan(folds=1), "cannot be divided into 1 fold. Choose 2 to 120 folds"),
        (Plan(repeats=100_000), "model fits were requested"),
    ],
)
def test_what_cannot_be_validated_is_refused_first(plan: Plan, message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(cells(), plan)


def test_without_coordinates_spatial_folds_are_refused_with_the_reason() -> None:
    ours = cells()
    flat = Cells(ours.factors, ours.categorical, ours.landslide, None, {}, ours.rows, ())

    with pytest.raises(InputError, match="needs coordinates.*--x and --y"):
        run(flat, Plan())
    assert run(flat, Plan(schemes=("random",), repeats=1)).scores["random"]


def test_it_stops_when_asked() -> None:
    with pytest.raises(RunCancelled):
        run(cells(), Plan(), cancel=lambda: True)
