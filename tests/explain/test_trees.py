"""Trees are explained fast, and never otherwise than by the reference."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.explain.trees import tree_explainer

NAMES = ("one", "two", "three", "four")


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(0).random((400, 4)).astype(np.float32).astype(float), columns=NAMES)


def _model(name: str, rows: pd.DataFrame) -> Any:
    from sklearn.ensemble import RandomForestClassifier
    from xgboost import XGBClassifier

    slide = (rows["one"] + rows["two"] * rows["three"] > 0.8).to_numpy()
    model = XGBClassifier(n_estimators=30, max_depth=3, n_jobs=1) if name == "boosted" else RandomForestClassifier(
        10, min_samples_leaf=5, random_state=0
    )  # fmt: skip
    return model.fit(rows.to_numpy(), slide)


@pytest.mark.parametrize("name", ["boosted", "forest"])
def test_rows_on_and_beside_thresholds_go_down_the_branch_that_the_model_takes(name: str, rows: pd.DataFrame) -> None:
    from core.explain.trees import _thresholds

    model = _model(name, rows)
    explainer = tree_explainer(model, lambda asked: asked.to_numpy(), NAMES, NAMES, rows)
    splits = np.float32(_thresholds(model)[0])
    edge = rows.iloc[: 3 * len(splits)] if 3 * len(splits) <= len(rows) else rows.iloc[np.arange(3 * len(splits)) % 400]
    edge = edge.assign(
        one=np.concatenate([splits, *(np.nextafter(splits, np.float32(end)) for end in (-np.inf, np.inf))])
    )

    assert explainer.fast is not None
    fast, reference = explainer.fast(edge.to_numpy(float)), explainer.reference(edge.to_numpy(float))
    assert fast == pytest.approx(reference, abs=1e-4)


def test_a_row_that_the_fast_way_gets_wrong_is_explained_by_the_reference(rows: pd.DataFrame) -> None:
    explainer = tree_explainer(_model("boosted", rows), lambda asked: asked.to_numpy(), NAMES, NAMES, rows)
    right, fast = explainer.explain(rows.iloc[:20]), explainer.fast
    assert fast is not None

    def slips(matrix: np.ndarray) -> np.ndarray:
        found = fast(matrix)
        found[3, 0] += 0.5
        return found

    mended = replace(explainer, fast=slips).explain(rows.iloc[:20])

    assert mended.values == pytest.approx(right.values, abs=1e-4)
    assert mended.error < 1e-4


def test_a_fast_way_that_says_something_else_is_not_taken(rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    from woodelf.explainer import WoodelfExplainer

    monkeypatch.setattr(WoodelfExplainer, "shap_values", lambda self, asked, verbose: np.full(asked.shape, 0.25))
    explainer = tree_explainer(_model("forest", rows), lambda asked: asked.to_numpy(), NAMES, NAMES, rows)

    found = explainer.explain(rows.iloc[:5])

    assert explainer.fast is None
    assert found.method == "exact (shap)"
    assert found.error < 1e-6


def test_rows_are_explained_alike_in_one_part_or_several(rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    explainer = tree_explainer(_model("boosted", rows), lambda asked: asked.to_numpy(), NAMES, NAMES, rows)
    whole, told = explainer.explain(rows), []
    monkeypatch.setattr("core.explain.trees.AT_ONCE", 150)

    parts = explainer.explain(rows, lambda done, total: told.append((done, total)))

    assert parts.values == pytest.approx(whole.values, abs=1e-6)
    assert told == [(0, 400), (150, 400), (300, 400), (400, 400)]
