"""A mapping run from a stored scene to a stored result: what the page, a worker and the command line call."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.jobs.perform import Job
from core.jobs.perform import request_of as request_of_run
from core.learning.encoder import encoder_maps, encoding
from core.learning.preprocessing import Preprocessing, preprocess
from core.learning.runtime import Engine, open_runtime
from core.learning.segmentation import network_of
from core.learning.store import StoredModel, find_model
from core.raster.area import Area
from core.raster.progress import Cancel, ProgressCallback, ignore, never
from core.raster.scene import Scene
from core.runs.kinds import parameters_of
from core.runs.provenance import environment, now
from core.runs.records import Order, Run, SceneRecord
from core.runs.store import Store
from core.tasks.imagery.inputs import inputs_of, ordered_scene
from core.tasks.imagery.provenance import (
    elevation_notes,
    preprocessing_record,
    reference_notes,
    reference_record,
    run_warnings,
    scene_record,
)
from core.tasks.imagery.request import ImageRequest, Local, order_image, recorded_request, run_image
from core.tasks.imagery.request import request_for as request_for_scene
from core.tasks.imagery.roles import TRAINING_DISTANCE
from core.tasks.imagery.training_distance import compare
from core.tasks.mapping.blocks import Counts
from core.tasks.mapping.options import Options
from core.tasks.mapping.predict import Predictor, write_rasters
from core.tasks.mapping.result import MappingResult

if TYPE_CHECKING:
    from core.learning.tile_statistics import Encode
    from core.raster.align import ReferenceReader
    from core.raster.grid import Grid
    from core.raster.windows import Region

TASK = "mapping"


@dataclass(frozen=True)
class Request(ImageRequest):
    """What a user asks of a mapping run.

    Attributes
    ----------
    options
        Overlap, test-time augmentation, batch.
    engine
        ``"auto"``, ``"onnx"`` or ``"torch"``.
    """

    options: Options = field(default_factory=Options)
    engine: Engine = "auto"


def prepare(store: Store, scene: Scene, request: Request) -> tuple[StoredModel, Preprocessing, Predictor]:
    """Model, bridge and predictor for a scene, without computing anything yet.

    Raises
    ------
    LandslideError
        Whatever makes the request impossible: bands, weights, no valid pixel.
    """
    model = find_model("mapping", request.model)
    how = preprocess(scene, model.spec, request.bands, request.stretch, request.resample)
    runtime = open_runtime(model, network_of, store.home / "cache" / "onnx", request.engine)
    return model, how, Predictor(scene, model.spec, how, runtime, request.options)


order_of = partial(order_image, TASK, TASK)
"""The order of a mapping of a stored scene; see `core.tasks.imagery.request.order_image`."""


def run_mapping(
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
) -> MappingResult:
    """Map a scene in this process and keep the result in the store.

    Parameters
    ----------
    scene, reference, dem
        Raster, inventory and elevation on disk; they become a scene of the store and stay where they are.
    area_outline
        Part of the scene to map; see `order_of`.
    begun
        Told the id before the work begins.

    Raises
    ------
    LandslideError
        When the run is not possible or was cancelled; in the store it then stands as failed or cancelled.
    """
    def order(record: SceneRecord) -> Order:
        return order_of(record, request, area_outline, name=name)

    return store.result(run_image(store, Local(scene, reference, dem), order, begun, progress, cancel), MappingResult)


@dataclass(frozen=True)
class Prepared:
    """A run with all that it takes to compute any part of it.

    Attributes
    ----------
    run, record, request
        What was asked, of which scene.
    model, how, predictor
        By which model, brought together how, ready to predict.
    area, reference
        Part of the scene to map, and the inventory on its grid; None without.
    started, clock
        When it began, as text and for the stopwatch.
    """

    run: Run
    record: SceneRecord
    request: Request
    model: StoredModel
    how: Preprocessing
    predictor: Predictor
    area: Area | None
    reference: ReferenceReader | None
    started: str
    clock: float

    @property
    def blocks(self) -> tuple[Region, ...]:
        """Blocks in which it is computed."""
        return self.predictor.blocks(self.area)

    @property
    def windows(self) -> int:
        """Windows of all blocks."""
        return sum(self.predictor.windows(block) for block in self.blocks)

    def result(
        self, folder: Path, grid: Grid, artifacts: Mapping[str, str], counts: Counts, cancel: Cancel = never
    ) -> MappingResult:
        """What came of it, with where all of it came from and how unlike the model's training images the scene is.

        Raises
        ------
        RunCancelled, StorageError, InputError
            When it was asked to stop, or the scene cannot be compared with the training images.
        """
        scene, spec, known = self.record.scene, self.model.spec, self.reference is not None
        compared = compare(scene, self.model, self.how, self._encoder, folder, self.area, cancel)
        provenance = self._provenance()
        return MappingResult(
            id=self.run.id,
            kind=self.run.kind,
            folder=folder,
            inputs=inputs_of(self.record),
            model=spec.name,
            grid=grid,
            counts=counts.model,
            has_reference=known,
            baseline=counts.baseline if known and spec.bands == ("red", "green", "blue") else None,
            artifacts={**artifacts, **compared.artifacts},
            provenance={**provenance, TRAINING_DISTANCE: compared.record},
            notes=(
                *reference_notes(provenance["truth"], spec.name),
                *compared.notes,
                *run_warnings(scene, self.model, self.how),
                *elevation_notes(self.record.dem),
                *(() if self.reference is None else self.reference.notes),
            ),
        )

    def _encoder(self) -> Encode:
        """The model's encoder: graphs that map give no features."""
        network = self.model.load_network(network_of)
        return encoding(network, partial(encoder_maps, network))

    def _provenance(self) -> dict[str, Any]:
        spec, how, runtime = self.model.spec, self.how, self.predictor.runtime
        asked = {**parameters_of(self.request), "batch": self.predictor.batch}
        return {
            "started": self.started,
            "finished": now(),
            "seconds": round(time.time() - self.clock, 2),
            "scene": scene_record(self.record.scene, self.model),
            "truth": reference_record(self.record.reference),
            "model": {"name": spec.name, "weights_sha256": spec.weights_sha256, "threshold": spec.threshold},
            "parameters": asked,
            "seed": self.run.seed,
            "bridge": preprocessing_record(how, spec),
            "runtime": {"name": runtime.name, "threads": runtime.threads},
            **environment(),
        }


