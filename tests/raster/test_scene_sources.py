"""Everything that a file says of which of its pixels are data, together; and what it says that is not used."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from PIL import Image
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp
from rasterio.windows import Window

from core.errors import InputError, UnsafeFileError
from core.raster.align import reference_reader, scene_on_grid
from core.raster.grid import Grid
from core.raster.scene import Scene
from core.raster.stretch import scene_stretch
from core.raster.validity import known
from core.raster.write import write_array

PLACE, SIDE = Affine(10, 0, 650_000, 0, -10, 9_560_000), 32
RGB = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)
CLEAR, EMPTY = slice(0, 8), slice(8, 12)


def image(
    path: Path, *, bands: int, colours: tuple[ColorInterp, ...], alpha: int | None = None, nodata: float | None = None,
    descriptions: tuple[str, ...] = (), crs: str | None = "EPSG:32717", mask: bool = False,
) -> Path:  # fmt: skip
    """An image of ones; its first eight rows transparent by `alpha`, the next four of value 9."""
    values = np.ones((bands, SIDE, SIDE), np.uint8)
    values[:, EMPTY] = 9
    if alpha is not None:
        values[alpha - 1] = 255
        values[alpha - 1, CLEAR] = 0
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(
        path, "w", driver="GTiff", width=SIDE, height=SIDE, count=bands, dtype="uint8", crs=crs, transform=PLACE,
        nodata=nodata,
    ) as file:  # fmt: skip
        file.write(values)
        file.colorinterp = colours
        for number, text in enumerate(descriptions, start=1):
            file.set_band_description(number, text)
        if mask:
            shown = np.full((SIDE, SIDE), 255, np.uint8)
            shown[CLEAR] = 0
            file.write_mask(shown)
    return path


GREY = ColorInterp.undefined
CASES = {
    "alpha as the fourth": ({"bands": 4, "colours": (*RGB, ColorInterp.alpha), "alpha": 4}, True, False),
    "alpha as the fifth": ({"bands": 5, "colours": (*RGB, GREY, ColorInterp.alpha), "alpha": 5}, True, False),
    "alpha and nodata": ({"bands": 4, "colours": (*RGB, ColorInterp.alpha), "alpha": 4, "nodata": 9}, True, True),
    "mask and nodata": ({"bands": 3, "colours": RGB, "mask": True, "nodata": 9}, True, True),
    "alpha described as such": (
        {
            "bands": 4, "colours": (*RGB, ColorInterp.alpha), "alpha": 4,
            "descriptions": ("red", "green", "blue", "Alpha"),
        },
        True, False,
    ),
    "near infrared in the colour of alpha": (
        {"bands": 4, "colours": (*RGB, ColorInterp.alpha), "alpha": 4, "descriptions": ("red", "green", "blue", "NIR")},
        False, False,
    ),
    "neither": ({"bands": 3, "colours": RGB}, False, False),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_validity_comes_from_all_sources_together(tmp_path: Path, case: str) -> None:
    how, clear, empty = CASES[case]
    scene = Scene.open(image(tmp_path / "a.tif", **how))

    with scene.reader() as reader:
        valid = reader.read((1, 2, 3)).valid
        half = reader.read((1, 2, 3), out_shape=(SIDE // 2, SIDE // 2)).valid
    expected = np.ones((SIDE, SIDE), bool)
    expected[CLEAR] &= not clear
    expected[EMPTY] &= not empty
    np.testing.assert_array_equal(valid, expected)
    np.testing.assert_array_equal(half, expected[::2, ::2])


@pytest.mark.parametrize("case", [name for name in CASES if "infrared" not in name])
def test_validity_is_the_same_on_another_grid(tmp_path: Path, case: str) -> None:
    how, clear, empty = CASES[case]
    scene = Scene.open(image(tmp_path / "a.tif", **how))
    grid = Grid(SIDE * 2, SIDE * 2, PLACE @ Affine.scale(0.5), rasterio.CRS.from_epsg(32717))

    with scene_on_grid(scene, grid, bands=(1, 2, 3)) as reader:
        valid = reader.read(Window(0, 0, SIDE * 2, SIDE * 2)).valid
    expected = np.ones((SIDE, SIDE), bool)
    expected[CLEAR] &= not clear
    expected[EMPTY] &= not empty
    np.testing.assert_array_equal(valid, expected.repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize(
    ("values", "nodata", "expected"),
    [
        (np.array([-3.4028235e38, 1.0], np.float32), -3.40282306e38, [False, True]),
        (np.array([-9999.0, -9998.0], np.float32), -9999.0, [False, True]),
        (np.array([np.nan, np.inf, 0.0], np.float64), None, [False, False, True]),
        (np.array([0.0, 1e-30], np.float32), 0.0, [False, True]),
        (np.array([-1.797e308, 1.0]), -1.797e308, [False, True]),
        (np.array([255, 254], np.uint8), 255.0, [False, True]),
    ],
)
def test_nodata_is_told_by_the_rule_of_gdal(values: np.ndarray, nodata: float | None, expected: list[bool]) -> None:
    assert known(values, nodata).tolist() == expected


@pytest.mark.parametrize("beside", ["a.tif.msk", "a.tif.aux.xml", "a.tfw"])
def test_a_file_beside_is_named_and_not_read(tmp_path: Path, beside: str) -> None:
    path = image(tmp_path / "a.tif", bands=3, colours=RGB)
    (tmp_path / beside).write_bytes(b"x")

    (note,) = Scene.open(path).notes
    assert beside in note
    assert "not read" in note


def test_ground_control_points_further_images_and_local_systems_are_said(tmp_path: Path) -> None:
    corners = ((0, 0), (0, 9), (9, 0))
    points = [GroundControlPoint(row, column, 650_000 + column, 9_560_000 - row) for row, column in corners]
    with rasterio.open(
        tmp_path / "gcp.tif", "w", driver="GTiff", width=9, height=9, count=1, dtype="uint8", gcps=points,
        crs="EPSG:32717",
    ) as file:  # fmt: skip
        file.write(np.ones((1, 9, 9), np.uint8))
    page = Image.fromarray(np.ones((9, 9), np.uint8))
    page.save(tmp_path / "pages.tif", save_all=True, append_images=[page])
    system = 'LOCAL_CS["site",UNIT["metre",1]]'
    local = image(tmp_path / "local.tif", bands=1, colours=(ColorInterp.gray,), crs=system)

    assert "3 ground control points" in Scene.open(tmp_path / "gcp.tif").notes[0]
    assert "2 images" in Scene.open(tmp_path / "pages.tif").notes[0]
    scene = Scene.open(local)
    assert not scene.grid.is_georeferenced
    assert "no position on the Earth" in scene.notes[0]


@pytest.mark.parametrize("fill", [-9999.0, -32768.0, 3.4e38])
def test_fill_that_is_not_declared_is_said_with_its_share(tmp_path: Path, fill: float) -> None:
    values = np.ones((1, SIDE, SIDE), np.float32)
    values[0, EMPTY] = fill
    for name, nodata in (("open", None), ("declared", fill)):
        with rasterio.open(
            tmp_path / f"{name}.tif", "w", driver="GTiff", width=SIDE, height=SIDE, count=1, dtype="float32",
            crs="EPSG:32717", transform=PLACE, nodata=nodata,
        ) as file:  # fmt: skip
            file.write(values)

    (note,) = Scene.open(tmp_path / "open.tif").notes
    assert "About 12.5 %" in note
    assert Scene.open(tmp_path / "declared.tif").notes == ()


def orthophoto(path: Path, collar: int, dtype: str = "uint8", nodata: float | None = None) -> Path:
    """Three bands of noise in which the upper left and lower right corner, a quarter of the pixels, have one value."""
    values = np.random.default_rng(0).integers(40, 200, (3, 64, 64)).astype(dtype)
    row, column = np.mgrid[:64, :64]
    values[:, (row + column < 32) | (row + column > 94)] = collar
    with rasterio.open(
        path, "w", driver="GTiff", width=64, height=64, count=3, dtype=dtype, crs="EPSG:32717", transform=PLACE,
        nodata=nodata,
    ) as file:  # fmt: skip
        file.write(values)
    return path


@pytest.mark.parametrize(("collar", "dtype"), [(0, "uint8"), (255, "uint8"), (0, "uint16"), (0, "float32")])
def test_a_collar_of_one_value_is_said_with_its_share(tmp_path: Path, collar: int, dtype: str) -> None:
    scene = Scene.open(orthophoto(tmp_path / "a.tif", collar, dtype))

    assert len(scene.notes) == 1
    assert f"25.8 % of the pixels of a, from its corners inwards, are uniformly {collar}" in scene.notes[0]


def test_a_collar_that_is_declared_needs_no_words(tmp_path: Path) -> None:
    assert Scene.open(orthophoto(tmp_path / "a.tif", 0, nodata=0)).notes == ()


def test_a_raster_of_classes_has_no_collar(tmp_path: Path) -> None:
    classes = np.zeros((64, 64), np.uint8)
    classes[20:40, 20:40] = np.arange(20)

    assert Scene.open(write_array(tmp_path / "a.tif", Grid(64, 64, PLACE, None), classes)).notes == ()


def test_a_system_of_three_axes_keeps_its_place(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=9, height=9, count=1, dtype="uint8", crs="EPSG:4979",
        transform=Affine(0.001, 0, 7, 0, -0.001, 45), GEOTIFF_VERSION="1.1",
    ) as file:  # fmt: skip
        file.write(np.ones((1, 9, 9), np.uint8))

    scene = Scene.open(path)
    write_array(tmp_path / "out.tif", scene.grid, np.ones((1, 9, 9), np.uint8))
    with rasterio.open(tmp_path / "out.tif") as written:
        assert written.crs is not None
        assert written.crs.to_epsg() == 4326


def test_a_raster_whose_coordinate_system_names_a_file_is_refused(tmp_path: Path) -> None:
    wkt = (
        'GEOGCS["a",DATUM["b",SPHEROID["c",6378137,298.257,AUTHORITY["EPSG","7030"]]],PRIMEM["g",0],'
        'UNIT["degree",0.0174532925199433],EXTENSION["PROJ4_GRIDS","/etc/passwd"]]'
    )
    path = tmp_path / "a.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=9, height=9, count=1, dtype="uint8", crs=rasterio.CRS.from_wkt(wkt),
        transform=Affine(0.1, 0, 7, 0, -0.1, 45),
    ) as file:  # fmt: skip
        file.write(np.ones((1, 9, 9), np.uint8))
        kept = "PROJ4_GRIDS" in file.crs.to_wkt()

    if kept:
        with pytest.raises(UnsafeFileError, match="refers to another file"):
            Scene.open(path)
    else:  # this GDAL leaves the extension out
        assert "PROJ4_GRIDS" not in Scene.open(path).grid.crs.to_wkt()


@pytest.mark.parametrize(
    ("values", "nodata"),
    [
        (np.where(np.eye(SIDE) > 0, 1, 255), 255),
        (np.where(np.eye(SIDE) > 0, 2, 1), None),
        (np.ones((SIDE, SIDE)), None),
    ],
    ids=["landslides and nodata", "classes 1 and 2", "landslide all over"],
)
def test_a_reference_that_says_nowhere_none_is_refused(tmp_path: Path, values: np.ndarray, nodata: int | None) -> None:
    path = tmp_path / "mask.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=SIDE, height=SIDE, count=1, dtype="uint8", crs="EPSG:32717", transform=PLACE,
        nodata=nodata,
    ) as file:  # fmt: skip
        file.write(values.astype(np.uint8), 1)
    grid = Grid(SIDE, SIDE, PLACE, rasterio.CRS.from_epsg(32717))

    with pytest.raises(InputError, match="has no value for ground without landslides"):
        reference_reader(path, grid)
    assert reference_reader(path, grid, patch=True).read(Window(0, 0, 1, 1)).item() == 1


@pytest.mark.parametrize(
    ("crs", "words"),
    [
        ("EPSG:5773", "no position on the Earth"),
        ("EPSG:4978", "no position on the Earth"),
        ('GEOGCS["Moon",DATUM["m",SPHEROID["m",1737400,0]],PRIMEM["m",0],UNIT["degree",0.0174532925199433]]', "Moon"),
        ('GEOGCS["Mars",DATUM["m",SPHEROID["m",3396190,170]],PRIMEM["m",0],UNIT["degree",0.0174532925199433]]', "Mars"),
    ],
    ids=["heights", "geocentric", "Moon", "Mars"],
)
def test_a_raster_whose_coordinate_system_places_nothing_is_used_in_pixels_and_says_so(
    tmp_path: Path, crs: str, words: str
) -> None:
    scene = Scene.open(image(tmp_path / "a.tif", bands=1, colours=(ColorInterp.gray,), crs=crs))

    assert not scene.grid.is_georeferenced
    (note,) = scene.notes
    assert "used in pixels" in note
    assert words in note


def test_a_projected_system_of_three_axes_keeps_its_place(tmp_path: Path) -> None:
    """As GDAL's epsg32631_4979_geotiff1_1.tif: the key of the heights names WGS 84 with its three axes."""
    path = tmp_path / "a.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=9, height=9, count=1, dtype="uint8", crs="EPSG:32631+5773", transform=PLACE,
        GEOTIFF_VERSION="1.1",
    ) as file:  # fmt: skip
        file.write(np.ones((1, 9, 9), np.uint8))
    key, other = (struct.pack("<HHHH", 4096, 0, 1, code) for code in (5773, 4979))
    content = path.read_bytes()
    assert key in content
    path.write_bytes(content.replace(key, other))

    write_array(tmp_path / "out.tif", Scene.open(path).grid, np.ones((1, 9, 9), np.uint8))
    with rasterio.open(tmp_path / "out.tif") as written:
        assert written.crs is not None
        assert written.crs.to_epsg() == 32631


