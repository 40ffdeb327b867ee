import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS
from rasterio.windows import Window

from core.errors import BandError, GridError, InputError, RunCancelled
from core.raster.bands import role_of
from core.raster.progress import told_of_reading
from core.raster.scene import Scene, guess_bands
from tests.factories import write_raster
from tests.raster.conftest import NORTH_UP, TRANSFORMS, UTM

Make = Callable[..., Path]
Noise = Callable[..., np.ndarray]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "float32", "float64"])
@pytest.mark.parametrize("bands", [1, 16, 64])
def test_values_come_back_as_they_were_written(
    make_raster: Make, noise: Noise, dtype: str, bands: int
) -> None:
    values = noise(dtype, bands)
    scene = Scene.open(make_raster(values, crs=UTM, transform=NORTH_UP, alpha="unspecified"))

    with scene.reader() as reader:
        patch = reader.read(range(1, bands + 1))

    assert scene.dtype == dtype
    assert scene.grid.shape == (45, 70)
    assert patch.values.dtype == values.dtype
    assert np.array_equal(patch.values, values)
    assert patch.valid.all()


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
@pytest.mark.parametrize("crs", [UTM, CRS.from_epsg(4326), None], ids=["projected", "geographic", "none"])
def test_placement_is_kept(make_raster: Make, noise: Noise, transform: Affine, crs: CRS | None) -> None:
    if crs is not None and crs.is_geographic:
        transform = (
            Affine.translation(-79, -4)
            @ Affine.scale(1e-5)
            @ Affine.translation(-650_000, -9_560_000)
            @ transform
        )
    scene = Scene.open(make_raster(noise("uint8"), crs=crs, transform=transform))

    assert scene.grid.crs == crs
    assert scene.grid.transform.almost_equals(transform, 1e-6)


@pytest.mark.parametrize("name", ["photo.png", "photo.jpg"])
def test_plain_images_lie_in_pixel_space(make_raster: Make, noise: Noise, name: str) -> None:
    scene = Scene.open(make_raster(noise("uint8", 3), name))

    assert not scene.grid.is_georeferenced
    assert guess_bands(scene, ("red", "green", "blue")) == (1, 2, 3)


def test_coordinate_system_without_placement_is_pixel_space(make_raster: Make, noise: Noise) -> None:
    assert Scene.open(make_raster(noise("uint8"), crs=UTM)).grid.crs is None


def test_nodata_in_any_band_is_invalid(make_raster: Make) -> None:
    values = np.full((2, 4, 5), 100, dtype="int16")
    values[0, 0, 0] = values[1, 2, 3] = -9999
    scene = Scene.open(make_raster(values, nodata=-9999))

    with scene.reader() as reader:
        both, first = reader.read([1, 2]).valid, reader.read([1]).valid

    assert [tuple(place) for place in np.argwhere(~both)] == [(0, 0), (2, 3)]
    assert [tuple(place) for place in np.argwhere(~first)] == [(0, 0)]


@pytest.mark.parametrize("nodata", [None, np.nan, -9999])
def test_not_a_number_is_never_valid(make_raster: Make, noise: Noise, nodata: float | None) -> None:
    values = noise("float32")
    values[0, 3, 4], values[0, 5, 6] = np.nan, np.inf
    scene = Scene.open(make_raster(values, nodata=nodata))

    with scene.reader() as reader:
        valid = reader.read([1]).valid

    assert [tuple(place) for place in np.argwhere(~valid)] == [(3, 4), (5, 6)]


def test_internal_mask_and_nodata_both_count(make_raster: Make, noise: Noise) -> None:
    values = noise("uint8")
    values[0, 7, 8] = 0
    mask = np.ones((45, 70), dtype=bool)
    mask[:5] = False
    scene = Scene.open(make_raster(values, nodata=0, mask=mask))

    with scene.reader() as reader:
        valid = reader.read([1]).valid

    assert not valid[:5].any()
    assert not valid[7, 8]
    assert valid.sum() == 40 * 70 - 1