def prepared(store: Store, run: Run) -> Prepared:
    """Make ready what a run needs, without computing anything of it yet.

    Raises
    ------
    LandslideError
        Whatever makes the run impossible.
    """
    from core.raster.align import reference_reader

    began = run.started or datetime.now(UTC)
    started, clock = began.isoformat(timespec="seconds"), began.timestamp()
    record, request = ordered_scene(store, run), request_of_run(run)
    area = request.region(record.scene.grid)
    model, how, predictor = prepare(store, record.scene, request)
    reference = reference_reader(record.reference, record.scene.grid) if record.reference else None
    return Prepared(run, record, request, model, how, predictor, area, reference, started, clock)


def map_scene(job: Job, request: Request) -> MappingResult:
    """Do the work of a run of kind ``"mapping"`` in one process: rasters, and where they came from."""
    del request  # read again, as the shards of a run do
    job.report(0, 0, "Reading the image and loading the model")
    ready, report = prepared(job.store, job.run), job.counting("Mapping tile")
    report(0, ready.windows)
    written = write_rasters(ready.predictor, job.folder, ready.area, ready.reference, report, job.stopped)
    job.report(ready.windows, ready.windows, "Saving the result")
    return ready.result(job.folder, *written, cancel=job.stopped)


def request_of(result: MappingResult) -> Request:
    """The request that a finished run answered, to ask the same of another scene."""
    request: Request = recorded_request(TASK, TASK, result)
    return request


def request_for(result: MappingResult, mapped: Scene, other: Scene) -> Request:
    """The request of a finished run for another scene; see `core.tasks.imagery.request.request_for`."""
    return request_for_scene(request_of(result), tuple(result.provenance["bridge"]["bands"]), mapped, other)
