"""A batch with results that were made by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from core.batch.batches import Batch, Refused, add
from core.runs.records import Failure, Order
from core.runs.store import Store
from tests.factories import about, made_run, ramp, write_raster


def finished(store: Store, batch: Batch, scene: str, result: Any) -> str:
    """Keep a result as a run of a batch."""
    record = store.scene_record(scene)
    result = about(result, record.scene.name, record.scene.digest, scene)
    run = store.order(Order("mapping", "mapping", {}, result.inputs, result.model, batch=batch.id))
    assert store.claim(run, server="tests", worker="tests")
    store.finish(run, replace(result, id=run))
    return run


def made_batch(store: Store, folder: Path) -> Batch:
    """Four images and a damaged one: two mapped, of which one has a place and a reference; one failed; one to come.

    On the first, of 10 m pixels, landslides of 20 and 60 pixels are mapped, 2,000 and 6,000 m² of 200,000 m²; the
    reference has the larger one alone. On the second, without a coordinate system, one of 50 pixels.
    """
    scenes = []
    for name in ("placed", "photo", "bad", "late"):
        path = write_raster(folder / f"{name}.tif", ramp(40, 50), "without CRS" if name == "photo" else "north-up")
        scenes.append(store.add_scene(path, f"{name}.tif").id)
    batch = add(store, "North", scenes, [Refused("=cut.png", "It is damaged.")])
    probability, reference = np.zeros((40, 50)), np.zeros((40, 50), np.uint8)
    probability[2:6, 2:7] = probability[20:30, 20:26] = 0.9
    reference[20:30, 20:26] = 1
    placed = made_run(folder / "one", probability, reference=reference)
    finished(store, batch, scenes[0], replace(placed, notes=("The file does not name its bands: guessed.", "A note.")))
    probability[2:6, 2:7] = 0
    probability[20:30, 20:26] = 0
    probability[5:10, 5:15] = 0.9
    finished(store, batch, scenes[1], made_run(folder / "two", probability, "without CRS"))
    failed = store.order(Order("mapping", "mapping", {}, store_inputs(store, scenes[2]), batch=batch.id))
    assert store.claim(failed, server="tests", worker="tests")
    store.fail(failed, Failure("The disk is full.", "", "Free some space."))
    return batch


def store_inputs(store: Store, scene: str) -> Any:
    """The inputs of a run on a scene of the store."""
    from core.tasks.imagery.inputs import inputs_of

    return inputs_of(store.scene_record(scene))
