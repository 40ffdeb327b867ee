"""The reviewed inventory: written for other programs, and as a reference that models are scored and trained with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.plots.colours import EDITED, FALSE_POSITIVE, MISSED, NOT_KNOWN, TRUE_POSITIVE
from core.plots.gis_style import category_style
from core.raster.features import write_features
from core.raster.folder import make_folder, write_json
from core.raster.inside import point_inside
from core.raster.interchange import write_interchange
from core.raster.located import MOST, elevations_at
from core.raster.shape_terrain import terrain_within
from core.raster.vectorize import rasterise
from core.review.edit_log import time_text, told_of, write_log
from core.review.fields import review_fields
from core.review.geometry import MEASURED, feature_areas, ground_perimeters
from core.review.state import SETTLED, STATUSES
from core.review.totals import corrected_outlines, totals
from core.wording import agree, count

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from shapely.geometry.base import BaseGeometry

    from core.raster.grid import Grid
    from core.review.found import Opened
    from core.review.state import Feature

LAYER = "reviewed_inventory"
COLOURS = {
    "unreviewed": NOT_KNOWN, "confirmed": TRUE_POSITIVE, "rejected": FALSE_POSITIVE, "edited": EDITED, "added": MISSED,
}  # fmt: skip
"""Of features by their status, on the map and in a GIS."""

UNKNOWN = 255
"""Value of a reference where nothing is known."""

LARGEST = 16_000_000
"""Pixels of the largest reference that is made at once."""


def inventory(opened: Opened, *, terrain: bool = False) -> GeoDataFrame:
    """The reviewed inventory as a table, in the order of the review.

    Parameters
    ----------
    terrain
        Whether the ground within the outlines is measured, where the scene has an elevation model.

    Returns
    -------
    GeoDataFrame
        Columns: ``id``, ``status`` (a key of `core.review.state.STATUSES`), ``status_label`` (its words), ``landslide``
        (1 yes, 0 no, empty while not reviewed), ``reason``, ``note``, ``reviewer``, ``reviewed`` (ISO 8601, UTC),
        ``parents``, ``searched`` (1 where the whole area was searched for what the model missed), ``area_m2``
        (``area_px`` without a coordinate system), what the model says of those whose outline is its own (of merged ones
        what follows from it, see `core.review.merged`), of which the perimeter is measured of the others as well, with
        `terrain` those of `core.raster.shape_terrain` (of landslides, not of boxes) and ``elevation_m`` of all,
        ``run``, ``model``, one column ``view_…`` for each value of the view, and the outlines in the coordinates of the
        run's grid. See `core.review.fields`.

    Raises
    ------
    LandslideError
        When the elevation model cannot be read, or does not cover the grid.
    """
    import geopandas
    import pandas

    grid, features = opened.found.grid, list(opened.review.features.values())
    area = "area_m2" if grid.in_metres else "area_px"
    outlines = [one.outline for one in features]
    content: dict[str, Any] = {
        "id": [one.id for one in features],
        "status": [one.status for one in features],
        "status_label": [STATUSES[one.status] for one in features],
        "landslide": pandas.array([_is_landslide(one) for one in features], dtype="Int8"),
        **{name: [getattr(one, name) for one in features] for name in ("reason", "note", "reviewer")},
        "reviewed": [time_text(one.reviewed) for one in features],
        "parents": [", ".join(one.parents) for one in features],
        area: feature_areas(features, grid),
    }
    content |= grid.stated_size
    taken = ["id", opened.found.table.geometry.name, *content]
    for name in opened.found.table.columns.drop(taken, errors="ignore"):
        content[str(name)] = [one.values.get(name) for one in features]
    for name in content.keys() & set(MEASURED):
        content[name] = _with_perimeters(content[name], features, grid)
    if terrain:
        content |= _ground(opened, outlines)
    content |= {"run": opened.run.id, "model": opened.run.model, "searched": int(opened.review.examined)}
    content |= {f"view_{name}": value for name, value in opened.view_values.items()}
    crs = None if grid.crs is None else grid.crs.to_wkt()
    return geopandas.GeoDataFrame(content, geometry=outlines, crs=crs)


def _with_perimeters(known: list[Any], features: list[Feature], grid: Grid) -> list[Any]:
    """Perimeters of the model's outlines as they are, and of all others as they are measured."""
    ours = [one.outline for one in features if one.origin != "model"]
    measured = iter(ground_perimeters(ours, grid).tolist())
    return [value if one.origin == "model" else next(measured) for value, one in zip(known, features, strict=True)]


