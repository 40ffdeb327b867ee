"""Landslides of a raster outlined in strips are those that are found at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyogrio
import pytest
from scipy import ndimage

from core.errors import RunCancelled, StorageError
from core.raster import strip_labelling
from core.raster.geopackage import rows_digest
from core.raster.scene import Scene
from core.raster.strip_labelling import strip_rows
from core.tasks.mapping import outlines
from core.tasks.mapping.export import export_run
from core.tasks.mapping.findings import default_choice, find
from core.tasks.mapping.outlines import read_outlined, write_outlines
from core.tasks.mapping.view import Choice
from tests.factories import made_run, write_raster


def field(height: int = 150, width: int = 130) -> np.ndarray:
    """Smooth noise as a probability, with two blocks without data."""
    noise = ndimage.gaussian_filter(np.random.default_rng(5).standard_normal((height, width)), 2)
    probability = 0.5 + noise / (4 * noise.std())
    probability = np.clip(probability, 0, 1)
    probability[40:60, 20:50] = probability[-5:] = np.nan
    return probability


@pytest.fixture
def _low_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strip_labelling, "STRIP_PIXELS", 1)


@pytest.mark.usefixtures("_low_strips")
@pytest.mark.parametrize("placement", ["north-up", "geographic", "rotated", "without CRS"])
def test_a_run_has_the_same_landslides_by_strips_as_at_once(tmp_path: Path, placement: str) -> None:
    result = made_run(tmp_path / "run", field(), placement)
    default = default_choice(result, 0.55)
    choice = Choice(0.55, default.minimum_area, default.minimum_area)
    steps: list[tuple[int, int]] = []

    totals = write_outlines(result, choice, tmp_path / "a.gpkg", progress=lambda *step: steps.append(step))
    outlined = read_outlined(result, choice, tmp_path / "a.gpkg", totals.scene_area)

    found = find(result, choice)
    assert found.count > 20
    assert outlined.polygons.geometry.to_wkb().tolist() == found.polygons.geometry.to_wkb().tolist()
    for name in found.polygons.columns.drop("geometry"):
        np.testing.assert_array_equal(outlined.polygons[name], found.polygons[name])
    assert outlined.polygons.crs == found.polygons.crs
    assert outlined.areas.tolist() == found.areas.tolist()
    assert (totals.landslides, totals.largest) == (found.count, found.areas[0])
    assert (outlined.scene_area, outlined.share) == pytest.approx((found.scene_area, found.share), rel=1e-12)
    assert totals.area_share == pytest.approx(found.share)
    assert outlined.sizes.words == found.sizes.words
    # Five strips of 32 rows, gone through twice because holes are filled.
    assert steps == [(done, 10) for done in range(1, 11)]


@pytest.mark.usefixtures("_low_strips")
def test_slopes_are_those_found_at_once(tmp_path: Path) -> None:
    heights = ndimage.gaussian_filter(np.random.default_rng(1).normal(0, 400, (150, 130)), 3).astype(np.float32)
    dem = write_raster(tmp_path / "dem.tif", heights)
    result = made_run(tmp_path / "run", field())

    write_outlines(result, Choice(0.55), tmp_path / "a.gpkg", dem)

    wanted = find(result, Choice(0.55), dem).polygons
    found = read_outlined(result, Choice(0.55), tmp_path / "a.gpkg", 1.0).polygons
    assert list(found.columns) == list(wanted.columns)
    for name in ("slope_mean_deg", "relief_m", "aspect_deg"):
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-5)


def test_of_very_many_only_the_largest_are_held_and_all_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outlines, "HELD", 3)
    result = made_run(tmp_path / "run", field())
    totals = write_outlines(result, Choice(0.55), tmp_path / "a.gpkg")

    outlined = read_outlined(result, Choice(0.55), tmp_path / "a.gpkg", totals.scene_area)

    assert len(outlined.polygons) == 3
    assert outlined.polygons["id"].tolist() == find(result, Choice(0.55)).polygons["id"].head(3).tolist()
    assert outlined.count == totals.landslides > 20
    assert outlined.areas.sum() == totals.area


def test_nothing_found_is_a_result(tmp_path: Path) -> None:
    result = made_run(tmp_path / "run", np.full((9, 9), 0.1))

    totals = write_outlines(result, Choice(0.5), tmp_path / "a.gpkg")

    assert (totals.landslides, totals.area, totals.largest) == (0, 0, 0)
    assert read_outlined(result, Choice(0.5), tmp_path / "a.gpkg", totals.scene_area).count == 0


@pytest.mark.usefixtures("_low_strips")
def test_who_stops_it_is_heard_at_the_next_strip_and_nothing_remains(tmp_path: Path) -> None:
    result, seen = made_run(tmp_path / "run", field()), []
    with pytest.raises(RunCancelled):
        write_outlines(
            result, Choice(0.55), tmp_path / "a.gpkg", progress=lambda done, _: seen.append(done),
            cancel=lambda: len(seen) == 2,
        )  # fmt: skip
    assert seen == [1, 2]
    assert not (tmp_path / "a.gpkg").exists()


def test_a_raster_that_is_gone_says_so(tmp_path: Path) -> None:
    result = made_run(tmp_path / "run", field())
    result.artifact("probability").unlink()
    with pytest.raises(StorageError, match="no longer on disk"):
        write_outlines(result, Choice(0.5), tmp_path / "a.gpkg")


def test_strips_are_lower_the_wider_the_raster() -> None:
    assert [strip_rows(width) for width in (1, 10_000, 20_000, 100_000, 10_000_000)] == [512, 512, 256, 32, 32]


def test_an_export_of_a_large_run_takes_what_was_outlined_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = made_run(tmp_path / "run", field())
    totals = write_outlines(result, Choice(0.55), tmp_path / "a.gpkg")
    outlined = read_outlined(result, Choice(0.55), tmp_path / "a.gpkg", totals.scene_area)
    monkeypatch.setattr("core.tasks.mapping.export.LARGEST", 99)

    content = export_run(
        result, Scene.open(result.artifact("probability")), Choice(0.55), tmp_path / "out", outlined=outlined
    )

    assert content["landslides"] == totals.landslides
    assert content["landslide_share"] == pytest.approx(totals.area_share)
    assert "threshold alone" in content["notes"][-1]
    taken = tmp_path / "out" / "landslides.gpkg"
    assert rows_digest(taken) == rows_digest(tmp_path / "a.gpkg")
    assert len(pyogrio.read_dataframe(taken, layer="layer_styles")) == 1
    told = pyogrio.read_info(taken, layer="landslides")["layer_metadata"]
    assert (told["view_threshold"], told["view_fill_holes"]) == ("0.55", "0 m²")
    rows = (tmp_path / "out" / "landslides.csv").read_text("utf-8-sig").splitlines()
    assert len(rows) == 1 + totals.landslides
    assert {"landslides.shp.zip", "landslides.kml"} <= {one.name for one in (tmp_path / "out").iterdir()}

    monkeypatch.setattr("core.tasks.mapping.export.INTERCHANGED", totals.landslides - 1)
    content = export_run(result, None, Choice(0.55), tmp_path / "out", outlined=outlined)
    assert "the GeoPackage holds all" in content["notes"][-1]
    assert not (tmp_path / "out" / "landslides.csv").exists()
