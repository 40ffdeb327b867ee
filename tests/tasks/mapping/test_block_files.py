"""A map made block by block, by many, is the map that one process makes."""

from __future__ import annotations

import errno
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from rasterio.windows import Window

from core.errors import InputError, RunCancelled, StorageError
from core.learning.metrics import histogram
from core.learning.preprocessing import preprocess
from core.raster.area import Area
from core.raster.grid import Grid
from core.raster.scene import Scene
from core.raster.windows import Region
from core.raster.write import TILE, RasterWriter
from core.tasks.mapping import blocks as block_sizes
from core.tasks.mapping.block_files import gather, write_part
from core.tasks.mapping.blocks import Counts
from core.tasks.mapping.options import Options
from core.tasks.mapping.predict import Predictor, write_rasters
from tests.factories import expected_codes, ramp, tiny_spec, write_raster

Floats = NDArray[np.float32]
Outcome = tuple[Grid, dict[str, str], Counts]


class Company:
    """Stands for a network that minds what else is in the batch, as PyTorch does in the last bit, but much more."""

    name = "company"
    threads = 1

    def __init__(self) -> None:
        self.batches: list[Floats] = []

    def logits(self, batch: Floats) -> Floats:
        self.batches.append(batch.copy())
        around = np.cumsum(batch[:, 1:2], axis=3) / batch.shape[3] - batch.mean(axis=(1, 2, 3), keepdims=True)
        return (batch[:, :1] * 4 - 2 + around + batch.mean() * 5 - len(batch)).astype(np.float32)


class Red:
    """Stands for a network whose probability is the first band."""

    name = "red"
    threads = 1

    def logits(self, batch: Floats) -> Floats:
        share = np.clip(batch[:, :1].astype(float), 1e-6, 1 - 1e-6)
        return np.log(share / (1 - share)).astype(np.float32)


class Truth:
    notes = ()

    """A landslide wherever the scene's row and column add up to a multiple of three, unknown in column 5."""

    def read(self, window: Window) -> NDArray[np.uint8]:
        rows = np.arange(window.row_off, window.row_off + window.height)[:, None]
        columns = np.arange(window.col_off, window.col_off + window.width)[None, :]
        return np.where(columns == 5, 255, (rows + columns) % 3 == 0).astype(np.uint8)


def checked(region: Region) -> NDArray[np.bool_]:
    """An outline that leaves every second pixel of the scene out."""
    rows = region.row + np.arange(region.height)[:, None]
    return (rows + region.column + np.arange(region.width)[None, :]) % 2 == 0


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    resize(monkeypatch, 41, 35)


def resize(monkeypatch: pytest.MonkeyPatch, widest: int, tallest: int) -> None:
    for name, value in (("WIDEST", widest), ("TALLEST", tallest), ("WINDOWS_TALL", 0)):
        monkeypatch.setattr(block_sizes, name, value)


def predictor(scene: Scene, runtime: Any = None, **options: Any) -> Predictor:
    spec = tiny_spec()
    how = preprocess(scene, spec, stretch="none")
    return Predictor(scene, spec, how, runtime or Company(), Options(**{"batch": 3, **options}))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene.open(write_raster(tmp_path / "scene.tif", ramp(90, 103)))


def split(
    made: Callable[[], Predictor], parts: Path, folder: Path, area: Area | None = None, reference: Truth | None = None
) -> tuple[Outcome, list[Counts]]:
    """Map by a predictor of its own for each block, the last block first."""
    planned = made().blocks(area)
    counted = [write_part(made(), block, parts, area, reference) for block in reversed(planned)]
    return gather(parts, made().scene.grid, planned, folder), counted


def pixels(path: Path) -> NDArray[np.uint8]:
    with rasterio.open(path) as dataset:
        values: NDArray[np.uint8] = dataset.read(1)
    return values


def assert_same(one: Outcome, one_folder: Path, other: Outcome, other_folder: Path) -> None:
    assert one[:2] == other[:2]
    for role, name in one[1].items():
        assert (one_folder / name).read_bytes() == (other_folder / name).read_bytes(), role
    np.testing.assert_array_equal(one[2].model, other[2].model)
    np.testing.assert_array_equal(one[2].baseline, other[2].baseline)
    assert one[2].model.dtype == other[2].model.dtype == np.int64