def _ground(opened: Opened, outlines: Sequence[BaseGeometry]) -> dict[str, Any]:
    """What an elevation model says of the ground within outlines; nothing without one or a coordinate system."""
    dem, grid = opened.found.elevation(), opened.found.grid
    if dem is None or grid.crs is None or len(outlines) > MOST:
        return {}
    points = [point_inside(one) for one in outlines]
    elevations = elevations_at(dem, [one.x for one in points], [one.y for one in points], grid.crs.to_wkt())
    within = terrain_within(outlines, dem, grid) if opened.found.measured else {}
    return {**within, "elevation_m": elevations}


def _is_landslide(feature: Feature) -> int | None:
    if feature.status == "unreviewed":
        return None
    return int(feature.status in SETTLED)


def summary(opened: Opened) -> dict[str, Any]:
    """What was reviewed and with which view; how far the review is, by status and in total; who took part."""
    review = opened.review
    corrected = {words.replace(" ", "_"): number for words, number in corrected_outlines(opened).items()}
    return {
        "about": _about(opened, _title(opened)),
        "run": opened.run.id,
        "model": opened.run.model,
        "view": opened.view_values,
        "entries": review.number,
        "reviewers": sorted({one.reviewer for one in review.log}),
        "counts": review.counts,
        **({"outline_corrected": corrected} if corrected else {}),
        "totals": totals(opened).to_json(in_metres=opened.found.grid.in_metres),
        "deleted": len(review.deleted),
        "deleted_drawn_by_reviewers": sum(one.origin == "added" for one in review.deleted.values()),
        "searched_for_missed": review.examined,
        "finished": review.finished,
        **({"not_offered_for_review": left_out} if (left_out := opened.found.left_out) else {}),
    }


def export_review(opened: Opened, folder: Path) -> dict[str, Any]:
    """Write the reviewed inventory, the log and a summary.

    Parameters
    ----------
    folder
        Made when missing. Gets ``reviewed.gpkg`` (layer `LAYER`), ``reviewed.geojson`` (WGS 84), ``reviewed.csv``,
        ``reviewed.shp.zip``, ``reviewed_fields.csv`` (what their columns hold), ``review_log.csv`` and
        ``review.json``, and ``reviewed.kml`` where the outlines have coordinates.

    Returns
    -------
    The summary.

    Raises
    ------
    StorageError
        When the disk does not take them.
    """
    make_folder(folder)
    table = inventory(opened, terrain=True)
    style = category_style("Review", "status", COLOURS, labels=STATUSES)
    title, fields = _title(opened), review_fields(opened)
    told = _about(opened, title)
    # What is empty in a table is so in a database, too.
    texts = ["reason", "note", "reviewer", "reviewed", "parents"]
    table[texts] = table[texts].replace("", None)
    write_features(table, folder / "reviewed.gpkg", LAYER, style=style, about=told, fields=fields)
    write_features(table, folder / "reviewed.geojson", LAYER)
    write_interchange(table, folder, "reviewed", title, COLOURS, told, by="status", fields=fields)
    write_log(opened.review, folder / "review_log.csv")
    content = summary(opened)
    write_json(content, folder / "review.json")
    return content


def _state(opened: Opened) -> str:
    """How far a review is, in a sentence."""
    progress, found = opened.progress, opened.found
    added = f", {progress.added:,} added" if progress.added else ""
    asked = "the whole area was searched"
    searched = asked if opened.review.examined else f"nobody has confirmed that {asked}"
    return (
        f"{progress.reviewed:,} of {count(progress.total, found.noun, found.several)} reviewed{added}; {searched} for "
        "landslides missed by the model"
    )


