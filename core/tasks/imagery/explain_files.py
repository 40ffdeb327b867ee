"""The files of an explanation for other programs and for people: JSON, GeoTIFF and picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.explain.attribution import EXPLANATION
from core.explain.window import write_part
from core.raster.windows import Region
from core.raster.write import atomic_path
from core.report.attribution import attribution_of
from core.tasks.imagery.inputs import known_scene
from core.tasks.imagery.result import ImageResult

if TYPE_CHECKING:
    from core.runs.store import Store

RASTER, PICTURE = "explanation.tif", "explanation.png"


def write_files(store: Store, identity: str, folder: Path) -> None:
    """Write an explanation into a folder: its own files and a manifest, a raster of shares, and a picture.

    The raster ``explanation.tif`` holds the attribution itself, float32 in [−1, 1] with NaN as nodata; ``cam.tif``
    holds the same as the store keeps it. The picture ``explanation.png`` is the one of the report.

    Raises
    ------
    LandslideError
        When its files are gone or the folder cannot be written.
    """
    from core.figures.attribution import draw_attribution
    from core.figures.image import image_below
    from core.report.exporting import export_files
    from core.report.pictures import picture
    from core.report.reasons import target_region

    run, why = store.run(identity), store.result(identity, ImageResult)
    export_files(store, run, folder, plain=True)
    shown, record = attribution_of(why), known_scene(store, run)
    # Without a coordinate system the run's grid is that of the scene, at whose pixels the window lies.
    place = why.grid if not why.grid.is_georeferenced else shown.grid
    part = Region(*why.provenance["window"]) if not place.is_georeferenced else Region(0, 0, *shown.grid.shape)
    write_part(
        folder / RASTER, place, part, shown.values.astype(np.float32), nodata=float("nan"),
        descriptions=(EXPLANATION,),
    )  # fmt: skip
    parent = store.result(why.parents[0], ImageResult)
    region = target_region(why.provenance.get("target"), shown.grid, parent)
    image = None if record is None else image_below(record.scene, shown.grid, shown.grid.shape)
    figure = draw_attribution(image, shown.values, shown.grid, region, signed=shown.signed)
    drawn = picture(figure, "", "", largest=1 << 40)
    with atomic_path(folder / PICTURE) as aside:
        aside.write_bytes(drawn.file)
