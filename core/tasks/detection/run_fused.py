"""Two detections of one place as one: a run of kind ``"fused"`` that stands on both.

The first parent has searched the image, the second the shape of the ground (`core.raster.relief`), on any grid of the
same coordinate system. The tree that fuses them stands whole in the run's parameters, so that the run can be read and
repeated when the file it came from is long gone.
"""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from core.errors import GridError, InputError
from core.learning.store import models_folder
from core.raster.scene import Scene
from core.runs.provenance import environment
from core.runs.records import Order
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.candidates import write_boxes
from core.tasks.detection.findings import find
from core.tasks.detection.fusion import FusionTree, candidates_of
from core.tasks.detection.fusion_training import Comparison, Place, train_tree
from core.tasks.detection.result import CANDIDATES, KNOWN, SEARCHED, TRUTH, DetectionResult
from core.tasks.detection.run import TASK, counted
from core.tasks.detection.view import Choice
from core.tasks.imagery.roles import TRAINING_DISTANCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.jobs.perform import Job
    from core.raster.grid import Grid
    from core.runs.store import Store

KIND: Final = "fused"
FILE = "candidates.parquet"

def trees_folder() -> Path:
    """Where decision trees are kept, one JSON file each."""
    return models_folder() / "fusion"


def list_trees() -> tuple[str, ...]:
    """Names of the decision trees that are here."""
    folder = trees_folder()
    return tuple(sorted(path.stem for path in folder.glob("*.json"))) if folder.is_dir() else ()


def find_tree(name: str) -> FusionTree:
    """A decision tree by name.

    Raises
    ------
    InputError
        When there is none of that name.
    ModelError
        When its file cannot be used.
    """
    if name not in list_trees():
        known = ", ".join(list_trees()) or "none"
        raise InputError(f"Unknown decision tree {name!r}.", remedy=f"Available trees: {known}.")
    return FusionTree.read(trees_folder() / f"{name}.json")


def order_fused(
    optical: DetectionResult, terrain: DetectionResult, tree: FusionTree, *, owner: str = "", name: str = ""
) -> Order:
    """The order of fusing two finished detections.

    Raises
    ------
    InputError
        When both are the same run, one holds no boxes or is fused itself, or they searched different parts.
    GridError
        When they do not lie in one coordinate system.
    """
    check_fusible(optical, terrain)
    parameters = {"runs": [optical.id, terrain.id], "tree": tree.to_json(), "area": _area(optical)}
    parents = (optical.id, terrain.id)
    return Order(TASK, KIND, parameters, optical.inputs, fused_name(optical, terrain), parents, owner, name)


def fused_name(optical: DetectionResult, terrain: DetectionResult) -> str:
    """What stands for a model in the records of a fused run."""
    return f"{optical.model} + {terrain.model}"


def check_fusible(optical: DetectionResult, terrain: DetectionResult) -> None:
    """Refuse what cannot be fused; see `order_fused`."""
    for result in (optical, terrain):
        if result.kind == KIND:
            raise InputError("This run is already a fused run.", remedy="Choose the runs of its two detectors.")
    if optical.id == terrain.id:
        raise InputError("A run cannot be fused with itself.", remedy="Choose a run of another detector.")
    if _area(optical) != _area(terrain):
        raise InputError(
            "The two runs cover different areas.",
            "A landslide outside one of them would count as not found by its detector.",
            "Run both detectors on the same area.",
        )
    _check_grids(optical.grid, terrain.grid)


def _check_grids(one: Grid, other: Grid) -> None:
    if one.crs != other.crs or (one.crs is None and one.shape != other.shape):
        raise GridError(
            "The two runs have different coordinate systems.",
            "Their detections cannot be matched.",
            "Reproject the elevation model or the image first, so that both have the same coordinate system.",
        )


def _area(result: DetectionResult) -> Any:  # noqa: ANN401  a GeoJSON polygon or None
    return result.provenance.get("parameters", {}).get("area")


def moved(boxes: Boxes, source: Grid, target: Grid) -> Boxes:
    """Boxes in pixels of one grid, in pixels of another of the same coordinate system; those outside of it fall away.

    On a grid that is turned a box is that around the turned one.
    """
    if source == target or source.crs is None:
        return boxes
    left, top, right, bottom = boxes.corners.astype(np.float64).T
    change = ~target.transform @ source.transform
    ends = [change @ (x, y) for x in (left, right) for y in (top, bottom)]
    columns, rows = (np.stack([end[axis] for end in ends]) for axis in (0, 1))
    corners = np.stack([columns.min(0), rows.min(0), columns.max(0), rows.max(0)], axis=1)
    kept = np.clip(corners, 0, [target.width, target.height, target.width, target.height])
    inside = (kept[:, 2] > kept[:, 0]) & (kept[:, 3] > kept[:, 1])
    return Boxes.of(kept[inside], boxes.scores[inside], boxes.classes[inside])


def found_boxes(result: DetectionResult) -> Boxes:
    """Boxes of a run of any confidence, without duplicates, in pixels of its grid."""
    return find(result, Choice(0.0, result.nms_iou)).everything


def _dem(store: Store, result: DetectionResult) -> Scene | None:
    if not result.scene_id:
        return None
    named = result.input("dem").dataset_id
    path = store.dataset(named).path if named else store.scene_record(result.scene_id).dem
    return None if path is None else Scene.open(path)


