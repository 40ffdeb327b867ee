"""What the table of a batch shows of each detection."""

from __future__ import annotations

import math
from collections.abc import Mapping

from core.batch.figures import CORRECT, FALSE_ALARM, MISSED, BatchFigures, Figure
from core.tasks.detection.findings import find
from core.tasks.detection.result import DetectionResult
from core.tasks.detection.searched import searched_area
from core.tasks.detection.view import Choice

SCORES = ("f1", "precision", "recall", "ap50", "ap50_95")


def figures(result: DetectionResult, view: Choice | None) -> Mapping[str, float]:
    """Detections, the highest confidence, and the area searched, which is unknown where pixels have no known size."""
    found = find(result, view or Choice.default(result))
    searched = searched_area(result) if result.grid.in_metres else math.nan
    known = {
        "detections": float(found.count),
        "detections_per_km2": found.count / (searched / 1e6) if searched else math.nan,
        "highest_confidence": float(found.boxes.scores[0]) if found.count else math.nan,
        "searched_area_m2": searched,
    }
    if found.scores is not None:
        known |= {name: float(getattr(found.scores, name)) for name in SCORES}
        right, boxes, landslides = found.scores.hits, found.scores.found, found.scores.truth
        known |= {CORRECT: right, FALSE_ALARM: boxes - right, MISSED: landslides - right}
    return known


BATCH = BatchFigures(
    (
        Figure("detections", "Detections", "count", summed=True),
        Figure("detections_per_km2", "Detections per km²", "rate"),
        Figure("highest_confidence", "Highest confidence", "level"),
        Figure("searched_area_m2", "Area processed", "area", summed=True),
    ),
    figures,
    "Counted at the model's confidence threshold and NMS IoU. Landslides that touch may share one box, and a large one "
    "may have several: the number of detections is not the number of landslides.",
)