def test_names_and_units_that_are_no_utf_8_are_left_out_and_said(tmp_path: Path) -> None:
    path = image(tmp_path / "a.tif", bands=3, colours=RGB, descriptions=("Hoehe", "b", "c"))
    content = path.read_bytes()
    assert b"Hoehe" in content
    path.write_bytes(content.replace(b"Hoehe", b"H\xf6hen"))

    scene = Scene.open(path)

    assert any("names of the bands of a.tif are not UTF-8 text" in note for note in scene.notes)
    assert len(scene.bands) == 3


@pytest.mark.parametrize(("value", "nodata"), [(3e38, None), (-3.4028235e38, None), (-3.4028235e38, -1.797e308)])
def test_what_nothing_measures_is_unknown_whether_or_not_the_file_says_so(
    tmp_path: Path, value: float, nodata: float | None
) -> None:
    values = np.linspace(1, 2, SIDE * SIDE, dtype=np.float32).reshape(1, SIDE, SIDE)
    values[0, :8] = value
    with rasterio.open(
        tmp_path / "a.tif", "w", driver="GTiff", width=SIDE, height=SIDE, count=1, dtype="float32", crs="EPSG:32717",
        transform=PLACE, nodata=None if nodata is None else float("-inf"),
    ) as file:  # fmt: skip
        file.write(values)
    scene = Scene.open(tmp_path / "a.tif")

    with scene.reader() as reader:
        valid = reader.read([1]).valid
    assert not valid[:8].any()
    assert valid[8:].all()
    assert ("25.0 % of the pixels of a hold values beyond 1e30" in " ".join(scene.notes)) == (nodata is None)


def test_values_that_nothing_measures_do_not_stretch_the_others(tmp_path: Path) -> None:
    """Doubles of ±1.8e308 in the file, of which it says nothing, beside values from 1 to 2."""
    values = np.linspace(1, 2, 3 * SIDE * SIDE).reshape(3, SIDE, SIDE)
    values[:, :4], values[:, 4:8] = np.finfo(np.float64).max, -np.finfo(np.float64).max
    write_array(tmp_path / "a.tif", Grid(SIDE, SIDE, PLACE, rasterio.CRS.from_epsg(32717)), values)
    scene = Scene.open(tmp_path / "a.tif")

    found = scene_stretch(scene, (1, 2, 3), (2.0, 98.0))

    assert min(found.low) >= 1
    assert max(found.high) <= 2
