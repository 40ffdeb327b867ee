"""The landslides of a mapping, as they are given to a reviewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.learning.metrics import NODATA_CODE
from core.raster.scene import Scene
from core.review.found import Found
from core.tasks.imagery.inputs import known_scene
from core.tasks.mapping.export import outlined_at
from core.tasks.mapping.findings import find, probability_codes
from core.tasks.mapping.result import MappingResult

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from core.runs.records import Run
    from core.runs.store import Store
    from core.tasks.mapping.view import Choice


def found_features(store: Store, run: Run, view: Choice) -> Found:
    """Landslides of a run at a view; of a large one those that were outlined by a job.

    Raises
    ------
    InputError
        When a large run was not outlined at the view.
    StorageError
        When a file of the run is gone.
    """
    result = store.result(run.id, MappingResult)
    found = outlined_at(store, result, view, terrain=False) or find(result, view)

    def known() -> NDArray[np.bool_]:
        return np.asarray(probability_codes(result) != NODATA_CODE)

    def image() -> Scene | None:
        record = known_scene(store, run)
        return None if record is None else record.scene

    def elevation() -> Path | None:
        record = known_scene(store, run)
        return None if record is None else record.dem

    left_out = found.count - len(found.polygons)
    return Found(found.polygons, result.grid, known, image, left_out=left_out, elevation=elevation)
