"""Counting a finished probability raster against an inventory, block by block."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.learning.metrics import NODATA_CODE, histogram
from core.learning.spec import ModelSpec
from core.mapping.baseline import colour_index, index_codes
from core.mapping.bridge import bridge_of
from core.mapping.options import Cancel, Progress, ignore, never, stop_if
from core.mapping.result import PROBABILITY, TRUTH, MappingResult
from core.raster.scene import Scene
from core.raster.write import writing

if TYPE_CHECKING:
    from core.raster.align import TruthReader

BLOCK_ROWS = 512


def count_against(
    result: MappingResult,
    truth: TruthReader,
    folder: Path,
    scene: Scene,
    spec: ModelSpec,
    progress: Progress = ignore,
    cancel: Cancel = never,
) -> tuple[dict[str, str], NDArray[np.int64], NDArray[np.int64] | None]:
    """Joint histograms of a run's probability, and of the colour index, with an inventory on the run's grid.

    Parameters
    ----------
    folder
        Where ``truth.tif`` is written.
    progress, cancel
        Told of each block that is counted, and asked before it.

    Returns
    -------
    Paths by role, the joint histogram (2, 255), and that of the colour index; None without three colours.

    Raises
    ------
    RunCancelled
        When asked to stop.
    LandslideError
        When a raster is gone, or the disk is full.
    """
    # The run's other rasters are the same files: paths of the store, which keeps them once.
    artifacts = {role: str(result.artifact(role)) for role in result.artifacts if role != TRUTH}
    artifacts[TRUTH] = "truth.tif"
    counts, baseline = np.zeros((2, 255), dtype=np.int64), np.zeros((2, 255), dtype=np.int64)
    colour, how = spec.bands == ("red", "green", "blue"), bridge_of(result)
    column, row = (round(place) for place in ~scene.grid.transform @ (result.grid.transform.c, result.grid.transform.f))
    height, width = result.grid.shape
    with (
        Scene.open(result.artifact(PROBABILITY)).reader() as reader,
        scene.reader() as colours,
        writing(
            folder / artifacts[TRUTH], result.grid, nodata=NODATA_CODE, descriptions=(TRUTH,),
            overview_resampling="nearest",
        ) as writer,
    ):  # fmt: skip
        tops = range(0, height, BLOCK_ROWS)
        for done, top in enumerate(tops):
            stop_if(cancel)
            progress(done, len(tops))
            window = Window(0, top, width, min(BLOCK_ROWS, height - top))
            real = truth.read(window)
            writer.write(real[None], top, 0)
            codes = reader.read((1,), window).values[0].astype(np.uint8)
            counts += histogram(codes, real)
            if colour:
                patch = colours.read(how.bands, Window(column, row + top, width, window.height))
                index = index_codes(colour_index(how.values(np.where(patch.valid, patch.values, 0), spec)))
                baseline += histogram(np.where(codes != NODATA_CODE, index, NODATA_CODE).astype(np.uint8), real)
    progress(len(tops), len(tops))
    return artifacts, counts, baseline if colour else None
