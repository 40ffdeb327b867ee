"""A mapping run from a stored scene to a stored result: what the page and the command line both call."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.learning.runtime import Engine, open_runtime
from core.learning.store import StoredModel, find_model
from core.mapping.bridge import Bridge, bridge
from core.mapping.models import network_of
from core.mapping.predict import Area, Cancel, Options, Predictor, Progress, ignore, never, write_rasters
from core.mapping.result import MappingResult
from core.raster.scene import Scene
from core.runs.provenance import environment, now
from core.runs.store import SceneRecord, Store

if TYPE_CHECKING:
    from core.raster.align import TruthReader


@dataclass(frozen=True)
class Request:
    """What a user asks of a mapping run.

    Attributes
    ----------
    model
        Name of a mapping model.
    bands
        Band numbers of the scene in the model's order; None guesses them.
    stretch
        ``"auto"``, ``"none"`` or percentiles such as ``"2,98"``.
    resample
        ``"auto"`` or ``"none"``.
    options
        Overlap, test-time augmentation, batch.
    engine
        ``"auto"``, ``"onnx"`` or ``"torch"``.
    """

    model: str
    bands: tuple[int, ...] | None = None
    stretch: str = "auto"
    resample: str = "auto"
    options: Options = field(default_factory=Options)
    engine: Engine = "auto"


def prepare(store: Store, scene: Scene, request: Request) -> tuple[StoredModel, Bridge, Predictor]:
    """Model, bridge and predictor for a scene, without computing anything yet.

    Raises
    ------
    LandslideError
        Whatever makes the request impossible: bands, weights, no valid pixel.
    """
    model = find_model("mapping", request.model)
    how = bridge(scene, model.spec, request.bands, request.stretch, request.resample)
    runtime = open_runtime(model, network_of, store.home / "cache" / "onnx", request.engine)
    return model, how, Predictor(scene, model.spec, how, runtime, request.options)


def run_mapping(
    store: Store,
    scene: Scene,
    request: Request,
    *,
    scene_id: str = "",
    truth: Path | None = None,
    area: Area | None = None,
    area_outline: Sequence[Sequence[float]] | None = None,
    progress: Progress = ignore,
    cancel: Cancel = never,
) -> MappingResult:
    """Map a scene and keep the result in the store.

    Parameters
    ----------
    scene_id
        The scene's id in the store, when it has one.
    truth
        Inventory, raster or vector, in any coordinate system.
    area, area_outline
        Part of the scene to map, and its outline for the record.

    Raises
    ------
    LandslideError
        When the run is not possible or was cancelled; nothing of it is kept.
    """
    from core.raster.align import truth_reader

    started, clock = now(), time.perf_counter()
    model, how, predictor = prepare(store, scene, request)
    known = truth_reader(truth, scene.grid) if truth else None
    identity, folder = store.new_run()
    try:
        grid, artifacts, counts = write_rasters(predictor, folder, area, known, progress, cancel)
        colour = model.spec.bands == ("red", "green", "blue")
        result = MappingResult(
            id=identity,
            folder=folder,
            scene=scene.name,
            scene_digest=scene.digest,
            scene_id=scene_id,
            model=model.spec.name,
            grid=grid,
            counts=counts.model,
            has_truth=truth is not None,
            baseline=counts.baseline if truth is not None and colour else None,
            artifacts=artifacts,
            provenance={
                "started": started,
                "finished": now(),
                "seconds": round(time.perf_counter() - clock, 2),
                "scene": _scene(scene, model),
                "truth": _truth(truth, known),
                "model": {"name": model.spec.name, "weights_sha256": model.spec.weights_sha256},
                "parameters": {**asdict(request), "batch": predictor.batch, "area": area_outline},
                "bridge": {"bands": how.bands, "gain": how.gain, "offset": how.offset, "scale": how.scale},
                "runtime": {"name": predictor.runtime.name, "threads": predictor.runtime.threads},
                **environment(),
            },
            notes=_notes(scene, model, how),
        )
        result.save()
    except BaseException:
        store.discard_run(identity)
        raise
    return result


def _scene(scene: Scene, model: StoredModel) -> dict[str, Any]:
    return {
        "name": scene.name,
        "digest": scene.digest,
        "synthetic": scene.synthetic,
        "licence": scene.licence,
        "citation": scene.citation,
        "seen_by_model": model.has_seen(scene.digest),
    }


def _truth(path: Path | None, known: TruthReader | None) -> dict[str, Any] | None:
    from core.learning.store import sha256

    return None if path is None or known is None else {"name": path.name, "sha256": sha256(path)}


def _notes(scene: Scene, model: StoredModel, how: Bridge) -> tuple[str, ...]:
    notes = list(how.notes)
    if scene.synthetic:
        notes.insert(0, "This scene is synthetic: made by a script, not by a satellite.")
    if model.has_seen(scene.digest):
        notes.insert(0, "The model was trained or chosen on this very scene: its scores here say nothing about skill.")
    return tuple(notes)


def request_of(result: MappingResult) -> Request:
    """The request that a finished run answered, to ask the same of another scene."""
    asked = result.provenance["parameters"]
    options = asked["options"]
    return Request(
        model=asked["model"],
        bands=tuple(asked["bands"]) if asked["bands"] else None,
        stretch=asked["stretch"],
        resample=asked["resample"],
        options=Options(options["overlap"], options["turned"], options["batch"]),
        engine=asked["engine"],
    )


def request_for(result: MappingResult, mapped: Scene, other: Scene) -> Request:
    """The request of a finished run for another scene, whose bands may stand in another order.

    Bands are matched by name where both scenes name them; otherwise the numbers are kept.
    """
    request = request_of(result)
    names = {band.index: band.name for band in mapped.bands}
    numbers = {band.name: band.index for band in other.bands if band.name}
    wanted = [names.get(number, "") for number in result.provenance["bridge"]["bands"]]
    if all(name in numbers for name in wanted):
        return replace(request, bands=tuple(numbers[name] for name in wanted))
    return request


def rescore(store: Store, result: MappingResult, record: SceneRecord) -> MappingResult:
    """Score a finished run against an inventory without running the model again.

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
    from core.raster.align import truth_reader
    from core.runs.scoring import count_against

    truth, spec = record.truth, find_model("mapping", result.model).spec
    if truth is None:
        raise InputError(f"{record.scene.name} has no reference inventory.", remedy="Attach one first.")
    known = truth_reader(truth, result.grid)
    identity, folder = store.new_run()
    try:
        artifacts, counts, baseline = count_against(result, known, folder, record.scene, spec)
        scored = replace(
            result,
            id=identity,
            folder=folder,
            counts=counts,
            baseline=baseline,
            scene_id=record.id,
            has_truth=True,
            artifacts=artifacts,
            parents=(result.id,),
            provenance={**result.provenance, "truth": _truth(truth, known), "scored": now()},
        )
        scored.save()
    except BaseException:
        store.discard_run(identity)
        raise
    return scored