CASES: dict[str, dict[str, Any]] = {
    "whole": {},
    "turned": {"turned": True},
    "truth": {"truth": Truth()},
    "area": {"area": Area(Region(7, 11, 71, 83), checked)},
    "area of all pixels, turned, truth": {"area": Area(Region(20, 3, 64, 97)), "turned": True, "truth": Truth()},
    "area smaller than a block": {"area": Area(Region(30, 40, 5, 6), checked), "truth": Truth()},
}


@pytest.mark.parametrize("placement", ["north-up", "rotated", "without CRS"])
@pytest.mark.parametrize("case", CASES)
def test_parts_gathered_are_the_very_files_of_one_process(tmp_path: Path, case: str, placement: str) -> None:
    asked = dict(CASES[case])
    test_time_augmentation, area, reference = asked.pop("turned", False), asked.get("area"), asked.get("truth")
    scene = Scene.open(write_raster(tmp_path / "scene.tif", ramp(90, 103), placement, nodata=10))
    one, many = tmp_path / "one", tmp_path / "many"

    alone = write_rasters(predictor(scene, test_time_augmentation=test_time_augmentation), one, area, reference)
    together, _ = split(
        lambda: predictor(scene, test_time_augmentation=test_time_augmentation),
        tmp_path / "parts",
        many,
        area,
        reference,
    )

    assert_same(alone, one, together, many)
    assert set(together[1]) == {"probability"} | ({"uncertainty"} if test_time_augmentation else set()) | (
        {"truth"} if reference else set()
    )
    assert sorted(path.name for path in many.iterdir()) == sorted(together[1].values())
    assert not (tmp_path / "parts").exists()
    with rasterio.open(many / "probability.tif") as dataset:
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert dataset.nodata == 255
        assert set(np.unique(dataset.read(1))) > {255}


@given(
    st.tuples(st.integers(1, 90), st.integers(1, 90)),
    st.tuples(st.integers(7, 100), st.integers(7, 100)),
    st.floats(0, 0.9),
    st.integers(1, 5),
    st.sampled_from([0.0, 0.3, 0.95]),
    st.integers(0, 99),
)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
def test_whatever_the_sizes_parts_are_the_files_of_one_process(
    size: tuple[int, int], block: tuple[int, int], overlap: float, batch: int, share: float, seed: int
) -> None:
    values = ramp(*size)
    mask = np.random.default_rng(seed).random(size) >= share
    mask[0, 0] = True
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        resize(patch, *block)
        folder = Path(name)
        scene = Scene.open(write_raster(folder / "scene.tif", values, mask=mask))

        alone = write_rasters(predictor(scene, overlap=overlap, batch=batch), folder / "one", reference=Truth())
        together, counted = split(
            lambda: predictor(scene, overlap=overlap, batch=batch), folder / "parts", folder / "many", reference=Truth()
        )

        assert_same(alone, folder / "one", together, folder / "many")
        assert sum(counts.model for counts in counted).tolist() == together[2].model.tolist()
        np.testing.assert_array_equal(pixels(folder / "many" / "probability.tif") == 255, ~mask)


def test_the_codes_and_the_counts_are_those_worked_out_by_hand(tmp_path: Path) -> None:
    values = ramp(90, 103)
    scene = Scene.open(write_raster(tmp_path / "scene.tif", values))
    whole = Window(0, 0, 103, 90)

    (grid, _, counts), _ = split(
        lambda: predictor(scene, Red()), tmp_path / "parts", tmp_path / "out", reference=Truth()
    )

    codes = expected_codes(values[0])
    np.testing.assert_array_equal(pixels(tmp_path / "out" / "probability.tif"), codes)
    np.testing.assert_array_equal(pixels(tmp_path / "out" / "truth.tif"), Truth().read(whole))
    np.testing.assert_array_equal(counts.model, histogram(codes, Truth().read(whole)))
    # A third of the scene's 90 rows are landslide in every column but the fifth, of which nothing is known.
    assert counts.model.sum(axis=1).tolist() == [60 * 102, 30 * 102, 90]
    assert counts.baseline.sum(axis=1).tolist() == [60 * 102, 30 * 102, 90]
    assert grid == scene.grid


