"""Counting a finished probability raster against an inventory, block by block: at once, or as a job."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.jobs.perform import Job, run_inline
from core.learning.metrics import NODATA_CODE, histogram, nothing_counted
from core.learning.preprocessing import preprocessing_of
from core.learning.spec import ModelSpec
from core.learning.store import find_model
from core.plots.colours import REFERENCE
from core.plots.gis_style import class_table
from core.raster.progress import Cancel, ProgressCallback, ignore, never, stop_if
from core.raster.scene import Scene
from core.raster.write import writing
from core.runs.provenance import now
from core.runs.records import Order, SceneRecord
from core.tasks.imagery.inputs import check_same_scene, inputs_of, reference_of, scene_of
from core.tasks.imagery.provenance import reference_notes, reference_record, without_reference_notes
from core.tasks.mapping.baseline import colour_index, index_codes
from core.tasks.mapping.result import PROBABILITY, TRUTH, MappingResult

if TYPE_CHECKING:
    from core.raster.align import ReferenceReader
    from core.runs.store import Store
    from core.tasks.mapping.run import Request

BLOCK_ROWS = 512


def count_against(
    result: MappingResult,
    reference: ReferenceReader,
    folder: Path,
    scene: Scene,
    spec: ModelSpec,
    progress: ProgressCallback = ignore,
    cancel: Cancel = never,
) -> tuple[dict[str, str], NDArray[np.int64], NDArray[np.int64] | None]:
    """Joint histograms of a run's probability, and of the colour index, with an inventory on the run's grid.

    Parameters
    ----------
    folder
        Where ``truth.tif`` is written.
    progress, cancel
        Told of each block that is counted, and asked before it.

    Returns
    -------
    Paths by role, the joint histogram (3, 255), and that of the colour index; None without three colours.

    Raises
    ------
    RunCancelled
        When asked to stop.
    LandslideError
        When a raster is gone, or the disk is full.
    """
    # The run's other rasters are the same files: paths of the store, which keeps them once.
    artifacts = {role: str(result.artifact(role)) for role in result.artifacts if role != TRUTH}
    artifacts[TRUTH] = "truth.tif"
    counts, baseline = nothing_counted(), nothing_counted()
    colour, how = spec.bands == ("red", "green", "blue"), preprocessing_of(result.provenance)
    column, row = (round(place) for place in ~scene.grid.transform @ (result.grid.transform.c, result.grid.transform.f))
    height, width = result.grid.shape
    with (
        Scene.open(result.artifact(PROBABILITY)).reader() as reader,
        scene.reader() as colours,
        writing(
            folder / artifacts[TRUTH], result.grid, nodata=NODATA_CODE, descriptions=(TRUTH,),
            overview_resampling="nearest", colours=class_table(REFERENCE),
        ) as writer,
    ):  # fmt: skip
        tops = range(0, height, BLOCK_ROWS)
        for done, top in enumerate(tops):
            stop_if(cancel)
            progress(done, len(tops))
            window = Window(0, top, width, min(BLOCK_ROWS, height - top))
            real = reference.read(window)
            writer.write(real[None], top, 0)
            codes = reader.read((1,), window).values[0].astype(np.uint8)
            counts += histogram(codes, real)
            if colour:
                patch = colours.read(how.bands, Window(column, row + top, width, window.height))
                index = index_codes(colour_index(how.values(np.where(patch.valid, patch.values, 0), spec)))
                baseline += histogram(np.where(codes != NODATA_CODE, index, NODATA_CODE).astype(np.uint8), real)
    progress(len(tops), len(tops))
    return artifacts, counts, baseline if colour else None


def order_scored(result: MappingResult, record: SceneRecord, *, owner: str = "") -> Order:
    """The order of counting a finished run against an inventory, without running the model again.

    Parameters
    ----------
    record
        The scene that was mapped, with its inventory.

    Raises
    ------
    InputError
        When the scene has no inventory.
    """
    reference_of(record)
    parameters = dict(result.provenance["parameters"])
    return Order("mapping", "scored", parameters, inputs_of(record), result.model, parents=(result.id,), owner=owner)


def rescore(store: Store, result: MappingResult, record: SceneRecord) -> MappingResult:
    """Score a finished run against an inventory at once, without running the model again.

    The outcome is a run of its own, because a finished run never changes; its probability raster is the same file.

    Parameters
    ----------
    record
        The scene that was mapped, with its inventory.

    Raises
    ------
    LandslideError
        When the inventory does not fit the run's grid, or the disk is full.
    """
    return store.result(run_inline(store, order_scored(result, record)), MappingResult)


def compute_scored(job: Job, request: Request) -> MappingResult:
    """Do the work of a run of kind ``"scored"``."""
    from core.raster.align import reference_reader

    del request
    result, record = job.parent(MappingResult), scene_of(job.store, job.run)
    path, spec = reference_of(record), find_model("mapping", result.model).spec
    check_same_scene(result.scene_digest, record.scene)
    reader, known = reference_reader(path, result.grid), reference_record(path)
    artifacts, counts, baseline = count_against(
        result, reader, job.folder, record.scene, spec, job.counting("Counting block"),
        job.stopped,
    )  # fmt: skip
    return replace(
        result,
        id=job.run.id,
        kind=job.run.kind,
        folder=job.folder,
        inputs=inputs_of(record),
        counts=counts,
        baseline=baseline,
        has_reference=True,
        artifacts=artifacts,
        parents=job.run.parents,
        notes=tuple(dict.fromkeys(
            (*reference_notes(known, result.model), *without_reference_notes(result.notes), *reader.notes)
        )),
        provenance={**result.provenance, "truth": known, "scored": now()},
    )
