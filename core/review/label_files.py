"""The reviewed labels of a run as files: with what was said of each, and as a table with the corrected labels."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from core.plots.gis_style import category_style
from core.raster.features import write_features
from core.raster.fields import Field, write_fields
from core.raster.folder import make_folder, write_json
from core.raster.write import atomic_path
from core.review.corrected import cautions
from core.review.edit_log import time_text, told_of, write_log
from core.review.edits import LABEL_REASONS
from core.review.label_words import labels_words
from core.review.labels import COLOURS, STATUSES

if TYPE_CHECKING:
    from pathlib import Path

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from core.review.labels import OpenedLabels

FILE = "reviewed_labels"
"""Name of the files with the reviewed labels, and of the layer in the GeoPackage."""

CORRECTED = "corrected_table"
"""Name of the file with the table whose labels are corrected: CSV, or GeoPackage of a layer of units."""


def label_table(opened: OpenedLabels) -> DataFrame:
    """The reviewed labels as a table, in the order of `OpenedLabels.rows`; see `label_fields` for the columns."""
    import pandas

    table, status, named = opened.rows, opened.status, opened.recognised_by
    features = [opened.review.features[name] for name in table["id"]]
    said = pandas.Series([one.reviewed_label for one in features], dtype="boolean").astype("Int8")
    return pandas.DataFrame(
        {
            "id": table["id"],
            "row": table["row"].astype("Int64").mask(table["made"]),
            "label": table["landslide"].astype("Int8"),
            "label_reviewed": said.mask(status == "unreviewed"),
            "status": status,
            "status_label": [STATUSES[name] for name in status],
            **{name: [getattr(one, name) or None for one in features] for name in ("reason", "note", "reviewer")},
            "reviewed": [time_text(one.reviewed) or None for one in features],
            "parents": [", ".join(one.parents) or None for one in features],
            "score": table["score"].round(4),
            **{f"table_{name}": named[name].to_numpy() for name in named.columns},
            "run": opened.run.id,
        }
    )


def label_fields(opened: OpenedLabels) -> dict[str, Field]:
    """What the columns of `label_table` hold."""
    untouched = "nobody has reviewed it yet"
    yes_no = {"1": "landslide", "0": "no landslide"}
    named, inside = list(map(str, opened.labelled.named.columns)), opened.labelled.inside or ()
    return {
        "id": Field(
            "ID", "Name in the review: R and the number of the row; N of a unit that was drawn. Deleted rows are left "
            "out: review_log.csv lists them with their reasons."),
        "row": Field("Row", "Row of the validated table, from 0 for the first (below the heading of a CSV).",
                     empty="the unit was drawn, or made by splitting or merging"),
        "label": Field(
            "Label", "Label in the validated table; of a part of a split row that of the row, of merged rows landslide "
            "if one of them has it, of a drawn unit the label that it was given.", codes=yes_no),
        "label_reviewed": Field(
            "Reviewed label", "Label after the review; that before it where an outline was changed or drawn and its "
            "label not marked.", codes=yes_no, empty=untouched),
        "status": Field("Status code", "Result of the review, as a code.", codes=STATUSES),
        "status_label": Field("Status", "The status in words."),
        "reason": Field(
            "Reason", f"Why the label is wrong: {'; '.join(LABEL_REASONS)}; or a reviewer's own words.",
            empty="none was given", is_long=True),
        "note": Field("Note", "What a reviewer wrote about it.", empty="none was written", is_long=True),
        "reviewer": Field("Reviewer", "Name of the person who last changed it.", empty=untouched),
        "reviewed": Field(
            "Reviewed", "When it was changed last; to be deleted and restored is no change.",
            "ISO 8601, in UTC (+00:00)", empty=untouched, kind="time"),
        "parents": Field("Made from", "IDs of the units that it was split off or merged from.",
                         empty="it was not split or merged"),
        "score": Field(
            "Held-out score", f"What a model says that was not trained on the row: {opened.labelled.scored_by}.",
            "0 to 1", empty="the model was not tested on the row, or its outline was changed", kind="number",
            digits=2),
        **{
            f"table_{name}": Field(
                name, "Coordinate of a point inside the outline, as it is after the review.", "°",
            ) if name in inside else Field(
                name, f"Column {name} of the validated table; of a part of a split unit that of the unit, of "
                "a merged one that of its largest part.",
                empty="the table has no value, or the unit was drawn",
            )
            for name in named
        },
        "run": Field("Run", "ID of the validation."),
    }  # fmt: skip


def label_summary(opened: OpenedLabels) -> dict[str, Any]:
    """How far the review of labels is and who took part, as plain values for JSON.

    Rows are those of the validated data; units are those after the review, in which parts of a split row are counted
    one by one, and merged rows as one.
    """
    review = opened.review
    corrected = [
        one.label for one in review.features.values() if one.status == "rejected" and one.origin != "added"
    ]  # fmt: skip
    return {
        "about": _about(opened),
        "run": opened.run.id,
        "entries": review.number,
        "reviewers": sorted({one.reviewer for one in review.log}),
        "units_by_status": opened.counts,
        "rows": len(opened.features),
        "rows_reviewed": opened.reviewed,
        "labels_corrected": {"to_landslide": corrected.count(False), "to_no_landslide": corrected.count(True)},
        **({"changes": asdict(opened.changes.done)} if opened.changes.done else {}),
        **({"overlap_of_changed_outlines_m2": round(opened.fit.overlap),
            "gap_of_changed_outlines_m2": round(opened.fit.gap)}
           if opened.labelled.has_outlines else {}),
        "scored_by": opened.labelled.scored_by,
        "caution": cautions(opened),
    }


def _about(opened: OpenedLabels) -> dict[str, str]:
    title = f"Reviewed labels of {opened.run.subject.name}"
    return {"content": title, "review": labels_words(opened), **told_of(opened.review, opened.about())}


def placed_labels(opened: OpenedLabels) -> GeoDataFrame | None:
    """The reviewed labels at their places; None where no coordinate system is known."""
    import geopandas

    places = opened.labelled.places
    if places is None:
        return None
    table = label_table(opened)
    outlines = [opened.review.features[name].outline for name in table["id"]]
    shapes = np.array([None if one.is_empty else one for one in outlines], dtype=object)
    return geopandas.GeoDataFrame(table, geometry=shapes, crs=places.crs)


def export_labels(opened: OpenedLabels, folder: Path) -> dict[str, Any]:
    """Write the reviewed labels, the corrected table, the log and a summary.

    Parameters
    ----------
    folder
        Made when missing. Gets ``reviewed_labels.csv``, ``reviewed_labels_fields.csv`` (what its columns hold),
        ``corrected_table.csv`` (the validated table with what the review changed; of a layer of units
        ``corrected_table.gpkg``), ``review_log.csv`` and ``review.json``, and ``reviewed_labels.gpkg`` where the
        rows have outlines or coordinates in a known system.

    Returns
    -------
    The summary.

    Raises
    ------
    StorageError
        When the disk does not take them.
    """
    make_folder(folder)
    table, fields = label_table(opened), label_fields(opened)
    with atomic_path(folder / f"{FILE}.csv") as aside:
        table.to_csv(aside, index=False, lineterminator="\n")
    write_fields(folder / f"{FILE}_fields.csv", [str(name) for name in table.columns], fields)
    placed = placed_labels(opened)
    if placed is not None:
        points = bool((placed.geom_type == "Point").all())
        style = category_style("Labels", "status", COLOURS, points=points, labels=STATUSES)
        write_features(placed, folder / f"{FILE}.gpkg", FILE, style=style, about=_about(opened), fields=fields)
    write_corrected(opened, folder)
    write_log(opened.review, folder / "review_log.csv")
    content = label_summary(opened)
    write_json(content, folder / "review.json")
    return content


def write_corrected(opened: OpenedLabels, folder: Path) -> Path:
    """Write the validated table with what the review changed, as CSV, or a layer of units as GeoPackage.

    Returns
    -------
    The file in the folder.

    Raises
    ------
    StorageError
        When the disk does not take it.
    """
    from geopandas import GeoDataFrame

    corrected = opened.labelled.corrected(opened.changes)
    if isinstance(corrected, GeoDataFrame):
        path = folder / f"{CORRECTED}.gpkg"
        write_features(corrected, path, CORRECTED)
        return path
    path = folder / f"{CORRECTED}.csv"
    with atomic_path(path) as aside:
        corrected.to_csv(aside, index=False, lineterminator="\n")
    return path
