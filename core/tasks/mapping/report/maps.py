"""The maps of a mapping's report, the table of its largest landslides, and how their sizes are distributed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.figures.cartography import coordinate_system
from core.figures.judged import Judged
from core.report.parts import Column, Content, Paragraph, Part, Picture, Pictures, Table
from core.report.pictures import picture
from core.report.places import places
from core.report.reviewed import OF_THE_MODEL, judged_outlines, judgement_words, marks_words
from core.review.state import STATUSES
from core.tasks.mapping.charts import size_chart
from core.tasks.mapping.figure import draw_map, draw_overview
from core.tasks.mapping.report.subject import MappingSubject
from core.wording import count

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from core.tasks.mapping.findings import Landslides

LISTED = 10


def maps(subject: MappingSubject) -> Part:
    """Image and probability, the landslides large, and a table of the largest."""
    content: list[Content] = [Pictures((_overview(subject),)), Pictures((_landslides(subject),))]
    if subject.findings is not None and len(subject.findings.polygons):
        content.append(_table(subject, subject.findings))
        merged = "Landslides that touch are one polygon; the largest may be several landslides."
        content.append(Paragraph(merged))
    return Part("map", "Map", tuple(content))


def _overview(subject: MappingSubject) -> Picture:
    threshold, grid = subject.choice.threshold, subject.result.grid
    figure = draw_overview(subject.panels, grid, threshold, synthetic=subject.synthetic)
    probability = (
        "the landslide probability of each pixel, from dark violet (0) to yellow (1); the line in the colour bar marks "
        f"the threshold {threshold:.2f}"
    )
    if subject.panels.image is None:
        alt = f"Map of the landslide probability in {subject.content.subject}."
        caption = f"The image was not available. Shown is {probability}."
    else:
        alt = f"Two maps of {subject.content.subject}: the image, and the landslide probability."
        caption = f"The image, and {probability}."
    return picture(figure, alt, f"{caption} {_frame_words(subject)}")


def _landslides(subject: MappingSubject) -> Picture:
    findings = subject.findings
    found: GeoDataFrame | float = subject.choice.threshold if findings is None else findings.polygons
    judged = judged_outlines(subject.content)
    figure = draw_map(subject.panels, subject.result.grid, found, LISTED, judged)
    if findings is None:
        what = "All pixels at or above the threshold, at reduced resolution"
        alt = "Map of all pixels that the model maps as landslide"
    else:
        number, drawn = findings.count, len(findings.polygons)
        what = f"The {count(number, 'landslide')} mapped" if number else "No landslides mapped"
        if drawn < number:
            what = f"The {drawn:,} largest of {number:,} mapped landslides"
        if number > 1:
            what += f"; the {min(number, LISTED)} largest are labelled with their IDs"
        alt = f"Map of the {count(number, 'landslide')} mapped by the model"
    caption = f"{what}. Red-orange: mapped by the model."
    if subject.result.has_reference:
        caption += " Blue outlines: reference inventory."
        alt += ", with the outlines of the reference inventory"
    if subject.panels.image is not None:
        caption += " Grey: the image."
    if judged != Judged():
        caption += marks_words(subject.content)
        alt += ", and what reviewers decided"
    system = coordinate_system(subject.result.grid)
    return picture(figure, f"{alt}.", f"{caption} {f'Coordinates: {system}' if subject.georeferenced else system}.")


def _frame_words(subject: MappingSubject) -> str:
    north = " The arrow points north." if subject.georeferenced else ""
    return f"Areas without data are light grey.{north}"


def _table(subject: MappingSubject, findings: Landslides) -> Table:
    listed = findings.polygons.head(LISTED)
    where, columns = places(listed)
    slopes = "slope_mean_deg" in listed
    head = [Column("ID"), Column(f"Area, {subject.unit}", True), Column("Mean probability", True)]
    head += [Column("Mean slope, °", True)] if slopes else []
    said = judgement_words(subject.content)
    head += [Column("Review")] if said else []
    rows = []
    for row, place in zip(listed.drop(columns="geometry").to_dict("records"), where, strict=True):
        size = row["area_m2" if subject.in_metres else "area_px"]
        slope = [_number(row["slope_mean_deg"])] if slopes else []
        review = [said.get(str(row["id"]), STATUSES["unreviewed"])] if said else []
        rows.append((f"{row['id']}", f"{size:,.0f}", f"{row['mean_probability']:.2f}", *slope, *review, *place))
    number = findings.count
    which = f"The {len(rows)} largest of {number:,} landslides" if number > LISTED else "All mapped landslides"
    caption = f"{which}{OF_THE_MODEL if said else ''}, each with the coordinates of a point inside it"
    if len(columns) == 4:
        caption += f" (x, y: {coordinate_system(subject.result.grid)})"
    return Table(caption, (*head, *columns), tuple(rows))


def _number(value: float) -> str:
    return "unknown" if value != value else f"{value:.0f}"


def sizes(subject: MappingSubject) -> Part | None:
    """How many landslides have which size; nothing without landslides."""
    findings = subject.findings
    if findings is None or not len(findings.polygons):
        return None
    figure = size_chart(findings.areas, findings.sizes, subject.unit)
    chart = picture(
        figure,
        f"Chart of the number of landslides of at least each area, on logarithmic axes. {findings.sizes.words}",
        "Number of landslides of at least a given area, on logarithmic axes.",
    )
    words = (
        "A single event causes many small landslides and few large ones, in similar proportions from event to event. "
        "A curve that departs from the fitted line can indicate missed, merged or falsely mapped landslides.",
        findings.sizes.words,
    )
    return Part("sizes", "Size distribution", (*(Paragraph(text) for text in words), Pictures((chart,))))
