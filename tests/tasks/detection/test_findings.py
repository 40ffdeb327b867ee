"""What stored candidates say at a choice: tables, scores, misses, density."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shapely import Polygon

from core.errors import InputError, StorageError
from core.raster.place_names import place_names
from core.runs.result import RunResult
from core.runs.store import Store
from core.tasks.detection import findings
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.findings import default_choice, density, find
from core.tasks.detection.result import DetectionResult
from core.tasks.detection.view import Choice
from tests.factories import PLACEMENTS, keep_detection, made_detection

FOUND = Boxes.of(
    [[10, 10, 30, 20], [11, 10, 31, 20], [60, 50, 70, 60], [100, 80, 104, 84], [5, 70, 15, 80]],
    [0.9, 0.8, 0.7, 0.6, 0.3],
)
TRUTH = Boxes.of([[10, 10, 30, 20], [5, 70, 15, 80], [90, 20, 100, 30]])


def test_a_choice_decides_what_is_a_box(tmp_path: Path) -> None:
    result = made_detection(tmp_path, FOUND)

    assert find(result, Choice(0.5)).boxes.corners.tolist() == [
        [10, 10, 30, 20], [60, 50, 70, 60], [100, 80, 104, 84]
    ]  # fmt: skip
    assert find(result, Choice(0.65)).count == 2
    assert find(result, Choice(0.0)).count == 4
    assert find(result, Choice(0.5, nms_iou=0.99)).count == 4
    assert find(result, Choice(0.5, merging="fusion")).boxes.scores[0] == pytest.approx(0.85)


def test_the_models_own_choice_is_the_first(tmp_path: Path) -> None:
    result = made_detection(
        tmp_path, FOUND, provenance={"model": {"threshold": 0.6543, "nms_iou": 0.4}}
    )  # fmt: skip

    assert default_choice(result) == Choice(0.65, 0.4)


def test_small_boxes_go_by_their_area_on_the_ground(tmp_path: Path) -> None:
    # 4 by 4 pixels of 10 m.
    result = made_detection(tmp_path, FOUND)

    assert find(result, Choice(0.5, minimum_area=1550)).count == 3
    assert find(result, Choice(0.5, minimum_area=1650)).count == 2


def test_in_pixel_space_areas_are_in_pixels(tmp_path: Path) -> None:
    result = made_detection(tmp_path, FOUND, "without CRS")

    assert find(result, Choice(0.5, minimum_area=16)).count == 3
    assert find(result, Choice(0.5, minimum_area=16.1)).count == 2
    assert find(result, Choice(0.5)).table["area_px"].tolist() == [200, 100, 16]


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_boxes_lie_where_their_pixels_lie(tmp_path: Path, placement: str) -> None:
    result = made_detection(tmp_path, FOUND, placement)

    table = find(result, Choice(0.8)).table

    transform, crs = PLACEMENTS[placement]
    known = Polygon([transform @ corner for corner in [(10, 10), (30, 10), (30, 20), (10, 20)]])
    assert table.geometry[0].equals(known)
    assert (table.crs is None) == (crs is None)
    # Its middle is pixel 15 down and 20 across.
    grid = result.grid
    assert table["id"].tolist() == place_names([15 * grid.width + 20], grid, "B").tolist()
    assert table["class"].tolist() == ["landslide"]


def test_the_area_of_a_box_in_degrees_is_that_of_its_ground(tmp_path: Path) -> None:
    from pyproj import Geod

    table = find(made_detection(tmp_path, FOUND, "geographic"), Choice(0.5)).table

    area, _ = Geod(ellps="WGS84").geometry_area_perimeter(table.geometry[0])
    assert table["area_m2"][0] == pytest.approx(abs(area), rel=1e-3)


def test_beside_a_reference_boxes_are_true_or_false_and_the_rest_is_missed(tmp_path: Path) -> None:
    found = find(made_detection(tmp_path, FOUND, reference=TRUTH), Choice(0.5))

    assert found.table["outcome"].tolist() == ["true", "false", "false"]
    assert found.missed["id"].tolist() == [2, 3]
    assert found.scores is not None
    assert (found.scores.precision, found.scores.recall) == pytest.approx((1 / 3, 1 / 3))
    assert found.scores.found == 3


def test_average_precision_does_not_depend_on_the_chosen_confidence(tmp_path: Path) -> None:
    result = made_detection(tmp_path, FOUND, reference=TRUTH)

    low, high = find(result, Choice(0.1)).scores, find(result, Choice(0.85)).scores

    assert low is not None and high is not None  # noqa: PT018
    # Right are the first and the last of four, of three true ones: 34 recalls of precision 1, 33 of one half, 34 of 0.
    assert low.ap50 == high.ap50 == pytest.approx((34 + 33 * 0.5) / 101)
    assert (low.recall, high.recall) == pytest.approx((2 / 3, 1 / 3))


def test_without_a_reference_there_are_no_scores(tmp_path: Path) -> None:
    found = find(made_detection(tmp_path, FOUND), Choice(0.5))

    assert found.scores is found.curve is found.matches is None
    assert "outcome" not in found.table
    assert found.missed.empty


def test_a_run_without_boxes_has_empty_tables(tmp_path: Path) -> None:
    found = find(made_detection(tmp_path, Boxes.none(), reference=TRUTH), Choice(0.5))

    assert found.table.empty
    assert len(found.missed) == 3
    assert found.scores is not None
    assert found.scores.recall == 0


def test_an_empty_reference_makes_every_box_false(tmp_path: Path) -> None:
    found = find(made_detection(tmp_path, FOUND, reference=Boxes.none()), Choice(0.5))

    assert found.table["outcome"].tolist() == ["false"] * 3
    assert found.scores is not None
    assert np.isnan(found.scores.recall)


def test_density_counts_middles_and_cuts_cells_to_the_scene(tmp_path: Path) -> None:
    result = made_detection(tmp_path, FOUND, "without CRS", shape=(100, 110))

    cells = density(find(result, Choice(0.1)), 50)

    assert cells["count"].tolist() == [1, 0, 0, 1, 1, 1]
    assert cells["area_px"].tolist() == [2500, 2500, 500] * 2
    assert cells["per_mpx"][0] == pytest.approx(400)
    assert cells.geometry[5].bounds == (100, 50, 110, 100)


def test_density_is_per_square_kilometre_of_ground(tmp_path: Path) -> None:
    cells = density(find(made_detection(tmp_path, FOUND, "rotated"), Choice(0.1)), 500)

    assert cells["count"].sum() == 4
    # 100 by 120 pixels of 10 m are 1.2 km².
    assert cells["area_km2"].sum() == pytest.approx(1.2, rel=0.01)
    assert cells["per_km2"][0] == pytest.approx(1 / 0.25, rel=0.01)


@pytest.mark.parametrize("cell", [0, -1, 5, float("nan"), float("inf")])
def test_cells_that_cannot_be_are_refused(tmp_path: Path, cell: float) -> None:
    with pytest.raises(InputError, match="smaller than a pixel"):
        density(find(made_detection(tmp_path, FOUND), Choice(0.1)), cell)


def test_more_cells_than_can_be_drawn_are_refused(tmp_path: Path) -> None:
    result = made_detection(tmp_path, FOUND, shape=(4000, 4000))

    with pytest.raises(InputError, match="exceed the limit"):
        density(find(result, Choice(0.1)), 50)


@pytest.mark.parametrize(
    "wrong",
    [
        {"confidence": 1.1}, {"confidence": float("nan")}, {"nms_iou": -0.1}, {"merging": "best"},
        {"minimum_area": -1.0}, {"minimum_area": float("inf")},
    ],
)  # fmt: skip
def test_choices_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Choice(**{"confidence": 0.5, **wrong})


def test_of_very_many_candidates_the_surest_are_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "MOST", 3)
    found = find(made_detection(tmp_path, FOUND), Choice(0.0))

    assert found.left_out == 2
    assert found.everything.scores.tolist() == pytest.approx([0.9, 0.7])
    assert found.members.tolist() == [0, -1, 1, -1, -1]


def test_what_is_no_detection_has_no_boxes(tmp_path: Path, store: Store) -> None:
    why = keep_detection(store, replace(made_detection(tmp_path, FOUND), kind="explanation"))

    with pytest.raises(InputError, match="cannot be used for this: it is “Explanation"):
        store.result(why.id, DetectionResult)


def test_candidates_that_are_gone_are_said_to_be(tmp_path: Path) -> None:
    result = made_detection(tmp_path, FOUND)
    (tmp_path / "candidates.parquet").unlink()

    with pytest.raises(StorageError, match="no longer on disk"):
        find(result, Choice(0.5))


def test_a_result_comes_back_from_its_json(tmp_path: Path) -> None:
    result = made_detection(tmp_path, FOUND, "rotated", reference=TRUTH)
    content = result.to_json()
    kept = {field.name: getattr(result, field.name) for field in fields(RunResult)}

    assert DetectionResult.from_json(content, **kept) == result
    with pytest.raises(StorageError, match="cannot be read"):
        DetectionResult.from_json({**content, "grid": {}}, **kept)
