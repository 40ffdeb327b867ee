"""The maps of a detection's report, the table of its surest boxes, and how dense they lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.figures.cartography import coordinate_system
from core.figures.judged import Judged
from core.report.parts import Column, Content, Paragraph, Part, Picture, Pictures, Table
from core.report.pictures import picture
from core.report.places import places
from core.report.reviewed import OF_THE_MODEL, judged_outlines, judgement_words, marks_words
from core.review.state import STATUSES
from core.tasks.detection.figure import MOST, WINDOWS, cell_side, draw_boxes, draw_density, draw_surest
from core.tasks.detection.findings import FALSE_ALARM, NOT_KNOWN, TRUE, area_column, density
from core.tasks.detection.report.subject import DetectionSubject
from core.tasks.detection.report.summary import rate
from core.wording import count

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

LISTED = 12

SAID = {TRUE: "yes", FALSE_ALARM: "no", NOT_KNOWN: "not known"}
"""Whether a box is in the reference."""

FEW = 5
"""Boxes below which counting them by cells says no more than the map."""


def maps(subject: DetectionSubject) -> Part:
    """The boxes on the image, and a table of the surest."""
    content: list[Content] = [Pictures((_boxes(subject),))]
    if subject.count:
        content.append(_table(subject))
        content.append(
            Paragraph(
                "Landslides that touch may share one box, and a large one may have several; the number of detections "
                "is not the number of landslides."
            )
        )
    return Part("map", "Map", tuple(content))


def _boxes(subject: DetectionSubject) -> Picture:
    number, shown = subject.count, subject.shown
    judged = judged_outlines(subject.content)
    figure = draw_boxes(shown, subject.choice.confidence, subject.detections.table.head(LISTED), judged)
    what = count(number, "detection") if number else "No detections"
    if number > MOST:
        what = f"The {MOST:,} of {number:,} detections with the highest confidence"
    if number > 1:
        what += f"; the first {min(number, LISTED)} are labelled with their IDs"
    caption = f"{what}. The colour of a box is its confidence, from dark violet (low) to yellow (high)."
    alt = f"Map of {subject.content.subject} with {count(number, 'detection')}"
    if shown.reference_boxes is not None:
        caption += " Blue, dashed: reference inventory."
        alt += ", and the boxes of the reference inventory"
    if shown.image is None:
        caption += " The image was not available."
    if judged != Judged():
        caption += marks_words(subject.content)
        alt += ", and what reviewers decided"
    system = coordinate_system(subject.result.grid)
    where = f"Coordinates: {system}. The arrow points north." if subject.georeferenced else f"{system}."
    return picture(figure, f"{alt}.", f"{caption} {where}")


def highest_confidence(subject: DetectionSubject) -> Part | None:
    """What the surest boxes hold, for a reader to judge; nothing when there are none or the image is gone."""
    scene = subject.content.scene
    if scene is None or not subject.count:
        return None
    number = min(subject.count, WINDOWS)
    which = "the only detection" if subject.count == 1 else (
        f"the {number} detections of highest confidence"
    ) if number > 1 else (
        "the detection of highest confidence"
    )
    caption = f"The image around {which}, to judge what each box holds. Red-orange: detections."
    if subject.shown.reference_boxes is not None:
        caption += " Blue, dashed: reference inventory."
    figure = draw_surest(subject.shown, scene, subject.detections.table["id"])
    shown = picture(figure, f"The image around {which}.", caption)
    return Part("surest", "Highest-confidence detections", (Pictures((shown,)),))


def _table(subject: DetectionSubject) -> Table:
    listed = subject.detections.table.head(LISTED)
    where, columns = places(listed)
    scored = "outcome" in listed
    head = [Column("ID"), Column("Confidence", True), Column(f"Box area, {subject.unit}", True)]
    head += [Column("In the reference")] if scored else []
    said = judgement_words(subject.content)
    head += [Column("Review")] if said else []
    rows = []
    for row, place in zip(listed.drop(columns="geometry").to_dict("records"), where, strict=True):
        known = [SAID[row["outcome"]]] if scored else []
        size = f"{row[area_column(subject.result)]:,.0f}"
        review = [said.get(str(row["id"]), STATUSES["unreviewed"])] if said else []
        rows.append((f"{row['id']}", f"{row['score']:.2f}", size, *known, *review, *place))
    number = subject.count
    which = f"The {len(rows)} of {number:,} detections with the highest confidence" if number > LISTED else (
        "All detections, highest confidence first"
    )
    caption = f"{which}{OF_THE_MODEL if said else ''}, each with the coordinates of the centre of its box"
    if len(columns) == 4:
        caption += f" (x, y: {coordinate_system(subject.result.grid)})"
    return Table(caption, (*head, *columns), tuple(rows))


def dense(subject: DetectionSubject) -> Part | None:
    """How many boxes lie in which part of the image; nothing where they are few."""
    if subject.count < FEW:
        return None
    try:
        side = cell_side(subject.shown.grid)
        cells = density(subject.detections, side)
    except InputError:
        return None  # a strip of an image, too narrow for cells that are few enough
    placed, rates = _in_part(subject, cells)
    if not len(placed):
        return None
    words = f"{side / 1000:g} km" if side >= 1000 and subject.in_metres else f"{side:,.0f} {_side_unit(subject)}"
    most = int(np.argmax(placed[:, 4]))
    told = (
        f"The image was divided into cells {words} wide; a detection counts in the cell that holds the centre of its "
        f"box. Overall there are {rate(subject.per_area)} detections {subject.rate_unit}; the densest cell has "
        f"{placed[most, 4]:.0f}, or {rate(float(rates[most]))} {subject.rate_unit}. Areas without data are included."
    )
    caption = (
        f"Number of detections per cell of {words} (number in the cell), coloured by detections {subject.rate_unit} "
        "from dark (few) to light (many). Cells without detections are transparent."
    )
    figure = draw_density(subject.shown, placed, rates, subject.rate_unit)
    alt = f"Map of the number of detections in cells of {words}; the densest has {placed[most, 4]:.0f}."
    return Part("density", "Detection density", (Paragraph(told), Pictures((picture(figure, alt, caption),))))


def _side_unit(subject: DetectionSubject) -> str:
    return "m" if subject.in_metres else "px"


def _in_part(subject: DetectionSubject, cells: GeoDataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cells that lie in the searched part: corners in its pixels with the count, and the number per area."""
    import shapely

    grid = subject.shown.grid
    shapes = cells.geometry.to_numpy()
    if grid.is_georeferenced:
        to_pixels = ~grid.transform
        shapes = shapely.transform(shapes, lambda points: np.column_stack(to_pixels @ points.T))
    left, top, right, bottom = shapely.bounds(shapes).T
    inside = (right > 1e-6) & (bottom > 1e-6) & (left < grid.width - 1e-6) & (top < grid.height - 1e-6)
    placed = np.column_stack([left, top, right, bottom, cells["count"].to_numpy()]).astype(np.float64)
    rates = cells["per_km2" if subject.in_metres else "per_mpx"].to_numpy(dtype=np.float64)
    return placed[inside], rates[inside]
