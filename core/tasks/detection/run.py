"""A detection run from a stored scene to a stored result: what the page, a worker and the command line call."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.jobs.perform import Context, compute_here
from core.learning.bridge import Bridge, bridge, bridge_of
from core.learning.store import StoredModel, find_model
from core.raster.area import Area, area_of
from core.raster.progress import Cancel, Progress, ignore, never
from core.raster.scene import Scene
from core.runs.provenance import environment, now
from core.runs.records import Order, Run, SceneRecord
from core.runs.store import Store
from core.tasks.detection.candidates import write_boxes
from core.tasks.detection.findings import default_choice, find
from core.tasks.detection.labels import truth_boxes
from core.tasks.detection.options import Options
from core.tasks.detection.predict import Predictor, on_scene, write_candidates
from core.tasks.detection.result import CANDIDATES, DETECTIONS, TRUTH, DetectionResult
from core.tasks.detection.runtime import open_detector
from core.tasks.imagery.provenance import add_file, done_here, notes_on, same_bands, told_bridge, told_scene, told_truth

TASK = "detection"


@dataclass(frozen=True)
class Request:
    """What a user asks of a detection run.

    Attributes
    ----------
    model
        Name of a detection model.
    bands
        Band numbers of the scene in the model's order; None guesses them.
    stretch
        ``"auto"``, ``"none"`` or percentiles such as ``"2,98"``.
    resample
        ``"auto"`` or ``"none"``.
    options
        Overlap, batch, least confidence and number of candidates.
    """

    model: str
    bands: tuple[int, ...] | None = None
    stretch: str = "auto"
    resample: str = "auto"
    options: Options = field(default_factory=Options)


def prepare(scene: Scene, request: Request) -> tuple[StoredModel, Bridge, Predictor]:
    """Model, bridge and predictor for a scene, without computing anything yet.

    Raises
    ------
    LandslideError
        Whatever makes the request impossible: bands, weights, no valid pixel.
    """
    model = find_model(TASK, request.model)
    how = bridge(scene, model.spec, request.bands, request.stretch, request.resample)
    return model, how, Predictor(scene, model.spec, how, open_detector(model), request.options)


def order_of(
    record: SceneRecord,
    request: Request,
    area_outline: Mapping[str, Any] | None = None,
    *,
    owner: str = "",
    name: str = "",
    parents: tuple[str, ...] = (),
) -> Order:
    """The order of a detection in a stored scene, with its inventory where it has one.

    Parameters
    ----------
    area_outline
        GeoJSON polygon of the part to search, as `core.raster.area.area_of` takes it; all when None.
    """
    parameters = {**asdict(request), "area": None if area_outline is None else dict(area_outline)}
    return Order(
        task=TASK, kind="detection", scene_id=record.id, parameters=parameters, model=request.model, owner=owner,
        name=name, parents=parents,
    )  # fmt: skip


def run_detection(
    store: Store,
    scene: Scene,
    request: Request,
    *,
    truth: Path | None = None,
    dem: Path | None = None,
    area_outline: Mapping[str, Any] | None = None,
    name: str = "",
    begun: Callable[[str], None] = lambda identity: None,
    progress: Progress = ignore,
    cancel: Cancel = never,
) -> DetectionResult:
    """Search a scene in this process and keep the result in the store.

    Parameters
    ----------
    scene, truth, dem
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
    record = add_file(store, scene, truth, dem)
    order = order_of(record, request, area_outline, name=name)
    return store.detection(done_here(store, order, begun, progress, cancel))


def detect_scene(store: Store, run: Run, folder: Path, context: Context) -> DetectionResult:
    """Do the work of a run of kind ``"detection"``: candidates into `folder`, and where they came from."""
    context.report(0, 0, "Reading the scene and loading the model")
    started, clock = now(), time.time() if run.started is None else run.started.timestamp()
    record, request, drawn = store.scene_record(run.scene_id), request_from(run.parameters), run.parameters["area"]
    scene = record.scene
    area = area_of(scene.grid, drawn) if drawn else None
    model, how, predictor = prepare(scene, request)

    def report(done: int, total: int) -> None:
        context.report(done, total, f"Searching window {done:,} of {total:,}")

    report(0, len(predictor.windows(area)))
    artifacts, notes = {CANDIDATES: f"{CANDIDATES}.parquet"}, notes_on(scene, model, how)
    count = write_candidates(predictor, folder / artifacts[CANDIDATES], area, report, context.stopped)
    if record.truth is not None:
        artifacts[TRUTH], more = write_truth(record.truth, scene, how.bands, folder, area, context)
        notes += more
    context.report(0, 0, "Keeping the result")
    spec, runtime = model.spec, predictor.runtime
    told = {
        "started": started,
        "finished": now(),
        "seconds": round(time.time() - clock, 2),
        "scene": told_scene(scene, model),
        "truth": told_truth(record.truth),
        "model": {
            "name": spec.name,
            "family": spec.architecture,
            "weights_sha256": spec.weights_sha256,
            "threshold": spec.threshold,
            "nms_iou": float(spec.options.get("nms_iou", 0.5)),
        },
        "parameters": {**asdict(request), "batch": predictor.batch, "area": drawn},
        "seed": run.seed,
        "bridge": told_bridge(how),
        "candidates": count,
        "runtime": {"name": runtime.name, "threads": runtime.threads},
        **environment(),
    }
    return counted(
        DetectionResult(
            id=run.id,
            folder=folder,
            scene=scene.name,
            scene_digest=scene.digest,
            scene_id=record.id,
            model=spec.name,
            grid=scene.grid,
            artifacts=artifacts,
            classes=spec.classes,
            reach=predictor.reach,
            provenance=told,
            notes=notes,
        )
    )


