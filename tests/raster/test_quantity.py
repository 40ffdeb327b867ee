"""Numbers of a file as the amounts that they stand for, against slopes and heights that are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.windows import Window

from core.errors import BandError
from core.raster.grid import Grid
from core.raster.quantity import Quantity, elevation_on_grid
from core.raster.relief import write_relief
from core.raster.scene import Scene
from core.raster.terrain import slope_aspect

SIDE = 96
PLACE = Affine(10, 0, 650_000, 0, -10, 9_560_000)
SLOPE = 10.0
METRES = np.tan(np.radians(SLOPE)) * 10 * np.arange(SIDE)[None, :] + np.full((SIDE, 1), 700.0)
"""Elevations that rise to the east by 10°, between 700 and 868 m."""


def dem(
    path: Path, values: np.ndarray, *, crs: str = "EPSG:32717", place: Affine = PLACE, unit: str = "",
    scale: float = 1.0, offset: float = 0.0, nodata: float | None = None, count: int = 1,
) -> Path:  # fmt: skip
    height, width = values.shape
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=count, dtype=values.dtype, crs=crs,
        transform=place, nodata=nodata,
    ) as file:  # fmt: skip
        for band in range(1, count + 1):
            file.write(values, band)
        file.scales, file.offsets, file.units = (scale,) * count, (offset,) * count, (unit,) * count
    return path


def grid(cell: float = 10.0, side: int = SIDE) -> Grid:
    return Grid(side, side, Affine(cell, 0, 650_000, 0, -cell, 9_560_000), rasterio.CRS.from_epsg(32717))


def slope_of(path: Path, on: Grid | None = None) -> float:
    """Median slope inside the raster, in degrees."""
    on = on or grid()
    with elevation_on_grid(path, on) as reader:
        patch = reader.read(Window(0, 0, on.width, on.height))
    slope = slope_aspect(np.where(patch.valid, patch.values[0], np.nan), on)[0]
    return float(np.nanmedian(slope))


FOOT, US_FOOT = 0.3048, 1200 / 3937


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (METRES.astype(np.float32), {}),
        (np.round((METRES - 500) / 0.1).astype(np.uint16), {"scale": 0.1, "offset": 500.0}),
        ((METRES / FOOT).astype(np.float32), {"unit": "ft"}),
        ((METRES / US_FOOT).astype(np.float64), {"unit": "US survey foot"}),
        ((METRES * 100).astype(np.float32), {"unit": "cm"}),
        ((METRES / FOOT).astype(np.float32), {"crs": "EPSG:32717+8228"}),
        ((METRES / US_FOOT).astype(np.float64), {"crs": "EPSG:32717+6360"}),
        ((METRES / FOOT).astype(np.float32), {"unit": "ft", "crs": "EPSG:32717+6360"}),
    ],
    ids=[
        "metres", "scaled", "feet", "survey feet", "centimetres", "heights in feet", "heights in survey feet",
        "unit first",
    ],
)
def test_a_slope_is_ten_degrees_in_whatever_unit(tmp_path: Path, values: np.ndarray, said: dict) -> None:
    path = dem(tmp_path / "dem.tif", values, **said)

    assert slope_of(path) == pytest.approx(SLOPE, abs=0.1)
    with elevation_on_grid(path, grid()) as reader:
        found = reader.read(Window(40, 40, 1, 1)).values[0, 0, 0]
    assert found == pytest.approx(METRES[40, 40], abs=0.06)
    assert bool(Quantity.of(Scene.open(path), "elevation").note) == bool(said)


@pytest.mark.parametrize(("unit", "factor"), [("m", 1.0), ("Foot", FOOT), (" metre ", 1.0), ("km", 1000.0)])
def test_units_are_known_by_their_names(tmp_path: Path, unit: str, factor: float) -> None:
    scene = Scene.open(dem(tmp_path / "dem.tif", METRES.astype(np.float32), unit=unit))
    assert Quantity.of(scene, "elevation").factor == factor


def test_a_unit_that_is_not_known_is_said(tmp_path: Path) -> None:
    scene = Scene.open(dem(tmp_path / "dem.tif", METRES.astype(np.float32), unit="fathom"))
    quantity = Quantity.of(scene, "elevation")
    assert quantity.factor == 1.0
    assert "'fathom' is unknown and was assumed to be m" in quantity.note


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("", 1.0), ("mm/yr", 1.0), ("mm/year", 1.0), ("mm / a", 1.0), ("m/yr", 1000.0), ("cm/yr", 10.0),
        ("mm yr-1", 1.0), ("m per year", 1000.0), ("mm/day", 365.25), ("m a^-1", 1000.0),
    ],
)  # fmt: skip
def test_velocities_are_in_millimetres_a_year(tmp_path: Path, unit: str, factor: float) -> None:
    scene = Scene.open(dem(tmp_path / "v.tif", METRES.astype(np.float32), unit=unit))
    assert Quantity.of(scene, "velocity").factor == pytest.approx(factor)


@pytest.mark.parametrize(("cell", "steep"), [(0.5, 10.0), (0.2, 10.0), (0.5, 25.0)])
def test_whole_metres_are_no_staircase_under_a_fine_scene(tmp_path: Path, cell: float, steep: float) -> None:
    coarse = np.round(np.tan(np.radians(steep)) * 30 * np.arange(40)[None, :] + np.full((40, 1), 500.0))
    path = dem(tmp_path / "dem.tif", coarse.astype(np.int16), place=Affine(30, 0, 650_000, 0, -30, 9_560_000))
    fine = Grid(400, 400, Affine(cell, 0, 650_300, 0, -cell, 9_559_700), rasterio.CRS.from_epsg(32717))

    assert slope_of(path, fine) == pytest.approx(steep, abs=1.0)


def test_what_arcgis_writes_for_nodata_is_nodata(tmp_path: Path) -> None:
    values = METRES.astype(np.float32)
    values[:10] = np.float32(-3.4028235e38)
    path = dem(tmp_path / "dem.tif", values, nodata=-3.40282306e38)
    with rasterio.open(path, "r+") as file:
        file.nodata = -3.40282306073709652508e38

    with elevation_on_grid(path, grid()) as reader:
        valid = reader.read(Window(0, 0, SIDE, SIDE)).valid
    assert not valid[:10].any()
    assert valid[11:].all()


@pytest.mark.parametrize("fill", [-9999.0, -32768.0, 3.4e38, 99_999.0])
def test_elevations_that_no_land_has_are_unknown(tmp_path: Path, fill: float) -> None:
    values = METRES.astype(np.float32)
    values[:, :20] = fill
    path = dem(tmp_path / "dem.tif", values)

    with elevation_on_grid(path, grid()) as reader:
        valid = reader.read(Window(0, 0, SIDE, SIDE)).valid
    assert not valid[:, :20].any()
    assert valid[:, 21:].all()


def test_the_share_of_elevations_that_no_land_has_is_said(tmp_path: Path) -> None:
    values = np.linspace(100, 900, 1600, dtype=np.float32).reshape(40, 40)
    values[:4] = 20_000
    scene = Scene.open(dem(tmp_path / "dem.tif", values))

    note = Quantity.of(scene, "elevation").left_out(scene)

    assert "About 10.0 % of the elevations of dem lie outside -500 to 9,000 m" in note
    assert Quantity.of(scene, "velocity").left_out(scene) == ""


def test_colours_are_no_elevations(tmp_path: Path) -> None:
    path = dem(tmp_path / "photo.tif", METRES.astype(np.float32), count=3)

    with pytest.raises(BandError, match="has 3 bands"), elevation_on_grid(path, grid()):
        pass


def test_a_relief_is_the_same_in_feet(tmp_path: Path) -> None:
    reliefs = []
    for name, values, unit in (("m", METRES, ""), ("ft", METRES / FOOT, "ft")):
        path = dem(tmp_path / f"{name}.tif", values.astype(np.float64), unit=unit)
        with rasterio.open(write_relief(Scene.open(path), tmp_path / f"relief_{name}.tif")) as file:
            reliefs.append(file.read().astype(int))
    assert np.abs(reliefs[0] - reliefs[1]).max() <= 1


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("m a.s.l.", 1), ("[m]", 1), ("mètre", 1), ("m (EGM96)", 1), ("US_survey_foot", US_FOOT), ("ft (US)", US_FOOT),
     ("Feet (US survey)", US_FOOT), ("yd", 0.9144), ("inch", 0.0254)],
)  # fmt: skip
def test_units_of_length_are_known_as_people_write_them(tmp_path: Path, unit: str, factor: float) -> None:
    quantity = Quantity.of(Scene.open(dem(tmp_path / "dem.tif", np.ones((8, 8), np.float32), unit=unit)), "elevation")

    assert quantity.factor == pytest.approx(factor)
    assert "not known" not in quantity.note


@pytest.mark.parametrize(("unit", "factor"), [("mm/month", 12), ("[mm/yr]", 1), ("mm.yr-1", 1), ("cm/day", 3652.5)])
def test_units_of_velocity_are_known_as_people_write_them(tmp_path: Path, unit: str, factor: float) -> None:
    quantity = Quantity.of(Scene.open(dem(tmp_path / "v.tif", np.ones((8, 8), np.float32), unit=unit)), "velocity")

    assert quantity.factor == pytest.approx(factor)


def test_an_elevation_model_may_have_transparency(tmp_path: Path) -> None:
    path = dem(tmp_path / "dem.tif", np.full((8, 8), 200, np.uint8), count=2)
    with rasterio.open(path, "r+") as file:
        file.colorinterp = (rasterio.enums.ColorInterp.gray, rasterio.enums.ColorInterp.alpha)

    with elevation_on_grid(path, grid(side=8)) as reader:
        assert (reader.read(Window(0, 0, 8, 8)).values == 200).all()
