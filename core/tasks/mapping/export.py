"""Taking a mapping away: rasters, polygons, scores, provenance and a figure, as files that other programs open."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rasterio.windows import Window

from core.learning.metrics import NODATA_CODE, threshold_code
from core.plots.colours import FOUND
from core.plots.gis_style import class_table, found_style
from core.raster.features import write_features
from core.raster.folder import make_folder, plain_values, write_json
from core.raster.geopackage import dress, first_rows
from core.raster.interchange import write_interchange
from core.raster.located import elevated
from core.raster.scene import Scene
from core.raster.write import atomic_path, write_array, writing
from core.runs.about import about
from core.tasks.imagery.inputs import known_scene
from core.tasks.mapping.change import Change, compare, write_change
from core.tasks.mapping.findings import LARGEST, Findings, Landslides, find, score
from core.tasks.mapping.result import PROBABILITY, MappingResult
from core.tasks.mapping.view import Choice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from geopandas import GeoDataFrame

    from core.raster.progress import ProgressCallback
    from core.runs.records import Run
    from core.runs.store import Store
    from core.tasks.mapping.outlines import Outlined

LAYER, NEW = "landslides", "new_landslides"
STYLE = "Landslides"
BLOCK_ROWS = 512
INTERCHANGED = 100_000
"""Landslides of a large raster up to which they are also written as CSV, Shapefile and KML, within some seconds."""

MASK_ENCODING = "1 landslide, 0 none, 255 nodata"
OWN_FILES = (
    "probability.tif", "uncertainty.tif", "truth.tif", "mask.tif", "change.tif", "landslides.gpkg",
    "landslides.geojson", "landslides.csv", "landslides.shp.zip", "landslides.kml", "landslides_fields.csv",
    "new_landslides.gpkg", "new_landslides.csv", "new_landslides.shp.zip", "new_landslides.kml",
    "new_landslides_fields.csv", "figure.png", "metrics.json",
)  # fmt: skip
"""What an export may hold: an earlier one in the same folder leaves none of it beside the new."""


def write_mask(findings: Findings, path: Path) -> None:
    """Write the mask as a COG: 1 landslide, 0 none, 255 nodata."""
    mask = np.where(findings.valid, findings.mask.astype(np.uint8), 255).astype(np.uint8)
    write_array(
        path, findings.result.grid, mask[None], nodata=255, descriptions=("landslide",),
        tags=_tags(findings), overview_resampling="nearest", colours=class_table(FOUND),
    )  # fmt: skip


def _tags(findings: Findings) -> dict[str, str]:
    return {
        "run": findings.result.id,
        "model": findings.result.model,
        "threshold": f"{findings.choice.threshold:.4f}",
        "encoding": MASK_ENCODING,
    }


def write_polygons(polygons: GeoDataFrame, path: Path, told: Mapping[str, str] | None = None) -> None:
    """Write landslides with their attributes, as `core.raster.features.write_features`."""
    write_features(polygons, path, LAYER, style=found_style(STYLE), about=told)


def _header(result: MappingResult, choice: Choice) -> dict[str, Any]:
    unit = "m2" if result.grid.in_metres else "px2"
    return {
        "run": result.id,
        "scene": result.scene,
        "model": result.model,
        "threshold": choice.threshold,
        f"minimum_area_{unit}": choice.minimum_area,
        f"fill_holes_{unit}": choice.fill_holes,
        **result.grid.stated_size,
    }


def _scores(result: MappingResult, choice: Choice) -> dict[str, Any]:
    scores = score(result, choice.threshold)
    if scores is None:
        return {}
    confusion = scores.model
    content: dict[str, Any] = {
        "scores": {
            **confusion.scores(),
            "average_precision": scores.curve.average_precision,
            "true_positive": confusion.true_positive,
            "false_positive": confusion.false_positive,
            "false_negative": confusion.false_negative,
            "true_negative": confusion.true_negative,
        }
    }
    if scores.baseline is not None:
        content["colour_index"] = scores.baseline.scores()
    return content


def summary(findings: Landslides) -> dict[str, Any]:
    """Counts, areas, scores, size distribution, choice and provenance as plain values for JSON."""
    result, sizes = findings.result, findings.sizes
    unit = "m2" if result.grid.in_metres else "px2"
    return {
        **_header(result, findings.choice),
        "landslides": findings.count,
        f"landslide_area_{unit}": float(findings.areas.sum()),
        f"scene_area_{unit}": findings.scene_area,
        "landslide_share": findings.share,
        "landslide_share_of": "drawn area" if result.drawn else "scene",
        "size_frequency": {
            "mode": sizes.mode, "words": sizes.words, "n": sizes.n, "rho": sizes.rho, "a_m2": sizes.a,
            "s_m2": sizes.s, "tail_exponent": sizes.exponent, "tail_exponent_95": sizes.exponent_interval,
            "rollover_m2": sizes.rollover_m2, "magnitude": sizes.magnitude,
        },
        **_scores(result, findings.choice),
        "notes": list(result.notes),
        "provenance": dict(result.provenance),
    }  # fmt: skip


def _export_large(
    result: MappingResult, choice: Choice, folder: Path, outlined: Outlined | None, *, copies: bool
) -> dict[str, Any]:
    """Mask and scores of a raster too large to be held whole, block by block, and the landslides outlined before."""
    codes_from = threshold_code(choice.threshold)
    tags = {"run": result.id, "model": result.model, "threshold": f"{choice.threshold:.4f}", "encoding": MASK_ENCODING}
    with (
        Scene.open(result.artifact(PROBABILITY)).reader() as reader,
        writing(
            folder / "mask.tif", result.grid, nodata=NODATA_CODE, descriptions=("landslide",), tags=tags,
            overview_resampling="nearest", colours=class_table(FOUND),
        ) as writer,
    ):  # fmt: skip
        for row in range(0, result.grid.height, BLOCK_ROWS):
            window = Window(0, row, result.grid.width, min(BLOCK_ROWS, result.grid.height - row))
            codes = reader.read((1,), window).values.astype(np.uint8)
            writer.write(np.where(codes == NODATA_CODE, NODATA_CODE, codes >= codes_from).astype(np.uint8), row, 0)
    content = _large_summary(result, choice, outlined)
    told = about(result, choice)
    if outlined is not None and copies:
        with atomic_path(folder / "landslides.gpkg") as aside:
            shutil.copyfile(outlined.path, aside)
            dress(aside, LAYER, found_style(STYLE), told)
    if outlined is not None and outlined.count <= INTERCHANGED:
        polygons = first_rows(outlined.path, INTERCHANGED)
        write_interchange(polygons, folder, LAYER, f"Landslides mapped in {result.scene}", FOUND, told)
    elif outlined is not None:
        content["notes"].append(
            f"CSV, Shapefile and KML are written for up to {INTERCHANGED:,} landslides; the GeoPackage holds all "
            f"{outlined.count:,}."
        )
    write_json(content, folder / "metrics.json")
    plain: dict[str, Any] = plain_values(content)
    return plain


def _large_summary(result: MappingResult, choice: Choice, outlined: Outlined | None) -> dict[str, Any]:
    mask = "the mask is the threshold alone, without minimum area and hole filling."
    if outlined is not None:
        content = summary(outlined)
        return {**content, "notes": [*content["notes"], f"For an image of this size, {mask}"]}
    codes_from = threshold_code(choice.threshold)
    pixels, found = int(result.counts.sum()), int(result.counts[:, codes_from:].sum())
    note = (
        f"Polygons are created directly up to {LARGEST / 1e6:.0f} megapixels; they were omitted. For an image of "
        f"this size, {mask}"
    )
    return {
        **_header(result, choice),
        "landslide_share": found / pixels if pixels else None,
        **_scores(result, choice),
        "notes": [*result.notes, note],
        "provenance": dict(result.provenance),
    }


def write_new(
    change: Change, folder: Path, told: Mapping[str, str] | None = None, dem: Path | None = None
) -> None:
    """Write what is new since an earlier run into a folder, which is made when missing.

    ``change.tif`` is the change in probability, ``new_landslides`` the polygons that were not mapped before, as
    GeoPackage, CSV, Shapefile and, where they have coordinates, KML.

    Parameters
    ----------
    told
        What the files say of the run; by default its model, threshold and areas.
    dem
        Elevation of a point in each polygon.

    Raises
    ------
    StorageError
        When the disk is full.
    """
    result = change.findings.result
    known = about(result, change.findings.choice) if told is None else told
    make_folder(folder)
    write_change(change, folder / "change.tif")
    new = elevated(change.new, dem)
    write_polygons(new, folder / f"{NEW}.gpkg", dict(known))
    write_interchange(new, folder, NEW, f"New landslides in {result.scene}", FOUND, known)


def export_run(
    result: MappingResult,
    scene: Scene | None,
    choice: Choice,
    folder: Path,
    *,
    dem: Path | None = None,
    before: MappingResult | None = None,
    outlined: Outlined | None = None,
    copies: bool = True,
) -> dict[str, Any]:
    """Write everything of a run at a choice into a folder.

    Parameters
    ----------
    result, scene, choice
        The run, its scene (for the figure, which is left out without it), and threshold and areas.
    folder
        Made when missing; files of the same names are replaced, each at once.
    dem
        Elevation, for slope, relief and aspect of each polygon, and the elevation of a point in it.
    before
        Run of the earlier scene; adds the change raster and the polygons that are new.
    outlined
        Landslides of this run and choice that were outlined before, for a raster too large to do so at once.
    copies
        Whether files that are there already, the run's own rasters and what was outlined, are copied as well.

    Returns
    -------
    The summary that is also written as ``metrics.json``.

    Raises
    ------
    LandslideError
        When a raster is gone or the disk is full.

    Notes
    -----
    A raster too large to be outlined at once is exported without polygons unless they are given; the notes say so.
    """
    from core.tasks.mapping.figure import write_figure

    make_folder(folder)
    for name in OWN_FILES:
        (folder / name).unlink(missing_ok=True)
    for role, name in result.artifacts.items() if copies else ():
        with atomic_path(folder / f"{role}{Path(name).suffix}") as aside:
            shutil.copyfile(result.artifact(role), aside)
    if result.grid.width * result.grid.height > LARGEST:
        return _export_large(result, choice, folder, outlined, copies=copies)
    change: Change | None = None
    if before is not None:
        change = compare(before, result, choice, dem)
        findings = change.findings
    else:
        findings = find(result, choice, dem)
    write_mask(findings, folder / "mask.tif")
    told, shown = about(result, choice), elevated(findings.polygons, dem)
    for suffix in ("gpkg", "geojson"):
        write_polygons(shown, folder / f"landslides.{suffix}", told)
    write_interchange(shown, folder, LAYER, f"Landslides mapped in {result.scene}", FOUND, told)
    if change is not None:
        write_new(change, folder, told, dem)
    if scene is not None:
        write_figure(findings, scene, folder / "figure.png")
    content = summary(findings)
    if change is not None:
        content["new_landslides"] = len(change.new)
        content["landslides_not_shown_before"] = len(change.unseen)
    write_json(content, folder / "metrics.json")
    plain: dict[str, Any] = plain_values(content)
    return plain


def export_stored(store: Store, run: Run, view: Choice | None, folder: Path) -> dict[str, Any]:
    """Export a finished run at a view; landslides of a large one are outlined first, as a run derived from it.

    Without the scene, because it is gone or another file has taken its place, there is no figure.
    """
    result, record = store.result(run.id, MappingResult), known_scene(store, run)
    choice = view or Choice.default(result)
    scene, dem = (None, None) if record is None else (record.scene, record.dem)
    outlined = outlined_at(store, result, choice, terrain=dem is not None)
    return export_run(result, scene, choice, folder, dem=dem, outlined=outlined)


def outlined_at(
    store: Store,
    result: MappingResult,
    choice: Choice,
    *,
    terrain: bool,
    begun: Callable[[str], None] | None = None,
    progress: ProgressCallback | None = None,
) -> Outlined | None:
    """The landslides of a run too large to be outlined at once, outlined now when nobody has done so; else None.

    Parameters
    ----------
    terrain
        Whether the scene has an elevation model.
    begun, progress
        Told the id of the run that outlines them, and its steps.
    """
    from core.jobs.perform import run_in_process
    from core.tasks.mapping.run_outlines import order_outlines, outlined, outlined_before

    known = outlined_before(store, result, choice, terrain=terrain)
    if known is not None or result.grid.width * result.grid.height <= LARGEST:
        return known
    order = order_outlines(result, choice, terrain=terrain)
    identity = run_in_process(store, order, begun or (lambda identity: None), progress)
    return outlined(store, result, store.run(identity), choice)
