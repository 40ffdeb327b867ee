"""Keeping fitted models as files of a run: no pickle, and nothing but known types comes back."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import ModelError, StorageError
from core.raster.write import atomic_path

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

TRUSTED = (
    "core.tasks.susceptibility.bivariate.ClassScore",
    "core.tasks.susceptibility.directions.SineCosine",
    "scipy._lib.array_api_compat.numpy._aliases.asarray",
    "scipy.interpolate._bsplines.BSpline",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.tree._tree.Tree",
)
"""Types that a kept model may hold beside those that skops knows to be harmless."""

BOOSTED = "xgboost"
"""The model whose last step is kept as XGBoost's own JSON."""


def model_role(name: str) -> str:
    """Role of the file of a model."""
    return f"model_{name}"


def booster_role(name: str) -> str:
    """Role of the second file of a model of boosted trees."""
    return f"model_{name}_booster"


def save_model(model: Pipeline, name: str, folder: Path) -> dict[str, str]:
    """Write a fitted model into a folder.

    Parameters
    ----------
    model
        As `core.tasks.susceptibility.models.pipeline_of` makes it, fitted.
    name
        Of the model.

    Returns
    -------
    dict
        File names by role.

    Raises
    ------
    StorageError
        When the disk is full.
    """
    import skops.io

    files = {model_role(name): f"{model_role(name)}.skops"}
    kept = model
    if name == BOOSTED:
        files[booster_role(name)] = f"{booster_role(name)}.json"
        with atomic_path(folder / files[booster_role(name)]) as aside:
            model[-1].save_model(aside)
        kept = model[:-1]
    with atomic_path(folder / files[model_role(name)]) as aside:
        skops.io.dump(kept, aside, compression=zipfile.ZIP_DEFLATED, compresslevel=6)
    return files


def load_model(name: str, files: Mapping[str, Path]) -> Pipeline:
    """Read a model that `save_model` wrote.

    Parameters
    ----------
    files
        Paths by role.

    Raises
    ------
    StorageError
        When a file is gone.
    ModelError
        When it is damaged, or holds a type that no model of ours has.
    """
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    missing = [role for role in _roles(name) if role not in files or not files[role].is_file()]
    if missing:
        raise StorageError(f"The file of model {name} is no longer on disk.", remedy="Repeat the run.")
    try:
        model = skops.io.load(files[model_role(name)], trusted=list(TRUSTED))
    except UntrustedTypesFoundException as error:
        raise ModelError(
            f"The file of model {name} holds unexpected content.", str(error), "Repeat the run."
        ) from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError, zipfile.BadZipFile) as error:
        raise _damaged(name, error) from error
    if name != BOOSTED:
        whole: Pipeline = model
        return whole
    return _with_booster(name, model, files[booster_role(name)])


def _roles(name: str) -> tuple[str, ...]:
    return (model_role(name), booster_role(name)) if name == BOOSTED else (model_role(name),)


def _with_booster(name: str, before: Pipeline, path: Path) -> Pipeline:
    from sklearn.pipeline import make_pipeline
    from xgboost import XGBClassifier
    from xgboost.core import XGBoostError

    last = XGBClassifier(n_jobs=1)
    try:
        last.load_model(path)
    except (XGBoostError, ValueError, TypeError, KeyError, OSError) as error:
        raise _damaged(name, error) from error
    return make_pipeline(*before, last)


def _damaged(name: str, error: Exception) -> ModelError:
    return ModelError(f"The file of model {name} cannot be read.", str(error)[:200], "Repeat the run.")
