import errno
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

from core.errors import RunCancelled, StorageError
from core.raster.grid import Grid
from core.raster.scene import Scene
from core.raster.write import atomic_path, write_array, writing
from tests.raster.conftest import NORTH_UP, TRANSFORMS, UTM


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
@pytest.mark.parametrize("crs", [UTM, None], ids=["projected", "pixel space"])
def test_every_grid_is_written_as_cog(tmp_path: Path, transform: Affine, crs: CRS | None) -> None:
    grid = Grid(1300, 700, transform, crs)
    values = np.random.default_rng(0).integers(0, 254, grid.shape, dtype="uint8")
    values[:, :50] = 255

    path = write_array(
        tmp_path / "a.tif", grid, values, nodata=255, descriptions=["probability"], tags={"run": "x"}
    )

    with rasterio.open(path) as dataset:
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert dataset.overviews(1) == [2, 4]
        assert dataset.descriptions == ("probability",)
        assert dataset.tags()["run"] == "x"
        assert dataset.nodata == 255
        assert np.array_equal(dataset.read(1), values)
        assert dataset.transform == transform
        assert dataset.crs == crs


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "float32"])
@pytest.mark.parametrize("bands", [1, 3, 4, 16])
def test_written_scene_reads_as_it_was(tmp_path: Path, dtype: str, bands: int) -> None:
    grid = Grid(70, 45, NORTH_UP, UTM)
    values = np.random.default_rng(0).uniform(0, 200, (bands, 45, 70)).astype(dtype)

    scene = Scene.open(write_array(tmp_path / "a.tif", grid, values))

    assert scene.grid == grid
    with scene.reader() as reader:
        patch = reader.read(range(1, bands + 1))
    assert np.array_equal(patch.values, values)
    assert patch.valid.all()


def test_blocks_may_come_in_any_order_and_size_and_the_rest_is_nodata(tmp_path: Path) -> None:
    grid = Grid(1100, 900, NORTH_UP, UTM)
    values = np.random.default_rng(0).integers(0, 254, (1, 900, 1100), dtype="uint8")

    with writing(tmp_path / "a.tif", grid, nodata=255) as writer:
        for row, col in [(600, 300), (0, 0), (300, 700), (0, 300)]:
            writer.write(values[:, row : row + 300, col : col + 400], row, col)

    expected = np.full((900, 1100), 255, dtype="uint8")
    for row, col in [(600, 300), (0, 0), (300, 700), (0, 300)]:
        expected[row : row + 300, col : col + 400] = values[0, row : row + 300, col : col + 400]
    with rasterio.open(tmp_path / "a.tif") as dataset:
        assert np.array_equal(dataset.read(1), expected)


def test_nodata_takes_no_part_in_overviews(tmp_path: Path) -> None:
    grid = Grid(1200, 1200, NORTH_UP, UTM)
    values = np.full(grid.shape, 10, dtype="uint8")
    values[::2] = 255

    write_array(tmp_path / "a.tif", grid, values, nodata=255)

    with rasterio.open(tmp_path / "a.tif", overview_level=0) as overview:
        assert (overview.read(1) == 10).all()


@pytest.mark.parametrize("error", [RunCancelled("stopped"), ValueError("bug"), KeyboardInterrupt()])
def test_nothing_remains_of_what_was_interrupted(
    tmp_path: Path, utm_grid: Grid, error: BaseException
) -> None:
    def work() -> None:
        with writing(tmp_path / "a.tif", utm_grid) as writer:
            writer.write(np.zeros((10, 70), "uint8"))
            raise error

    with pytest.raises(type(error)):
        work()

    assert list(tmp_path.iterdir()) == []


def test_former_file_stays_until_the_new_one_is_whole(tmp_path: Path, utm_grid: Grid) -> None:
    path = write_array(tmp_path / "a.tif", utm_grid, np.full(utm_grid.shape, 3, "uint8"))
    with pytest.raises(ValueError, match="bug"), writing(path, utm_grid):
        raise ValueError("bug")

    with rasterio.open(path) as dataset:
        assert (dataset.read() == 3).all()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("values", "row", "col"),
    [
        (np.zeros((2, 5, 5), "uint8"), 0, 0),
        (np.zeros((5, 5), "uint16"), 0, 0),
        (np.zeros((5, 5), "uint8"), 41, 0),
        (np.zeros((5, 5), "uint8"), 0, -1),
    ],
)
def test_blocks_that_do_not_fit_are_bugs(
    tmp_path: Path, utm_grid: Grid, values: np.ndarray, row: int, col: int
) -> None:
    with pytest.raises(ValueError, match=r"values|block"), writing(tmp_path / "a.tif", utm_grid) as writer:
        writer.write(values, row, col)