def test_one_process_gives_the_network_the_batches_that_many_give_it(tmp_path: Path, scene: Scene) -> None:
    alone, alike = predictor(scene), predictor(scene)

    write_rasters(alone, tmp_path / "one")
    for block in alike.blocks():
        write_part(alike, block, tmp_path / "parts")

    assert isinstance(alone.runtime, Company)
    assert isinstance(alike.runtime, Company)
    assert len(alone.runtime.batches) == len(alike.runtime.batches) > len(alone.blocks())
    for one, other in zip(alone.runtime.batches, alike.runtime.batches, strict=True):
        np.testing.assert_array_equal(one, other)


def test_progress_counts_the_windows_of_all_blocks_alone_and_of_each_in_parts(tmp_path: Path, scene: Scene) -> None:
    made = predictor(scene, batch=1)
    each = [made.windows(block) for block in made.blocks()]
    alone: list[tuple[int, int]] = []
    parts: list[tuple[int, int]] = []

    write_rasters(made, tmp_path / "one", progress=lambda done, total: alone.append((done, total)))
    for block in made.blocks():
        write_part(made, block, tmp_path / "parts", progress=lambda done, total: parts.append((done, total)))

    assert len(each) == 9
    assert alone == [(done, sum(each)) for done in range(1, sum(each) + 1)]
    assert parts == [(done, number) for number in each for done in range(1, number + 1)]


def test_cancelling_a_part_leaves_none_of_it_not_even_of_an_earlier_attempt(tmp_path: Path, scene: Scene) -> None:
    made, parts = predictor(scene, batch=1), tmp_path / "parts"
    first, second = made.blocks()[:2]
    write_part(made, first, parts)
    others = sorted(parts.iterdir())
    write_part(made, second, parts)
    asked: list[None] = []

    def third_time() -> bool:
        asked.append(None)
        return len(asked) == 3

    with pytest.raises(RunCancelled):
        write_part(made, second, parts, cancel=third_time)

    assert len(asked) == 3
    assert sorted(parts.glob("*.json")) == sorted(path for path in others if path.suffix == ".json")
    assert not any(path.name.startswith(".writing-") for path in parts.iterdir())
    with pytest.raises(StorageError, match="row 35, column 0 is missing"):
        gather(parts, scene.grid, (first, second), tmp_path / "out")

    write_part(made, second, parts)
    gather(parts, scene.grid, (first, second), tmp_path / "out")


def test_a_part_cancelled_at_the_first_attempt_leaves_an_empty_folder(tmp_path: Path, scene: Scene) -> None:
    made = predictor(scene)

    with pytest.raises(RunCancelled):
        write_part(made, made.blocks()[0], tmp_path / "parts", cancel=lambda: True)

    assert list((tmp_path / "parts").iterdir()) == []


def all_parts(made: Predictor, parts: Path) -> tuple[Region, ...]:
    for block in made.blocks():
        write_part(made, block, parts)
    return made.blocks()


def listed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_what_an_interrupted_writer_left_goes_with_the_parts(tmp_path: Path, scene: Scene) -> None:
    parts = tmp_path / "parts"
    planned = all_parts(predictor(scene), parts)
    (parts / ".writing-abc").mkdir()
    (parts / ".writing-abc" / "tiles.tif").write_bytes(b"half")

    gather(parts, scene.grid, planned, tmp_path / "out")

    assert not parts.exists()
    assert listed(tmp_path / "out") == ["probability.tif"]


def spoil_missing(path: Path) -> None:
    path.unlink()


def spoil_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def spoil_size(path: Path) -> None:
    write_raster(path, np.zeros((3, 3), np.uint8))


@pytest.mark.parametrize("spoil", [spoil_missing, spoil_short, spoil_size])
@pytest.mark.parametrize("suffix", [".json", ".tif"])
def test_a_spoilt_part_is_named_and_nothing_is_written(
    tmp_path: Path, scene: Scene, spoil: Callable[[Path], None], suffix: str
) -> None:
    parts = tmp_path / "parts"
    planned = all_parts(predictor(scene), parts)
    (path,) = parts.glob(f"35-41-*{suffix}")
    spoil(path)
    before = listed(parts)

    with pytest.raises(StorageError, match="row 35, column 41 is missing or damaged"):
        gather(parts, scene.grid, planned, tmp_path / "out")

    assert listed(tmp_path / "out") == []
    assert listed(parts) == before


