"""What is known of one pixel: its values in the scene, its probability, and what the inventory says."""

from __future__ import annotations

from dataclasses import dataclass

from rasterio.windows import Window

from core.learning.metrics import CODES
from core.raster.sample import Place, sample_pixel
from core.raster.scene import Scene
from core.tasks.mapping.result import PROBABILITY, TRUTH, UNCERTAINTY, MappingResult


@dataclass(frozen=True)
class Pixel(Place):
    """One pixel of a map.

    Attributes
    ----------
    probability, uncertainty
        Between 0 and 1; None without data or without such a raster.
    reference
        Whether the inventory has a landslide here; None where unknown.
    """

    probability: float | None
    uncertainty: float | None
    reference: bool | None


def sample_run(scene: Scene, result: MappingResult, row: int, column: int) -> Pixel:
    """Read one pixel of a map and of the scene that was mapped.

    Raises
    ------
    LandslideError
        When the pixel lies outside, or a raster is gone.
    """
    place = sample_pixel(scene, result.grid, row, column)
    reference = _code(result, TRUTH, row, column)
    probability, uncertainty = (_code(result, role, row, column) for role in (PROBABILITY, UNCERTAINTY))
    return Pixel(
        place.row, place.column, place.x, place.y, place.values,
        None if probability is None else probability / (CODES - 1),
        None if uncertainty is None else uncertainty / (CODES - 1),
        None if reference is None else reference == 1,
    )  # fmt: skip


def _code(result: MappingResult, role: str, row: int, column: int) -> int | None:
    if role not in result.artifacts:
        return None
    with Scene.open(result.artifact(role)).reader() as reader:
        code = int(reader.read((1,), Window(column, row, 1, 1)).values[0, 0, 0])
    return None if code == CODES else code
