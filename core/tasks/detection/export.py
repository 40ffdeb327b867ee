"""Taking a detection away: boxes, scores and provenance as files that other programs open."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from core.plots.colours import FOUND
from core.plots.gis_style import found_style, missed_style
from core.raster.features import write_features
from core.raster.fields import KNOWN, Field
from core.raster.files import one_line
from core.raster.folder import make_folder, plain_values, write_json
from core.raster.interchange import write_interchange
from core.raster.located import elevated
from core.raster.write import atomic_path
from core.runs.about import about
from core.tasks.detection.coco import write_coco
from core.tasks.detection.findings import Detections, area_column, find, middles
from core.tasks.detection.result import DetectionResult
from core.tasks.detection.searched import searched_area
from core.tasks.detection.view import Choice
from core.tasks.imagery.inputs import known_scene
from core.wording import agree

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from core.raster.scene import Scene
    from core.runs.records import Run
    from core.runs.store import Store

LAYER = "detections"
SIDE, NUMBERED = 1400, 12
"""Pixels of the longer side of the figure's image, and boxes that are named in it."""

OWN_FILES = (
    "candidates.parquet", "truth.parquet", "known.tif", "searched.tif", "detections.gpkg", "detections.geojson",
    "detections.csv", "detections.coco.json", "detections.shp.zip", "detections.kml", "detections_fields.csv",
    "outlines.gpkg", "missed.gpkg", "figure.png", "metrics.json",
)  # fmt: skip
"""What an export may hold: an earlier one in the same folder leaves none of it beside the new."""


def told_table(detections: Detections, dem: Path | None = None) -> GeoDataFrame:
    """The table of boxes with the model and the run they are of, as it is taken away.

    Parameters
    ----------
    dem
        Elevation raster: adds the elevation of the middle of each box.
    """
    result = detections.result
    return elevated(detections.table, dem).assign(model=result.model, run=result.id)


_CENTRES: Mapping[str, Field] = {
    name: replace(one, meaning=one.meaning.replace("a point within the outline", "the centre of the box"))
    for name, one in KNOWN.items() if name in ("x", "y", "elevation_m")
}  # fmt: skip
"""Columns of the table that mean something else than those of other exports."""


def plain_table(detections: Detections, dem: Path | None = None) -> DataFrame:
    """The table of boxes without shapes: edges in pixels, and the middle where the scene has a place.

    The middle is told as ``x`` and ``y`` in the scene's coordinate system, named in ``crs``, and in degrees of WGS 84.
    """
    table, corners = told_table(detections, dem), detections.boxes.corners
    rows = table.drop(columns="geometry").assign(
        **{f"{side}_px": corners[:, index] for index, side in enumerate(("left", "top", "right", "bottom"))}
    )
    if table.crs is None:
        return rows
    import geopandas

    middle = geopandas.GeoSeries(middles(detections.boxes, detections.result.grid), crs=table.crs)
    degrees, digits = middle.to_crs(4326), 7 if table.crs.is_geographic else 2
    authority = table.crs.to_authority()
    rows = rows.assign(
        x=middle.x.to_numpy().round(digits), y=middle.y.to_numpy().round(digits),
        crs=":".join(authority) if authority else one_line(table.crs.name),
    )  # fmt: skip
    return rows.assign(longitude=degrees.x.to_numpy().round(7), latitude=degrees.y.to_numpy().round(7))


def write_boxes_as_coco(detections: Detections, path: Path) -> None:
    """Write the boxes as COCO JSON, the scene being its one image; scores stand beside them."""
    result = detections.result
    image = _image_of(result)
    write_coco(
        path, {image: detections.boxes}, {image: result.grid.shape}, result.classes, scores=True,
        info={"run": result.id, "model": result.model, **chosen(detections.choice, result)},
    )  # fmt: skip


def _image_of(result: DetectionResult) -> str:
    """File name of the scene: what users call it, with the ending of its file where the run recorded one."""
    ending = PurePath(result.provenance.get("scene", {}).get("file", "")).suffix
    return result.scene if result.scene.lower().endswith(ending.lower()) else result.scene + ending


def chosen(choice: Choice, result: DetectionResult) -> dict[str, Any]:
    """A choice as plain values by name."""
    unit = "m2" if result.grid.in_metres else "px2"
    return {
        "confidence": choice.confidence,
        "nms_iou": choice.nms_iou,
        "merging": choice.merging,
        f"minimum_area_{unit}": choice.minimum_area,
        **result.grid.stated_size,
    }


