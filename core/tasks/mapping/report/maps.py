"""The maps of a mapping's report, the table of its largest landslides, and how their sizes are distributed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.figures.cartography import coordinate_system
from core.report.parts import Column, Content, Paragraph, Part, Picture, Pictures, Table
from core.report.pictures import picture
from core.report.places import places
from core.report.words import count
from core.tasks.mapping.charts import size_chart
from core.tasks.mapping.figure import draw_map, draw_overview
from core.tasks.mapping.report.subject import MappingSubject

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from core.tasks.mapping.findings import Landslides

LISTED = 10


def maps(subject: MappingSubject) -> Part:
    """Image and probability, the landslides large, and a table of the largest."""
    content: list[Content] = [Pictures((_overview(subject),)), Pictures((_landslides(subject),))]
    if subject.findings is not None and len(subject.findings.polygons):
        content.append(_table(subject, subject.findings))
        merged = "Landslides that touch are one polygon: the largest may be several."
        content.append(Paragraph(merged))
    return Part("map", "Where", tuple(content))


def _overview(subject: MappingSubject) -> Picture:
    threshold, grid = subject.choice.threshold, subject.result.grid
    figure = draw_overview(subject.panels, grid, threshold, synthetic=subject.synthetic)
    probability = (
        "the probability of landslide that the model gave each pixel, from dark violet (0) to yellow (1); the line in "
        f"the bar is the threshold {threshold:.2f}"
    )
    if subject.panels.image is None:
        alt = f"Map of the probability of landslide in {subject.content.subject}."
        caption = f"The image was not at hand when this report was made; shown is {probability}."
    else:
        alt = f"Two maps of {subject.content.subject}: the image, and the probability of landslide."
        caption = f"The image that was looked at, and {probability}."
    return picture(figure, alt, f"{caption} {_frame_words(subject)}")


def _landslides(subject: MappingSubject) -> Picture:
    findings = subject.findings
    found: GeoDataFrame | float = subject.choice.threshold if findings is None else findings.polygons
    figure = draw_map(subject.panels, subject.result.grid, found, LISTED)
    if findings is None:
        what = "All pixels from the threshold up, reduced for this picture"
        alt = "Map of all pixels that the model takes for landslide"
    else:
        number, drawn = findings.count, len(findings.polygons)
        what = f"The {count(number, 'landslide')} mapped" if number else "No landslide is mapped"
        if drawn < number:
            what = f"The {drawn:,} largest of {number:,} landslides mapped"
        if number > 1:
            what += f", the {min(number, LISTED)} largest named as in the table below"
        alt = f"Map of {count(number, 'landslide')} that the model found"
    caption = f"{what}. Vermillion: found by the model."
    if subject.result.has_reference:
        caption += " Blue outlines: the reference inventory."
        alt += ", with the outlines of the reference inventory"
    if subject.panels.image is not None:
        caption += " Grey: the image."
    system = coordinate_system(subject.result.grid)
    return picture(figure, f"{alt}.", f"{caption} {f'Coordinates: {system}' if subject.georeferenced else system}.")


def _frame_words(subject: MappingSubject) -> str:
    north = " The arrow points north." if subject.georeferenced else ""
    return f"Places without data are light grey.{north}"


def _table(subject: MappingSubject, findings: Landslides) -> Table:
    listed = findings.polygons.head(LISTED)
    where, columns = places(listed)
    slopes = "slope_mean_deg" in listed
    head = [Column("Id"), Column(f"Area, {subject.unit}", True), Column("Mean probability", True)]
    head += [Column("Mean slope, °", True)] if slopes else []
    rows = []
    for row, place in zip(listed.drop(columns="geometry").to_dict("records"), where, strict=True):
        size = row["area_m2" if subject.in_metres else "area_px"]
        slope = [_number(row["slope_mean_deg"])] if slopes else []
        rows.append((f"{row['id']}", f"{size:,.0f}", f"{row['mean_probability']:.2f}", *slope, *place))
    number = findings.count
    which = f"The {len(rows)} largest of {number:,} landslides" if number > LISTED else "All landslides mapped"
    caption = f"{which}, with a point inside each"
    if len(columns) == 4:
        caption += f": x and y in {coordinate_system(subject.result.grid)}, latitude and longitude in WGS 84"
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
        "Chart of the number of landslides at least as large as each area, on logarithmic axes, from many small to few "
        f"large. {findings.sizes.words}",
        "How many landslides are at least as large as an area, on axes on which each step is ten times the last.",
    )
    words = (
        "Landslides of one event are many small and few large, in proportions much alike from event to event. A curve "
        "that bends away from such a line may show what was missed, joined together, or falsely mapped.",
        findings.sizes.words,
    )
    return Part("sizes", "How large", (*(Paragraph(text) for text in words), Pictures((chart,))))
