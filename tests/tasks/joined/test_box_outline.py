"""Sending a box to a mapping model: what of the map is the box's own, measured, and what must be said of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import BandError, InputError
from core.explain.window import read_part
from core.jobs.perform import perform
from core.raster.area import window_of
from core.raster.grid import Grid
from core.raster.scene import Scene
from core.raster.vectorize import rasterise
from core.raster.windows import Region
from core.runs.store import Store
from core.tasks.detection.box_target import BoxTarget
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.findings import find
from core.tasks.detection.result import DetectionResult
from core.tasks.detection.run import Request, run_detection
from core.tasks.detection.view import Choice
from core.tasks.imagery.inputs import add_file
from core.tasks.imagery.result import ImageResult
from core.tasks.joined.box_outline import (
    MOST_AT_ONCE,
    OutlineQuestion,
    order_outline,
    outline_box,
    outline_question,
    read_outline,
)
from core.tasks.mapping.run import Request as MappingRequest
from core.tasks.mapping.run import run_mapping
from tests.factories import (
    NORTH_UP,
    keep_detection,
    made_detection,
    make_detector_model,
    tiny_spec,
    write_model,
    write_raster,
)

CHOICE = Choice(0.3)


@pytest.fixture(autouse=True)
def _models(models: Path) -> None:
    make_detector_model(models)
    write_model(models, tiny_spec("red"))


def three_reds(folder: Path, placement: str = "north-up") -> Scene:
    """Dark but for three red patches; beside the second, two pixels apart, lies the third."""
    values = np.full((3, 90, 100), 20, np.uint8)
    values[0, 8:14, 10:20] = 250
    values[0, 70:78, 60:74] = 240
    values[0, 68:90, 76:80] = 230
    return Scene.open(write_raster(folder / "scene.tif", values, placement, nodata=0))


def searched(store: Store, scene: Scene) -> DetectionResult:
    return run_detection(store, scene, Request("bright"))


@pytest.mark.parametrize("placement", ["north-up", "south-up", "rotated", "without CRS"])
def test_the_outline_is_the_patch_in_the_box_at_its_place(tmp_path: Path, store: Store, placement: str) -> None:
    scene = three_reds(tmp_path, placement)
    result = searched(store, scene)

    made = outline_box(store, result, outline_question(find(result, CHOICE), 2, "red"))

    stored = store.result(made.id, ImageResult)
    assert (stored.kind, stored.parents, stored.model) == ("outline", (result.id,), "red")
    outline = read_outline(stored)
    assert outline is not None
    expected = np.zeros(scene.grid.shape, bool)
    expected[70:78, 60:74] = True
    # Neither the neighbour, which the margin shows, nor anything else.
    np.testing.assert_array_equal(rasterise(outline, scene.grid), expected)
    row = outline.iloc[0]
    assert row["id"] == find(result, CHOICE).names[1]
    assert (row["parts"], row["area_px"], row["run"]) == (1, 8 * 14, result.id)
    assert row["mean_probability"] == pytest.approx(240 / 255, abs=0.5 / 254)
    assert stored.metrics()["box_share"] == 1
    if scene.grid.is_georeferenced:
        # Pixels of 10 m, within the 0.1 % by which UTM differs from the ground.
        assert row["area_m2"] == pytest.approx(8 * 14 * 100, rel=2e-3)
        assert stored.metrics()["area_m2"] == row["area_m2"]


@pytest.mark.parametrize("placement", ["north-up", "without CRS"])
def test_the_probability_is_that_of_a_mapping_of_all(tmp_path: Path, store: Store, placement: str) -> None:
    scene = three_reds(tmp_path, placement)
    result = searched(store, scene)
    question = outline_question(find(result, CHOICE), 2, "red")

    made = outline_box(store, result, question)

    part = Region(*made.provenance["window"])
    assert part == question.region(scene.grid)
    # A box of 14 by 8 pixels, wider by 4 on each side.
    assert part == Region(66, 56, 16, 22)
    mapped = run_mapping(store, scene, MappingRequest("red"))
    with Scene.open(mapped.artifact("probability")).reader() as reader:
        whole = reader.read((1,), window_of(part)).values[0]
    np.testing.assert_array_equal(read_part(made.artifact("probability"), scene.grid, part), whole)


def detected(store: Store, folder: Path, scene: Scene, corners: list[list[float]]) -> DetectionResult:
    """A detection in a scene whose boxes are given."""
    record = add_file(store, scene)
    made = made_detection(
        folder, Boxes.of(corners, np.linspace(0.9, 0.5, len(corners))), shape=scene.grid.shape, scene=scene.name,
        scene_digest=scene.digest, scene_id=record.id, grid=scene.grid, model="bright",
    )  # fmt: skip
    return keep_detection(store, made, record.id)


def test_patches_that_lie_mostly_in_the_box_are_one_outline_of_several_parts(tmp_path: Path, store: Store) -> None:
    scene = three_reds(tmp_path)
    result = detected(store, tmp_path, scene, [[58, 66, 82, 90]])

    made = outline_box(store, result, outline_question(find(result, CHOICE), 1, "red"))

    outline = read_outline(made)
    assert outline is not None
    assert len(outline) == 1
    assert outline["parts"].iloc[0] == 2
    assert outline["area_px"].iloc[0] == 8 * 14 + 22 * 4
    assert made.metrics()["box_share"] == pytest.approx((8 * 14 + 22 * 4) / (24 * 24))


def test_of_what_reaches_far_beyond_the_box_only_the_part_in_it_is_taken_and_that_is_said(
    tmp_path: Path, store: Store
) -> None:
    scene = three_reds(tmp_path)
    result = detected(store, tmp_path, scene, [[60, 70, 64, 74]])

    made = outline_box(store, result, outline_question(find(result, CHOICE), 1, "red"))

    outline = read_outline(made)
    assert outline is not None
    assert outline["area_px"].iloc[0] == 16
    assert "cut off at the edge of the processed area" in made.notes[-1]


def test_where_nothing_reaches_the_threshold_there_is_no_outline_but_the_highest_probability(
    tmp_path: Path, store: Store
) -> None:
    scene = three_reds(tmp_path)
    result = searched(store, scene)

    made = outline_box(store, result, outline_question(find(result, CHOICE), 3, "red", 0.95))

    assert read_outline(made) is None
    assert set(made.artifacts) == {"probability"}
    assert made.metrics() == {"box_share": 0}
    assert "the highest is 0.90" in made.notes[-1]


def test_a_job_gives_what_the_page_gives(tmp_path: Path, store: Store) -> None:
    scene = three_reds(tmp_path)
    result = searched(store, scene)
    question = outline_question(find(result, CHOICE), 1, "red", 0.4)

    identity = store.order(order_outline(result, question))
    perform(store, identity, raising=True)

    there, here = store.result(identity, ImageResult), outline_box(store, result, question)
    # Files are kept by their content, so that the same content is the same file.
    assert there.artifacts["probability"] == here.artifacts["probability"]
    assert there.metrics() == here.metrics()


def test_what_cannot_be_outlined_is_refused_and_leaves_no_run(tmp_path: Path, store: Store, models: Path) -> None:
    scene = three_reds(tmp_path)
    result = searched(store, scene)
    detections, before = find(result, CHOICE), store.count()
    write_model(models, tiny_spec("near-infrared", bands=("red", "green", "blue", "nir"), mean=(0,) * 4,
                                  deviation=(1,) * 4))  # fmt: skip

    with pytest.raises(InputError, match="no box 9"):
        outline_question(detections, 9, "red")
    with pytest.raises(InputError, match="not between 0 and 1"):
        outline_question(detections, 1, "red", 1.5)
    with pytest.raises(BandError):
        outline_box(store, result, outline_question(detections, 1, "near-infrared"))
    with pytest.raises(InputError, match="outside the image"):
        outline_box(store, result, OutlineQuestion(BoxTarget((500, 500, 510, 510), 0.5), "red"))
    assert store.count() == before


def test_a_large_box_is_no_work_for_a_waiting_page() -> None:
    grid = Grid(4000, 4000, NORTH_UP, None)
    side = MOST_AT_ONCE**0.5

    def asked(wide: float) -> OutlineQuestion:
        return OutlineQuestion(BoxTarget((100, 100, 100 + wide, 100 + wide), 0.5), "red")

    assert not asked(side / 2).is_large(grid)
    assert asked(side).is_large(grid)
