"""Running a model on an image: the request, its order, and the same request for another scene."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from core.jobs.perform import run_in_process
from core.raster.area import Area, area_of
from core.runs.kinds import parameters_of, request_from
from core.runs.records import Order
from core.tasks.imagery.inputs import add_file, inputs_of

if TYPE_CHECKING:
    from core.raster.grid import Grid
    from core.raster.progress import Cancel, ProgressCallback
    from core.raster.scene import Scene
    from core.runs.records import SceneRecord
    from core.runs.store import Store
    from core.tasks.imagery.result import ImageResult


@dataclass(frozen=True)
class ImageRequest:
    """What a user asks of a model on an image.

    Attributes
    ----------
    model
        Name of a model of the task.
    bands
        Band numbers of the scene in the model's order; None guesses them.
    stretch
        ``"auto"``, ``"none"`` or percentiles such as ``"2,98"``.
    resample
        ``"auto"`` or ``"none"``.
    area
        GeoJSON polygon of the part to work on, as `core.raster.area.area_of` takes it; all of the scene when None.
    pixel_size
        Metres from pixel to pixel of an image without a coordinate system, entered by hand; None where not known.
    """

    model: str
    bands: tuple[int, ...] | None = None
    stretch: str = "auto"
    resample: str = "auto"
    area: Mapping[str, Any] | None = None
    pixel_size: float | None = None

    def region(self, grid: Grid) -> Area | None:
        """The part of a scene to work on; None for all of it.

        Raises
        ------
        InputError
            When the outline lies outside the scene.
        """
        return area_of(grid, self.area) if self.area else None


R = TypeVar("R", bound=ImageRequest)


def order_image(
    task: str,
    kind: str,
    record: SceneRecord,
    request: ImageRequest,
    area_outline: Mapping[str, Any] | None = None,
    *,
    owner: str = "",
    name: str = "",
    parents: tuple[str, ...] = (),
) -> Order:
    """The order of a run of a model on a stored scene, with its inventory where it has one.

    Parameters
    ----------
    area_outline
        The part to work on in place of that of the request.
    """
    asked = request if area_outline is None else replace(request, area=dict(area_outline))
    return Order(
        task, kind, parameters_of(asked), inputs_of(record), request.model, parents=parents, owner=owner, name=name
    )  # fmt: skip


@dataclass(frozen=True)
class Local:
    """A raster on disk with what belongs to it, for a run in this process.

    Attributes
    ----------
    scene
        The raster; it becomes a scene of the store and stays where it is.
    reference, dem
        Inventory and elevation on disk; None without.
    """

    scene: Scene
    reference: Path | None = None
    dem: Path | None = None


def run_image(
    store: Store,
    local: Local,
    order: Callable[[SceneRecord], Order],
    begun: Callable[[str], None],
    progress: ProgressCallback,
    cancel: Cancel,
) -> str:
    """Run a model on a raster on disk in this process, and return the id of the run.

    Raises
    ------
    LandslideError
        When the run is not possible or was cancelled; in the store it then stands as failed or cancelled.
    """
    record = add_file(store, local.scene, local.reference, local.dem)
    return run_in_process(store, order(record), begun, progress, cancel)


def recorded_request(task: str, kind: str, result: ImageResult) -> Any:  # noqa: ANN401  the kind's own request
    """The request that a finished run answered, to ask the same of another scene."""
    return request_from(task, kind, result.provenance["parameters"])


def request_for(request: R, used: tuple[int, ...], asked: Scene, other: Scene) -> R:
    """A request for all of another scene, whose bands may stand in another order.

    Bands are matched by name where both scenes name them; otherwise the numbers are kept.

    Parameters
    ----------
    used
        Bands of `asked` that the model was given.
    """
    same = other.grid.crs is None and other.grid.shape == asked.grid.shape  # as of a photo of before the event
    request = replace(request, area=None, pixel_size=request.pixel_size if same else None)
    names = {band.index: band.name for band in asked.bands}
    numbers = {band.name: band.index for band in other.bands if band.name}
    wanted = [names.get(number, "") for number in used]
    if not all(name in numbers for name in wanted):
        return request
    return replace(request, bands=tuple(numbers[name] for name in wanted))
