"""Orders of bands by name: what each of them says that the model is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import BandError, InputError
from core.raster.band_orders import orders_for, parse_bands
from core.raster.scene import Scene
from tests.factories import ramp, write_raster

RGB = ("red", "green", "blue")


def scene(folder: Path, bands: int) -> Scene:
    return Scene.open(write_raster(folder / f"of-{bands}.tif", ramp(4, 5, bands), photometric="minisblack"))


@pytest.mark.parametrize(
    ("text", "bands", "wanted", "numbers"),
    [
        (" 3, 2,1 ", 3, RGB, (3, 2, 1)),
        ("rgb", 3, RGB, (1, 2, 3)),
        ("BGR", 3, RGB, (3, 2, 1)),
        ("bgr", 4, RGB, (3, 2, 1)),
        ("rgbn", 4, ("nir", "red"), (4, 1)),
        ("bgrn", 4, (*RGB, "nir"), (3, 2, 1, 4)),
        # B02, B03, B04, B08; of 12 and 13 bands B01 comes first.
        ("sentinel2", 4, (*RGB, "nir"), (3, 2, 1, 4)),
        ("sentinel2", 12, (*RGB, "nir"), (4, 3, 2, 8)),
        ("sentinel2", 13, (*RGB, "nir"), (4, 3, 2, 8)),
    ],
)
def test_bands_are_given_by_number_or_by_the_name_of_their_order(
    tmp_path: Path, text: str, bands: int, wanted: tuple[str, ...], numbers: tuple[int, ...]
) -> None:
    assert parse_bands(text, scene(tmp_path, bands), wanted) == numbers


@pytest.mark.parametrize("text", ["", "3;2;1", "1,,2", "-1,2", "1.5", "red", "1,2,", "9999"])
def test_other_text_is_neither_numbers_nor_an_order(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"neither a list of bands nor a band order.*rgb, bgr, rgbn, bgrn, sentinel2"):
        parse_bands(text, scene(tmp_path, 3), RGB)


@pytest.mark.parametrize(
    ("text", "bands", "wanted", "words"),
    [
        ("sentinel2", 5, RGB, "has 5 bands; the order sentinel2 has 4, 12 or 13"),
        ("rgbn", 3, RGB, "has 3 bands; the order rgbn has 4"),
        ("rgb", 3, ("velocity",), "does not include the bands that the model reads: velocity"),
        ("4,2,1", 3, RGB, "Band 4 is not in"),
    ],
)
def test_an_order_that_is_not_the_scenes_or_not_the_models_is_refused(
    tmp_path: Path, text: str, bands: int, wanted: tuple[str, ...], words: str
) -> None:
    with pytest.raises(BandError, match=words):
        parse_bands(text, scene(tmp_path, bands), wanted)


@pytest.mark.parametrize(
    ("bands", "names"),
    [(3, ["rgb", "bgr"]), (4, ["rgbn", "bgrn", "sentinel2"]), (5, []), (12, ["sentinel2"]), (13, ["sentinel2"])],
)
def test_only_orders_of_so_many_bands_are_offered(bands: int, names: list[str]) -> None:
    assert [order.name for order in orders_for(bands, RGB)] == names
    assert orders_for(bands, ("velocity",)) == ()
