"""The shape of the ground as a scene to be searched, and the detections that have searched it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError, LandslideError
from core.learning.fit import Fitting, fittings
from core.learning.store import find_model, list_models
from core.raster.bands import describe_bands
from core.raster.relief import RELIEF_BANDS, write_relief
from core.raster.scene import Scene
from core.runs.records import Run, RunFilter, SceneRecord
from core.tasks.detection.result import DetectionResult
from core.tasks.detection.run import TASK
from core.tasks.detection.run_fused import check_fusible

if TYPE_CHECKING:
    from core.learning.store import StoredModel
    from core.runs.store import Store

LARGEST = 64_000_000
"""Pixels of an elevation model up to which its relief is made while a page waits."""


def terrain_models() -> tuple[StoredModel, ...]:
    """Detectors of the shape of the ground, the best first."""
    return tuple(model for model in list_models(TASK) if model.spec.bands == RELIEF_BANDS)


def terrain_fittings(record: SceneRecord) -> tuple[Fitting, ...]:
    """Detectors of the shape of the ground, those that fit the pixels of a scene's elevation model best first.

    Raises
    ------
    InputError
        When the scene has no elevation model, or it cannot be opened.
    """
    if record.dem is None:
        raise InputError(f"{record.scene.name} has no elevation model.", remedy="Add one to the image first.")
    dem = Scene.open(record.dem)
    bands = describe_bands(RELIEF_BANDS, ("undefined",) * len(RELIEF_BANDS), "uint8")
    found = fittings(TASK, replace(dem, bands=bands, dtype="uint8"))
    return tuple(one for one in found if one.model.spec.bands == RELIEF_BANDS)


def terrain_runs(store: Store, optical: DetectionResult) -> list[Run]:
    """Finished detections on the shape of the same ground, the newest first."""
    wanted = RunFilter(task=TASK, kinds=("detection", "scored"), statuses=("done",))
    return [run for run in store.runs(wanted) if run.id != optical.id and _on_same_ground(store, run, optical)]


def _on_same_ground(store: Store, run: Run, optical: DetectionResult) -> bool:
    try:
        if find_model(TASK, run.model).spec.bands != RELIEF_BANDS:
            return False
        result = store.result(run.id, DetectionResult)
        check_fusible(optical, result)
        (west, south, east, north), (w, s, e, n) = optical.grid.bounds, result.grid.bounds
    except LandslideError:
        return False
    return min(east, e) > max(west, w) and min(north, n) > max(south, s)


def relief_file(store: Store, record: SceneRecord) -> Path:
    """Where the relief of a scene with an elevation model lies, or will.

    Raises
    ------
    InputError
        When the scene has no elevation model.
    """
    if record.dem is None:
        raise InputError(f"{record.scene.name} has no elevation model.", remedy="Add one to the image first.")
    return store.home / "cache" / "relief" / f"{Scene.open(record.dem).digest}.tif"


def relief_scene(store: Store, record: SceneRecord) -> SceneRecord:
    """The shape of the ground of a scene as a scene of its own, made of its elevation model where it is not yet.

    Raises
    ------
    InputError
        When the scene has no elevation model, or one too large to make it at once.
    """
    path = relief_file(store, record)
    assert record.dem is not None  # noqa: S101  relief_file asks for it
    if not path.is_file():
        dem = replace(Scene.open(record.dem), synthetic=record.scene.synthetic)
        if dem.grid.width * dem.grid.height > LARGEST:
            raise InputError(
                "The elevation model is too large to be prepared here.",
                remedy="Create its terrain image with python -m core detection relief, and open that as an image.",
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        write_relief(dem, path)
    scene = record.scene
    return store.add_scene(
        path, f"Terrain of {scene.name}", reference=record.reference, dem=record.dem,
        origin="derived from an elevation model", synthetic=scene.synthetic, licence=scene.licence,
        citation=scene.citation,
    )  # fmt: skip
