"""Tiles and pictures of a map are painted by the breaks, the band and the range of their address."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.plots.colours import rgb
from core.plots.layers import TileLayer, classed, scaled
from core.raster.write import write_array
from core.runs.store import Store
from core.serve import layers as module
from core.serve.layers import Layer
from core.serve.placing import extent
from core.serve.routes import routes
from core.serve.shown import Raster, ShownMap, remember
from tests.factories import keep
from tests.serve.made import HEIGHT, WIDTH, Made

COLOURS = ("#102030", "#405060", "#708090")
HEAD = 54
"""Pixels above the map of a picture."""


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=routes()))


@pytest.fixture
def painted(pixels: Made, monkeypatch: pytest.MonkeyPatch) -> str:
    """Id of a run with a raster of two bands, 10 and 30 everywhere, and layers that take all of an address."""
    store = Store(pixels.run.folder.parent)
    path = store.home.parent / "bands.tif"
    values = np.stack([np.full((HEIGHT, WIDTH), value, np.float32) for value in (10, 30)])
    write_array(path, pixels.record.scene.grid, values, nodata=-1)
    artifacts = {"probability": str(pixels.run.artifact("probability")), "bands": str(path)}
    layers: Mapping[str, TileLayer] = {
        "classes": TileLayer(("probability",), classed(COLOURS)),
        "bands": TileLayer(("bands",), scaled("gray")),
    }
    monkeypatch.setattr(module, "layers_of", lambda task: layers)
    return keep(store, replace(pixels.run, artifacts=artifacts, has_reference=False), pixels.record.id).id


def tile(client: TestClient, address: str) -> NDArray[np.uint8]:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGBA"))


def test_a_tile_parts_classes_at_the_breaks(client: TestClient, painted: str) -> None:
    image = tile(client, f"/tiles/run/{painted}/classes/0/0/0.png?breaks=0.25,0.5")

    at = [100, 99, 101, 198, 200]  # probability rises by 1 / 399 a column: 0.25 at 99.75, 0.5 at 199.5
    assert [tuple(image[50, column, :3]) for column in at] == [rgb(COLOURS[one]) for one in (1, 0, 1, 1, 2)]
    assert not image[:10, :, 3].any()


def test_a_tile_shows_the_band_and_the_range_of_its_address(client: TestClient, painted: str) -> None:
    address = f"/tiles/run/{painted}/bands/0/0/0.png"

    shown = {query: tile(client, f"{address}?{query}")[50, 50, :3].tolist() for query in (
        "range=10,30", "range=10,30&band=2", "range=-10,30&band=1",
    )}  # fmt: skip

    assert list(shown.values()) == [[0] * 3, [255] * 3, [128] * 3]


@pytest.mark.parametrize(
    ("query", "word"), [("band=3", "3"), ("band=1000", "band"), ("band=-1", "band"), ("breaks=0.5,0.5", "Breaks"),
                        ("breaks=1", "Breaks"), ("range=5,5", "range"), ("range=inf,1", "range")],
)  # fmt: skip
def test_what_cannot_be_chosen_is_refused(client: TestClient, painted: str, query: str, word: str) -> None:
    answer = client.get(f"/tiles/run/{painted}/bands/0/0/0.png?{query}")

    assert answer.status_code == 400, answer.text
    assert word in answer.json()["error"]


def test_each_choice_is_a_tile_of_its_own(client: TestClient, painted: str) -> None:
    address = f"/tiles/run/{painted}/classes/0/0/0.png"

    tags = {client.get(f"{address}?{query}").headers["etag"] for query in ("breaks=0.2", "breaks=0.3", "band=1")}

    assert len(tags) == 3


def test_the_picture_of_a_map_shows_the_same_classes(client: TestClient, pixels: Made, painted: str) -> None:
    layer = Layer.at(f"/tiles/run/{painted}/classes/{{z}}/{{x}}/{{y}}.png?breaks=0.25,0.5")
    grid = pixels.record.scene.grid
    shown = ShownMap(grid, (Raster("classes", "Classes", layer),), ())
    left, bottom, right, top = extent(grid, globe=False)
    query = {"left": left, "bottom": bottom, "right": right, "top": top, "width": WIDTH, "height": HEIGHT, "scale": 1}

    answer = client.get(f"/maps/{remember(shown, painted)}.png", params={**query, "layers": "t0:1"})

    assert answer.status_code == 200, answer.text
    image = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB")).astype(int)
    for column, colour in ((50, COLOURS[0]), (150, COLOURS[1]), (300, COLOURS[2])):
        assert np.abs(image[HEAD + 100, column] - rgb(colour)).max() <= 1