def compute_fused(job: Job, request: Mapping[str, Any]) -> DetectionResult:
    """Do the work of a run of kind ``"fused"``."""
    job.report(0, 0, "Pairing the detections of two detectors")
    optical, terrain = (job.parent(DetectionResult, position) for position in (0, 1))
    check_fusible(optical, terrain)
    tree = FusionTree.from_json(request["tree"])
    dem = _dem(job.store, optical) if tree.needs_ground else None
    ground = moved(found_boxes(terrain), terrain.grid, optical.grid)
    candidates = candidates_of(found_boxes(optical), ground, optical.grid, least=tree.least, dem=dem)
    fused = tree.fused(candidates)
    write_boxes(job.folder / FILE, fused)
    artifacts = {CANDIDATES: FILE}
    taken = (SEARCHED, TRAINING_DISTANCE, *((TRUTH, KNOWN) if optical.has_reference else ()))
    artifacts |= {role: str(optical.artifact(role)) for role in taken if role in optical.artifacts}
    job.report(0, 0, "Saving the result")
    provenance = {
        **job.times(),
        "scene": _told_scene(optical, terrain),
        "truth": optical.provenance.get("truth"),
        "model": {
            "name": fused_name(optical, terrain),
            "family": KIND,
            "weights_sha256": _digest(tree),
            "threshold": tree.threshold,
            "nms_iou": optical.nms_iou,
        },
        "fused": [_told(result) for result in (optical, terrain)],
        "tree": request["tree"],
        "parameters": dict(request),
        "bridge": optical.provenance.get("bridge"),
        "candidates": len(fused),
        SEARCHED: optical.provenance.get(SEARCHED),
        # The image's: the model of the terrain was trained on no images.
        TRAINING_DISTANCE: dict(optical.training_distance),
        "runtime": {"name": f"decision tree {tree.name}", "threads": 1},
        **environment(),
    }
    return counted(
        replace(
            optical,
            id=job.run.id,
            folder=job.folder,
            model=fused_name(optical, terrain),
            artifacts=artifacts,
            join_distance=0.0,
            numbers={},
            provenance=provenance,
            notes=_notes(optical, terrain, tree),
            kind=KIND,
            parents=(optical.id, terrain.id),
        )
    )


def _digest(tree: FusionTree) -> str:
    """SHA-256 of a tree's values, whatever the layout of its file."""
    return sha256(json.dumps(tree.to_json(), sort_keys=True).encode("utf-8")).hexdigest()


def _told(result: DetectionResult) -> dict[str, Any]:
    return {"run": result.id, "scene": result.scene, "model": result.provenance.get("model", {"name": result.model})}


def _told_scene(optical: DetectionResult, terrain: DetectionResult) -> dict[str, Any]:
    image, ground = (dict(result.provenance.get("scene", {})) for result in (optical, terrain))
    seen = bool(image.get("seen_by_model")) or bool(ground.get("seen_by_model"))
    return {**image, "seen_by_model": seen}


def _notes(optical: DetectionResult, terrain: DetectionResult, tree: FusionTree) -> tuple[str, ...]:
    places = ", ".join(str(place) for place in tree.trained.get("places", ())) or "unknown areas"
    note = (
        f"The detections of {optical.model} on {optical.scene} and of {terrain.model} on {terrain.scene} were fused by "
        f"the decision tree {tree.name}, trained on detections in {places}. The score is the share of landslides among "
        "similar detections in that training data."
    )
    return (*dict.fromkeys((*optical.notes, *terrain.notes)), note)


def place_of(store: Store, optical: DetectionResult, terrain: DetectionResult) -> Place:
    """Boxes of two runs with the truth, to learn a tree from.

    Raises
    ------
    InputError
        When the first has no reference, or the two cannot be fused.
    """
    check_fusible(optical, terrain)
    truth = optical.reference()
    if truth is None:
        what = f"Run {optical.id[:8]} of {optical.scene} has no reference."
        raise InputError(what, remedy="Compare it with a reference inventory first.")
    ground = moved(found_boxes(terrain), terrain.grid, optical.grid)
    return Place(optical.scene, found_boxes(optical), ground, truth, optical.grid, _dem(store, optical))


def learn_from(
    store: Store, pairs: Sequence[tuple[str, str]], name: str, summary: str
) -> tuple[FusionTree, Comparison]:
    """Learn a tree from pairs of runs, each of one place: the image's and the terrain's.

    Raises
    ------
    InputError
        With fewer than three pairs, two of one place, or runs that cannot be fused or have no reference.
    """
    places = []
    for image, ground in pairs:
        optical, terrain = (store.result(one, DetectionResult) for one in (image, ground))
        places.append((optical, place_of(store, optical, terrain)))
    if len({optical.scene_digest for optical, _ in places}) < len(places):
        raise InputError(
            "Two of the pairs cover the same area.", "The tree would be scored on an area it was "
                                                  "trained on.", "Give each area once."
        )  # fmt: skip
    models = sorted(
        {fused_name(*(store.result(one, DetectionResult) for one in pair)) for pair in pairs}
    )
    tree, comparison = train_tree([place for _, place in places], name, summary)
    return replace(tree, trained={**tree.trained, "detectors": models}), comparison
