"""Models that were kept say the same when they come back, and nothing foreign does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import ModelError, StorageError
from core.tasks.susceptibility.estimators import load_model, model_role, save_model
from core.tasks.susceptibility.factors import Factors
from core.tasks.susceptibility.models import MODELS, pipeline_of

KINDS = Factors(("slope",), ("rock",), ("aspect",))


@pytest.fixture(scope="module")
def factors() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({
        "slope": rng.random(120), "aspect": rng.uniform(0, 360, 120), "rock": rng.choice(["a", "b", "c"], 120)
    })  # fmt: skip


@pytest.mark.filterwarnings("ignore:lbfgs failed")
@pytest.mark.parametrize("name", MODELS)
def test_a_kept_model_says_the_same(name: str, factors: pd.DataFrame, tmp_path: Path) -> None:
    model = pipeline_of(name, KINDS, 0).fit(factors, factors["slope"].to_numpy() > 0.4)

    files = save_model(model, name, tmp_path)
    again = load_model(name, {role: tmp_path / file for role, file in files.items()})

    assert np.array_equal(again.predict_proba(factors), model.predict_proba(factors))


def test_what_is_damaged_foreign_or_gone_is_refused(factors: pd.DataFrame, tmp_path: Path) -> None:
    import skops.io
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    path = tmp_path / "model.skops"
    skops.io.dump(make_pipeline(FunctionTransformer(Path.unlink)), path)
    with pytest.raises(ModelError, match="holds unexpected content"):
        load_model("svm", {model_role("svm"): path})
    path.write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ModelError, match="cannot be read"):
        load_model("svm", {model_role("svm"): path})
    with pytest.raises(StorageError, match="no longer on disk"):
        load_model("svm", {model_role("svm"): tmp_path / "gone"})
    assert len(factors) == 120
