"""A fused run: what it holds, what it stands on, what it refuses, and where terrain to search comes from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS

from core.errors import GridError, InputError
from core.jobs.perform import run_in_process
from core.raster.grid import Grid
from core.raster.relief import RELIEF_BANDS
from core.raster.write import write_array
from core.runs.records import RunFilter
from core.runs.store import Store
from core.tasks.detection import terrain
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.findings import default_choice, find
from core.tasks.detection.fusion import FusionTree, Node
from core.tasks.detection.result import DetectionResult
from core.tasks.detection.run_fused import find_tree, learn_from, list_trees, moved, order_fused
from tests.factories import detector_spec, keep_detection, made_detection, make_detector_model

UTM = CRS.from_epsg(32633)
TREE = FusionTree(
    "by-hand",
    "",
    0.3,
    0.4,
    (Node("terrain_score", 0.3, 1, 2), Node(probability=0.2, boxes=9), Node(probability=0.9, boxes=5)),
    {"places": ["here", "there"]},
)
STEEP = replace(TREE, nodes=(Node("slope", 15.0, 1, 2), *TREE.nodes[1:]))

IMAGE = Boxes.of([(10, 10, 20, 20), (40, 40, 52, 50)], [0.8, 0.6])
GROUND = Boxes.of([(40, 41, 52, 50), (70, 70, 80, 80)], [0.7, 0.5])
TRUTH = Boxes.of([(41, 40, 52, 50)])


def optical(tmp_path: Path, **changes: Any) -> DetectionResult:
    return made(tmp_path / "image", IMAGE, reference=TRUTH, scene="image", model="eye", **changes)


def ground(tmp_path: Path, **changes: Any) -> DetectionResult:
    return made(tmp_path / "ground", GROUND, scene="relief", scene_digest="1" * 64, model="foot", **changes)


def made(folder: Path, boxes: Boxes, **changes: Any) -> DetectionResult:
    folder.mkdir()
    return made_detection(folder, boxes, **changes)


@pytest.fixture
def pair(quick_store: Store, tmp_path: Path) -> tuple[DetectionResult, DetectionResult]:
    return keep_detection(quick_store, optical(tmp_path)), keep_detection(quick_store, ground(tmp_path))


def test_a_fused_run_holds_the_boxes_of_both_with_the_scores_of_the_tree(
    quick_store: Store, pair: tuple[DetectionResult, DetectionResult]
) -> None:
    fused = quick_store.result(run_in_process(quick_store, order_fused(*pair, TREE)), DetectionResult)

    assert (fused.kind, fused.parents, fused.model) == ("fused", (pair[0].id, pair[1].id), "eye + foot")
    boxes = fused.candidates()
    # The image's own box where there is one; what terrain confirms comes first, what it alone found next.
    assert boxes.corners.tolist() == [[40, 40, 52, 50], [70, 70, 80, 80], [10, 10, 20, 20]]
    assert boxes.scores[1] > 0.8 > 0.3 > boxes.scores[2]
    found = find(fused, default_choice(fused))
    assert fused.confidence == TREE.threshold
    assert found.count == 2
    assert fused.metrics()["ap50"] == 1.0
    assert pair[0].metrics()["ap50"] == pytest.approx(0.5, abs=0.01)


def test_a_fused_run_says_where_it_comes_from(
    quick_store: Store, pair: tuple[DetectionResult, DetectionResult]
) -> None:
    fused = quick_store.result(run_in_process(quick_store, order_fused(*pair, TREE)), DetectionResult)

    assert FusionTree.from_json(fused.provenance["tree"]) == TREE
    assert [told["run"] for told in fused.provenance["fused"]] == [pair[0].id, pair[1].id]
    assert "here, there" in fused.notes[-1]
    assert {run.id for run in quick_store.children(pair[1].id, "fused")} == {fused.id}


def test_a_fused_run_is_not_asked_why_but_its_detectors_are(
    quick_store: Store, pair: tuple[DetectionResult, DetectionResult]
) -> None:
    from core.tasks.detection.run_explanation import order_explanation, question_of

    fused = quick_store.result(run_in_process(quick_store, order_fused(*pair, TREE)), DetectionResult)
    question = question_of(find(fused, default_choice(fused)), 1)
    with pytest.raises(InputError, match="one of the runs that it combines"):
        order_explanation(fused, question)


def test_a_tree_that_asks_for_slope_needs_the_elevation_of_the_scene(
    quick_store: Store, pair: tuple[DetectionResult, DetectionResult]
) -> None:
    with pytest.raises(InputError, match="no elevation model"):
        run_in_process(quick_store, order_fused(*pair, STEEP))
    assert [run.status for run in quick_store.children(pair[0].id, "fused")] == ["failed"]


def test_elevation_of_the_scene_is_asked_where_the_tree_wants_it(quick_store: Store, tmp_path: Path) -> None:
    image = optical(tmp_path)
    # Steep in the west, where the first box lies, level elsewhere.
    columns = np.minimum(np.arange(120.0), 30.0)
    dem = np.repeat(columns[None] * 10.0, 100, axis=0).astype(np.float32)
    write_array(tmp_path / "dem.tif", image.grid, dem)
    write_array(tmp_path / "scene.tif", image.grid, np.ones((3, 100, 120), np.uint8))
    record = quick_store.add_scene(tmp_path / "scene.tif", "image", dem=tmp_path / "dem.tif", origin="test")
    one = keep_detection(quick_store, image, record.id)
    two = keep_detection(quick_store, ground(tmp_path))

    fused = quick_store.result(run_in_process(quick_store, order_fused(one, two, STEEP)), DetectionResult)

    assert fused.candidates().corners[0].tolist() == [10, 10, 20, 20]
    assert (fused.candidates().scores > 0.5).sum() == 1


def test_what_cannot_be_fused_is_refused(tmp_path: Path) -> None:
    image = optical(tmp_path)
    searched = {"parameters": {"area": {"type": "Polygon", "coordinates": []}}}
    cases = [
        (replace(image, id="1" * 32, kind="fused"), InputError, "already a fused run"),
        (image, InputError, "itself"),
        (replace(image, id="1" * 32, provenance=searched), InputError, "different areas"),
        (replace(image, id="1" * 32, grid=replace(image.grid, crs=CRS.from_epsg(3035))), GridError, "coordinate"),
    ]
    for other, error, words in cases:
        with pytest.raises(error, match=words):
            order_fused(image, other, TREE)


def test_what_holds_no_boxes_cannot_be_fused(
    quick_store: Store, pair: tuple[DetectionResult, DetectionResult]
) -> None:
    outline = keep_detection(quick_store, replace(pair[1], kind="outline"), parents=(pair[1].id,))

    with pytest.raises(InputError, match="cannot be used for this: it is “Outline"):
        run_in_process(quick_store, order_fused(pair[0], outline, TREE))
    assert quick_store.count(RunFilter(kinds=("fused",), statuses=("done",))) == 0


def test_boxes_are_carried_to_a_grid_of_other_pixels() -> None:
    fine = Grid(200, 200, Affine(5, 0, 500_000, 0, -5, 5_000_000), UTM)
    coarse = Grid(50, 50, Affine(10, 0, 500_100, 0, -10, 5_000_000), UTM)
    boxes = Boxes.of([(20, 0, 40, 20), (30, 10, 34, 14), (0, 0, 10, 10)], [0.9, 0.8, 0.7])

    carried = moved(boxes, fine, coarse)

    assert carried.corners.tolist() == [[0, 0, 10, 10], [5, 5, 7, 7]]
    assert carried.scores.tolist() == pytest.approx([0.9, 0.8])
    assert moved(boxes, fine, fine) is boxes


def test_boxes_on_a_turned_grid_are_those_around_the_turned_ones() -> None:
    upright = Grid(100, 100, Affine(1, 0, 0, 0, -1, 100), UTM)
    turned = Grid(100, 100, Affine.translation(50, 50) * Affine.rotation(45) * Affine.scale(1, -1), UTM)

    (left, top, right, bottom), *_ = moved(Boxes.of([(0, 0, 10, 10)]), turned, upright).corners.tolist()

    # A square of 10 stands on its corner: 14.1 wide and high, its origin at (50, 50).
    assert (right - left, bottom - top) == pytest.approx((200**0.5, 200**0.5), abs=1e-3)
    assert (left, (top + bottom) / 2) == pytest.approx((50, 50), abs=1e-3)


def test_a_tree_is_learnt_from_runs_of_different_places_with_a_reference(quick_store: Store, tmp_path: Path) -> None:
    pairs = []
    for number in range(3):
        left, top = np.arange(20) % 5 * 20.0, np.arange(20) // 5 * 20.0
        corners = np.stack([left, top, left + 9, top + 9], axis=1)
        rng = np.random.default_rng(number)
        right = rng.permutation(20) < 10
        image = made(
            tmp_path / f"image{number}", Boxes.of(corners, rng.uniform(0.4, 0.6, 20)),
            reference=Boxes.of(corners[right]), scene=f"valley {number}", scene_digest=str(number) * 64,
        )  # fmt: skip
        terrain_ = made(tmp_path / f"ground{number}", Boxes.of(corners[right], np.full(10, 0.5)))
        pairs.append((keep_detection(quick_store, image).id, keep_detection(quick_store, terrain_).id))

    tree, told = learn_from(quick_store, pairs, "learnt", "")

    assert tree.trained["places"] == ["valley 0", "valley 1", "valley 2"]
    assert tree.trained["detectors"] == ["made + made"]
    assert told.fused.ap50 > 0.95
    with pytest.raises(InputError, match="cover the same area"):
        learn_from(quick_store, [pairs[0], pairs[1], pairs[0]], "twice", "")
    with pytest.raises(InputError, match="no reference"):
        learn_from(quick_store, [(ground_, image_) for image_, ground_ in pairs], "turned round", "")


def test_relief_of_a_scene_is_a_scene_that_says_what_it_is(quick_store: Store, tmp_path: Path) -> None:
    grid = Grid(40, 30, Affine(10, 0, 500_000, 0, -10, 5_000_000), UTM)
    write_array(tmp_path / "dem.tif", grid, np.random.default_rng(0).uniform(0, 99, grid.shape).astype(np.float32))
    write_array(tmp_path / "scene.tif", grid, np.ones((3, 30, 40), np.uint8))
    record = quick_store.add_scene(
        tmp_path / "scene.tif", "A valley", dem=tmp_path / "dem.tif", origin="test", synthetic=True, licence="CC0"
    )

    relief = terrain.relief_scene(quick_store, record)

    assert [band.name for band in relief.scene.bands] == list(RELIEF_BANDS)
    assert relief.scene.grid == grid
    assert (relief.scene.synthetic, relief.scene.licence) == (True, "CC0")
    assert terrain.relief_scene(quick_store, record).id == relief.id


def test_relief_needs_elevation_and_is_not_made_of_a_vast_one_while_a_page_waits(
    quick_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = Grid(40, 30, Affine(10, 0, 500_000, 0, -10, 5_000_000), UTM)
    write_array(tmp_path / "dem.tif", grid, np.zeros(grid.shape, np.float32))
    bare = quick_store.add_scene(tmp_path / "dem.tif", "bare", origin="test")
    vast = quick_store.add_scene(tmp_path / "dem.tif", "vast", dem=tmp_path / "dem.tif", origin="test")
    monkeypatch.setattr(terrain, "LARGEST", 1000)

    with pytest.raises(InputError, match="no elevation model"):
        terrain.relief_scene(quick_store, bare)
    with pytest.raises(InputError, match="detection relief"):
        terrain.relief_scene(quick_store, vast)


def test_terrain_runs_are_those_of_terrain_detectors_on_the_same_ground(
    quick_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIDELENS_MODELS", str(tmp_path / "models"))
    make_detector_model(tmp_path / "models", detector_spec("foot", bands=RELIEF_BANDS))
    make_detector_model(tmp_path / "models", detector_spec("eye"))
    image = keep_detection(quick_store, optical(tmp_path))
    here = keep_detection(quick_store, ground(tmp_path))
    away = Affine.translation(1e6, 0) * image.grid.transform
    for name, changes in {"far": {"grid": replace(image.grid, transform=away)}, "seen": {"model": "eye"}}.items():
        keep_detection(quick_store, replace(made(tmp_path / name, GROUND, model="foot"), **changes))

    assert [run.id for run in terrain.terrain_runs(quick_store, image)] == [here.id]
    assert [model.spec.name for model in terrain.terrain_models()] == ["foot"]


def test_trees_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIDELENS_MODELS", str(tmp_path))
    assert list_trees() == ()
    with pytest.raises(InputError, match="'oak'.*none"):
        find_tree("oak")
    with pytest.raises(InputError, match="Unknown decision tree"):
        find_tree("../detection/secret")