def test_transparent_pixels_of_a_png_are_invalid(make_raster: Make, noise: Noise) -> None:
    values = noise("uint8", 4)
    values[3] = 255
    values[3, :, :10] = 0
    scene = Scene.open(make_raster(values, "photo.png"))

    with scene.reader() as reader:
        valid = reader.read([1, 2, 3]).valid

    assert not valid[:, :10].any()
    assert valid[:, 10:].all()


def test_near_infrared_that_gdal_calls_alpha_is_data_when_asked_for(make_raster: Make, noise: Noise) -> None:
    values = noise("uint8", 4)
    values[3, :, :10] = 0
    scene = Scene.open(make_raster(values))

    with scene.reader() as reader:
        assert reader.read([1, 2, 3, 4]).valid.all()


@pytest.mark.parametrize("resampling", ["bilinear", "average", "nearest"])
@pytest.mark.parametrize("out_shape", [(20, 20), (80, 80), (13, 31)])
def test_nodata_does_not_leak_into_resampled_values(
    make_raster: Make, resampling: str, out_shape: tuple[int, int]
) -> None:
    values = np.full((1, 40, 40), 7, dtype="float32")
    values[:, :, :11] = -9999
    scene = Scene.open(make_raster(values, nodata=-9999))

    with scene.reader() as reader:
        patch = reader.read([1], Window(0, 0, 40, 40), out_shape, resampling)

    assert patch.valid.any()
    assert not patch.valid[:, 0].any()
    assert patch.values[0][patch.valid] == pytest.approx(7)
    assert patch.valid.mean() == pytest.approx(29 / 40, abs=0.06)


def test_average_is_the_mean_of_the_pixels_below(make_raster: Make, noise: Noise) -> None:
    values = noise("float32", 1, 40, 60)
    scene = Scene.open(make_raster(values))

    with scene.reader() as reader:
        patch = reader.read([1], out_shape=(10, 15), resampling="average")

    assert patch.values[0] == pytest.approx(values[0].reshape(10, 4, 15, 4).mean(axis=(1, 3)), rel=1e-5)


def test_analysis_does_not_depend_on_overviews_in_the_file(make_raster: Make) -> None:
    import rasterio

    path = make_raster(np.full((1, 512, 512), 10, dtype="uint8"))
    with rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([4])
    with rasterio.open(path, "r+", overview_level=0) as overview:
        overview.write(np.full((1, 128, 128), 200, dtype="uint8"))
    scene = Scene.open(path)

    with scene.reader() as reader:
        assert (reader.read([1], out_shape=(128, 128)).values == 10).all()
    with scene.reader(overviews=True) as reader:
        assert (reader.read([1], out_shape=(128, 128)).values == 200).all()


@pytest.mark.parametrize(
    "window", [Window(-1, 0, 5, 5), Window(66, 0, 5, 5), Window(0, 41, 5, 5), Window(0, 0, 0, 3)]
)
def test_windows_past_the_edge_are_refused(make_raster: Make, noise: Noise, window: Window) -> None:
    with Scene.open(make_raster(noise("uint8"))).reader() as reader, pytest.raises(GridError, match="edges"):
        reader.read([1], window)


@pytest.mark.parametrize("bands", [[0], [2], [-1], []])
def test_bands_that_are_not_there_are_refused(make_raster: Make, noise: Noise, bands: list[int]) -> None:
    with Scene.open(make_raster(noise("uint8"))).reader() as reader, pytest.raises(BandError):
        reader.read(bands)


def test_file_that_changed_size_since_is_noticed(make_raster: Make, noise: Noise) -> None:
    scene = Scene.open(make_raster(noise("uint8")))
    make_raster(noise("uint8", 1, 20, 20))

    with pytest.raises(InputError, match="changed"), scene.reader():
        pass


