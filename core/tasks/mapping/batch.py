"""What the table of a batch shows of each mapping."""

from __future__ import annotations

import math
from collections.abc import Mapping

from core.batch.figures import CORRECT, FALSE_ALARM, MISSED, BatchFigures, Figure
from core.learning.metrics import threshold_code
from core.tasks.mapping.findings import LARGEST, find, pixel_area, score
from core.tasks.mapping.result import MappingResult
from core.tasks.mapping.view import Choice

SCORES = ("f1", "iou", "precision", "recall")


def figures(result: MappingResult, view: Choice | None) -> Mapping[str, float]:
    """Landslides, their area and share, and the area analysed; areas need pixels of known size.

    Of a raster of more than `LARGEST` pixels landslides are not counted, and the area is that of all pixels at the
    threshold, as nothing is outlined here.
    """
    choice = view or Choice.default(result)
    if result.grid.width * result.grid.height <= LARGEST:
        landslides = find(result, choice)
        number, found, looked_at = float(landslides.count), float(landslides.areas.sum()), landslides.scene_area
    else:
        pixel = pixel_area(result)
        number, looked_at = math.nan, float(result.counts.sum()) * pixel
        found = float(result.counts[:, threshold_code(choice.threshold) :].sum()) * pixel
    known_size = result.grid.in_metres
    known = {
        "landslides": number,
        "landslide_area_m2": found if known_size else math.nan,
        "landslide_share": found / looked_at if looked_at else math.nan,
        "analysed_area_m2": looked_at if known_size else math.nan,
    }
    agreement = score(result, choice.threshold)
    if agreement is not None:
        known |= {name: float(getattr(agreement.model, name)) for name in (*SCORES, CORRECT, FALSE_ALARM, MISSED)}
    return known


BATCH = BatchFigures(
    (
        Figure("landslides", "Landslides", "count", summed=True),
        Figure("landslide_area_m2", "Landslide area", "area", summed=True),
        Figure("landslide_share", "Share of image", "share"),
        Figure("analysed_area_m2", "Area processed", "area", summed=True),
    ),
    figures,
    "Counted at the model's threshold and the default minimum area of each image; landslides that touch count as one. "
    "In images over 16 megapixels landslides are not counted, and the area is that of all pixels at the threshold.",
)
