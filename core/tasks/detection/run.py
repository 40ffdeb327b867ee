"""A detection run from a stored scene to a stored result: what the page, a worker and the command line call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.jobs.perform import Job, run_inline
from core.learning.preprocessing import Preprocessing, preprocess, preprocessing_of
from core.learning.store import StoredModel, find_model
from core.plots.colours import NOT_KNOWN
from core.plots.gis_style import class_table
from core.raster.align import ReferenceReader, reference_reader
from core.raster.area import Area, area_of
from core.raster.inventory import UNKNOWN, Inventory
from core.raster.progress import Cancel, ProgressCallback, ignore, never
from core.raster.scene import Scene
from core.raster.write import RasterWriter, writing
from core.runs.kinds import parameters_of
from core.runs.provenance import environment, now
from core.runs.records import Order, SceneRecord
from core.runs.store import Store
from core.tasks.detection.candidates import write_boxes
from core.tasks.detection.findings import default_choice, find
from core.tasks.detection.labels import boxes_of_reference, minimum_pixels
from core.tasks.detection.options import Options
from core.tasks.detection.predict import Predictor, on_scene, write_candidates
from core.tasks.detection.result import CANDIDATES, KNOWN, SEARCHED, TRUTH, DetectionResult
from core.tasks.detection.runtime import open_detector
from core.tasks.detection.searched import write_searched
from core.tasks.detection.vectors import boxes_of_inventory
from core.tasks.imagery.inputs import check_same_scene, inputs_of, ordered_scene, reference_of, scene_of
from core.tasks.imagery.provenance import (
    elevation_notes,
    preprocessing_record,
    reference_notes,
    reference_record,
    run_warnings,
    scene_record,
    without_reference_notes,
)
from core.tasks.imagery.request import ImageRequest, Local, order_image, recorded_request, run_image
from core.tasks.imagery.request import request_for as request_for_scene
from core.tasks.imagery.roles import TRAINING_DISTANCE
from core.tasks.imagery.training_distance import compare
from core.wording import agree, count

TASK = "detection"


@dataclass(frozen=True)
class Request(ImageRequest):
    """What a user asks of a detection run.

    Attributes
    ----------
    options
        Overlap, batch, least confidence and number of candidates.
    """

    options: Options = field(default_factory=Options)


def prepare(scene: Scene, request: Request) -> tuple[StoredModel, Preprocessing, Predictor]:
    """Model, bridge and predictor for a scene, without computing anything yet.

    Raises
    ------
    LandslideError
        Whatever makes the request impossible: bands, weights, no valid pixel.
    """
    model = find_model(TASK, request.model)
    how = preprocess(scene, model.spec, request.bands, request.stretch, request.resample)
    return model, how, Predictor(scene, model.spec, how, open_detector(model), request.options)


order_of = partial(order_image, TASK, TASK)
"""The order of a detection in a stored scene; see `core.tasks.imagery.request.order_image`."""


def run_detection(
    store: Store,
    scene: Scene,
    request: Request,
    *,
    reference: Path | None = None,
    dem: Path | None = None,
    area_outline: Mapping[str, Any] | None = None,
    name: str = "",
    begun: Callable[[str], None] = lambda identity: None,
    progress: ProgressCallback = ignore,
    cancel: Cancel = never,
) -> DetectionResult:
    """Search a scene in this process and keep the result in the store.

    Parameters
    ----------
    scene, reference, dem
        Raster, inventory and elevation on disk; they become a scene of the store and stay where they are.
    area_outline
        Part of the scene to search; see `order_of`.
    begun
        Told the id before the work begins.

    Raises
    ------
    LandslideError
        When the run is not possible or was cancelled; in the store it then stands as failed or cancelled.
    """
    def order(record: SceneRecord) -> Order:
        return order_of(record, request, area_outline, name=name)

    return store.result(run_image(store, Local(scene, reference, dem), order, begun, progress, cancel), DetectionResult)


def detect_scene(job: Job, request: Request) -> DetectionResult:
    """Do the work of a run of kind ``"detection"``: candidates, and where they came from."""
    job.report(0, 0, "Reading the image and loading the model")
    record = ordered_scene(job.store, job.run)
    scene, folder = record.scene, job.folder
    area = request.region(scene.grid)
    model, how, predictor = prepare(scene, request)
    report = job.counting("Searching tile")
    report(0, len(predictor.windows(area)))
    artifacts, notes = {CANDIDATES: f"{CANDIDATES}.parquet"}, run_warnings(scene, model, how)
    notes += elevation_notes(record.dem)
    known = reference_record(record.reference)
    notes += reference_notes(known, model.spec.name)
    count = write_candidates(predictor, folder / artifacts[CANDIDATES], area, report, job.stopped)
    searched = write_searched(scene, how.bands, folder, area, job.stopped)
    artifacts, notes = artifacts | searched.artifacts, notes + searched.notes
    if record.reference is not None:
        more, told = write_reference(record.reference, scene, how.bands, folder, area, job)
        artifacts, notes = artifacts | more, notes + told
    job.report(0, 0, "Comparing with the training images")
    compared = compare(scene, model, how, lambda: predictor.runtime.encode, folder, area, job.stopped)
    artifacts, notes = {**artifacts, **compared.artifacts}, compared.notes + notes
    job.report(0, 0, "Saving the result")
    spec, runtime = model.spec, predictor.runtime
    provenance = {
        **job.times(),
        "scene": scene_record(scene, model),
        "truth": known,
        "model": {
            "name": spec.name,
            "family": spec.architecture,
            "weights_sha256": spec.weights_sha256,
            "threshold": spec.threshold,
            "nms_iou": float(spec.options.get("nms_iou", 0.5)),
        },
        "parameters": {**parameters_of(request), "batch": predictor.batch},
        "seed": job.run.seed,
        "bridge": preprocessing_record(how, spec),
        "candidates": count,
        SEARCHED: searched.to_json(),
        "runtime": {"name": runtime.name, "threads": runtime.threads},
        TRAINING_DISTANCE: compared.record,
        **environment(),
    }
    return counted(
        DetectionResult(
            id=job.run.id,
            kind=job.run.kind,
            folder=folder,
            inputs=inputs_of(record),
            model=spec.name,
            grid=scene.grid,
            artifacts=artifacts,
            classes=spec.classes,
            join_distance=predictor.join_distance,
            provenance=provenance,
            notes=notes,
        )
    )


def write_reference(
    path: Path, scene: Scene, bands: tuple[int, ...], folder: Path, area: Area | None, job: Job | None = None
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Write the boxes of an inventory that lie where a scene was searched, and where it says nothing.

    Parameters
    ----------
    bands
        Bands of the scene whose data were needed.
    area
        Part of the scene that was searched; all of it when None.

    Returns
    -------
    Names of the files by role, and what is to be said of those left out.

    Raises
    ------
    LandslideError
        When the inventory cannot be used, the disk is full, or the run was stopped.
    """

    def report(done: int, total: int) -> None:
        if job is not None:
            job.report(done, total, f"Reading the reference, {done:,} of {total:,}")

    reader, least = reference_reader(path, scene.grid), minimum_pixels(scene.grid.ground_distance())
    stopped = never if job is None else job.stopped
    names, notes = {TRUTH: f"{TRUTH}.parquet"}, reader.notes
    if isinstance(reader, Inventory) and reader.complete:
        boxes = boxes_of_reference(reader, scene.grid, least, report, stopped)
        small = len(boxes_of_inventory(reader)) - len(boxes)
        if small:
            notes += (
                f"{count(small, 'landslide')} of the reference {agree(small, 'has', 'have')} fewer than "
                f"{count(least, 'pixel')} in the image and {agree(small, 'is', 'are')} not counted.",
            )
    else:
        path = folder / f"{KNOWN}.tif"
        with writing(path, scene.grid, descriptions=(KNOWN,), overview_resampling="nearest",
                     colours=class_table(NOT_KNOWN)) as writer:
            recording = Recording(reader, writer)
            boxes = boxes_of_reference(recording, scene.grid, least, report, stopped)
        if recording.unknown:
            names[KNOWN] = path.name
            share = recording.unknown / (scene.grid.width * scene.grid.height)
            notes += (
                f"The reference does not cover {100 * share:.1f} % of the image: detections there are neither correct "
                "nor "
                "false alarms and are not counted in the scores.",
            )
        else:
            path.unlink()
    searched = on_scene(boxes, scene, bands, area)
    missing = len(boxes) - int(searched.sum())
    write_boxes(folder / names[TRUTH], boxes.take(searched))
    if not missing:
        return names, notes
    where = "has no data" if area is None else "has no data or was not processed"
    note = (
        f"{missing:,} of the {count(len(boxes), 'landslide')} of the reference {agree(missing, 'lies', 'lie')} where "
        f"the image {where}; {agree(missing, 'it is', 'they are')} not counted."
    )
    return names, (*notes, note)


