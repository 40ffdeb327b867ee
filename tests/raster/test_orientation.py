"""Images that are stored turned are read as viewers show them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from numpy.typing import NDArray
from PIL import Image, ImageOps
from rasterio.windows import Window

from core.errors import UnsafeFileError
from core.raster import untrusted
from core.raster.align import reference_reader
from core.raster.grid import Grid
from core.raster.scene import Scene
from core.serve.background import Deadline
from core.serve.cuts import cut
from core.serve.tiles import TileAddress, view_of
from core.tasks.detection.annotations import sizes_of
from tests.factories import PLACEMENTS, write_raster

RNG = np.random.default_rng(0)


def stored(path: Path, orientation: int) -> Path:
    """An image of 64 by 40 pixels that names an orientation."""
    image = Image.fromarray(RNG.integers(0, 255, (40, 64, 3)).astype(np.uint8))
    if path.suffix == ".tif":
        image.save(path, tiffinfo={274: orientation})
    else:
        exif = Image.Exif()
        exif[274] = orientation
        image.save(path, exif=exif, **({"quality": 95, "subsampling": 0} if path.suffix == ".jpg" else {}))
    return path


def shown(path: Path) -> NDArray[np.uint8]:
    """(bands, height, width) as Pillow shows it."""
    with Image.open(path) as image:
        return np.moveaxis(np.asarray(ImageOps.exif_transpose(image)), -1, 0)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_an_image_is_read_as_it_is_shown(tmp_path: Path, suffix: str, orientation: int) -> None:
    path = stored(tmp_path / f"image{suffix}", orientation)

    scene = Scene.open(path)

    with scene.reader() as reader:
        # Two decoders of JPEG round differently.
        np.testing.assert_allclose(
            reader.read((1, 2, 3)).values.astype(int), shown(path), atol=2 if suffix == ".jpg" else 0
        )
    assert scene.grid.shape == shown(path).shape[1:]
    assert not scene.grid.is_georeferenced
    assert ("read upright" in " ".join(scene.notes)) == (orientation != 1)


def test_the_map_shows_it_upright(tmp_path: Path) -> None:
    path = stored(tmp_path / "image.png", 6)

    tile = cut(Scene.open(path), (1, 2, 3), view_of(TileAddress(0, 0, 0), globe=False), "nearest", Deadline())

    assert tile is not None
    np.testing.assert_array_equal(tile.values[:, :64, :40], shown(path))


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_numbers_that_are_no_orientation_change_nothing(tmp_path: Path, value: int) -> None:
    path = stored(tmp_path / "image.png", value)

    assert Scene.open(path).grid.shape == (40, 64)


def test_an_image_with_coordinates_stays_as_it_is_stored(tmp_path: Path) -> None:
    transform, crs = PLACEMENTS["north-up"]
    path = write_raster(tmp_path / "image.tif", np.zeros((1, 40, 64), np.uint8))
    content = path.read_bytes()
    assert crs
    # The tag of the planar configuration becomes one of the orientation: 6 where it was 1 would turn the image.
    upright, sixth = b"\x1c\x01\x03\x00\x01\x00\x00\x00\x01\x00", b"\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00"
    turned = content.replace(upright, sixth, 1)
    assert turned != content
    path.write_bytes(turned)

    assert Scene.open(path).grid.shape == (40, 64)
    assert Scene.open(path).grid.transform == transform


def test_a_turned_image_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = stored(tmp_path / "image.jpg", 3)
    monkeypatch.setattr(untrusted, "MOST_BYTES", 1_000)

    with pytest.raises(UnsafeFileError, match="stored rotated"):
        Scene.open(path)


def test_a_reference_that_is_stored_turned_lies_as_it_is_shown(tmp_path: Path) -> None:
    mask = Image.fromarray(np.pad(np.full((10, 20), 255, np.uint8), ((0, 30), (0, 44))))
    exif = Image.Exif()
    exif[274] = 3
    mask.save(tmp_path / "mask.jpg", exif=exif, quality=95)

    found = reference_reader(tmp_path / "mask.jpg", Grid(64, 40, Affine.identity(), None)).read(Window(0, 0, 64, 40))

    assert (found[:15, :25] == 0).all()
    assert (found[32:, 46:] == 1).all()


def test_labels_are_of_the_image_as_it_is_shown(tmp_path: Path) -> None:
    path = stored(tmp_path / "a.jpg", 6)

    assert sizes_of(tmp_path) == {"a.jpg": (64, 40)}
    assert sizes_of(tmp_path)["a.jpg"] == shown(path).shape[1:]
