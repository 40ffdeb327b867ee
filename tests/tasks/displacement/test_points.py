"""From a table of InSAR points to velocities, rasters, files and a report; by run and by command."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import geopandas
import numpy as np
import pandas as pd
import pytest
import rasterio

from core.catalog.samples import sample_table
from core.cli.main import main
from core.errors import InputError
from core.jobs.perform import run_inline
from core.report.make import make_report
from core.runs.store import Store
from core.series.columns import QuestionError
from core.series.insar.points import points_of
from core.tasks.displacement.points_export import export_points
from core.tasks.displacement.points_findings import fastest, rows_of, verdict
from core.tasks.displacement.points_grid import grid_over, mean_raster, spacing
from core.tasks.displacement.points_result import AT_ONCE, PointsResult, points_table, values_of, write_values
from core.tasks.displacement.run_points import PointsRequest, order_of
from core.tasks.displacement.view import Look

SAMPLE = sample_table("valley-points")
DAYS = np.array("2022-01-05", "datetime64[D]") + 12 * np.arange(40)


class Made(NamedTuple):
    """A finished run and the store that it is in."""

    store: Store
    result: PointsResult


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, prepared_sqlite: Path) -> Iterator[Made]:
    """The sample of the synthetic valley."""
    home = tmp_path_factory.mktemp("points")
    shutil.copy(prepared_sqlite, home)
    store = Store(home)
    record = store.add_dataset(SAMPLE.path, "points", "table", synthetic=True)
    run = run_inline(store, order_of(record, PointsRequest()))
    yield Made(store, store.result(run, PointsResult))
    store.database.close()


def table(velocities: list[float], x: list[float], y: list[float]) -> pd.DataFrame:
    """Points that move along lines, without noise, with eastings and northings."""
    years = (DAYS - DAYS[0]).astype(float) / 365.25
    values = pd.DataFrame(np.outer(velocities, years), columns=[str(one).replace("-", "") for one in DAYS])
    places = pd.DataFrame({"pid": [f"p{number}" for number in range(len(x))], "easting": x, "northing": y})
    return pd.concat([places, values], axis=1)


def run_of(store: Store, folder: Path, frame: pd.DataFrame, **asked: object) -> PointsResult:
    path = folder / "points.csv"
    frame.to_csv(path, index=False)
    record = store.add_dataset(path, "points.csv", "table")
    return store.result(run_inline(store, order_of(record, PointsRequest(**asked))), PointsResult)  # type: ignore[arg-type]


def test_velocities_of_the_sample_are_those_it_was_made_with(made: Made) -> None:
    points = points_table(made.result)
    law = rasterio.open(SAMPLE.path.parent / "valley_velocity.tif")
    true = np.array([one[0] for one in law.sample(points[["x", "y"]].to_numpy())])

    error = points["velocity"].to_numpy() - true

    assert str(law.crs) == str(made.result.grid.crs)
    # Noise of 2 mm on 73 dates over 2.4 years leaves a standard error of 2 / (sqrt(73) * 0.69) = 0.34 mm a year.
    assert np.abs(error).mean() < 0.4
    assert points["velocity_sd"].median() == pytest.approx(0.34, abs=0.05)
    assert points["seasonality"].median() == pytest.approx(1.5, abs=0.3)
    assert "synthetic" in made.result.notes[0]


def test_cells_hold_the_mean_of_their_points_and_nothing_where_none_lie(store: Store, tmp_path: Path) -> None:
    frame = table([10.0, 20.0, -6.0], [4_500_010, 4_500_090, 4_500_350], [1_700_050, 1_700_050, 1_700_150])
    result = run_of(store, tmp_path, frame, cell=100.0)

    with rasterio.open(result.artifact("velocity")) as raster:
        values = raster.read(1)
        assert raster.crs.to_epsg() == 3035
        assert raster.transform @ (0, 0) == (4_500_000, 1_700_200)
    expected = np.full((2, 4), np.nan)
    expected[1, 0], expected[0, 3] = 15.0, -6.0
    np.testing.assert_allclose(values, expected, atol=1e-4)


def test_a_point_on_an_edge_lies_in_one_cell(tmp_path: Path) -> None:
    del tmp_path
    x, y = np.array([0.0, 100.0, 200.0]), np.array([0.0, 100.0, 200.0])
    grid, _ = grid_over(x + 500_000, y + 5_000_000, "EPSG:32633", 100.0)
    mean = mean_raster(grid, x + 500_000, y + 5_000_000, np.array([1.0, 2.0, 3.0]))
    assert np.isfinite(mean).sum() == 3
    assert mean[::-1].diagonal().tolist() == [1.0, 2.0, 3.0]


def test_points_in_degrees_are_placed_in_metres(store: Store, tmp_path: Path) -> None:
    frame = table([1.0, 1.0], [0, 0], [0, 0]).drop(columns=["easting", "northing"])
    frame.insert(1, "latitude", [45.0, 45.001])
    frame.insert(2, "longitude", [15.0, 15.0])

    points = points_table(run_of(store, tmp_path, frame))

    assert points["x"].tolist() == pytest.approx([500_000, 500_000], abs=0.01)  # on the middle meridian of zone 33
    assert points["y"].diff().iloc[1] == pytest.approx(111.13 * 0.9996, abs=0.05)  # a thousandth of a degree at 45°


def test_spacing_is_round_and_cells_are_larger_where_they_would_be_too_many() -> None:
    x = np.arange(0.0, 1_000.0, 90.0)
    assert spacing(x, np.zeros_like(x)) == 100.0
    far = np.array([0.0, 1.0, 400_000.0, 400_001.0])
    grid, notes = grid_over(far, far, "EPSG:32633")
    assert grid.width * grid.height <= 25_000_000
    assert "to stay within the limit of cells" in notes[0]
    with pytest.raises(InputError, match="the limit is"):
        grid_over(far, far, "EPSG:32633", 1.0)


def test_series_of_some_points_are_read_by_their_row(tmp_path: Path, made: Made) -> None:
    values = np.arange(2 * AT_ONCE * 7, dtype=np.float32).reshape(-1, 7)
    write_values(str(tmp_path / "values.parquet"), DAYS[:7], values)
    folder = PointsResult(**{**vars(made.result), "folder": tmp_path, "artifacts": {"values": "values.parquet"}})
    times, found = values_of(folder, [AT_ONCE + 3, 5])
    np.testing.assert_array_equal(times, DAYS[:7])
    np.testing.assert_array_equal(found, values[[AT_ONCE + 3, 5]])


def test_the_fastest_are_sure_and_the_fastest_first(made: Made) -> None:
    points = points_table(made.result)
    first = fastest(points, 5)
    sizes = np.abs(first["velocity"].to_numpy())
    assert (np.diff(sizes) <= 0).all()
    assert sizes[0] == np.abs(points["velocity"]).max()
    assert rows_of(points, list(first["pid"])) == list(first.index)
    with pytest.raises(InputError, match="no point 'X'"):
        rows_of(points, ["X"])


def test_an_export_holds_all_points_as_files_of_the_gis(made: Made, tmp_path: Path) -> None:
    content = export_points(made.result, tmp_path / "out")
    written = pd.read_csv(tmp_path / "out" / "points.csv")
    shapes = geopandas.read_file(tmp_path / "out" / "points.gpkg")

    assert len(written) == len(shapes) == made.result.count == content["points"] == 900
    stored = points_table(made.result)
    assert written["velocity"].to_numpy() == pytest.approx(stored["velocity"].to_numpy(), abs=1e-4)
    assert shapes.geometry.x.to_numpy() == pytest.approx(stored["x"].to_numpy())
    assert written["los_up"].unique() == pytest.approx([0.77])
    assert verdict(made.result).lead in content["verdict"]
    assert (tmp_path / "out" / "velocity.png").stat().st_size > 10_000


def test_the_report_shows_the_points_that_were_chosen(made: Made) -> None:
    chosen = fastest(points_table(made.result), 2)["pid"].tolist()
    make_report(made.store, made.result.id, Look(points=",".join(chosen)))
    report = made.store.run(made.result.id).artifact("report")
    assert report is not None
    text = report.path.read_text("utf-8")
    assert "Selected points" in text
    assert chosen[0] in text
    assert "not an alarm system" in text
    assert "Synthetic data" in text
    assert "synthetic (generated by a script)" in text


def test_the_command_writes_the_table_of_the_run(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    asked = ["--format", "parquet", "--out", str(out), "--no-store"]
    assert main(["displacement", "points", str(SAMPLE.path), *asked]) == 0
    written = pd.read_parquet(out / "points.parquet")
    pd.testing.assert_frame_equal(written, points_table(made.result))
    assert json.loads((out / "metrics.json").read_text())["points"] == 900
    assert "900 points, 73 dates" in capsys.readouterr().out


def test_an_unknown_system_of_coordinates_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = table([1.0] * 3, [500_000, 500_100, 500_200], [5e6] * 3).rename(columns={"easting": "x", "northing": "y"})
    with pytest.raises(QuestionError) as error:
        points_of(frame, "points")
    assert error.value.asks == "crs"
    frame.to_csv(tmp_path / "points.csv", index=False)
    asked = ["displacement", "points", str(tmp_path / "points.csv"), "--out", str(tmp_path / "out"), "--no-store"]
    assert main(asked) != 0
    assert "--crs" in capsys.readouterr().err
    assert main([*asked, "--crs", "EPSG:32633"]) == 0
    with rasterio.open(tmp_path / "out" / "velocity.tif") as raster:
        assert raster.crs.to_epsg() == 32633


@pytest.mark.parametrize(("asked", "said"), [
    ({"crs": "EPSG:0"}, "cannot be used with"), ({"cell": 0.001}, "out of range"), ({"cell": 1e7}, "out of range"),
])  # fmt: skip
def test_what_cannot_be_is_refused(store: Store, tmp_path: Path, asked: dict[str, object], said: str) -> None:
    frame = table([1.0] * 3, [500_000, 500_100, 500_200], [5e6] * 3)
    with pytest.raises(InputError, match=said):
        run_of(store, tmp_path, frame, **asked)


def orbit(path: Path, los: tuple[float, float, float], motion: tuple[float, float, float]) -> Path:
    """A table of 2 × 2 points 100 m apart, all of which move alike (east, north, up; mm a year)."""
    seen = float(np.dot(los, motion))
    x, y = [4_500_050, 4_500_150, 4_500_050, 4_500_150], [1_700_050, 1_700_050, 1_700_150, 1_700_150]
    frame = table([seen] * 4, x, y)
    for name, value in zip(("los_east", "los_north", "los_up"), los, strict=True):
        frame.insert(3, name, value)
    frame.to_csv(path, index=False)
    return path


def test_two_orbits_give_east_and_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ascending = orbit(tmp_path / "ascending.csv", (-0.6, 0.0, 0.8), (3.0, 0.0, -5.0))
    descending = orbit(tmp_path / "descending.csv", (0.6, 0.0, 0.8), (3.0, 0.0, -5.0))
    out = tmp_path / "out"
    asked = ["displacement", "points", str(ascending), "--other", str(descending), "--out", str(out), "--no-store"]
    assert main(asked) == 0
    for name, expected in (("east", 3.0), ("up", -5.0)):
        with rasterio.open(out / f"{name}.tif") as raster:
            assert raster.shape == (2, 2)
            np.testing.assert_allclose(raster.read(1), expected, atol=1e-3)
    cells = pd.read_csv(out / "east_up.csv")
    assert cells["east"].to_numpy() == pytest.approx([3.0] * 4, abs=1e-3)
    assert cells["points_second"].tolist() == [1] * 4
    assert main([*asked[:3], "--other", str(ascending), *asked[5:]]) != 0
    assert "nearly the same line of sight" in capsys.readouterr().err


def test_an_elevation_model_brings_motion_along_the_slope(tmp_path: Path, store: Store) -> None:
    from affine import Affine
    from rasterio.crs import CRS

    from core.raster.grid import Grid
    from core.raster.write import write_array

    # Ground that falls to the east by 30°, and moves down it by 10 mm a year.
    down = (np.cos(np.radians(30)), 0.0, -np.sin(np.radians(30)))
    points = orbit(tmp_path / "points.csv", (-0.6, 0.0, 0.8), tuple(10 * one for one in down))  # type: ignore[arg-type]
    grid = Grid(40, 40, Affine(10.0, 0.0, 4_499_900.0, 0.0, -10.0, 1_700_300.0), CRS.from_epsg(3035))
    fall = np.arange(40) * 10 * np.tan(np.radians(30))
    write_array(tmp_path / "dem.tif", grid, np.broadcast_to(1_000 - fall, (40, 40)).astype(np.float32))
    record, dem = store.add_dataset(points, "points", "table"), store.add_dataset(tmp_path / "dem.tif", "dem", "raster")
    result = store.result(run_inline(store, order_of(record, PointsRequest(), dem=dem)), PointsResult)

    found = points_table(result)
    # The line of sight and the slope are both taken from true north, which EPSG:3035 bends by some degrees here.
    assert found["slope_velocity"].to_numpy() == pytest.approx([10.0] * 4, rel=0.03)
    assert found["slope"].to_numpy() == pytest.approx([30.0] * 4, abs=0.5)
    assert "slope_velocity" in result.layers
    assert any("All motion is assumed to be along the steepest slope" in one for one in result.notes)


def test_a_table_without_a_line_of_sight_is_refused_with_an_elevation_model(store: Store, tmp_path: Path) -> None:
    frame = table([1.0] * 3, [4_500_000, 4_500_100, 4_500_200], [1.7e6] * 3)
    frame.to_csv(tmp_path / "points.csv", index=False)
    record = store.add_dataset(tmp_path / "points.csv", "points.csv", "table")
    sample = SAMPLE.path.with_name("valley_dem.tif")
    dem = store.add_dataset(sample, "dem", "raster")
    with pytest.raises(InputError, match="No point lies on|line of sight"):
        run_inline(store, order_of(record, PointsRequest(), dem=dem))
