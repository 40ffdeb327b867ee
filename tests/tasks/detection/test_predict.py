"""Windows in, candidates out: what a known detector gives for any raster."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.errors import InputError, RunCancelled
from core.learning.preprocessing import preprocess
from core.learning.spec import ModelSpec
from core.raster.area import Area, area_of
from core.raster.scene import Scene
from core.raster.windows import Region
from core.runs.files import content_digest
from core.tasks.detection.boxes import Boxes, overlaps
from core.tasks.detection.candidates import read_boxes, read_outlines
from core.tasks.detection.merge import merge
from core.tasks.detection.options import Options
from core.tasks.detection.predict import Predictor, on_scene, write_candidates
from core.tasks.detection.runtime import DetectorRuntime, Found
from tests.factories import PLACEMENTS, detector_spec, red_weights, write_raster
from tests.tasks.detection.fakes import BrightBoxes

Image = NDArray[np.uint8]


def dark(height: int, width: int) -> Image:
    return np.full((3, height, width), 40, np.uint8)


def with_patches(height: int, width: int, *patches: tuple[int, int, int, int], value: int = 230) -> Image:
    """A dark image with bright rectangles (left, top, right, bottom)."""
    image = dark(height, width)
    for left, top, right, bottom in patches:
        image[0, top:bottom, left:right] = value
    return image


def predictor(scene: Scene, spec: ModelSpec | None = None, *, outlines: bool = False, **options: Any) -> Predictor:
    spec = spec or detector_spec()
    detector = BrightBoxes(3, outlines=outlines)
    detector.load_state_dict(red_weights())
    how = preprocess(scene, spec, stretch="none")
    return Predictor(scene, spec, how, DetectorRuntime(detector, 1), Options(**options))


def found(made: Predictor, area: Area | None = None) -> Boxes:
    """Merged boxes."""
    return merge(candidates(made, area), 0.5, join_distance=made.join_distance).boxes


def candidates(made: Predictor, area: Area | None = None) -> Boxes:
    return Boxes.joined([portion.boxes for portion in made.candidates(area)])


def corners(boxes: Boxes) -> list[list[float]]:
    return sorted(boxes.corners.tolist())


def shown(made: Predictor) -> list[tuple[int, ...]]:
    detector = made.runtime.detector
    assert isinstance(detector, BrightBoxes)
    return detector.seen


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """Two small patches, one long across and one long down, each through many windows."""
    image = with_patches(
        260, 300, (10, 8, 22, 18), (30, 60, 290, 72), (200, 90, 214, 250), (100, 150, 111, 163)
    )  # fmt: skip
    return Scene.open(write_raster(tmp_path / "scene.tif", image))


KNOWN = [[10, 8, 22, 18], [30, 60, 290, 72], [100, 150, 111, 163], [200, 90, 214, 250]]


@pytest.mark.parametrize("overlap", [0.0, 0.1, 0.25, 0.5, 0.75])
@pytest.mark.parametrize("tile", [32, 64, 96, 512])
def test_the_same_landslides_are_found_wherever_windows_lie(scene: Scene, tile: int, overlap: float) -> None:
    assert corners(found(predictor(scene, detector_spec(tile=tile), overlap=overlap))) == KNOWN


@given(st.integers(0, 9999), st.sampled_from([0.1, 0.25, 0.5]), st.sampled_from([32, 64]))
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_landslides_are_found_once_each_across_seams(
    tmp_path: Path, seed: int, overlap: float, tile: int
) -> None:
    random = np.random.default_rng(seed)
    # One in each cell of a grid with room between, so that it is known which pixels are one landslide.
    patches = [
        (column + a, row + b, column + a + w, row + b + h)
        for row in range(0, 200, 50) for column in range(0, 200, 50)
        for a, b, w, h in [(*random.integers(0, 8, 2), *random.integers(4, 40, 2))]
    ]  # fmt: skip
    scene = Scene.open(write_raster(tmp_path / f"{seed}-{tile}.tif", with_patches(200, 200, *patches)))

    assert corners(found(predictor(scene, detector_spec(tile=tile), overlap=overlap))) == sorted(
        [float(edge) for edge in patch] for patch in patches
    )


def test_a_slanting_landslide_across_many_windows_is_one_box(tmp_path: Path) -> None:
    image = dark(300, 300)
    for step in range(200):
        image[0, 40 + step : 52 + step, 30 + step : 42 + step] = 220
    scene = Scene.open(write_raster(tmp_path / "slanting.tif", image))

    assert corners(found(predictor(scene))) == [[30, 40, 241, 251]]


def test_boxes_cut_at_borders_say_so_and_those_at_the_scenes_edge_do_not(tmp_path: Path) -> None:
    scene = Scene.open(write_raster(tmp_path / "edge.tif", with_patches(64, 112, (0, 0, 20, 20), (40, 30, 80, 64))))
    made = candidates(predictor(scene, overlap=0.25))

    told = {tuple(box): cut for box, cut in zip(made.corners.tolist(), made.cut.tolist(), strict=True)}
    # Windows begin at columns 0 and 48.
    assert told == {
        (0, 0, 20, 20): [False] * 4,
        (40, 30, 64, 64): [False, False, True, False],
        (48, 30, 80, 64): [True, False, False, False],
    }


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_boxes_are_in_pixels_of_the_scene_however_it_lies(tmp_path: Path, placement: str) -> None:
    image = with_patches(80, 90, (12, 20, 40, 33))
    scene = Scene.open(write_raster(tmp_path / "scene.tif", image, placement))

    assert corners(found(predictor(scene))) == [[12, 20, 40, 33]]


@pytest.mark.parametrize("distance", [5.0, 20.0])
def test_a_scene_of_another_ground_distance_is_seen_at_the_models_and_answered_on_its_own_grid(
    tmp_path: Path, distance: float
) -> None:
    image = with_patches(150, 180, (20, 30, 60, 58), (100, 20, 170, 80))
    scene = Scene.open(write_raster(tmp_path / "scene.tif", image))
    made = predictor(scene, detector_spec(ground_distance=distance))

    boxes = found(made)

    assert made.plan.window_height == round(64 * distance / 10)
    best = overlaps(boxes.corners, np.array([[20, 30, 60, 58], [100, 20, 170, 80]], np.float32)).max(axis=0)
    assert len(boxes) == 2
    assert (best > 0.85).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (31, 33), (64, 64), (65, 63), (200, 40)])
def test_rasters_of_every_shape_give_boxes_within_themselves(tmp_path: Path, size: tuple[int, int]) -> None:
    height, width = size
    scene = Scene.open(write_raster(tmp_path / "scene.tif", with_patches(height, width, (0, 0, width, height))))
    made = predictor(scene)

    assert corners(found(made)) == [[0, 0, width, height]]
    assert {side % 32 for shape in shown(made) for side in shape[-2:]} == {0}


def test_what_is_mirrored_beyond_a_small_scene_is_no_second_landslide(tmp_path: Path) -> None:
    scene = Scene.open(write_raster(tmp_path / "scene.tif", with_patches(40, 40, (10, 28, 22, 36))))

    assert corners(candidates(predictor(scene))) == [[10, 28, 22, 36]]


def test_nodata_never_has_a_box_and_windows_without_data_are_not_shown(tmp_path: Path) -> None:
    image = with_patches(200, 300, (10, 10, 40, 30), (150, 40, 180, 60), (250, 150, 280, 170), value=250)
    valid = np.ones((200, 300), dtype=bool)
    valid[:, 128:] = False
    scene = Scene.open(write_raster(tmp_path / "scene.tif", image, mask=valid))
    made = predictor(scene, batch=1)

    assert corners(found(made)) == [[10, 10, 40, 30]]
    whole = len(made.windows())
    with_data = sum(window.column < 128 for window in made.windows())
    assert sum(shape[0] for shape in shown(made)) == with_data < whole


class Everywhere:
    """Stands for a runtime: one box over each whole window, whatever it shows."""

    name, threads, has_masks = "everywhere", 1, False

    def detect(self, batch: NDArray[np.float32], min_confidence: float, max_detections: int) -> list[Found]:
        height, width = batch.shape[-2:]
        box = np.array([[0, 0, width, height]], np.float32)
        return [Found(box, np.array([0.9], np.float32), np.zeros(1, np.int16)) for _ in batch]


def everywhere(scene: Scene, **options: Any) -> Predictor:
    spec = detector_spec()
    return Predictor(scene, spec, preprocess(scene, spec, stretch="none"), Everywhere(), Options(**options))


def test_a_box_that_lies_on_nodata_for_the_most_part_or_in_its_middle_is_left_out(tmp_path: Path) -> None:
    for name, hole in {"most": np.s_[:, 20:], "middle": np.s_[30:34, 30:34], "little": np.s_[:, :20]}.items():
        valid = np.ones((64, 64), dtype=bool)
        valid[hole] = False
        scene = Scene.open(write_raster(tmp_path / f"{name}.tif", dark(64, 64), mask=valid))

        assert len(candidates(everywhere(scene))) == (name == "little")


def test_an_area_has_the_boxes_whose_middles_lie_in_it(tmp_path: Path, scene: Scene) -> None:
    left = Area(Region(0, 0, 260, 150))
    triangle = area_of(scene.grid, _drawn(scene, [(0, 0), (60, 0), (0, 60)]))

    # What reaches further than the windows that touch the area ends with them.
    assert corners(found(predictor(scene), left)) == [[10, 8, 22, 18], [30, 60, 160, 72], [100, 150, 111, 163]]
    assert corners(found(predictor(scene), triangle)) == [[10, 8, 22, 18]]


def _drawn(scene: Scene, pixels: list[tuple[int, int]]) -> dict[str, Any]:
    from rasterio.warp import transform_geom

    ring = [scene.grid.transform @ pixel for pixel in [*pixels, pixels[0]]]
    drawn: dict[str, Any] = transform_geom(scene.grid.crs, "EPSG:4326", {"type": "Polygon", "coordinates": [ring]})
    return drawn


def test_the_file_holds_the_candidates_and_the_same_run_has_the_same_digest(tmp_path: Path, scene: Scene) -> None:
    made = predictor(scene)

    count = write_candidates(made, tmp_path / "one.parquet")
    write_candidates(predictor(scene), tmp_path / "two.parquet")
    write_candidates(predictor(scene, overlap=0.5), tmp_path / "three.parquet")

    kept, known = read_boxes(tmp_path / "one.parquet"), candidates(made)
    assert len(kept) == count
    np.testing.assert_array_equal(kept.corners, known.corners)
    np.testing.assert_array_equal(kept.cut, known.cut)
    digests = [content_digest(tmp_path / f"{name}.parquet") for name in ("one", "two", "three")]
    assert digests[0] == digests[1] != digests[2]


def test_outlines_are_kept_in_pixels_of_the_scene(tmp_path: Path) -> None:
    image = dark(100, 100)
    triangle = np.tri(20, 20, dtype=bool)
    image[0, 70:90, 60:80][triangle] = 230
    scene = Scene.open(write_raster(tmp_path / "scene.tif", image))

    write_candidates(predictor(scene, outlines=True), tmp_path / "boxes.parquet")

    boxes = read_boxes(tmp_path / "boxes.parquet")
    whole = np.flatnonzero((boxes.corners == [60, 70, 80, 90]).all(axis=1))
    (outline, *_) = read_outlines(tmp_path / "boxes.parquet", whole)
    assert outline.area == triangle.sum()
    assert shapely.get_coordinates(outline).min(axis=0).tolist() == [60, 70]


def test_a_scene_without_landslides_leaves_an_empty_file(tmp_path: Path) -> None:
    scene = Scene.open(write_raster(tmp_path / "scene.tif", dark(80, 80)))

    assert write_candidates(predictor(scene), tmp_path / "none.parquet") == 0
    assert len(read_boxes(tmp_path / "none.parquet")) == 0


def test_progress_rises_to_the_number_of_windows_also_over_nodata(tmp_path: Path) -> None:
    valid = np.ones((200, 200), dtype=bool)
    valid[:, 100:] = False
    scene = Scene.open(write_raster(tmp_path / "scene.tif", dark(200, 200), mask=valid))
    steps: list[tuple[int, int]] = []
    made = predictor(scene, batch=2)

    list(made.candidates(progress=lambda done, total: steps.append((done, total))))

    assert steps == sorted(steps)
    assert steps[-1] == (len(made.windows()), len(made.windows()))


def test_cancelling_leaves_no_file_and_no_thread(tmp_path: Path, scene: Scene) -> None:
    threads = threading.active_count()
    asked: list[None] = []

    def third_time() -> bool:
        asked.append(None)
        return len(asked) == 3

    with pytest.raises(RunCancelled):
        write_candidates(predictor(scene, batch=1), tmp_path / "out" / "boxes.parquet", cancel=third_time)

    assert len(asked) == 3
    assert list((tmp_path / "out").iterdir()) == []
    assert threading.active_count() == threads


def test_what_goes_wrong_while_reading_ahead_is_said(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "scene.tif", dark(40, 40))
    made = predictor(Scene.open(path))
    write_raster(path, dark(50, 50))

    with pytest.raises(InputError, match="has changed since it was opened"):
        candidates(made)


@pytest.mark.parametrize(
    "wrong",
    [
        {"overlap": 1.0},
        {"batch": 0},
        {"min_confidence": 0.0},
        {"min_confidence": 1.0},
        {"max_detections": 0},
        {"max_detections": 5000},
    ],
)
def test_options_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Options(**wrong)


def test_the_least_confidence_and_the_most_detections_are_kept(scene: Scene) -> None:
    assert len(candidates(predictor(scene, detector_spec(tile=512), min_confidence=0.95))) == 0
    of_windows = predictor(scene, max_detections=1)
    assert 4 < len(candidates(of_windows)) <= len(of_windows.windows())


def test_a_batch_is_as_many_windows_as_was_asked(scene: Scene) -> None:
    made = predictor(scene, batch=3)

    candidates(made)

    assert {shape[0] for shape in shown(made)[:-1]} == {3}
    assert replace(made, options=Options()).batch == 32


def test_a_reference_counts_where_its_middle_has_data_and_was_searched(tmp_path: Path) -> None:
    valid = np.ones((100, 1500), dtype=bool)
    valid[:50, :] = False
    scene = Scene.open(write_raster(tmp_path / "scene.tif", np.zeros((3, 100, 1500), np.uint8), mask=valid))
    reference = Boxes.of([[10, 10, 20, 20], [10, 60, 20, 70], [1400, 60, 1500, 100], [1400, 0, 1500, 40]])

    assert on_scene(reference, scene, (1, 2, 3)).tolist() == [False, True, True, False]
    assert on_scene(reference, scene, (1, 2, 3), Area(Region(0, 0, 100, 700))).tolist() == [False, True, False, False]
