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


def draw_scores(path: Path) -> None:
    """Write a picture of how well models of susceptibility rank the sample's cells, by random and by spatial folds."""
    from matplotlib.figure import Figure

    from core.catalog.samples import sample_table
    from core.series.table import read_table_untrusted
    from core.tasks.susceptibility.cells import cells_of
    from core.tasks.susceptibility.folds import TITLES
    from core.tasks.susceptibility.guess import guess_columns
    from core.tasks.susceptibility.models import title_of
    from core.tasks.susceptibility.plots import SCHEME_LOOKS
    from core.tasks.susceptibility.validate import Plan, validate

    models = ("logistic_regression", "weights_of_evidence", "random_forest", "xgboost")
    table = read_table_untrusted(sample_table("valley-cells").path)
    found = validate(cells_of(table, guess_columns(table)), Plan(models, repeats=5)).scores
    inches = WIDTH / 100
    size = inches, inches * PART.height / PART.width
    figure = Figure(figsize=size, dpi=100, facecolor="white", layout="constrained")
    axes = figure.add_subplot()
    for number, (scheme, scores) in enumerate(found.items()):
        rows = [place + 0.22 * (number - 0.5) for place in range(len(models))]
        for row, one in zip(rows, scores.values(), strict=True):
            axes.plot([one.auroc_low, one.auroc_high], [row, row], color=SCHEME_LOOKS[scheme][0], linewidth=3)
        middle = [one.auroc for one in scores.values()]
        face = "white" if scheme == "random" else SCHEME_LOOKS[scheme][0]
        axes.plot(middle, rows, "o", color=SCHEME_LOOKS[scheme][0], markerfacecolor=face, markersize=13,
                  markeredgewidth=2.5, label=TITLES[scheme].split(" (")[0])  # fmt: skip
    axes.set_yticks(range(len(models)), [title_of(name).split(" (")[0] for name in models], fontsize=17)
    axes.invert_yaxis()
    axes.tick_params(axis="x", labelsize=15)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("AUROC with its 95 % interval", fontsize=16)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.grid(axis="x", alpha=0.3)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=2, fontsize=16, frameon=False)
    figure.savefig(path, pil_kwargs={"quality": 88, "method": 6})
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
                draw_scores(page.card.picture.path)


if __name__ == "__main__":
    main()