class Recording:
    """A reference that is read once from top to bottom, of which is written where it says something.

    Parameters
    ----------
    reader
        The reference.
    writer
        Takes one band: 1 where it says whether there is a landslide, else 0.
    """

    def __init__(self, reader: ReferenceReader, writer: RasterWriter) -> None:
        self.reader, self.writer = reader, writer
        self.unknown = 0
        """Pixels of which it says nothing."""

    @property
    def notes(self) -> tuple[str, ...]:
        """See `core.raster.align.ReferenceReader`."""
        return self.reader.notes

    def read(self, window: Window) -> NDArray[np.uint8]:
        """Read a window of whole rows, and write what is known of it."""
        codes = self.reader.read(window)
        known = codes != UNKNOWN
        self.unknown += int((~known).sum())
        self.writer.write(known[None].astype(np.uint8), round(window.row_off), round(window.col_off))
        return codes


def counted(result: DetectionResult) -> DetectionResult:
    """The result with the numbers that it is compared by."""
    found = find(result, default_choice(result))
    numbers: dict[str, float] = {"boxes": float(found.count), **result.unlike_training}
    if found.scores is not None:
        numbers |= {name: getattr(found.scores, name) for name in ("ap50", "ap50_95", "f1", "precision", "recall")}
    return replace(result, numbers=numbers)


