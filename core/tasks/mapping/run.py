"""A mapping run from a stored scene to a stored result: what the page, a worker and the command line call."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.jobs.perform import Context
from core.learning.bridge import Bridge, bridge
from core.learning.runtime import Engine, open_runtime
from core.learning.segmentation import network_of
from core.learning.store import StoredModel, find_model
from core.raster.area import Area, area_of
from core.raster.progress import Cancel, Progress, ignore, never
from core.raster.scene import Scene
from core.runs.provenance import environment, now
from core.runs.records import Order, Run, SceneRecord
from core.runs.store import Store
from core.tasks.imagery.provenance import add_file, done_here, notes_on, same_bands, told_bridge, told_scene, told_truth
from core.tasks.mapping.blocks import Counts
from core.tasks.mapping.options import Options
from core.tasks.mapping.predict import Predictor, write_rasters
from core.tasks.mapping.result import MappingResult

if TYPE_CHECKING:
    from core.raster.align import TruthReader
    from core.raster.grid import Grid
    from core.raster.windows import Region

TASK = "mapping"


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


def order_of(
    record: SceneRecord,
    request: Request,
    area_outline: Mapping[str, Any] | None = None,
    *,
    owner: str = "",
    name: str = "",
    parents: tuple[str, ...] = (),
) -> Order:
    """The order of a mapping of a stored scene, with its inventory where it has one.

    Parameters
    ----------
    area_outline
        GeoJSON polygon of the part to map, as `core.raster.area.area_of` takes it; all when None.
    """
    parameters = {**asdict(request), "area": None if area_outline is None else dict(area_outline)}
    return Order(
        task=TASK, kind="mapping", scene_id=record.id, parameters=parameters, model=request.model, owner=owner,
        name=name, parents=parents,
    )  # fmt: skip


def run_mapping(
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
) -> MappingResult:
    """Map a scene in this process and keep the result in the store.

    Parameters
    ----------
    scene, truth, dem
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
    record = add_file(store, scene, truth, dem)
    order = order_of(record, request, area_outline, name=name)
    return store.mapping(done_here(store, order, begun, progress, cancel))


@dataclass(frozen=True)
class Prepared:
    """A run with all that it takes to compute any part of it.

    Attributes
    ----------
    run, record, request
        What was asked, of which scene.
    model, how, predictor
        By which model, brought together how, ready to predict.
    area, truth
        Part of the scene to map, and the inventory on its grid; None without.
    started, clock
        When it began, as text and for the stopwatch.
    """

    run: Run
    record: SceneRecord
    request: Request
    model: StoredModel
    how: Bridge
    predictor: Predictor
    area: Area | None
    truth: TruthReader | None
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

    def result(self, folder: Path, grid: Grid, artifacts: Mapping[str, str], counts: Counts) -> MappingResult:
        """What came of it, with where all of it came from."""
        scene, spec, known = self.record.scene, self.model.spec, self.truth is not None
        return MappingResult(
            id=self.run.id,
            folder=folder,
            scene=scene.name,
            scene_digest=scene.digest,
            scene_id=self.record.id,
            model=spec.name,
            grid=grid,
            counts=counts.model,
            has_truth=known,
            baseline=counts.baseline if known and spec.bands == ("red", "green", "blue") else None,
            artifacts=artifacts,
            provenance=self._provenance(),
            notes=notes_on(scene, self.model, self.how),
        )

    def _provenance(self) -> dict[str, Any]:
        spec, how, runtime = self.model.spec, self.how, self.predictor.runtime
        asked = {**asdict(self.request), "batch": self.predictor.batch, "area": self.run.parameters["area"]}
        return {
            "started": self.started,
            "finished": now(),
            "seconds": round(time.time() - self.clock, 2),
            "scene": told_scene(self.record.scene, self.model),
            "truth": told_truth(self.record.truth),
            "model": {"name": spec.name, "weights_sha256": spec.weights_sha256, "threshold": spec.threshold},
            "parameters": asked,
            "seed": self.run.seed,
            "bridge": told_bridge(how),
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
    from core.raster.align import truth_reader

    started, clock = now(), time.time() if run.started is None else run.started.timestamp()
    record, request, drawn = store.scene_record(run.scene_id), request_from(run.parameters), run.parameters["area"]
    area = area_of(record.scene.grid, drawn) if drawn else None
    model, how, predictor = prepare(store, record.scene, request)
    truth = truth_reader(record.truth, record.scene.grid) if record.truth else None
    return Prepared(run, record, request, model, how, predictor, area, truth, started, clock)


def map_scene(store: Store, run: Run, folder: Path, context: Context) -> MappingResult:
    """Do the work of a run of kind ``"mapping"`` in one process: rasters into `folder`, and where they came from."""
    context.report(0, 0, "Reading the scene and loading the model")
    ready = prepared(store, run)

    def report(done: int, total: int) -> None:
        context.report(done, total, f"Mapping window {done:,} of {total:,}")

    report(0, ready.windows)
    written = write_rasters(ready.predictor, folder, ready.area, ready.truth, report, context.stopped)
    context.report(ready.windows, ready.windows, "Keeping the result")
    return ready.result(folder, *written)


def request_from(parameters: Mapping[str, Any]) -> Request:
    """The request that stands in the parameters of an order or of a finished run's provenance."""
    options = parameters["options"]
    return Request(
        model=parameters["model"],
        bands=tuple(parameters["bands"]) if parameters["bands"] else None,
        stretch=parameters["stretch"],
        resample=parameters["resample"],
        options=Options(options["overlap"], options["turned"], options["batch"]),
        engine=parameters["engine"],
    )


def request_of(result: MappingResult) -> Request:
    """The request that a finished run answered, to ask the same of another scene."""
    return request_from(result.provenance["parameters"])


def request_for(result: MappingResult, mapped: Scene, other: Scene) -> Request:
    """The request of a finished run for another scene, whose bands may stand in another order.

    Bands are matched by name where both scenes name them; otherwise the numbers are kept.
    """
    request = request_of(result)
    bands = same_bands(mapped, other, tuple(result.provenance["bridge"]["bands"]))
    return request if bands is None else replace(request, bands=bands)
