"""Keeping a comparison of two runs as a run of its own, so that the map can show it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.mapping.change import Change, write_change
from core.mapping.result import CHANGE, MappingResult
from core.runs.provenance import environment, now
from core.runs.records import Order
from core.runs.store import Store
from core.runs.work import compute_here


def compare_runs(store: Store, before: MappingResult, after: MappingResult, change: Change) -> MappingResult:
    """Store the change between two runs.

    Parameters
    ----------
    before, after
        The runs.
    change
        What `core.mapping.change.compare` found; its raster does not depend on the threshold.

    Returns
    -------
    A run of kind ``"change"`` whose artifact ``change`` is on the later run's grid.
    """

    def compute(identity: str, folder: Path) -> MappingResult:
        write_change(change, folder / "change.tif")
        return MappingResult(
            id=identity,
            folder=folder,
            scene=after.scene,
            scene_digest=after.scene_digest,
            scene_id=after.scene_id,
            model=after.model,
            grid=after.grid,
            counts=np.zeros((2, 255), dtype=np.int64),
            artifacts={CHANGE: "change.tif"},
            provenance={"finished": now(), **environment()},
            kind="change",
        )

    parents = (before.id, after.id)
    order = Order("mapping", "change", {"runs": parents}, after.scene_id, after.scene, after.model, parents)
    return store.mapping(compute_here(store, order, compute))
