"""What is new between two probability rasters made by hand."""

from __future__ import annotations

import csv
from pathlib import Path
from zipfile import ZipFile

import geopandas
import numpy as np
import pytest
from affine import Affine

from core.errors import GridError
from core.raster.fields import NEVER
from core.raster.scene import Scene
from core.tasks.mapping.change import NODATA_CHANGE, compare, write_change
from core.tasks.mapping.export import write_new
from core.tasks.mapping.view import Choice
from tests.factories import NORTH_UP, PLACEMENTS, made_run


def before() -> np.ndarray:
    """One old slide, and a place without data."""
    probability = np.zeros((12, 20))
    probability[1:4, 1:5] = 1.0
    probability[9:, 17:] = np.nan
    return probability


def after() -> np.ndarray:
    """The old slide, a new one, and one of which a third was there."""
    probability = np.zeros((12, 20))
    probability[1:4, 1:5] = 1.0
    probability[6:9, 8:11] = 1.0
    probability[0, 19] = np.nan
    return probability


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_only_polygons_that_were_not_there_before_are_new(tmp_path: Path, placement: str) -> None:
    change = compare(
        made_run(tmp_path / "a", before(), placement), made_run(tmp_path / "b", after(), placement), Choice(0.5)
    )

    assert len(change.findings.polygons) == 2
    assert change.new["area_px"].tolist() == [9]
    assert change.new["share_before"].tolist() == [0]
    outline = change.new.geometry.iloc[0]
    grid = change.findings.result.grid
    place = grid.transform if grid.crs else Affine.identity()
    column, row = ~place @ (outline.centroid.x, outline.centroid.y)
    assert (column, row) == pytest.approx((9.5, 7.5), abs=1e-4)


def test_new_landslides_leave_for_other_programs_with_what_their_shares_mean(tmp_path: Path) -> None:
    change = compare(made_run(tmp_path / "a", before()), made_run(tmp_path / "b", after()), Choice(0.5))
    write_new(change, tmp_path / "out")
    names = {one.name for one in (tmp_path / "out").iterdir()}
    assert names == {
        "change.tif", "new_landslides.gpkg", "new_landslides.csv", "new_landslides.shp.zip", "new_landslides.kml",
        "new_landslides_fields.csv",
    }  # fmt: skip
    table = geopandas.read_file(tmp_path / "out" / "new_landslides.gpkg")
    assert table["area_px"].tolist() == [9]
    with ZipFile(tmp_path / "out" / "new_landslides.shp.zip") as archive:
        rows = {row["field"]: row for row in csv.DictReader(
            archive.read("new_landslides_fields.csv").decode("utf-8").splitlines()
        )}  # fmt: skip
    assert rows["share_before"]["meaning"].startswith("Share of that part that was mapped as landslide")
    assert rows["share_before"]["empty_value"] == "the earlier image has no data there"
    assert rows["share_known"]["empty_value"] == NEVER


def test_the_difference_is_after_minus_before_and_unknown_where_either_is(tmp_path: Path) -> None:
    change = compare(made_run(tmp_path / "a", before()), made_run(tmp_path / "b", after()), Choice(0.5))

    expected = after() - before()
    np.testing.assert_allclose(change.difference, expected)
    assert np.isnan(change.difference[0, 19])
    assert np.isnan(change.difference[11, 19])


@pytest.mark.parametrize(("rows_before", "new"), [(2, 1), (3, 0)])
def test_a_polygon_of_which_half_was_there_before_is_not_new(tmp_path: Path, rows_before: int, new: int) -> None:
    earlier, later = np.zeros((10, 10)), np.zeros((10, 10))
    later[2:8, 3:6] = 1.0
    earlier[2 : 2 + rows_before, 3:6] = 1.0

    change = compare(made_run(tmp_path / "a", earlier), made_run(tmp_path / "b", later), Choice(0.5))

    assert len(change.new) == new
    if new:
        assert change.new["share_before"].iloc[0] == pytest.approx(1 / 3, abs=1e-3)


