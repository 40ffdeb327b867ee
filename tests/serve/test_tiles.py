"""Tiles: every pixel of them is known from the scene's own coordinates."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from numpy.typing import NDArray
from PIL import Image
from pyproj import Transformer
from sqlalchemy import Engine, event
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.plots.colours import FALSE_POSITIVE, FOUND, MISSED, PROBABILITY_RAMP, TRUE_POSITIVE, UNLIKE_RAMP, ramp, rgb
from core.raster.grid import Grid
from core.raster.write import PIXEL_SIZE, write_array
from core.runs.store import Store
from core.serve.routes import routes
from core.serve.tiles import empty_png
from tests.factories import keep
from tests.serve.made import COLOURS, HEIGHT, WIDTH, Made


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=routes()))


def picture(client: TestClient, address: str) -> NDArray[np.uint8]:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    image = Image.open(io.BytesIO(answer.content))
    assert image.size == (256, 256)
    return np.asarray(image.convert("RGBA"))


def tile_of(longitude: float, latitude: float, zoom: int) -> tuple[int, int, int, int]:
    """Tile and pixel in it of a place, by the definition of the Web Mercator tile grid."""
    across = (longitude + 180) / 360 * 2**zoom
    down = (1 - math.asinh(math.tan(math.radians(latitude))) / math.pi) / 2 * 2**zoom
    return int(across), int(down), int(across % 1 * 256), int(down % 1 * 256)


def colour_at(
    client: TestClient, template: str, made: Made, row: int, col: int, zoom: int = 16
) -> tuple[int, ...]:
    """Colour of the tile pixel in which the centre of a scene's pixel lies."""
    x, y = made.record.scene.grid.xy(row, col)
    longitude, latitude = Transformer.from_crs(32633, 4326, always_xy=True).transform(x, y)
    tile_x, tile_y, inside_x, inside_y = tile_of(longitude, latitude, zoom)
    image = picture(client, template.format(z=zoom, x=tile_x, y=tile_y))
    return tuple(int(part) for part in image[inside_y, inside_x])


