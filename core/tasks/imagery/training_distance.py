"""How unlike a model's training images a scene is, tile by tile: a coarse raster, its numbers, and a warning."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError
from core.learning.inputs import input_step, read_window
from core.learning.measure_training import KNOWN, describe
from core.learning.preprocessing import Preprocessing
from core.learning.store import StoredModel, sha256
from core.learning.training_distance import STATISTICS, UNLIKE, TrainingStatistics, statistics_of
from core.raster.area import Area, window_of
from core.raster.progress import Cancel, never, stop_if
from core.raster.windows import Region, WindowPlan
from core.raster.write import PIXEL_SIZE, write_array
from core.tasks.imagery.result import place_of
from core.tasks.imagery.roles import TRAINING_DISTANCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.learning.tile_statistics import Encode
    from core.raster.scene import Scene

MOST_TILES = 100
"""Tiles of a scene that are looked at, on a regular grid: as many take a few seconds."""

UNKNOWN = -1.0
"""Value of the raster where a tile holds too little data to be compared."""

BATCH = 8
"""Tiles that are read before they are shown to the encoder."""


@dataclass(frozen=True)
class Compared:
    """A scene, or an area of it, compared with a model's training images.

    Attributes
    ----------
    record
        What the provenance says: ``measured``, and either ``why`` not, or the tiles' side and number, the share of them
        beyond the limit, the median of their percentiles among the training tiles, the limits and the digest of the
        statistics.
    artifacts
        Name of the raster by its role; none where nothing was measured.
    notes
        The warning, where the scene is unlike.
    """

    record: Mapping[str, Any]
    artifacts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def compare(
    scene: Scene,
    model: StoredModel,
    how: Preprocessing,
    encoder: Callable[[], Encode],
    folder: Path,
    area: Area | None = None,
    cancel: Cancel = never,
) -> Compared:
    """Compare a scene with the images that its model was trained on.

    Parameters
    ----------
    scene, model, how
        As for the run.
    encoder
        Gives the model's encoder; asked only where the training images were measured.
    folder
        Where ``training_distance.tif`` appears: distance of each tile over the limit, float32, `UNKNOWN` without data.
    area
        Part of the scene; all of it when None.

    Raises
    ------
    RunCancelled, StorageError, InputError
        Nothing half-written remains.
    """
    try:
        statistics = statistics_of(model)
    except ModelError as error:
        return Compared({"measured": False, "why": str(error)})
    region = Region(0, 0, *scene.grid.shape) if area is None else area.region
    distances = _distances(scene, model, how, statistics, encoder(), region, area, cancel)
    known = distances[np.isfinite(distances)]
    if not known.size:
        why = f"No tile of {statistics.tile} × {statistics.tile} model pixels holds enough data."
        return Compared({"measured": False, "why": why})
    name = f"{TRAINING_DISTANCE}.tif"
    _write(folder / name, scene, region, np.where(np.isfinite(distances), distances / statistics.limit, UNKNOWN))
    share = round(float((known > statistics.limit).mean()), 4)
    record = {
        "measured": True,
        "tile": statistics.tile,
        "tiles": int(known.size),
        "share_beyond": share,
        "median_percentile": round(float(np.median(statistics.percentile(known))), 1),
        "median_ratio": round(float(np.median(known)) / statistics.limit, 3),
        "limit": statistics.limit,
        "share_limit": statistics.share_limit,
        "statistics_sha256": sha256(model.folder / STATISTICS),
    }
    notes = (_warning(share, place_of(drawn=area is not None)),) if share > statistics.share_limit else ()
    return Compared(record, {TRAINING_DISTANCE: name}, notes)


def _warning(share: float, place: str) -> str:
    return (
        f"{UNLIKE} {100 * share:.0f} % of {place} differs in colour or texture from the images that the model was "
        "trained on. Do not rely on the result in these areas. The map layer “Unlike training images” shows where."
    )


def _distances(
    scene: Scene, model: StoredModel, how: Preprocessing, statistics: TrainingStatistics, encode: Encode,
    region: Region, area: Area | None, cancel: Cancel,
) -> NDArray[np.float64]:  # fmt: skip
    """Distance of the tile in the middle of each cell of a region, (rows, columns); NaN where too little is known."""
    spec, (height, width) = model.spec, scene.grid.shape
    plan = WindowPlan.over(height, width, statistics.tile, 0.0, how.scale, input_step(spec))
    rows, columns = cells(region, plan)
    found = np.full((rows, columns), np.nan)
    mean = np.asarray(spec.mean, dtype=np.float32)[:, None, None]
    deviation = np.asarray(spec.deviation, dtype=np.float32)[:, None, None]

    def compared(batch: list[tuple[tuple[int, int], NDArray[np.float32], NDArray[np.bool_]]]) -> None:
        stop_if(cancel)
        inputs, valid = np.stack([one[1] for one in batch]), np.stack([one[2] for one in batch])
        distances = statistics.distance(*describe(spec, inputs * deviation + mean, valid, encode))
        for (place, _, _), distance in zip(batch, distances, strict=True):
            found[place] = distance

    waiting = []
    with scene.reader() as reader:
        for place, window in _tiles(region, plan, rows, columns, area):
            values, valid = read_window(reader, spec, how, plan, window)
            seen = _at_network(valid, plan)
            if seen.mean() < KNOWN:
                continue
            waiting.append((place, values, seen))
            if len(waiting) == BATCH:
                compared(waiting)
                waiting = []
        if waiting:
            compared(waiting)
    return found


def cells(region: Region, plan: WindowPlan) -> tuple[int, int]:
    """Rows and columns of the cells of a region: one a tile, or as many of about the same shape as may be looked at."""
    rows, columns = -(-region.height // plan.window_height), -(-region.width // plan.window_width)
    if rows * columns <= MOST_TILES:
        return rows, columns
    apart = math.sqrt(rows * columns / MOST_TILES)
    rows = min(max(1, round(rows / apart)), MOST_TILES)
    return rows, max(1, min(round(columns / apart), MOST_TILES // rows))


def _tiles(
    region: Region, plan: WindowPlan, rows: int, columns: int, area: Area | None
) -> Iterator[tuple[tuple[int, int], Region]]:
    """The tile in the middle of each cell, moved into the scene where it would reach beyond; none outside an area."""

    def start(first: int, length: int, number: int, count: int, side: int, whole: int) -> int:
        middle = first + (number + 0.5) * length / count
        return max(0, min(round(middle - side / 2), whole - side))

    for row in range(rows):
        for column in range(columns):
            window = plan.window(
                start(region.row, region.height, row, rows, plan.window_height, plan.height),
                start(region.column, region.width, column, columns, plan.window_width, plan.width),
            )
            cell = _cell(region, row, column, rows, columns)
            if area is None or area.holds(cell).any():
                yield (row, column), window


def _cell(region: Region, row: int, column: int, rows: int, columns: int) -> Region:
    top, left = region.row + row * region.height // rows, region.column + column * region.width // columns
    below = region.row + (row + 1) * region.height // rows
    right = region.column + (column + 1) * region.width // columns
    return Region(top, left, below - top, right - left)


def _at_network(valid: NDArray[np.bool_], plan: WindowPlan) -> NDArray[np.bool_]:
    """Which pixels of the network's input are valid: those whose middle lies on a valid pixel of the scene."""
    height, width = plan.network_height, plan.network_width
    rows = ((np.arange(height) + 0.5) * valid.shape[0] / height).astype(np.intp)
    columns = ((np.arange(width) + 0.5) * valid.shape[1] / width).astype(np.intp)
    taken: NDArray[np.bool_] = valid[np.ix_(rows, columns)]
    return taken


def _write(path: Path, scene: Scene, region: Region, ratios: NDArray[np.float64]) -> None:
    """Write the cells on the ground of the region; on an image without coordinates, with how many pixels each is of."""
    rows, columns = ratios.shape
    placed = scene.grid.window(window_of(region)).resized(columns, rows)
    tags = {"encoding": "distance from the training images / limit; -1 unknown"}
    if not scene.grid.is_georeferenced:
        tags[PIXEL_SIZE] = f"{region.width / columns!r} {region.height / rows!r}"
    write_array(
        path, placed, ratios.astype(np.float32), nodata=UNKNOWN, descriptions=(TRAINING_DISTANCE,), tags=tags,
        overview_resampling="nearest",
    )  # fmt: skip