def test_parts_of_different_makers_are_not_mixed(tmp_path: Path, scene: Scene) -> None:
    parts, made = tmp_path / "parts", predictor(scene)
    planned = all_parts(made, parts)
    other = Company()
    other.threads = 2
    write_part(predictor(scene, other), planned[4], parts)

    with pytest.raises(InputError, match="not all made in the same way"):
        gather(parts, scene.grid, planned, tmp_path / "out")
    write_part(made, planned[4], parts)
    write_part(predictor(scene, test_time_augmentation=True), planned[5], parts)
    with pytest.raises(InputError, match="not all made in the same way"):
        gather(parts, scene.grid, planned, tmp_path / "out")
    write_part(made, planned[5], parts, reference=Truth())
    with pytest.raises(InputError, match="not all made in the same way"):
        gather(parts, scene.grid, planned, tmp_path / "out")

    assert listed(tmp_path / "out") == []


def test_what_is_kept_of_a_part_says_all_that_its_values_depend_on(tmp_path: Path, scene: Scene) -> None:
    made = predictor(scene, overlap=0.5)
    write_part(made, made.blocks()[0], tmp_path)
    (path,) = tmp_path.glob("*.json")

    said = json.loads(path.read_text("utf-8"))["made_by"]

    assert said["scene"] == scene.digest
    assert len(said.pop("model")) == 64
    assert said == {
        "scene": scene.digest, "runtime": "company", "threads": 1, "overlap": 0.5, "turned": False, "batch": 3,
        "bridge": [[1, 2, 3], [1.0] * 3, [0.0] * 3, 1.0],
    }  # fmt: skip


def test_cancelling_or_a_full_disk_while_gathering_leaves_the_parts_and_no_map(
    tmp_path: Path, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = tmp_path / "parts"
    planned = all_parts(predictor(scene), parts)
    before, asked = listed(parts), []

    def fifth_time() -> bool:
        asked.append(None)
        return len(asked) == 5

    with pytest.raises(RunCancelled):
        gather(parts, scene.grid, planned, tmp_path / "out", fifth_time)
    assert (listed(tmp_path / "out"), listed(parts)) == ([], before)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(rasterio.io.DatasetWriter, "write", full, raising=False)
        with pytest.raises(StorageError, match="No space left on device"):
            gather(parts, scene.grid, planned, tmp_path / "out")
    assert (listed(tmp_path / "out"), listed(parts)) == ([], before)

    gather(parts, scene.grid, planned, tmp_path / "out")
    assert (listed(tmp_path / "out"), parts.exists()) == (["probability.tif"], False)


def test_a_full_disk_leaves_no_part(tmp_path: Path, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    made = predictor(scene)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(rasterio.io.DatasetWriter, "write", full, raising=False)
    with pytest.raises(StorageError, match="No space left on device"):
        write_part(made, made.blocks()[0], tmp_path / "parts")

    assert listed(tmp_path / "parts") == []


def test_gathering_holds_no_more_than_a_row_of_tiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resize(monkeypatch, 40, 3 * TILE)
    scene = Scene.open(write_raster(tmp_path / "scene.tif", ramp(2 * TILE + 100, 50)))
    made = predictor(scene, Red(), batch=32)
    planned = all_parts(made, tmp_path / "parts")
    seen: list[tuple[int, ...]] = []
    write = RasterWriter.write

    def noting(self: RasterWriter, values: NDArray[Any], row_off: int = 0, col_off: int = 0) -> None:
        seen.append((*values.shape, row_off, col_off))
        write(self, values, row_off, col_off)

    monkeypatch.setattr(RasterWriter, "write", noting)
    gather(tmp_path / "parts", scene.grid, planned, tmp_path / "out")

    rows = [(TILE, 0), (TILE, TILE), (100, 2 * TILE)]
    assert seen == [(1, height, width, row, column) for width, column in [(40, 0), (10, 40)] for height, row in rows]
