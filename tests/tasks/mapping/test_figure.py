"""The figure for reports, down to where a polygon is drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from PIL import Image
from rasterio.crs import CRS
from shapely import box

from core.figures.cartography import coordinate_system, outlines, scale_length
from core.figures.image import LONGEST_SIDE
from core.learning.metrics import encode, histogram
from core.raster.grid import Grid
from core.raster.scene import Scene
from core.raster.write import write_array
from core.tasks.imagery.result import image_inputs
from core.tasks.mapping.figure import draw_figure, origin, write_figure
from core.tasks.mapping.findings import Findings, find
from core.tasks.mapping.overviews import read_overviews
from core.tasks.mapping.result import MappingResult
from core.tasks.mapping.view import Choice

UTM = CRS.from_epsg(32633)


def mapped(folder: Path, grid: Grid, *, reference: bool = True, name: str = "valley") -> tuple[Findings, Scene]:
    """One landslide, a rectangle in the lower right, found exactly; nodata in the upper tenth."""
    height, width = grid.shape
    image = np.zeros((3, height, width), dtype=np.uint8)
    image[0] = 200
    probability = np.full(grid.shape, 0.1)
    probability[height // 2 : height - 2, width // 2 : width - 2] = 0.9
    probability[: height // 10] = np.nan
    real = (np.nan_to_num(probability) > 0.5).astype(np.uint8)
    write_array(folder / "image.tif", grid, image)
    write_array(folder / "probability.tif", grid, encode(probability), nodata=255)
    write_array(folder / "truth.tif", grid, real, nodata=255, overview_resampling="nearest")
    scene = Scene.open(folder / "image.tif", name)
    result = MappingResult(
        id="0" * 32,
        kind="mapping",
        folder=folder,
        inputs=image_inputs(name, scene.digest),
        model="tiny",
        grid=grid,
        counts=histogram(encode(probability), real),
        artifacts={"probability": "probability.tif", "truth": "truth.tif"},
        has_reference=reference,
    )
    return find(result, Choice(0.5)), scene


@pytest.fixture
def on_the_ground(tmp_path: Path) -> tuple[Findings, Scene]:
    return mapped(tmp_path, Grid(60, 40, Affine(10, 0, 500_000, 0, -10, 5_200_000), UTM))


def test_the_figure_is_a_png_and_the_same_for_the_same_run(
    tmp_path: Path, on_the_ground: tuple[Findings, Scene]
) -> None:
    write_figure(*on_the_ground, tmp_path / "one.png")
    write_figure(*on_the_ground, tmp_path / "two.png")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    with Image.open(tmp_path / "one.png") as picture:
        assert picture.format == "PNG"
        assert picture.width > 1000


def test_it_says_threshold_area_run_scene_and_coordinate_system(
    on_the_ground: tuple[Findings, Scene],
) -> None:
    text = origin(*on_the_ground)
    # 20 rows less two, 30 columns less two, of 100 m² each.
    assert "Threshold 0.50" in text
    assert "holes not filled" in text
    assert "1 landslide, 50,4" in text
    assert "SlideLens run 00000000 · model tiny" in text
    assert "WGS 84 / UTM zone 33N (EPSG:32633)" in text


def test_a_scene_without_coordinates_is_measured_in_pixels(tmp_path: Path) -> None:
    findings, scene = mapped(tmp_path, Grid(60, 40, Affine.identity(), None), reference=False)
    assert "504 px" in origin(findings, scene)
    assert coordinate_system(findings.result.grid) == "No coordinate system: positions and areas in pixels"
    write_figure(findings, scene, tmp_path / "figure.png")


def test_names_from_files_are_text_and_never_formulas(tmp_path: Path) -> None:
    findings, scene = mapped(
        tmp_path, Grid(60, 40, Affine.identity(), None), name="a $\\frac{ bad$ <b>\nname" + "x" * 200
    )
    figure = draw_figure(findings, scene, read_overviews(findings.result, scene))
    title = figure.get_suptitle()
    assert "a $\\frac{ bad$ <b> name" in title
    assert "\n" not in title
    assert title.endswith("…")
    write_figure(findings, scene, tmp_path / "figure.png")


def test_large_rasters_are_reduced_while_they_are_read(tmp_path: Path) -> None:
    findings, scene = mapped(tmp_path, Grid(4000, 1000, Affine(10, 0, 0, 0, -10, 0), UTM))
    panels = read_overviews(findings.result, scene)
    assert panels.image.shape == (375, LONGEST_SIDE, 4)
    assert panels.probability.shape == (375, LONGEST_SIDE)
    assert np.isnan(panels.probability[0]).all()
    assert panels.probability[-20, -20] == pytest.approx(0.9, abs=0.003)


def test_a_run_of_a_part_shows_that_part_of_the_scene(tmp_path: Path) -> None:
    whole = Grid(60, 40, Affine(10, 0, 500_000, 0, -10, 5_200_000), UTM)
    image = np.zeros((3, 40, 60), dtype=np.uint8)
    image[0, 10:, 20:] = 250
    write_array(tmp_path / "whole.tif", whole, image)
    part = Grid(30, 20, whole.transform @ Affine.translation(20, 10), UTM)
    folder = tmp_path / "part"
    findings, _ = mapped(folder, part)
    panels = read_overviews(findings.result, Scene.open(tmp_path / "whole.tif"))
    assert panels.image.shape == (20, 30, 4)
    assert (panels.image[..., 0] == 250).all()


@pytest.mark.parametrize(
    "transform",
    [
        Affine(10, 0, 500_000, 0, -10, 5_200_000),
        Affine(10, 0, 500_000, 0, 10, 5_200_000),
        Affine.translation(500_000, 5_200_000) @ Affine.rotation(30) @ Affine.scale(10, -10),
    ],
)
def test_outlines_are_drawn_on_their_pixels_however_the_raster_lies(
    tmp_path: Path, transform: Affine
) -> None:
    findings, scene = mapped(tmp_path, Grid(60, 40, transform, UTM))
    (path,) = outlines(findings.polygons.geometry.to_numpy(), findings.result.grid)
    corners = path.vertices
    np.testing.assert_allclose([corners[:, 0].min(), corners[:, 0].max()], [30, 58], atol=1e-6)
    np.testing.assert_allclose([corners[:, 1].min(), corners[:, 1].max()], [20, 38], atol=1e-6)
    write_figure(findings, scene, tmp_path / "figure.png")


def test_a_hole_in_a_polygon_stays_a_hole() -> None:
    ring = box(0, 0, 10, 10) - box(4, 4, 6, 6)
    (path,) = outlines(np.array([ring], dtype=object), Grid(10, 10, Affine.identity(), None))
    figure = Figure(figsize=(1, 1), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 10), ylim=(10, 0))
    axes.set_axis_off()
    axes.add_patch(PathPatch(path, facecolor="black", linewidth=0))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = np.asarray(canvas.buffer_rgba())[..., 0]
    assert drawn[10, 10] == 0
    assert drawn[50, 50] == 255


@pytest.mark.parametrize(
    ("span", "length"), [(5120.0, 1000.0), (4000.0, 1000.0), (3999.0, 500.0), (128.0, 20.0), (0.9, 0.2)]
)
def test_scale_bars_have_round_lengths_within_a_quarter(span: float, length: float) -> None:
    assert scale_length(span) == pytest.approx(length)


def test_a_scene_that_is_made_up_says_so(on_the_ground: tuple[Findings, Scene]) -> None:
    findings, scene = on_the_ground
    figure = draw_figure(findings, replace(scene, synthetic=True), read_overviews(findings.result, scene))
    assert figure.axes[0].get_title() == "Image (synthetic)"