def test_readers_of_several_threads_do_not_disturb_each_other(make_raster: Make, noise: Noise) -> None:
    values = noise("uint16", 3, 300, 400)
    scene = Scene.open(make_raster(values, tiled=True, blockxsize=64, blockysize=64, compress="deflate"))
    same: list[bool] = []

    def work() -> None:
        with scene.reader() as reader:
            same.extend(
                np.array_equal(
                    reader.read([1, 2, 3], Window(0, row, 400, 50)).values, values[:, row : row + 50]
                )
                for row in range(0, 300, 50)
            )

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert same == [True] * 24


class TestDigest:
    @pytest.mark.parametrize(
        "layout",
        [
            {"tiled": True, "blockxsize": 256, "blockysize": 256},
            {"compress": "lzw", "interleave": "band"},
            {"tiled": True, "blockxsize": 64, "blockysize": 32, "compress": "deflate"},
        ],
    )
    def test_does_not_depend_on_the_container(self, make_raster: Make, noise: Noise, layout: dict) -> None:
        values = noise("uint16", 3, 1100, 700)
        plain = Scene.open(make_raster(values, "plain.tif"))
        other = Scene.open(make_raster(values, "other.tif", **layout))

        assert plain.digest == other.digest
        assert len(plain.digest) == 64

    def test_does_not_depend_on_what_stands_for_nodata(self, make_raster: Make, noise: Noise) -> None:
        values = noise("float32")
        hole = np.zeros(values.shape, dtype=bool)
        hole[0, :9] = True
        ones = Scene.open(make_raster(np.where(hole, np.float32(-1), values), "a.tif", nodata=-1))
        nans = Scene.open(make_raster(np.where(hole, np.float32(np.nan), values), "b.tif", nodata=np.nan))
        masked = Scene.open(make_raster(values, "c.tif", mask=~hole[0]))

        assert ones.digest == nans.digest == masked.digest

    def test_changes_with_one_value_one_hole_and_the_grid(self, make_raster: Make, noise: Noise) -> None:
        values, changed = noise("uint8"), noise("uint8")
        changed[0, 44, 69] += 1
        mask = np.ones((45, 70), dtype=bool)
        mask[20, 30] = False
        paths = [
            make_raster(values, "a.tif"),
            make_raster(changed, "b.tif"),
            make_raster(values, "c.tif", mask=mask),
            make_raster(values, "d.tif", crs=UTM, transform=NORTH_UP),
            make_raster(values.astype("uint16"), "e.tif"),
            make_raster(values.transpose(0, 2, 1), "f.tif"),
        ]

        assert len({Scene.open(path).digest for path in paths}) == len(paths)

    def test_of_a_rewritten_file_is_made_anew(self, make_raster: Make, noise: Noise) -> None:
        first = Scene.open(make_raster(noise("uint8")))
        second = Scene.open(make_raster(noise("uint8", 2)))

        assert first.digest != second.digest