def summary(detections: Detections) -> dict[str, Any]:
    """Counts, scores, choice and provenance as plain values for JSON."""
    result, scores = detections.result, detections.scores
    boxes = detections.table[area_column(result)].sum()
    content: dict[str, Any] = {
        "run": result.id,
        "scene": result.scene,
        "model": result.model,
        **chosen(detections.choice, result),
        "boxes": detections.count,
        f"box_{area_column(result)}": float(boxes),
    }
    if result.grid.in_metres:
        square = searched_area(result) / 1e6
        content |= {"scene_area_km2": square, "boxes_per_km2": detections.count / square if square else None}
    if scores is not None:
        content["scores"] = {**scores.to_json(), "missed": scores.truth - scores.hits}
    notes = list(result.notes)
    if detections.left_out:
        were = agree(detections.left_out, "was", "were")
        notes.append(
            f"There were too many candidates: the {detections.left_out:,} of lowest confidence {were} left out."
        )
    return {**content, "notes": notes, "provenance": dict(result.provenance)}


def write_figure(detections: Detections, scene: Scene, path: Path) -> None:
    """Draw the boxes over the image of their scene as a PNG, with scale, north and where the map comes from."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from rasterio.windows import Window

    from core.figures.cartography import coordinate_system
    from core.tasks.detection.figure import box_map, draw_boxes

    result = detections.result
    shown = box_map(detections, scene, Window(0, 0, result.grid.width, result.grid.height), SIDE)
    figure = draw_boxes(shown, detections.choice.confidence, detections.table.head(NUMBERED))
    synthetic = " (synthetic)" if scene.synthetic else ""
    title = one_line(f"Landslides detected in {result.scene}{synthetic}", 90)
    told = f"model {result.model} · confidence {detections.choice.confidence:.2f} · run {result.id[:8]} · SlideLens"
    lines = f"{title}\n{one_line(f'{coordinate_system(result.grid)} · {told}')}"
    # Names of files are shown as they are: a dollar begins no formula.
    figure.suptitle(lines, fontsize=9, parse_math=False)
    FigureCanvasAgg(figure)
    with atomic_path(path) as aside:
        # Without a time in it, equal runs give equal files.
        figure.savefig(aside, format="png", metadata={"Software": "SlideLens", "Creation Time": None})


def export_run(
    result: DetectionResult,
    choice: Choice,
    folder: Path,
    *,
    scene: Scene | None = None,
    dem: Path | None = None,
    copies: bool = True,
) -> dict[str, Any]:
    """Write everything of a run at a choice into a folder.

    Parameters
    ----------
    scene
        The scene that was searched, for the figure, which is left out without it.
    dem
        Elevation raster: adds the elevation of the middle of each box.
    folder
        Made when missing; files of the same names are replaced, each at once.
    copies
        Whether the run's own files, candidates and reference, are copied as well.

    Returns
    -------
    The summary that is also written as ``metrics.json``.

    Raises
    ------
    LandslideError
        When a file is gone or the disk is full.
    """
    detections = find(result, choice)
    make_folder(folder)
    for name in OWN_FILES:
        (folder / name).unlink(missing_ok=True)
    for role, name in result.artifacts.items() if copies else ():
        with atomic_path(folder / f"{role}{Path(name).suffix}") as aside:
            shutil.copyfile(result.artifact(role), aside)
    table, told = told_table(detections, dem), about(result, choice)
    for suffix in ("gpkg", "geojson"):
        write_features(
            table, folder / f"detections.{suffix}", LAYER, style=found_style("Detections", filled=False), about=told
        )
    title, rows = f"Landslides detected in {result.scene}", plain_table(detections, dem)
    write_interchange(table, folder, LAYER, title, FOUND, told, table=rows, fields=_CENTRES)
    if detections.outlines is not None:
        outlined = detections.outlines.merge(table.drop(columns="geometry"), on="id")
        write_features(outlined, folder / "outlines.gpkg", "outlines", style=found_style("Outlines"), about=told)
    if detections.reference_boxes is not None:
        write_features(
            detections.missed, folder / "missed.gpkg", "missed", style=missed_style("Missed landslides"), about=told
        )
    if scene is not None:
        write_figure(detections, scene, folder / "figure.png")
    write_boxes_as_coco(detections, folder / "detections.coco.json")
    content = summary(detections)
    write_json(content, folder / "metrics.json")
    plain: dict[str, Any] = plain_values(content)
    return plain


def export_stored(store: Store, run: Run, view: Choice | None, folder: Path) -> dict[str, Any]:
    """Export a finished run at a view; see `export_run`."""
    result = store.result(run.id, DetectionResult)
    record = known_scene(store, run)
    scene, dem = (None, None) if record is None else (record.scene, record.dem)
    return export_run(result, view or Choice.default(result), folder, scene=scene, dem=dem)