class TestFullDisk:
    def test_while_writing_leaves_nothing(
        self, tmp_path: Path, utm_grid: Grid, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object, **__: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(rasterio.io.DatasetWriter, "write", full, raising=False)

        with pytest.raises(StorageError, match="No space left") as caught:
            write_array(tmp_path / "a.tif", utm_grid, np.zeros(utm_grid.shape, "uint8"))

        assert "a.tif" in str(caught.value)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("share", [0.0002, 0.02, 0.3, 0.7, 0.9, 0.99, 1])
    def test_at_any_moment_leaves_nothing(self, tmp_path: Path, share: float) -> None:
        """GDAL itself writes a shorter file under some of these limits and reports nothing."""
        program = """
import json, os, resource, sys
import numpy as np
from affine import Affine
from core.errors import StorageError
from core.raster.grid import Grid
from core.raster.write import write_array

folder, share = sys.argv[1], float(sys.argv[2])
grid = Grid(1000, 1000, Affine.identity(), None)
values = np.random.default_rng(0).integers(0, 254, grid.shape, dtype="uint8")
path = write_array(folder + "/whole.tif", grid, values)
limit = int(path.stat().st_size * share) - 1
path.unlink()
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    write_array(folder + "/a.tif", grid, values)
    outcome = "written"
except StorageError as error:
    outcome = str(error)
print(json.dumps([outcome, os.listdir(folder)]))
"""
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path), str(share)],
            capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        outcome, left = json.loads(done.stdout)

        assert "a.tif could not be written" in outcome
        assert left == []

    def test_unwritable_folder_is_said(self, tmp_path: Path, utm_grid: Grid) -> None:
        (tmp_path / "file").touch()

        with pytest.raises(StorageError, match="could not be written"):
            write_array(tmp_path / "file" / "a.tif", utm_grid, np.zeros(utm_grid.shape, "uint8"))


class TestAtomicPath:
    def test_file_appears_whole_under_its_name(self, tmp_path: Path) -> None:
        path = tmp_path / "new" / "a.json"
        with atomic_path(path) as aside:
            assert aside.name == "a.json"
            aside.write_text("{}")
            assert not path.exists()

        assert path.read_text() == "{}"
        assert list(path.parent.iterdir()) == [path]

    def test_nothing_remains_after_an_error(self, tmp_path: Path) -> None:
        def work() -> None:
            with atomic_path(tmp_path / "a.json") as aside:
                aside.write_text("half")
                raise OSError(errno.ENOSPC, "No space left on device")

        with pytest.raises(StorageError, match="No space left"):
            work()

        assert list(tmp_path.iterdir()) == []

    def test_forgotten_file_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(StorageError), atomic_path(tmp_path / "a.json"):
            pass

        assert list(tmp_path.iterdir()) == []


def test_colours_of_classes_are_kept(tmp_path: Path) -> None:
    grid, colours = Grid(70, 45, NORTH_UP, UTM), {1: (10, 20, 30, 255), 2: (200, 100, 0, 255)}
    with writing(tmp_path / "a.tif", grid, nodata=0, overview_resampling="nearest", colours=colours) as writer:
        writer.write(np.full((45, 70), 2, np.uint8))

    with rasterio.open(tmp_path / "a.tif") as dataset:
        assert {value: dataset.colormap(1)[value] for value in colours} == colours
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"


def test_codes_say_what_they_stand_for_and_are_read_as_they_are(tmp_path: Path, utm_grid: Grid) -> None:
    codes = np.full(utm_grid.shape, 127, np.uint8)
    codes[0, :2] = 0, 254
    path = write_array(tmp_path / "a.tif", utm_grid, codes, nodata=255, scale=1 / 254, unit="1")

    with rasterio.open(path) as dataset:
        assert (dataset.scales, dataset.offsets, dataset.units) == ((1 / 254,), (0.0,), ("1",))
        shown = dataset.read(1) * dataset.scales[0]
        assert [shown[0, 0], shown[0, 1], shown[1, 1]] == [0.0, 1.0, 0.5]
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        # What is not measured is not told: a programme would take it for the range of the whole.
        assert not [name for name in dataset.tags(1) if name.startswith("STATISTICS")]
    with Scene.ours(path).reader() as reader:
        assert np.array_equal(reader.read((1,)).values[0], codes)