def write_truth(
    path: Path, scene: Scene, bands: tuple[int, ...], folder: Path, area: Area | None, context: Context | None = None
) -> tuple[str, tuple[str, ...]]:
    """Write the boxes of an inventory that lie where a scene was searched.

    Parameters
    ----------
    bands
        Bands of the scene whose data were needed.
    area
        Part of the scene that was searched; all of it when None.

    Returns
    -------
    The file's name, and what is to be said of those left out.

    Raises
    ------
    LandslideError
        When the inventory cannot be used, the disk is full, or the run was stopped.
    """

    def report(done: int, total: int) -> None:
        if context is not None:
            context.report(done, total, f"Reading the reference, {done:,} of {total:,}")

    boxes = truth_boxes(path, scene.grid, None, report, never if context is None else context.stopped)
    searched = on_scene(boxes, scene, bands, area)
    name, missing = f"{TRUTH}.parquet", len(boxes) - int(searched.sum())
    write_boxes(folder / name, boxes.take(searched))
    if not missing:
        return name, ()
    where = "has no data" if area is None else "has no data or was not searched"
    note = f"{missing:,} of the reference's {len(boxes):,} landslides lie where the scene {where}; they do not count."
    return name, (note,)


def counted(result: DetectionResult) -> DetectionResult:
    """The result with the numbers that it is compared by."""
    found = find(result, default_choice(result))
    numbers: dict[str, float] = {"boxes": float(found.count)}
    if found.scores is not None:
        numbers |= {name: getattr(found.scores, name) for name in ("ap50", "ap50_95", "f1", "precision", "recall")}
    return replace(result, numbers=numbers)


def request_from(parameters: Mapping[str, Any]) -> Request:
    """The request that stands in the parameters of an order or of a finished run's provenance."""
    options = parameters["options"]
    return Request(
        model=parameters["model"],
        bands=tuple(parameters["bands"]) if parameters["bands"] else None,
        stretch=parameters["stretch"],
        resample=parameters["resample"],
        options=Options(options["overlap"], options["batch"], options["floor"], options["limit"]),
    )


def request_of(result: DetectionResult) -> Request:
    """The request that a finished run answered, to ask the same of another scene."""
    return request_from(result.provenance["parameters"])


def request_for(result: DetectionResult, searched: Scene, other: Scene) -> Request:
    """The request of a finished run for another scene, whose bands may stand in another order.

    Bands are matched by name where both scenes name them; otherwise the numbers are kept.
    """
    request = request_of(result)
    bands = same_bands(searched, other, tuple(result.provenance["bridge"]["bands"]))
    return request if bands is None else replace(request, bands=bands)


def check_detection(result: DetectionResult) -> None:
    """Refuse what holds no boxes.

    Raises
    ------
    InputError
        When the run is no detection.
    """
    if result.kind not in DETECTIONS:
        raise InputError(
            f"The run {result.id[:8]} is no detection but of kind {result.kind}.", remedy="Choose a detection."
        )


def order_scored(result: DetectionResult, record: SceneRecord, *, owner: str = "") -> Order:
    """The order of comparing a finished run with an inventory, without running the model again.

    Parameters
    ----------
    record
        The scene that was searched, with its inventory.

    Raises
    ------
    InputError
        When the scene has no inventory, or the run is no detection.
    """
    _inventory(record)
    check_detection(result)
    parameters = dict(result.provenance["parameters"])
    return Order(TASK, "scored", parameters, record.id, model=result.model, parents=(result.id,), owner=owner)


def compute_scored(store: Store, run: Run, folder: Path, context: Context) -> DetectionResult:
    """Do the work of a run of kind ``"scored"``."""
    (parent,) = run.parents
    return _scored(store.detection(parent), store.scene_record(run.scene_id), run.id, folder, context)


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
    order = order_scored(result, record)
    identity = compute_here(store, order, lambda identity, folder: _scored(result, record, identity, folder))
    return store.detection(identity)


def _scored(
    result: DetectionResult, record: SceneRecord, identity: str, folder: Path, context: Context | None = None
) -> DetectionResult:
    truth, scene = _inventory(record), record.scene
    check_searched(result, scene)
    drawn = result.provenance["parameters"].get("area")
    area = area_of(scene.grid, drawn) if drawn else None
    name, notes = write_truth(truth, scene, bridge_of(result.provenance).bands, folder, area, context)
    # The candidates are the same file: a path of the store, which keeps it once.
    artifacts = {role: str(result.artifact(role)) for role in result.artifacts if role != TRUTH}
    return counted(
        replace(
            result,
            id=identity,
            folder=folder,
            scene_id=record.id,
            artifacts={**artifacts, TRUTH: name},
            kind="scored",
            parents=(result.id,),
            notes=(*result.notes, *notes),
            provenance={**result.provenance, "truth": told_truth(truth), "scored": now()},
        )
    )


def check_searched(result: DetectionResult, scene: Scene) -> None:
    """Refuse a scene that is not the one that was searched.

    Raises
    ------
    InputError
        When its content differs.
    """
    if scene.digest != result.scene_digest:
        what = f"The image of {scene.name} is not the one that was searched."
        raise InputError(what, "Its file was replaced since.", "Run the detection again.")


def _inventory(record: SceneRecord) -> Path:
    if record.truth is None:
        raise InputError(f"{record.scene.name} has no reference inventory.", remedy="Attach one first.")
    return record.truth
