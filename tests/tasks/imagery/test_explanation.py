"""An explanation is the same payload whatever the task, and those that earlier versions stored still open."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InputError
from core.learning.metrics import encode
from core.raster.scene import Scene
from core.raster.write import write_array
from core.report.attribution import attribution_of
from core.report.bundle import bundle, manifest
from core.runs.kinds import request_from
from core.runs.records import Order
from core.runs.store import Store
from core.tasks.detection.findings import find as find_boxes
from core.tasks.detection.run import Request as DetectionRequest
from core.tasks.detection.run import run_detection
from core.tasks.detection.run_explanation import explain_box, question_of
from core.tasks.detection.view import Choice as BoxChoice
from core.tasks.imagery.addresses import explanation as explanation_address
from core.tasks.imagery.explanation import ExplanationRequest, curves_in, known_explanation
from core.tasks.imagery.result import ImageResult
from core.tasks.imagery.target import AskedOutline, AskedPixel, BoxTarget
from core.tasks.mapping.result import MappingResult
from core.tasks.mapping.run import Request as MappingRequest
from core.tasks.mapping.run import run_mapping
from core.tasks.mapping.run_explanation import explain
from tests.factories import deep_weights, make_detector_model, tiny_spec, write_model, write_raster

KEYS = {
    "run", "model", "method", "method_title", "layer", "layer_title", "target", "form", "signed", "window", "evidence",
    "confidence", "deletion", "curves", "verdict", "seconds", "drop", "drop_random", "deletion_auc", "insertion_auc",
    "random_auc", "share", "sentence", "notes",
}  # fmt: skip


@pytest.fixture
def scene(tmp_path: Path, models: Path) -> Scene:
    """Dark but for a red rectangle in rows 8 to 13, columns 10 to 19."""
    write_model(models, tiny_spec("deep", encoder="deep"), deep_weights())
    make_detector_model(models)
    values = np.full((3, 90, 100), 20, np.uint8)
    values[0, 8:14, 10:20] = 250
    return Scene.open(write_raster(tmp_path / "scene.tif", values))


def of_mapping(store: Store, scene: Scene, method: str = "hires-cam") -> ImageResult:
    result = run_mapping(store, scene, MappingRequest("deep", engine="torch"))
    return explain(store, result, (10, 15), method=method)


def of_detection(store: Store, scene: Scene, method: str = "hires-cam") -> ImageResult:
    result = run_detection(store, scene, DetectionRequest("bright"))
    return explain_box(store, result, question_of(find_boxes(result, BoxChoice(0.3)), 1, method))


@pytest.mark.parametrize(("task", "make"), [("mapping", of_mapping), ("detection", of_detection)])
def test_every_task_stores_the_same(store: Store, scene: Scene, task: str, make: Any) -> None:
    why = make(store, scene)

    content = json.loads(why.artifact("explanation").read_text("utf-8"))
    assert set(content) == KEYS | {task}
    assert (content["run"], content[task]) == (why.id, why.parents[0])
    assert (content["method"], content["form"], content["signed"]) == ("hires-cam", "raster", True)
    begin = "Masking the 20 % of the explained part with the highest values lowered the score (logit) by "
    assert content["verdict"].startswith(begin)
    assert content["deletion_auc"] < content["random_auc"] < content["insertion_auc"]
    assert content["seconds"] >= 0
    assert set(why.metrics()) == {"drop", "drop_random", "deletion_auc", "insertion_auc", "random_auc"}
    for name in ("method", "layer", "target", "window", "deletion", "curves", "verdict", "seconds", "scene", "model"):
        assert name in why.provenance
    with Scene.open(why.artifact("cam")).reader() as reader:
        assert reader.read((1,)).values.dtype == np.int16
    shown = attribution_of(why)
    assert shown.signed
    np.testing.assert_allclose(shown.values[9:13, 13:18], 1)
    curves = curves_in(store.provenance(why.id))
    assert curves is not None
    assert curves.confidence_random == pytest.approx(content["random_auc"])


def test_an_explanation_opens_with_what_it_is_of_selected(store: Store, scene: Scene) -> None:
    run = store.run(of_mapping(store, scene).id)
    parent = run.parents[0]
    for target, selected in (
        ({"landslide": "L6X2X", "outline": {}}, {"selected": "L6X2X"}),
        ({"box": [1, 2, 3, 4], "score": 0.5, "number": "B3KAA"}, {"selected": "B3KAA"}),
        ({"landslide": 7, "outline": {}}, {}),  # an old run recorded a number
        ({"row": 3, "column": 4}, {}),
    ):
        asked = replace(run, parameters={**run.parameters, "target": target})
        assert explanation_address(asked) == (run.task, {"run": parent, "why": run.id, **selected})


def test_the_files_of_an_explanation_are_part_of_the_bundle_of_its_run(store: Store, scene: Scene) -> None:
    why = of_mapping(store, scene)

    told = manifest(store, store.run(why.parents[0]))
    names = [file["file"] for file in told["explanations"][0]["artifacts"]]
    digits = why.id[:8]
    assert sorted(names) == [
        f"explanations/{digits}/scene_mapping_cam_{digits}.tif",
        f"explanations/{digits}/scene_mapping_explanation_{digits}.json",
    ]
    assert sum(map(len, bundle(store, why.parents[0]))) > 0


@pytest.mark.parametrize(
    ("task", "target", "expected"),
    [
        ("mapping", {"row": 3, "column": 4}, AskedPixel(3, 4)),
        (
            "mapping",
            {"landslide": 2, "outline": {"type": "Point", "coordinates": [1.0, 2.0]}},
            AskedOutline({"type": "Point", "coordinates": [1.0, 2.0]}, 2),
        ),
        ("detection", {"box": [1, 2, 3, 4], "score": 0.5, "number": None}, BoxTarget((1.0, 2.0, 3.0, 4.0), 0.5)),
    ],
)
def test_what_earlier_versions_asked_is_understood(task: str, target: dict[str, Any], expected: Any) -> None:
    asked = request_from(task, "explanation", {"method": "Grad-CAM", "layer": "first", "target": target})

    assert asked == ExplanationRequest(expected, "grad-cam", "first")


def test_what_cannot_be_asked_is_refused_before_it_is_ordered() -> None:
    with pytest.raises(InputError, match="no method 'guess'"):
        ExplanationRequest(AskedPixel(1, 1), "guess")
    with pytest.raises(InputError, match="boxes only"):
        ExplanationRequest(AskedPixel(1, 1), "d-rise")
    assert ExplanationRequest(BoxTarget((0, 0, 1, 1), 0.5), "D-RISE").method == "d-rise"


def kept_before(store: Store, result: MappingResult, folder: Path) -> ImageResult:
    """An explanation of a mapping as an earlier version stored it: unsigned, on the grid of its window."""
    from rasterio.windows import Window

    grid = result.grid.window(Window(4, 2, 32, 32))
    values = np.zeros((32, 32), np.float32)
    values[6:12, 6:16] = 1
    folder.mkdir()
    write_array(folder / "cam.tif", grid, encode(values)[None], nodata=255, descriptions=("cam",))
    asked = {"method": "Grad-CAM", "layer": "first", "target": {"row": 10, "column": 15}}
    identity = store.order(Order("mapping", "explanation", asked, result.inputs, result.model, (result.id,)))
    assert store.claim(identity, server="tests", worker="tests")
    told = {**asked, "deletion": {"share": 0.2, "drop": 2.0, "drop_random": 0.5}, "model": {"weights_sha256": "0" * 64}}
    made = ImageResult(
        id=identity, kind="explanation", folder=folder, artifacts={"cam": "cam.tif"}, inputs=result.inputs,
        model=result.model, parents=(result.id,), provenance=told, notes=("Bright.",), grid=grid,
    )  # fmt: skip
    store.finish(identity, made)
    return store.result(identity, ImageResult)


def test_an_explanation_of_an_earlier_version_opens_and_is_known(tmp_path: Path, store: Store, scene: Scene) -> None:
    from core.report.explained import explanation_figure

    result = run_mapping(store, scene, MappingRequest("deep", engine="torch"))
    why = kept_before(store, result, tmp_path / "before")

    shown = attribution_of(why)
    assert not shown.signed
    assert shown.grid.xy(6, 6) == pytest.approx(scene.grid.xy(8, 10))
    np.testing.assert_allclose(shown.values[6:12, 6:16], 1)
    assert explanation_figure(store, why.id, scene).region.sum() == 25
    known = known_explanation(store, result, ExplanationRequest(AskedPixel(10, 15), "grad-cam", "first"))
    assert known is not None
    assert known.id == why.id
    assert curves_in(why.provenance) is None


def test_an_explanation_that_was_asked_in_an_unknown_way_answers_nothing(store: Store, scene: Scene) -> None:
    result = run_mapping(store, scene, MappingRequest("deep", engine="torch"))
    asked = {"method": "of tomorrow", "layer": "", "target": {"row": 10, "column": 15}}
    store.order(Order("mapping", "explanation", asked, result.inputs, result.model, (result.id,)))

    assert known_explanation(store, result, ExplanationRequest(AskedPixel(10, 15), "grad-cam")) is None


def test_an_answer_that_says_nothing_is_refused_and_leaves_no_run(store: Store, scene: Scene, models: Path) -> None:
    weights = deep_weights()
    write_model(models, tiny_spec("blind", encoder="deep"), {**weights, "last.weight": weights["last.weight"] * 0})
    result = run_mapping(store, scene, MappingRequest("blind", engine="torch"))
    before = store.count()

    with pytest.raises(InputError, match="gives no explanation"):
        explain(store, result, (10, 15), method="occlusion")
    assert store.count() == before


def test_scores_of_another_model_are_not_explained_by_its_successor(
    store: Store, scene: Scene, models: Path
) -> None:
    from core.tasks.imagery.explanation import model_of

    result = run_mapping(store, scene, MappingRequest("deep", engine="torch"))
    told = {**result.provenance, "model": {**result.provenance["model"], "weights_sha256": "1" * 64}}

    with pytest.raises(InputError, match="has changed since this run"):
        model_of("mapping", replace(result, provenance=told))