def request_of(result: DetectionResult) -> Request:
    """The request that a finished run answered, to ask the same of another scene."""
    request: Request = recorded_request(TASK, TASK, result)
    return request


def request_for(result: DetectionResult, searched: Scene, other: Scene) -> Request:
    """The request of a finished run for another scene; see `core.tasks.imagery.request.request_for`."""
    return request_for_scene(request_of(result), tuple(result.provenance["bridge"]["bands"]), searched, other)


def order_scored(result: DetectionResult, record: SceneRecord, *, owner: str = "") -> Order:
    """The order of comparing a finished run with an inventory, without running the model again.

    Parameters
    ----------
    record
        The scene that was searched, with its inventory.

    Raises
    ------
    InputError
        When the scene has no inventory.
    """
    reference_of(record)
    parameters = dict(result.provenance["parameters"])
    return Order(TASK, "scored", parameters, inputs_of(record), result.model, parents=(result.id,), owner=owner)


def rescore(store: Store, result: DetectionResult, record: SceneRecord) -> DetectionResult:
    """Score a finished run against an inventory at once, without running the model again.

    The outcome is a run of its own, because a finished run never changes; its candidates are the same file.

    Parameters
    ----------
    record
        The scene that was searched, with its inventory.

    Raises
    ------
    LandslideError
        When the inventory does not fit the scene, or the disk is full.
    """
    return store.result(run_inline(store, order_scored(result, record)), DetectionResult)


def compute_scored(job: Job, request: object) -> DetectionResult:
    """Do the work of a run of kind ``"scored"``."""
    del request
    result, record = job.parent(DetectionResult), scene_of(job.store, job.run)
    reference, scene = reference_of(record), record.scene
    check_same_scene(result.scene_digest, scene)
    drawn = result.provenance["parameters"].get("area")
    area = area_of(scene.grid, drawn) if drawn else None
    names, notes = write_reference(reference, scene, preprocessing_of(result.provenance).bands, job.folder, area, job)
    known = reference_record(reference)
    # The candidates are the same file: a path of the store, which keeps it once.
    artifacts = {role: str(result.artifact(role)) for role in result.artifacts if role not in (TRUTH, KNOWN)}
    return counted(
        replace(
            result,
            id=job.run.id,
            kind=job.run.kind,
            folder=job.folder,
            inputs=inputs_of(record),
            artifacts=artifacts | names,
            parents=job.run.parents,
            notes=tuple(dict.fromkeys(
                (*reference_notes(known, result.model), *without_reference_notes(result.notes), *notes)
            )),
            provenance={**result.provenance, "truth": known, "scored": now()},
        )
    )
