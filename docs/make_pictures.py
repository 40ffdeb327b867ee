"""Make the pictures of the tasks on the first page, from results of the models that ship on the sample valley.

Run ``python docs/make_pictures.py`` when the valley, a model or the place changes. Each picture is written where the
page of its task declares it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rasterio.windows import Window

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.catalog.samples import sample  # noqa: E402
from core.figures.image import image_below  # noqa: E402
from core.plots.colours import FOUND, PROBABILITY_RAMP, ramp_colours  # noqa: E402
from core.raster.scene import Scene  # noqa: E402
from core.runs.store import Store  # noqa: E402
from ui.task.task import task_pages  # noqa: E402

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PART = Window(8, 120, 300, 170)
"""The part of the valley that is shown, in pixels."""

WIDTH = 900
"""Pixels of a picture."""

MAPPER, DETECTOR = "unet-regnety", "component-tree"


def draw(path: Path, scene: Scene, found: Callable[[Axes], None]) -> None:
    """Write a picture of a part of a scene with what was found in it."""
    from matplotlib.figure import Figure

    grid = scene.grid.window(PART)
    inches = WIDTH / 100
    figure = Figure(figsize=(inches, inches * PART.height / PART.width), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    edges = (PART.col_off, PART.col_off + PART.width, PART.row_off + PART.height, PART.row_off)
    axes.imshow(image_below(scene, grid, grid.shape), extent=edges, interpolation="bilinear", aspect="auto")
    axes.set(xlim=edges[:2], ylim=edges[2:], xticks=[], yticks=[], frame_on=False)
    found(axes)
    figure.savefig(path, pil_kwargs={"quality": 82, "method": 6})
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")


def mapped(store: Store, scene: Scene) -> Callable[[Axes], None]:
    """Landslides of a mapping in the colour of what is found."""
    from core.figures.cartography import outlines
    from core.tasks.mapping.findings import default_choice, find
    from core.tasks.mapping.run import Request, run_mapping

    result = run_mapping(store, scene, Request(MAPPER))
    polygons = find(result, default_choice(result, result.threshold)).polygons

    def show(axes: Axes) -> None:
        from matplotlib.collections import PathCollection
        from matplotlib.colors import to_rgba

        paths = outlines(polygons.geometry.to_numpy(), scene.grid)
        axes.add_collection(PathCollection(paths, facecolors=[to_rgba(FOUND, 0.45)], edgecolors=FOUND, linewidths=1.6))

    return show


def detected(store: Store, scene: Scene) -> Callable[[Axes], None]:
    """Boxes of a detector with their confidences."""
    from core.tasks.detection.findings import default_choice, find
    from core.tasks.detection.run import Request, run_detection

    result = run_detection(store, scene, Request(DETECTOR))
    boxes = find(result, default_choice(result)).boxes
    most = max(0.1, float(np.ceil(boxes.scores.max(initial=0.0) * 10)) / 10)
    colours = ramp_colours(boxes.scores / most, PROBABILITY_RAMP)

    def show(axes: Axes) -> None:
        from matplotlib.patches import Rectangle

        for (left, top, right, bottom), score, colour in zip(boxes.corners, boxes.scores, colours, strict=True):
            place = {"xy": (left, top), "width": right - left, "height": bottom - top, "fill": False}
            axes.add_patch(Rectangle(**place, edgecolor="white", linewidth=3.4, alpha=0.7))
            axes.add_patch(Rectangle(**place, edgecolor=colour, linewidth=2.0))
            if PART.col_off < left and right < PART.col_off + PART.width and top - 9 > PART.row_off:
                box = {"facecolor": "black", "alpha": 0.65, "edgecolor": "none", "pad": 1.2}
                axes.text(left, top - 2, f"{score:.2f}", color="white", fontsize=9, va="bottom", bbox=box, clip_on=True)

    return show


def draw_susceptibility(path: Path, store: Store) -> None:
    """Write a picture of the classes of susceptibility over the hillshade, with the landslides of the inventory."""
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure

    from core.catalog.areas import sample_area
    from core.figures.cartography import outlines
    from core.jobs.perform import run_inline
    from core.plots.colours import REFERENCE, rgb
    from core.raster.terrain import hillshade
    from core.tasks.susceptibility.area import AreaPlan
    from core.tasks.susceptibility.classed import classed
    from core.tasks.susceptibility.map_findings import landslides_on, outlines_of
    from core.tasks.susceptibility.map_result import SusceptibilityMap
    from core.tasks.susceptibility.run_map import MapRequest, order_of
    from core.tasks.susceptibility.view import Choice

    layers = sample_area("valley").layers[:2]
    dem, slides = (store.add_dataset(one.path, one.name, synthetic=True) for one in layers)
    request = MapRequest(AreaPlan(), uncertainty=False, applicability=False)
    result = store.result(run_inline(store, order_of(request, dem, [], slides)), SusceptibilityMap)
    classes = classed(result, Choice.default(result))
    index, ground = Scene.ours(result.artifact("index")), Scene.open(dem.path)
    with index.reader() as reader, ground.reader() as below:
        codes, heights = reader.read((1,), PART).values[0], below.read((1,), PART).values[0]
    light = hillshade(heights.astype(float), ground.grid.window(PART))
    table = np.array([rgb(colour) for colour in classes.colours], float)
    picture = table[np.searchsorted(np.asarray(classes.breaks), codes, side="right")] * 0.72
    picture += 255 * 0.28 * np.nan_to_num(light, nan=0.7)[..., None]
    inches = WIDTH / 100
    figure = Figure(figsize=(inches, inches * PART.height / PART.width), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    edges = (PART.col_off, PART.col_off + PART.width, PART.row_off + PART.height, PART.row_off)
    axes.imshow(np.clip(picture, 0, 255).astype(np.uint8), extent=edges, interpolation="bilinear", aspect="auto")
    paths = outlines(outlines_of(landslides_on(store, result)).geometry.to_numpy(), result.grid)
    for colour, width in (("white", 3.0), (REFERENCE, 1.5)):
        axes.add_collection(PathCollection(paths, facecolors="none", edgecolors=colour, linewidths=width))
    axes.set(xlim=edges[:2], ylim=edges[2:], xticks=[], yticks=[], frame_on=False)
    figure.savefig(path, pil_kwargs={"quality": 82, "method": 6})
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")


def draw_displacement(path: Path, store: Store) -> None:
    """Write a picture of the synthetic reservoir landslide: forecasts with intervals, rain and reservoir level."""
    from matplotlib.figure import Figure

    from core.catalog.samples import sample_table
    from core.jobs.perform import run_inline
    from core.plots.colours import MISSED, NOT_KNOWN, REFERENCE
    from core.series.columns import Columns
    from core.tasks.displacement.findings import forecasts_of, series_of
    from core.tasks.displacement.plan import Plan
    from core.tasks.displacement.result import ForecastResult
    from core.tasks.displacement.run import ForecastRequest, order_of

    record = store.add_dataset(sample_table("reservoir-slide").path, "reservoir", "table", synthetic=True)
    columns = Columns("date", ("ZK1_mm",), rain=("rain_mm",), level=("reservoir_level_m",))
    plan = Plan(models=("xgboost",), known_future=("rain_mm", "reservoir_level_m"), test_share=0.5)
    result = store.result(run_inline(store, order_of(record, ForecastRequest(columns, plan))), ForecastResult)
    series, forecasts = series_of(result), forecasts_of(result)
    ours = forecasts[forecasts["model"] == "xgboost"]
    begin = ours["origin"].map(dict(zip(series["time"], series["displacement"], strict=True))).to_numpy(float)
    shown = series[series["time"] >= ours["origin"].min()]
    inches = WIDTH / 100
    figure = Figure(figsize=(inches, inches * PART.height / PART.width), dpi=100, facecolor="white")
    rain, level, moved = figure.add_axes((0, 0, 1, 0.3)), figure.add_axes((0, 0.3, 1, 0.16)), figure.add_axes(
        (0, 0.42, 1, 0.58)
    )
    rain.bar(shown["time"], shown["rain_mm"], width=26, color=MISSED)
    level.plot(shown["time"], shown["reservoir_level_m"], color=REFERENCE, linewidth=2.5)
    moved.fill_between(ours["target"], begin + ours["low"], begin + ours["high"], color=FOUND, alpha=0.25, linewidth=0)
    moved.plot(shown["time"], shown["displacement"], "o", color=NOT_KNOWN, markersize=4.5)
    moved.plot(ours["target"], begin + ours["forecast"], color=FOUND, linewidth=2.5)
    for axes in (rain, level, moved):
        axes.set(xlim=(shown["time"].min(), ours["target"].max()), xticks=[], yticks=[], frame_on=False)
    figure.savefig(path, pil_kwargs={"quality": 82, "method": 6})
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    """Make the pictures."""
    valley = sample("valley-after")
    scene = Scene.open(valley.path, valley.title, synthetic=True)
    makers = {"mapping": mapped, "detection": detected}
    with tempfile.TemporaryDirectory() as home:
        store = Store(Path(home))
        for name, page in task_pages().items():
            if page.card.picture is not None and name in makers:
                draw(page.card.picture.path, scene, makers[name](store, scene))
            elif page.card.picture is not None and name == "susceptibility":
                draw_susceptibility(page.card.picture.path, store)
            elif page.card.picture is not None and name == "displacement":
                draw_displacement(page.card.picture.path, store)


if __name__ == "__main__":
    main()