def test_a_georeferenced_scene_lies_where_its_coordinates_say(client: TestClient, ground: Made) -> None:
    template = f"/tiles/scene/{ground.record.id}/{{z}}/{{x}}/{{y}}.png?bands=1,2,3"
    assert colour_at(client, template, ground, 150, WIDTH // 2 - 3) == (*COLOURS[0], 255)
    assert colour_at(client, template, ground, 150, WIDTH // 2 + 2) == (*COLOURS[1], 255)
    assert colour_at(client, template, ground, 2, 2)[3] == 255
    assert colour_at(client, template, ground, -3, 2)[3] == 0


def test_the_mask_follows_the_threshold_and_leaves_nodata_clear(client: TestClient, ground: Made) -> None:
    template = f"/tiles/run/{ground.run.id}/mask/{{z}}/{{x}}/{{y}}.png?threshold=0.75"
    column = int(0.75 * (WIDTH - 1))
    assert colour_at(client, template, ground, 150, column + 3) == (*rgb(FOUND), 255)
    assert colour_at(client, template, ground, 150, column - 3)[3] == 0
    assert colour_at(client, template, ground, 5, column + 3)[3] == 0


def test_the_outcome_has_three_colours(client: TestClient, ground: Made) -> None:
    middle = WIDTH // 2
    lenient = f"/tiles/run/{ground.run.id}/outcome/{{z}}/{{x}}/{{y}}.png?threshold=0.25"
    strict = lenient.replace("0.25", "0.75")
    assert colour_at(client, lenient, ground, 150, middle + 3) == (*rgb(TRUE_POSITIVE), 255)
    assert colour_at(client, lenient, ground, 150, middle - 3) == (*rgb(FALSE_POSITIVE), 255)
    assert colour_at(client, strict, ground, 150, middle + 3) == (*rgb(MISSED), 255)
    assert colour_at(client, strict, ground, 150, middle - 3)[3] == 0


def test_pixel_space_shows_each_pixel_at_zoom_zero(client: TestClient, pixels: Made) -> None:
    address = f"/tiles/scene/{pixels.record.id}"
    first = picture(client, f"{address}/0/0/0.png")
    assert np.array_equal(first[:, :200, :3], np.broadcast_to(COLOURS[0], (256, 200, 3)))
    assert np.array_equal(first[:, 200:, :3], np.broadcast_to(COLOURS[1], (256, 56, 3)))
    last = picture(client, f"{address}/0/1/1.png")
    inside = np.zeros((256, 256), bool)
    inside[: HEIGHT - 256, : WIDTH - 256] = True
    assert np.array_equal(last[..., 3] == 255, inside)


def test_pixel_space_zooms_out_below_zero_and_in_above(client: TestClient, pixels: Made) -> None:
    address = f"/tiles/scene/{pixels.record.id}"
    far = picture(client, f"{address}/-1/0/0.png")
    assert np.array_equal(np.argwhere(far[..., 3]).max(axis=0) + 1, [HEIGHT // 2, WIDTH // 2])
    assert tuple(far[10, 90, :3]) == tuple(COLOURS[0])
    assert tuple(far[10, 110, :3]) == tuple(COLOURS[1])
    near = picture(client, f"{address}/2/3/0.png")  # columns 192 to 255, each four pixels wide
    assert tuple(near[100, 4 * (198 - 192), :3]) == tuple(COLOURS[0])
    assert tuple(near[100, 4 * (202 - 192), :3]) == tuple(COLOURS[1])


def test_probability_in_pixel_space_is_the_ramp_and_nodata_is_clear(client: TestClient, pixels: Made) -> None:
    image = picture(client, f"/tiles/run/{pixels.run.id}/probability/0/0/0.png")
    assert not image[:10, :, 3].any()
    share = pixels.probability[100, 128]
    expected = ramp(PROBABILITY_RAMP)[round(share * 255)].astype(int)
    assert np.abs(image[100, 128, :3].astype(int) - expected).max() <= 3


@pytest.mark.parametrize("place", ["0/5/5", "0/-1/0", "5/2000000/3", "-3/1/1"])
def test_outside_a_scene_tiles_are_clear_and_no_error(client: TestClient, pixels: Made, place: str) -> None:
    answer = client.get(f"/tiles/scene/{pixels.record.id}/{place}.png")
    assert answer.status_code == 200
    assert answer.content == empty_png()


def test_far_from_a_georeferenced_scene_tiles_are_clear(client: TestClient, ground: Made) -> None:
    assert client.get(f"/tiles/scene/{ground.record.id}/5/1/1.png").content == empty_png()


def test_a_tile_never_changes_and_is_fetched_once(client: TestClient, pixels: Made) -> None:
    address = f"/tiles/run/{pixels.run.id}/mask/0/0/0.png?threshold=0.5"
    first = client.get(address)
    assert "immutable" in first.headers["cache-control"]
    again = client.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert not again.content
    other = client.get(address.replace("0.5", "0.6"))
    assert other.headers["etag"] != first.headers["etag"]


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """Statements that any database is asked to do."""
    asked: list[str] = []

    def listen(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", listen)
    yield asked
    event.remove(Engine, "before_cursor_execute", listen)


@pytest.mark.parametrize("layer", ["mask", "probability", "outcome", "truth"])
def test_a_tile_of_a_run_takes_two_statements_of_the_database_at_most(
    client: TestClient, ground: Made, statements: list[str], layer: str
) -> None:
    template = f"/tiles/run/{ground.run.id}/{layer}/{{z}}/{{x}}/{{y}}.png?threshold=0.25"
    assert colour_at(client, template, ground, 150, WIDTH - 5)[3] == 255
    statements.clear()

    assert colour_at(client, template.replace("0.25", "0.5"), ground, 150, WIDTH - 5)[3] == 255

    assert 1 <= len(statements) <= 2, statements


def test_the_tile_of_the_whole_world_shows_a_scene_as_a_dot(
    client: TestClient, ground: Made
) -> None:
    image = picture(client, f"/tiles/scene/{ground.record.id}/0/0/0.png")
    assert np.count_nonzero(image[..., 3]) <= 1


def _coarse(made: Made, store: Store, georeferenced: bool) -> Made:
    """The run with a raster of two by two cells over the whole scene, of which the one at the upper right is far."""
    grid = made.record.scene.grid.resized(2, 2)
    tags = {} if georeferenced else {PIXEL_SIZE: f"{WIDTH / 2!r} {HEIGHT / 2!r}"}
    path = store.home.parent / "training_distance.tif"
    write_array(path, grid, np.array([[0.0, 2.0], [0.0, -1.0]], np.float32), nodata=-1, tags=tags)
    artifacts = {**made.run.artifacts, "training_distance": str(path)}
    return replace(made, run=keep(store, replace(made.run, artifacts=artifacts), made.record.id))


def test_a_coarse_raster_lies_over_the_whole_of_an_image_in_pixels(client: TestClient, pixels: Made) -> None:
    made = _coarse(pixels, Store(pixels.run.folder.parent), georeferenced=False)

    image = picture(client, f"/tiles/run/{made.run.id}/training_distance/-1/0/0.png")  # half size: 200 by 150

    assert tuple(image[10, 105]) == tuple(image[74, 195]) == (*ramp(UNLIKE_RAMP)[255], 255)
    assert image[10, 95, 3] == 0  # like the training images
    assert image[80, 105, 3] == 0  # nothing is known there
    assert image[10, 205, 3] == image[155, 10, 3] == 0  # beyond the image


def test_a_coarse_raster_lies_where_the_coordinates_say(client: TestClient, ground: Made) -> None:
    made = _coarse(ground, Store(ground.run.folder.parent), georeferenced=True)
    template = f"/tiles/run/{made.run.id}/training_distance/{{z}}/{{x}}/{{y}}.png"

    assert colour_at(client, template, made, 20, WIDTH - 20) == (*ramp(UNLIKE_RAMP)[255], 255)
    assert colour_at(client, template, made, HEIGHT - 20, WIDTH - 20)[3] == 0


def test_a_scene_that_says_of_itself_that_its_pixels_are_larger_is_not_believed(
    client: TestClient, tmp_path: Path, home: Path
) -> None:
    values = np.full((3, 50, 50), 90, np.uint8)
    path = write_array(tmp_path / "sly.tif", Grid(50, 50, Affine.identity(), None), values, tags={PIXEL_SIZE: "4 4"})
    record = Store(home).add_scene(path, "sly")

    image = picture(client, f"/tiles/scene/{record.id}/0/0/0.png")

    assert image[49, 49, 3] == 255
    assert not image[50:, :, 3].any()
