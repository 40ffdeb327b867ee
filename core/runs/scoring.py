"""Counting a finished probability raster against an inventory, block by block."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.errors import StorageError
from core.learning.metrics import NODATA_CODE, histogram
from core.mapping.result import PROBABILITY, TRUTH, MappingResult
from core.raster.scene import Scene
from core.raster.write import writing

if TYPE_CHECKING:
    from core.raster.align import TruthReader

BLOCK_ROWS = 512


def count_against(
    result: MappingResult, truth: TruthReader, folder: Path
) -> tuple[dict[str, str], NDArray[np.int64]]:
    """Joint histogram of a run's probability and an inventory on the run's grid.

    Parameters
    ----------
    folder
        Where ``truth.tif`` is written and the run's rasters are linked (copied where links are not possible).

    Returns
    -------
    File names by role, and the joint histogram (2, 255).
    """
    artifacts = dict(result.artifacts)
    for role, name in result.artifacts.items():
        _link(result.artifact(role), folder / name)
    artifacts[TRUTH] = "truth.tif"
    (folder / artifacts[TRUTH]).unlink(missing_ok=True)
    counts = np.zeros((2, 255), dtype=np.int64)
    height, width = result.grid.shape
    with (
        Scene.open(result.artifact(PROBABILITY)).reader() as reader,
        writing(
            folder / artifacts[TRUTH], result.grid, nodata=NODATA_CODE, descriptions=(TRUTH,),
            overview_resampling="nearest",
        ) as writer,
    ):  # fmt: skip
        for row in range(0, height, BLOCK_ROWS):
            window = Window(0, row, width, min(BLOCK_ROWS, height - row))
            real = truth.read(window)
            writer.write(real[None], row, 0)
            counts += histogram(reader.read((1,), window).values[0].astype(np.uint8), real)
    return artifacts, counts


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        try:
            shutil.copyfile(source, target)
        except OSError as error:
            raise StorageError("A raster of the run could not be copied.", str(error), "Free space.") from error
