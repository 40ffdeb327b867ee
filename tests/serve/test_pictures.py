"""The picture of a map is what the map shows: the same layers, in the same order and opacity, of the same view."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.plots.colours import FOUND, Legend, LegendEntry, rgb
from core.serve.layers import Layer
from core.serve.placing import extent
from core.serve.routes import routes
from core.serve.shown import Raster, ShownMap, remember
from tests.serve.made import COLOURS, HEIGHT, WIDTH, Made
from ui.map_layers import Outlines

HEAD = 54
"""Pixels above the map."""


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=routes()))


def shown(made: Made, *more: Raster, outlines: tuple[str, ...] = ()) -> ShownMap:
    scene = Raster("scene", "Image", Layer.at(f"/x/tiles/scene/{made.record.id}/{{z}}/{{x}}/{{y}}.png?v=1"))
    words = {"title": "A $_scene_$ <b>", "about": "run 1", "credits": ("Image: made.",)}
    return ShownMap(made.record.scene.grid, (scene, *more), outlines, **words)


def asked(client: TestClient, what: ShownMap, layers: str, **other: object) -> tuple[int, NDArray[np.uint8] | str]:
    """Status, and the picture of the scene in its own pixels or what is said instead."""
    left, bottom, right, top = extent(what.grid, globe=what.grid.is_georeferenced)
    query = {"left": left, "bottom": bottom, "right": right, "top": top, "width": WIDTH, "height": HEIGHT, "scale": 1}
    answer = client.get(f"/maps/{remember(what, layers)}.png", params={**query, "layers": layers, **other})
    if answer.status_code != 200:
        return answer.status_code, answer.json()["error"]
    named = answer.headers["content-disposition"]
    runs = [one.layer.id[:8] for one in what.rasters if one.layer is not None and one.layer.kind == "run"]
    expected = f"pixels_mapping_map_{runs[0]}.png" if runs else "A-scene-b_map.png"
    assert named.startswith(f'attachment; filename="{expected}"')
    return 200, np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB"))


def test_layers_lie_over_each_other_as_on_the_map(client: TestClient, pixels: Made) -> None:
    mask = Raster("mask", "Found", Layer.at(f"/tiles/run/{pixels.run.id}/mask/{{z}}/{{x}}/{{y}}.png?threshold=0.75"))
    _, alone = asked(client, shown(pixels, mask), "t0:1")
    assert np.abs(alone[HEAD + 100, 100].astype(int) - COLOURS[0]).max() <= 1
    assert np.abs(alone[HEAD + 100, 250].astype(int) - COLOURS[1]).max() <= 1
    _, both = asked(client, shown(pixels, mask), "t0:1,t1:0.5")
    half = (np.array(rgb(FOUND)) + COLOURS[1]) / 2
    assert np.abs(both[HEAD + 100, 350] - half).max() <= 1
    assert np.abs(both[HEAD + 100, 250].astype(int) - COLOURS[1]).max() <= 1


def test_the_ground_shows_the_same(client: TestClient, ground: Made) -> None:
    _, image = asked(client, shown(ground), "t0:1", scale=2)
    assert image.shape[0] > 2 * HEIGHT
    middle = image[2 * (HEAD + 150)]
    assert np.abs(middle[2 * 190].astype(int) - COLOURS[0]).max() <= 1
    assert np.abs(middle[2 * 210].astype(int) - COLOURS[1]).max() <= 1


def test_outlines_and_legend_are_on_it(client: TestClient, pixels: Made) -> None:
    ring = [[50, -50], [150, -50], [150, -150], [50, -150], [50, -50]]
    square = {"properties": {"id": 1}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    words = Legend("Landslides", (LegendEntry("#0000FF", "Found <b>"),))
    lines = Outlines("found", "Found", {"features": [square]}, "#0000FF", legend=words, fill=1.0, weight=4).script
    _, image = asked(client, shown(pixels, outlines=(lines,)), "t0:1,v0:1")
    assert tuple(image[HEAD + 100, 100]) == (0, 0, 255)
    assert tuple(image[HEAD + 100, 160]) != (0, 0, 255)
    beside = image[:, WIDTH:].reshape(-1, 3)
    assert (beside == (0, 0, 255)).all(axis=1).sum() > 50, "the swatch of the legend"
    _, without = asked(client, shown(pixels, outlines=(lines,)), "t0:1")
    assert np.abs(without[HEAD + 100, 100].astype(int) - COLOURS[0]).max() <= 1


def test_a_divider_parts_two_layers(client: TestClient, pixels: Made) -> None:
    what = shown(pixels)
    left = replace(what.rasters[0], id="left", side="left")
    right = Raster("r", "Found", Layer.at(f"/tiles/run/{pixels.run.id}/mask/{{z}}/{{x}}/{{y}}.png"), side="right")
    _, image = asked(client, replace(what, rasters=(left, right)), "t0:1,t1:1", swipe=0.75)
    assert np.abs(image[HEAD + 100, 250].astype(int) - COLOURS[1]).max() <= 1
    assert np.abs(image[HEAD + 100, 350].astype(int) - np.array(rgb(FOUND))).max() <= 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"left": "nan"}, {"left": 500}, {"width": 20}, {"width": 3000, "height": 2900}, {"scale": 3}, {"top": "1e999"},
        {"layers": "t9:1"}, {"layers": "t0:2"}, {"layers": "../../x"}, {"swipe": "x"}, {"width": "٣٠٠"},
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused(client: TestClient, pixels: Made, wrong: dict[str, object]) -> None:
    status, _ = asked(client, shown(pixels), **{"layers": "t0:1", **wrong})
    assert status == 400


def test_only_our_own_addresses_are_layers() -> None:
    assert Layer.at("https://tile.openstreetmap.org/{z}/{x}/{y}.png") is None
    assert Layer.at("https://elsewhere/tiles/scene/" + "0" * 32 + "/{z}/{x}/{y}.png") is None