class TestGuessBands:
    RGB = ("red", "green", "blue")

    def test_follows_descriptions_in_any_order(self, make_raster: Make, noise: Noise) -> None:
        names = ("Blue", "green", "RED", "Near infrared", "dem")
        scene = Scene.open(make_raster(noise("float32", 5), descriptions=names))

        assert guess_bands(scene, self.RGB) == (3, 2, 1)
        assert guess_bands(scene, ("nir", "elevation")) == (4, 5)

    def test_description_outweighs_the_colour_gdal_made_up(self, make_raster: Make, noise: Noise) -> None:
        scene = Scene.open(make_raster(noise("uint8", 4), descriptions=("blue", "green", "red", "nir")))

        assert guess_bands(scene, (*self.RGB, "nir")) == (3, 2, 1, 4)

    @pytest.mark.parametrize(
        ("count", "dtype"), [(3, "uint8"), (3, "uint16"), (4, "uint16")]
    )
    def test_takes_unnamed_bands_in_the_usual_order(
        self, make_raster: Make, noise: Noise, count: int, dtype: str
    ) -> None:
        assert guess_bands(Scene.open(make_raster(noise(dtype, count))), self.RGB) == (1, 2, 3)

    @pytest.mark.parametrize("count", [5, 8, 13, 14])
    def test_asks_which_of_many_unnamed_bands_is_which(self, make_raster: Make, noise: Noise, count: int) -> None:
        """In Sentinel-2's order the first is coastal blue, and 13 or 14 bands taken as 1, 2, 3 are wrong by one."""
        with pytest.raises(BandError, match="does not state which"):
            guess_bands(Scene.open(make_raster(noise("float32", count))), self.RGB)

    def test_exact_names_come_before_partial_ones(self, make_raster: Make, noise: Noise) -> None:
        names = ("coastal_blue", "blue", "green_i", "green", "yellow", "red", "rededge", "nir")
        scene = Scene.open(make_raster(noise("uint16", 8), descriptions=names))

        assert guess_bands(scene, (*self.RGB, "nir")) == (6, 4, 2, 8)

    def test_finds_bands_by_their_own_names(self, make_raster: Make, noise: Noise) -> None:
        scene = Scene.open(make_raster(noise("float32", 2), descriptions=("slope", "log10_carea")))

        assert guess_bands(scene, ("log10_carea", "slope")) == (2, 1)

    def test_one_unnamed_band_may_be_an_elevation_model(self, make_raster: Make, noise: Noise) -> None:
        assert guess_bands(Scene.open(make_raster(noise("float32"))), ("elevation",)) == (1,)

    def test_too_few_bands_are_refused_with_a_remedy(self, make_raster: Make, noise: Noise) -> None:
        with pytest.raises(BandError, match="Choose an image") as caught:
            guess_bands(Scene.open(make_raster(noise("uint8", 1))), self.RGB)

        assert "one band" in str(caught.value)

    def test_is_not_made_where_names_say_otherwise(self, make_raster: Make, noise: Noise) -> None:
        scene = Scene.open(make_raster(noise("float32", 3), descriptions=("slope", "elev", "aspect")))

        with pytest.raises(BandError, match="does not state which"):
            guess_bands(scene, self.RGB)

    @pytest.mark.parametrize(
        ("text", "role"),
        [("B04", "red"), ("B4", "other"), ("red edge", "other"), ("red_band", "red"), ("NIR", "nir"),
         ("sur_refl_nir", "nir"), ("DEM (m)", "elevation"), ("red minus green", "other"), (None, "other")],
    )  # fmt: skip
    def test_descriptions_are_read_with_care(self, text: str | None, role: str) -> None:
        assert role_of(text) == role


def test_a_file_that_is_replaced_by_one_of_the_same_size_is_another_image(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "scene.tif", np.zeros((1, 40, 40), np.uint8))
    scene = Scene.open(path)
    time.sleep(0.01)  # a file system's clock may be this coarse
    write_raster(path, np.ones((1, 40, 40), np.uint8))

    with pytest.raises(InputError, match="has changed since it was opened"), scene.reader():
        pass


def test_a_file_that_is_written_to_while_it_is_read_is_refused_at_the_end(tmp_path: Path) -> None:
    scene = Scene.open(write_raster(tmp_path / "scene.tif", np.zeros((1, 40, 40), np.uint8)))

    def touched_while_read() -> None:
        with scene.reader():
            time.sleep(0.01)
            os.utime(scene.path)

    with pytest.raises(InputError, match="has changed since it was opened"):
        touched_while_read()


def test_reading_a_large_file_is_told_of_and_can_be_ended(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "scene.tif", np.zeros((1, 1100, 20), np.uint8))
    told: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        told.append((done, total))
        if done:
            raise RunCancelled("Enough.")

    with told_of_reading(stop), pytest.raises(RunCancelled):
        Scene.open(path)
    assert told == [(0, 1100), (512, 1100)]

    with told_of_reading(lambda done, total: told.append((done, total))):
        Scene.open(path)
        Scene.open(path)  # known by now
    assert told[2:] == [(0, 1100), (512, 1100), (1024, 1100)]