def test_an_earlier_scene_on_a_coarser_and_larger_grid_is_laid_on_the_later_one(tmp_path: Path) -> None:
    coarse = np.zeros((10, 14))
    # 20 m pixels from 20 m further up and left: its pixel (2, 2) covers rows and columns 2 and 3 of the later one.
    coarse[2, 2] = 1.0
    place = NORTH_UP @ Affine.translation(-2, -2) @ Affine.scale(2)
    later = np.zeros((12, 20))
    later[2:4, 2:4] = 1.0

    change = compare(made_run(tmp_path / "a", coarse, transform=place), made_run(tmp_path / "b", later), Choice(0.5))

    assert len(change.new) == 0
    assert (change.difference == 0).all()


def test_the_change_raster_keeps_the_sign_and_its_nodata(tmp_path: Path) -> None:
    change = compare(made_run(tmp_path / "a", before()), made_run(tmp_path / "b", after()[::-1]), Choice(0.5))

    write_change(change, tmp_path / "change.tif")

    scene = Scene.open(tmp_path / "change.tif")
    assert (scene.dtype, scene.nodata) == ("int16", NODATA_CHANGE)
    with scene.reader() as reader:
        patch = reader.read((1,))
    np.testing.assert_array_equal(patch.valid, ~np.isnan(change.difference))
    np.testing.assert_array_equal(patch.values[0][patch.valid] / 254, change.difference[patch.valid])
    assert {-254, 0, 254} == set(patch.values[0][patch.valid].tolist())


def test_places_without_overlap_cannot_be_compared(tmp_path: Path) -> None:
    far = made_run(tmp_path / "a", before(), transform=NORTH_UP @ Affine.translation(1000, 0))

    with pytest.raises(GridError, match="does not overlap"):
        compare(far, made_run(tmp_path / "b", after()), Choice(0.5))


def test_images_without_a_coordinate_system_must_have_one_size(tmp_path: Path) -> None:
    with pytest.raises(GridError, match="12 by 20|20 by 12"):
        compare(
            made_run(tmp_path / "a", before().T, "without CRS"), made_run(tmp_path / "b", after(), "without CRS"),
            Choice(0.5),
        )  # fmt: skip


def test_a_placed_scene_and_one_without_place_cannot_be_compared(tmp_path: Path) -> None:
    with pytest.raises(GridError, match="coordinate system"):
        compare(made_run(tmp_path / "a", before(), "without CRS"), made_run(tmp_path / "b", after()), Choice(0.5))


def test_scenes_without_a_common_valid_pixel_cannot_be_compared(tmp_path: Path) -> None:
    left, right = np.full((4, 4), np.nan), np.full((4, 4), np.nan)
    left[:, :2], right[:, 2:] = 0.5, 0.5

    with pytest.raises(GridError, match="no valid pixel in common"):
        compare(made_run(tmp_path / "a", left), made_run(tmp_path / "b", right), Choice(0.5))


def test_where_nothing_was_seen_before_nothing_is_called_new(tmp_path: Path) -> None:
    """Of four slides one is old, one new, one was not seen and one only in its left third."""
    earlier, later = np.zeros((12, 20)), np.zeros((12, 20))
    earlier[1:4, 1:4] = later[1:4, 1:4] = 1.0
    later[6:9, 1:4] = 1.0
    later[1:4, 14:17] = 1.0
    later[6:9, 9:12] = 1.0
    earlier[:, 10:] = np.nan

    change = compare(made_run(tmp_path / "a", earlier), made_run(tmp_path / "b", later), Choice(0.5))

    assert (len(change.new), len(change.unseen), change.old) == (1, 2, 1)
    assert change.new["share_known"].tolist() == [1.0]
    assert sorted(change.unseen["share_known"]) == pytest.approx([0.0, 1 / 3], abs=1e-3)
    assert np.isnan(change.unseen.loc[change.unseen["share_known"] == 0, "share_before"]).all()


def test_the_share_mapped_before_is_of_what_was_seen(tmp_path: Path) -> None:
    earlier, later = np.zeros((10, 10)), np.zeros((10, 10))
    later[2:6, 2:6] = 1.0
    earlier[2:6, 2:4] = 1.0
    earlier[2:6, 5] = np.nan

    change = compare(made_run(tmp_path / "a", earlier), made_run(tmp_path / "b", later), Choice(0.5))

    assert (len(change.new), len(change.unseen), change.old) == (0, 0, 1), "8 of the 12 pixels that were seen"
