"""A map made by many: each block a part of its own, computed anywhere, all gathered into the rasters of one process.

Whoever leads plans `core.tasks.mapping.predict.Predictor.blocks`, has `write_part` called once for each of them, in any
order and any process that sees the folder, and then calls `gather`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rasterio.windows import Window

from core.errors import InputError, StorageError
from core.learning.metrics import COUNTED
from core.raster.area import Area
from core.raster.grid import Grid
from core.raster.progress import Cancel, ProgressCallback, ignore, never, stop_if
from core.raster.untrusted import open_untrusted
from core.raster.windows import Region
from core.raster.write import TILE, RasterWriter, atomic_path
from core.tasks.mapping.blocks import Counts, file_names, grid_of, rasters
from core.tasks.mapping.predict import Predictor, roles, write_block

if TYPE_CHECKING:
    from core.raster.align import ReferenceReader

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Part:
    """One finished block.

    Attributes
    ----------
    block
        Its place in the scene.
    files
        Its rasters by role.
    counts
        What was counted in it.
    made_by
        All that its values depend on.
    """

    block: Region
    files: Mapping[str, Path]
    counts: Counts
    made_by: Mapping[str, Any]


def write_part(
    predictor: Predictor,
    block: Region,
    parts: Path,
    area: Area | None = None,
    reference: ReferenceReader | None = None,
    progress: ProgressCallback = ignore,
    cancel: Cancel = never,
) -> Counts:
    """Compute one block into files of its own.

    Parameters
    ----------
    predictor
        The model made ready for the scene, with the same choices, runtime and threads for every part.
    block
        One of ``predictor.blocks(area)``.
    parts
        Folder of the parts, of one run alone; made when it is not there.
    area, reference, cancel
        As for `core.tasks.mapping.predict.write_rasters`.
    progress
        Told the windows done and all windows of this block; ``predictor.windows(block)`` says how many each has.

    Returns
    -------
    What was counted in the block; `gather` finds it beside the part.

    Raises
    ------
    RunCancelled, StorageError, InputError
        The part is then missing, also when an earlier attempt had left one.
    """
    manifest = _manifest(parts, block)
    # The part counts from the moment when its manifest is there, which is written last.
    manifest.unlink(missing_ok=True)
    names = {role: f"{manifest.stem}-{name}" for role, name in file_names(roles(predictor, reference)).items()}
    with rasters(parts, names, grid_of(predictor.scene.grid, block)) as sinks:
        counts = write_block(predictor, block, sinks, block, area, reference, progress, cancel)
    content = {
        "files": names,
        "model": counts.model.tolist(),
        "baseline": counts.baseline.tolist(),
        "made_by": _made_by(predictor),
    }
    with atomic_path(manifest) as aside:
        aside.write_text(json.dumps(content), encoding="utf-8")
    return counts


def gather(
    parts: Path, grid: Grid, blocks: Sequence[Region], folder: Path, cancel: Cancel = never
) -> tuple[Grid, dict[str, str], Counts]:
    """Put the parts together into what `core.tasks.mapping.predict.write_rasters` writes, in constant memory.

    Parameters
    ----------
    parts
        Folder of the parts, which is removed when all went well.
    grid
        The scene's grid.
    blocks
        All that were planned, in their order.
    folder
        Where the Cloud Optimized GeoTIFFs appear, whole or not at all.

    Returns
    -------
    Grid of the rasters, file names by role, and what was counted.

    Raises
    ------
    StorageError
        When a part is missing or damaged, or the disk is full. The parts stay.
    InputError
        When the parts were not all made from the same scene by the same model in the same way.
    RunCancelled
        When `cancel`, asked at each row of tiles, says so. The parts stay.
    """
    found = [_read(parts, block) for block in blocks]
    if any((part.made_by, part.files.keys()) != (found[0].made_by, found[0].files.keys()) for part in found):
        raise InputError(
            "The parts of the map were not all made in the same way.",
            "Image, model, settings, runtime and threads must be the same for all parts.",
            "Run the mapping again.",
        )
    region, counts = _around(blocks), Counts()
    whole, names = grid_of(grid, region), file_names(tuple(found[0].files))
    with rasters(folder, names, whole) as sinks:
        for part in found:
            counts.add(part.counts)
            for role, path in part.files.items():
                _copy(path, part.block, sinks[role], region, cancel)
    try:
        shutil.rmtree(parts)
    except OSError:
        # The map is whole; what is left of its parts goes with the run's working folder.
        log.exception("the parts in %s could not be removed", parts)
    return whole, names, counts


def _copy(path: Path, block: Region, sink: RasterWriter, region: Region, cancel: Cancel) -> None:
    """Write a part's raster into the whole, one row of tiles at a time."""
    try:
        with open_untrusted(path) as dataset:
            if dataset.shape != (block.height, block.width):
                raise _lost(block, f"It has {dataset.shape} pixels, not {(block.height, block.width)}.")
            for row in range(0, block.height, TILE):
                stop_if(cancel)
                values = dataset.read(window=Window(0, row, block.width, min(TILE, block.height - row)))
                sink.write(values, block.row - region.row + row, block.column - region.column)
    except InputError as error:
        raise _lost(block, str(error)) from error


def _around(blocks: Sequence[Region]) -> Region:
    row, column = min(block.row for block in blocks), min(block.column for block in blocks)
    height, width = max(block.end_row for block in blocks) - row, max(block.end_column for block in blocks) - column
    return Region(row, column, height, width)


def _manifest(parts: Path, block: Region) -> Path:
    return parts / f"{block.row}-{block.column}-{block.height}-{block.width}.json"


def _read(parts: Path, block: Region) -> _Part:
    try:
        content = json.loads(_manifest(parts, block).read_text(encoding="utf-8"))
        return _Part(
            block,
            {role: parts / name for role, name in content["files"].items()},
            Counts(*(np.asarray(content[name], np.int64).reshape(COUNTED) for name in ("model", "baseline"))),
            content["made_by"],
        )
    except (OSError, ValueError, KeyError) as error:
        raise _lost(block, str(error)) from error


def _lost(block: Region, why: str) -> StorageError:
    return StorageError(
        f"The part of the map at row {block.row}, column {block.column} is missing or damaged.",
        why,
        "Run the mapping again.",
    )


def _made_by(predictor: Predictor) -> dict[str, Any]:
    """All that the values of a part depend on, as JSON."""
    how = predictor.preprocessing
    return {
        "scene": predictor.scene.digest,
        "model": hashlib.sha256(predictor.spec.to_toml().encode()).hexdigest(),
        "runtime": predictor.runtime.name,
        "threads": predictor.runtime.threads,
        "overlap": predictor.options.overlap,
        "turned": predictor.options.test_time_augmentation,
        "batch": predictor.batch,
        "bridge": [list(how.bands), list(how.gain), list(how.offset), how.scale],
    }
