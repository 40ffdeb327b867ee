"""Asking a detection why it found a box: the right place, an artifact of its own, and a sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import InputError
from core.explain.boxes import METHODS
from core.explain.window import read_part
from core.jobs.perform import perform
from core.learning.metrics import decode_signed
from core.raster.scene import Scene
from core.raster.windows import Region
from core.report.explained import explanation_figure
from core.runs.store import Store
from core.tasks.detection.findings import Detections, find
from core.tasks.detection.result import DetectionResult
from core.tasks.detection.run import Request, run_detection
from core.tasks.detection.run_explanation import (
    explain_box,
    known_explanation,
    layers_of_detector,
    order_explanation,
    question_of,
)
from core.tasks.detection.view import Choice
from core.tasks.imagery.explanation import ExplanationRequest
from core.tasks.imagery.result import ImageResult
from core.tasks.imagery.target import AskedPixel, BoxTarget
from tests.factories import about, detector_spec, make_detector_model, red_weights, write_model, write_raster

CHOICE = Choice(0.3)


@pytest.fixture(autouse=True)
def _model(models: Path) -> None:
    make_detector_model(models)


def two_reds(folder: Path, placement: str = "north-up") -> Scene:
    """Dark but for two red rectangles: rows 8 to 13 at columns 10 to 19, and rows 70 to 77 at columns 80 to 93."""
    values = np.full((3, 90, 100), 20, np.uint8)
    values[0, 8:14, 10:20] = 250
    values[0, 70:78, 80:94] = 240
    values[:, 0, 0] = 0
    return Scene.open(write_raster(folder / "scene.tif", values, placement, nodata=0))


def searched(store: Store, scene: Scene) -> tuple[DetectionResult, Detections]:
    result = run_detection(store, scene, Request("bright"))
    return result, find(result, CHOICE)


def attribution(result: ImageResult, parent: DetectionResult) -> np.ndarray:
    """The stored map on the whole scene, NaN outside of its window."""
    part = Region(*result.provenance["window"])
    whole = np.full(parent.grid.shape, np.nan, np.float32)
    values = decode_signed(read_part(result.artifact("cam"), parent.grid, part))
    whole[part.row : part.end_row, part.column : part.end_column] = values
    return whole


@pytest.mark.parametrize("placement", ["north-up", "south-up", "rotated", "without CRS"])
@pytest.mark.parametrize("number", [1, 2])
def test_the_map_marks_the_box_wherever_it_lies(tmp_path: Path, store: Store, placement: str, number: int) -> None:
    scene = two_reds(tmp_path, placement)
    result, detections = searched(store, scene)
    assert detections.count == 2

    why = explain_box(store, result, question_of(detections, number))

    whole = attribution(why, result)
    rows, columns = ((slice(8, 14), slice(10, 20)), (slice(70, 78), slice(80, 94)))[number - 1]
    np.testing.assert_allclose(whole[rows, columns], 1)
    outside = np.ones(whole.shape, bool)
    outside[rows, columns] = False
    assert np.nanmax(np.abs(whole[outside])) == 0
    # The raster lies where it belongs: its own grid says so, or it is as large as the scene.
    row, column = why.provenance["window"][:2]
    if scene.grid.is_georeferenced:
        assert why.grid.xy(0, 0) == pytest.approx(scene.grid.xy(row, column))
    else:
        assert why.grid == scene.grid


def test_what_has_no_data_has_no_attribution(tmp_path: Path, store: Store) -> None:
    scene = two_reds(tmp_path)
    result, detections = searched(store, scene)

    whole = attribution(explain_box(store, result, question_of(detections, 1)), result)

    assert np.isnan(whole[0, 0])
    assert np.isfinite(whole[1:64, 1:64]).all()


def test_an_explanation_is_a_run_of_its_own_that_names_what_it_explains(tmp_path: Path, store: Store) -> None:
    scene = two_reds(tmp_path)
    result, detections = searched(store, scene)
    question = question_of(detections, 2)

    why = store.result(explain_box(store, result, question).id, ImageResult)

    assert (why.kind, why.parents, why.scene_digest, why.model) == (
        "explanation", (result.id,), scene.digest, "bright",
    )  # fmt: skip
    told = why.provenance
    assert told["method"] == "HiResCAM"
    assert told["layer"] == "last"
    assert told["target"] == {"box": [80, 70, 94, 78], "score": pytest.approx(240 / 255), "number": detections.names[1]}
    # The mean of red within the box is its evidence: no logit in this made-up detector, but the number that it gives.
    assert told["evidence"] == pytest.approx(240 / 255)
    assert why.notes[0].startswith("Red areas raised the score, blue areas lowered it.")
    # The highest 20 % of the map holds all of the box: its mean becomes that of the window's red.
    assert why.metrics()["drop"] > why.metrics()["drop_random"]
    curve = told["curves"]
    assert curve["deletion"][0] == curve["insertion"][-1] == pytest.approx(240 / 255)
    assert list(curve["deletion"]) == sorted(curve["deletion"], reverse=True)
    assert why.metrics()["insertion_auc"] > why.metrics()["deletion_auc"]


@pytest.mark.parametrize("method", METHODS)
def test_every_method_marks_the_box_that_is_asked_about(tmp_path: Path, store: Store, method: str) -> None:
    scene = two_reds(tmp_path)
    result, detections = searched(store, scene)

    whole = attribution(explain_box(store, result, question_of(detections, 1, method)), result)

    row, column = np.unravel_index(int(np.nanargmax(whole)), whole.shape)
    assert 8 <= row < 14
    assert 10 <= column < 20


def test_a_job_gives_what_the_page_gives_and_is_found_again(tmp_path: Path, store: Store) -> None:
    scene = two_reds(tmp_path)
    result, detections = searched(store, scene)
    question = question_of(detections, 1, "occlusion")
    assert known_explanation(store, result, question) is None

    identity = store.order(order_explanation(result, question, owner="somebody"))
    waiting = known_explanation(store, result, question)
    assert waiting is not None
    assert waiting.id == identity
    perform(store, identity, raising=True)

    # By another number, as another choice gives it, it is the same box.
    known = known_explanation(store, result, replace(question, target=replace(question.target, number=7)))
    assert known is not None
    assert known.id == identity
    assert known_explanation(store, result, replace(question, method="d-rise")) is None
    here = explain_box(store, result, question)
    np.testing.assert_array_equal(attribution(store.result(identity, ImageResult), result), attribution(here, result))


@pytest.mark.parametrize("placement", ["north-up", "without CRS"])
def test_a_stored_explanation_is_pictured_with_its_box_and_both_signs(
    tmp_path: Path, store: Store, placement: str
) -> None:
    scene = two_reds(tmp_path, placement)
    result, detections = searched(store, scene)
    why = explain_box(store, result, question_of(detections, 2))

    seen = explanation_figure(store, why.id, scene)

    assert seen.region.sum() == 8 * 14
    assert (seen.image[seen.region][:, 0] > 200).all()
    np.testing.assert_allclose(seen.attribution[seen.region], 1)
    # Without its scene the picture is grey, and the rest stays.
    assert np.unique(explanation_figure(store, why.id, None).image).size == 1


def test_the_layers_of_the_detector_are_offered(tmp_path: Path, store: Store) -> None:
    result, _ = searched(store, two_reds(tmp_path))
    assert [layer.name for layer in layers_of_detector(result)] == ["last"]


def test_a_box_larger_than_the_window_is_asked_about_in_its_middle(tmp_path: Path, store: Store) -> None:
    values = np.full((3, 150, 200), 20, np.uint8)
    values[0, 10:140, 10:190] = 250
    scene = Scene.open(write_raster(tmp_path / "scene.tif", values))
    result, detections = searched(store, scene)

    why = explain_box(store, result, question_of(detections, 1))

    assert any("larger than the detector's field of view" in note for note in why.notes)
    assert why.provenance["window"] == [43, 68, 64, 64]


def test_what_cannot_be_asked_is_refused_and_leaves_no_run(tmp_path: Path, store: Store) -> None:
    scene = two_reds(tmp_path)
    result, detections = searched(store, scene)
    before = store.count()

    with pytest.raises(InputError, match="no box 3"):
        question_of(detections, 3)
    with pytest.raises(InputError, match="no method 'guess'"):
        question_of(detections, 1, "guess")
    with pytest.raises(InputError, match="no layer 'other'"):
        explain_box(store, result, question_of(detections, 1, layer="other"))
    with pytest.raises(InputError, match="outside the image"):
        explain_box(store, result, ExplanationRequest(BoxTarget((500, 500, 510, 510), 0.5), "hires-cam"))
    with pytest.raises(InputError, match="boxes only"):
        order_explanation(result, ExplanationRequest(AskedPixel(10, 15), "grad-cam"))
    with Scene.open(scene.path).reader() as reader:
        turned = reader.read((1, 2, 3)).values[:, ::-1].astype(np.uint8)
    other = store.add_scene(write_raster(tmp_path / "other.tif", turned, nodata=0), "other")
    with pytest.raises(InputError, match="no longer the image of this run"):
        explain_box(store, about(result, identity=other.id), question_of(detections, 1))
    assert store.count() == before


def test_only_what_one_detector_found_can_be_explained(tmp_path: Path, store: Store) -> None:
    scene = two_reds(tmp_path)
    result, detections = searched(store, scene)
    why = explain_box(store, result, question_of(detections, 1))

    with pytest.raises(InputError, match="not made by a single detector"):
        order_explanation(why, question_of(detections, 1))
    with pytest.raises(InputError, match="cannot be used for this: it is “Explanation"):
        store.result(why.id, DetectionResult)
    joined = replace(result, kind="fused", provenance={})
    with pytest.raises(InputError, match="not made by a single detector"):
        order_explanation(joined, question_of(detections, 1))


def test_a_model_that_was_trained_again_does_not_explain_its_predecessor(
    tmp_path: Path, store: Store, models: Path
) -> None:
    scene = two_reds(tmp_path)
    result, detections = searched(store, scene)
    write_model(models, detector_spec(), {**red_weights(3), "last.bias": torch.tensor([-0.1])})

    with pytest.raises(InputError, match="has changed since this run"):
        explain_box(store, result, question_of(detections, 1))
