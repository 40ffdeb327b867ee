"""What the table of a batch shows of a detection."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from core.runs.store import Store
from core.tasks.detection.batch import figures
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.result import DetectionResult
from core.tasks.detection.view import Choice
from tests.factories import keep_detection, made_detection


def test_scores_come_with_the_counts_they_are_computed_from(store: Store, tmp_path: Path) -> None:
    truth = Boxes.of([(10, 10 + 20 * n, 20, 20 + 20 * n) for n in range(4)])
    found = Boxes.of([(10, 10, 20, 20), (10, 30, 20, 40), (60, 60, 70, 70)], [0.9, 0.8, 0.7])
    run = keep_detection(store, made_detection(tmp_path / "made", found, reference=truth))
    result = store.result(run.id, DetectionResult)
    told = figures(result, None)
    assert (told["true_positive"], told["false_positive"], told["false_negative"]) == (2, 1, 2)
    assert math.isclose(told["precision"], 2 / 3)
    assert math.isclose(told["recall"], 2 / 4)
    surest = figures(result, Choice(0.85))
    assert (surest["true_positive"], surest["false_positive"], surest["false_negative"]) == (1, 0, 3)
    bare = keep_detection(store, made_detection(tmp_path / "bare", found.take(np.array([0, 1]))))
    assert "true_positive" not in figures(store.result(bare.id, DetectionResult), None)
