"""Asking a run why: the right place, an artifact of its own, and a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rasterio.warp import transform_geom
from rasterio.windows import Window
from torch import Tensor, nn

from core.errors import InputError
from core.explain.layer_tests import LayerTest, LayerTests
from core.jobs.jobs import InlineJobs
from core.learning.segmentation import architecture
from core.raster.area import area_of
from core.raster.scene import Scene
from core.raster.windows import Region
from core.report.attribution import attribution_of
from core.report.explained import explanation_figure
from core.runs.store import Store
from core.tasks.imagery.explanation import ExplanationRequest
from core.tasks.imagery.result import ImageResult
from core.tasks.imagery.target import BoxTarget
from core.tasks.mapping.findings import find
from core.tasks.mapping.result import MappingResult
from core.tasks.mapping.run import Request, run_mapping
from core.tasks.mapping.run_explanation import (
    explain,
    known_explanation,
    layers_of,
    method_of,
    order_explanation,
    request_for,
)
from core.tasks.mapping.view import Choice
from tests.factories import deep_weights, tiny_spec, write_model, write_raster

REQUEST = Request("deep", engine="torch")


@pytest.fixture(autouse=True)
def _model(models: Path) -> None:
    write_model(models, tiny_spec("deep", encoder="deep"), deep_weights())


def two_reds(folder: Path, placement: str = "north-up") -> Scene:
    """Dark but for two red rectangles: rows 8 to 13 at columns 10 to 19, and rows 70 to 77 at columns 80 to 93."""
    values = np.full((3, 90, 100), 20, np.uint8)
    values[0, 8:14, 10:20] = 250
    values[0, 70:78, 80:94] = 250
    values[:, 0, 0] = 0
    return Scene.open(write_raster(folder / "scene.tif", values, placement, nodata=0))


def mapped(store: Store, scene: Scene, drawn: dict[str, Any] | None = None) -> MappingResult:
    return run_mapping(store, scene, REQUEST, area_outline=drawn)


def drawn(scene: Scene) -> dict[str, Any]:
    """The rows from 60 and columns from 50 on, as they are drawn on the map."""
    corners = [scene.grid.transform @ corner for corner in ((50, 60), (100, 60), (100, 90), (50, 90), (50, 60))]
    ring = {"type": "Polygon", "coordinates": [corners]}
    return ring if scene.grid.crs is None else transform_geom(scene.grid.crs, "EPSG:4326", ring)


def layer() -> str:
    return layers_of("deep")[1].name


def test_the_inner_layers_of_a_network_are_offered() -> None:
    layers, suggested = layers_of("deep")

    assert suggested in layers
    assert suggested.name == "first"


@pytest.mark.parametrize("placement", ["north-up", "south-up", "rotated", "without CRS"])
@pytest.mark.parametrize("number", [0, 1])
def test_the_pixels_of_the_polygon_are_asked_about_wherever_it_lies(
    tmp_path: Path, store: Store, placement: str, number: int
) -> None:
    scene = two_reds(tmp_path, placement)
    result = mapped(store, scene)
    target = find(result, Choice(0.5)).polygons.iloc[[number]]

    why = explain(store, result, target, layer())

    seen = explanation_figure(store, why.id, scene)
    assert seen.region.sum() == (8 * 14, 6 * 10)[number]
    # The window shows the rectangle where the region is: red there, dark elsewhere.
    assert (seen.image[seen.region][:, 0] > 200).all()
    assert seen.attribution[seen.region].min() == pytest.approx(1)
    assert seen.attribution[~seen.region].max() < 0.5
    first = (70, 80) if number == 0 else (8, 10)
    row, column = np.argwhere(seen.region)[0]
    assert attribution_of(why).grid.xy(row, column) == pytest.approx(scene.grid.xy(*first))


@pytest.mark.parametrize("placement", ["north-up", "without CRS"])
def test_in_a_drawn_area_the_polygon_is_found_at_its_place_in_the_scene(
    tmp_path: Path, store: Store, placement: str
) -> None:
    scene = two_reds(tmp_path, placement)
    result = mapped(store, scene, drawn(scene))
    assert np.isclose(result.grid.xy(0, 0), scene.grid.xy(60, 50)).all() or placement == "without CRS"
    polygons = find(result, Choice(0.5)).polygons
    assert len(polygons) == 1

    why = explain(store, result, polygons, layer())

    region = explanation_figure(store, why.id, scene).region
    assert region.sum() == 8 * 14
    row, column = np.argwhere(region)[0]
    assert attribution_of(why).grid.xy(row, column) == pytest.approx(scene.grid.xy(70, 80))


def test_a_point_is_asked_about_with_its_surroundings(tmp_path: Path, store: Store) -> None:
    scene = two_reds(tmp_path)

    why = explain(store, mapped(store, scene), (73, 85), layer())

    region = explanation_figure(store, why.id, scene).region
    assert region.sum() == 25
    row, column = np.argwhere(region).mean(axis=0)
    assert attribution_of(why).grid.xy(row, column) == pytest.approx(scene.grid.xy(73, 85))


def test_without_coordinates_the_raster_lies_at_its_place_in_a_large_scene(tmp_path: Path, store: Store) -> None:
    scene = two_reds(tmp_path, "without CRS")

    why = explain(store, mapped(store, scene), (73, 85), layer())

    # The model's window is 32 pixels wide, the scene 100: the raster is as large as the scene, empty elsewhere.
    raster = Scene.open(why.artifact("cam"))
    assert raster.grid == scene.grid == why.grid
    with raster.reader() as reader:
        patch = reader.read((1,))
    row, column, height, width = why.provenance["window"]
    inside = np.zeros(scene.grid.shape, bool)
    inside[row : row + height, column : column + width] = True
    assert (height, width) == (32, 32)
    np.testing.assert_array_equal(patch.valid, inside)
    assert (patch.values[0][70:78, 80:94] == 254).all()


def test_an_explanation_is_a_run_of_its_own_that_names_what_it_explains(tmp_path: Path, store: Store) -> None:
    scene = two_reds(tmp_path)
    result = mapped(store, scene)

    why = explain(store, result, (10, 15), layer())
    stored = store.result(why.id, ImageResult)

    assert (stored.kind, stored.parents, stored.scene_digest) == ("explanation", (result.id,), scene.digest)
    told = stored.provenance
    assert (told["method"], told["layer"], told["signed"]) == ("Grad-CAM", layer(), False)
    assert told["target"] == {"row": 10, "column": 15}
    note = stored.notes[0]
    assert note.startswith(f"Bright areas raised the score most. {told['verdict']}")
    # The logit of the model is 4 times the red value less 2.
    assert told["evidence"] == pytest.approx(4 * 250 / 255 - 2)
    assert told["confidence"] == pytest.approx(1 / (1 + np.exp(2 - 4 * 250 / 255)))
    assert set(stored.provenance["deletion"]) == {"share", "drop", "drop_random"}
    cam = Scene.open(stored.artifact("cam"))
    assert cam.grid.shape == stored.grid.shape
    with cam.reader() as reader:
        patch = reader.read((1,))
    assert patch.values.dtype == np.int16
    # The layer asked passes red on: 250 of it is the most there is, and 20 is 8 % of that.
    with scene.reader() as reader:
        red = reader.read((1,), Window(0, 0, *cam.grid.shape[::-1])).values[0]
    np.testing.assert_allclose(patch.values[0][patch.valid] / 254, red[patch.valid] / 250, atol=0.5 / 254 + 1e-6)
    # The one pixel without data has no attribution.
    assert np.argwhere(~patch.valid).tolist() == [[0, 0]]


class TwoPaths(nn.Module):
    """Red raises the logit at full resolution, and lowers it a little at half of it."""

    def __init__(self) -> None:
        super().__init__()
        self.fine, self.coarse = nn.Conv2d(3, 2, 1), nn.Conv2d(3, 2, 2, 2)
        for layer in (self.fine, self.coarse):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
            layer.weight.data[0, 0] = 1 / layer.weight[0, 0].numel()

    def forward(self, images: Tensor) -> Tensor:
        against = nn.functional.interpolate(self.coarse(images), scale_factor=2)
        return (4 * self.fine(images) - 0.5 * against)[:, :1] - 1


@architecture("two-paths")
def _two_paths(encoder: str, bands: int, options: Mapping[str, Any]) -> nn.Module:
    del encoder, bands, options
    return TwoPaths()


def test_without_a_layer_named_the_deepest_that_shows_something_is_asked(
    tmp_path: Path, store: Store, models: Path
) -> None:
    write_model(models, tiny_spec("two", architecture="two-paths"), TwoPaths().state_dict())
    result = run_mapping(store, two_reds(tmp_path), Request("two", engine="torch"))
    assert layers_of("two")[1].name == "coarse"
    with pytest.raises(InputError, match="no explanation for this place"):
        explain(store, result, (10, 15), "coarse")

    assert explain(store, result, (10, 15)).provenance["layer"] == "fine"
    # With its sign, what the coarse layer took from the score is something to be shown.
    assert explain(store, result, (10, 15), method="hires-cam").provenance["layer"] == "coarse"


def test_without_a_layer_named_the_one_that_held_best_is_asked(tmp_path: Path, store: Store, models: Path) -> None:
    tests = [
        LayerTest("hires-cam", "fine", "Fine", 3.0, 1.0, 2.0, 0.1, 2),
        LayerTest("grad-cam", "fine", "Fine", 2.5, 1.0, 1.5, 0.1, 2),
        LayerTest("hires-cam", "coarse", "Coarse", 0.5, 1.0, -0.5, 0.1, 0),
    ]
    spec = tiny_spec("two", architecture="two-paths", explanation=LayerTests(2, tuple(tests)).to_spec())
    write_model(models, spec, TwoPaths().state_dict())
    result = run_mapping(store, two_reds(tmp_path), Request("two", engine="torch"))

    assert method_of("two") == "hires-cam"
    assert layers_of("two")[1].name == "fine"
    # Untested, the coarse layer would be asked; see above.
    why = explain(store, result, (10, 15), method="hires-cam")
    assert why.provenance["layer"] == "fine"
    assert len(why.notes) == 1


def test_without_curves_an_explanation_is_tested_all_the_same(tmp_path: Path, store: Store) -> None:
    result = mapped(store, two_reds(tmp_path))
    quick, whole = (request_for((10, 15), curves=curves) for curves in (False, True))

    why = explain(store, result, (10, 15), curves=False)

    assert set(why.metrics()) == {"drop", "drop_random"}
    assert why.provenance["curves"] is None
    assert why.notes[-1].startswith("The layers of this model have not been tested")
    assert known_explanation(store, result, quick) is not None
    assert known_explanation(store, result, whole) is None
    again = explain(store, result, (10, 15))
    assert again.provenance["deletion"] == why.provenance["deletion"]
    store.delete(why.id)
    # One with curves answers also who asks for none.
    known = known_explanation(store, result, quick)
    assert known is not None
    assert known.id == again.id


def test_removing_what_spoke_for_it_lowers_the_answer_more_than_removing_anything(
    tmp_path: Path, store: Store
) -> None:
    scene = two_reds(tmp_path)

    why = explain(store, mapped(store, scene), (10, 15), layer())

    removed, numbers = why.provenance["deletion"], why.metrics()
    assert removed["drop"] > max(removed["drop_random"], 0)
    assert (numbers["drop"], numbers["drop_random"]) == (removed["drop"], removed["drop_random"])
    assert numbers["deletion_auc"] < numbers["random_auc"] < numbers["insertion_auc"]


@pytest.mark.parametrize("method", ["grad-cam", "hires-cam", "occlusion"])
def test_every_method_marks_the_place_that_is_asked_about(tmp_path: Path, store: Store, method: str) -> None:
    scene = two_reds(tmp_path)

    why = attribution_of(explain(store, mapped(store, scene), (10, 15), method=method))

    row, column = np.unravel_index(int(np.nanargmax(why.values)), why.values.shape)
    assert 8 <= row < 14
    assert 10 <= column < 20
    assert why.signed == (method != "grad-cam")


def test_a_job_gives_what_the_page_gives_and_is_found_again(tmp_path: Path, store: Store) -> None:
    result = mapped(store, two_reds(tmp_path))
    polygons = find(result, Choice(0.5)).polygons
    request = request_for(polygons.iloc[[1]], "occlusion")
    assert known_explanation(store, result, request) is None

    identity = InlineJobs(store).submit(order_explanation(result, request, owner="somebody"))

    # By another number, as other sliders give it, it is the same outline.
    again = known_explanation(store, result, request_for(polygons.iloc[[1]].assign(id=7), "occlusion"))
    assert again is not None
    assert (again.id, again.status) == (identity, "done")
    assert known_explanation(store, result, request_for(polygons.iloc[[0]], "occlusion")) is None
    assert known_explanation(store, result, request_for(polygons.iloc[[1]], "hires-cam")) is None
    here = explain(store, result, polygons.iloc[[1]], method="occlusion")
    made = store.result(identity, ImageResult)
    np.testing.assert_array_equal(attribution_of(made).values, attribution_of(here).values)


def test_what_cannot_be_asked_is_refused_and_leaves_no_run(tmp_path: Path, store: Store) -> None:
    scene = two_reds(tmp_path)
    result = mapped(store, scene)

    with pytest.raises(InputError, match="no layer"):
        explain(store, result, (10, 15), "no.such")
    with pytest.raises(InputError, match="outside the image"):
        explain(store, result, (500, 15), layer())
    with pytest.raises(InputError, match="explains boxes only"):
        explain(store, result, (10, 15), method="d-rise")
    with pytest.raises(InputError, match="no detections"):
        order_explanation(result, ExplanationRequest(BoxTarget((1, 1, 9, 9), 0.5), "d-rise"))
    assert len(list(store.runs())) == 1


def test_a_model_that_was_trained_again_does_not_explain_its_predecessor(
    tmp_path: Path, store: Store, models: Path
) -> None:
    scene = two_reds(tmp_path)
    result = mapped(store, scene)
    weights = deep_weights()
    write_model(models, tiny_spec("deep", encoder="deep"), {**weights, "last.bias": torch.tensor([-1.0])})

    with pytest.raises(InputError, match="has changed since this run"):
        explain(store, result, (10, 15), "first")


def test_a_network_that_reduces_its_input_can_be_asked(models: Path) -> None:
    from core.learning.segmentation import network_of

    spec = tiny_spec(
        "reduced", architecture="unet", encoder="mobilenet_v2", upscale=0.25, tile=128,
        options={"encoder_depth": 5, "decoder_channels": [8, 8, 8, 8, 8]},
    )  # fmt: skip
    weights = network_of(spec).state_dict()
    write_model(models, spec, {key: value.contiguous() for key, value in weights.items()})

    layers, suggested = layers_of("reduced")

    # The first stage of the encoder halves what is a quarter already.
    assert min(choice.downsampling for choice in layers) == 4
    assert suggested.downsampling >= 8


def test_a_drawn_outline_and_its_region_agree(tmp_path: Path) -> None:
    scene = two_reds(tmp_path, "without CRS")
    ring = [(50, 60), (100, 60), (100, 90), (50, 90), (50, 60)]

    area = area_of(scene.grid, {"type": "Polygon", "coordinates": [ring]})

    assert area.inside is not None
    assert area.inside(Region(60, 50, 30, 50)).all()
    assert area.inside(area.region).sum() == 30 * 50