def _title(opened: Opened) -> str:
    return f"Reviewed inventory of {opened.run.subject.name}"


def _about(opened: Opened, title: str) -> dict[str, str]:
    """Metadata of the files of a review: what they are, who made them and when, and the run that was reviewed."""
    return {"content": title, "review": _state(opened), **told_of(opened.review, opened.about())}


def reference_mask(opened: Opened) -> NDArray[np.uint8]:
    """(height, width) 1 landslide, 0 none, `UNKNOWN` where the review says nothing.

    Nothing is said of features that were not reviewed, and of ground where the run had no data. Ground that no feature
    covers is none only where the review says that it was searched for missed features.

    Raises
    ------
    InputError
        When the raster is too large to be made at once.
    """
    grid = opened.found.grid
    if grid.width * grid.height > LARGEST:
        raise InputError(
            f"A reference can have up to {LARGEST / 1e6:.0f} megapixels.",
            f"This run has {grid.width * grid.height / 1e6:,.0f}.", "Use the exported polygons as the reference.",
        )  # fmt: skip
    review, known = opened.review, opened.found.known()
    mask = np.where(known & review.examined, 0, UNKNOWN).astype(np.uint8)
    by_status: dict[str, list[Any]] = {status: [] for status in STATUSES}
    for one in (*review.features.values(), *review.deleted.values()):
        by_status["rejected" if one.id in review.deleted else one.status].append(one.outline)
    # A landslide that overlaps what is none, or is not known, is one.
    for statuses, value in ((("rejected",), 0), (("unreviewed",), UNKNOWN), (SETTLED, 1)):
        mask[_burnt(opened, (shape for status in statuses for shape in by_status[status]))] = value
    mask[~known] = UNKNOWN
    return mask


def _burnt(opened: Opened, outlines: Iterable[Any]) -> NDArray[np.bool_]:
    import geopandas

    grid = opened.found.grid
    crs = None if grid.crs is None else grid.crs.to_wkt()
    return rasterise(geopandas.GeoDataFrame(geometry=list(outlines), crs=crs), grid)


def check_complete(opened: Opened) -> None:
    """Refuse to take an unfinished review for a reference of all landslides.

    Raises
    ------
    InputError
        When features are not reviewed, or nobody said to have searched for missed ones.
    """
    review = opened.review
    waiting = review.counts["unreviewed"]
    noun, several, left_out = opened.found.noun, opened.found.several, opened.found.left_out
    if left_out:
        smallest = f"smallest {noun}" if left_out == 1 else f"{left_out:,} smallest {several}"
        raise InputError(
            f"The {smallest} of this run cannot be reviewed.",
            "The review contains only the largest, so it does not cover the area completely.",
            "Run the model again and start a review with a larger minimum area, or use the exported polygons.",
        )
    if waiting:
        raise InputError(
            f"{count(waiting, noun, several)} of this run {agree(waiting, 'is', 'are')} not reviewed.",
            "A reference without them could not show whether they are correct.", "Review all of them.",
        )  # fmt: skip
    if not review.examined:
        raise InputError(
            "Nobody has confirmed that the whole area was searched for missed landslides.",
            "Recall would only be measured on what the model found.",
            "Search the area, draw what is missing, and confirm that it was searched.",
        )


def write_reference(opened: Opened, path: Path) -> int:
    """Write the landslides of a complete review as a GeoPackage, to be used as a reference; returns how many there are.

    Raises
    ------
    InputError
        When the review is not complete (see `check_complete`), or says that there is no landslide.
    StorageError
        When the disk does not take it.
    """
    check_complete(opened)
    table = inventory(opened)
    settled = table[table["status"].isin(SETTLED)]
    if not len(settled):
        raise InputError(
            "The review contains no landslides.", "A reference inventory holds at least one.",
            "Score against a raster of zeros instead.",
        )  # fmt: skip
    write_features(settled, path, LAYER)
    return len(settled)
