"""The boxes of a detection, as they are given to a reviewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.raster.scene import Scene
from core.review.found import Found
from core.tasks.detection.findings import find
from core.tasks.detection.result import SEARCHED, DetectionResult
from core.tasks.imagery.inputs import known_scene

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from core.runs.records import Run
    from core.runs.store import Store
    from core.tasks.detection.view import Choice


def found_features(store: Store, run: Run, view: Choice) -> Found:
    """Boxes of a run at a view.

    Raises
    ------
    StorageError
        When a file of the run is gone.
    """
    result = store.result(run.id, DetectionResult)
    table = find(result, view).table

    def known() -> NDArray[np.bool_]:
        if SEARCHED not in result.artifacts:
            return np.ones(result.grid.shape, dtype=np.bool_)
        with Scene.open(result.artifact(SEARCHED)).reader() as reader:
            return np.asarray(reader.read((1,)).values[0] == 1)

    def image() -> Scene | None:
        record = known_scene(store, run)
        return None if record is None else record.scene

    def elevation() -> Path | None:
        record = known_scene(store, run)
        return None if record is None else record.dem

    boxes = table.drop(columns="outcome", errors="ignore")
    return Found(boxes, result.grid, known, image, "box", "boxes", measured=False, elevation=elevation)
