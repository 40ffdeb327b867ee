"""What is new since the earlier image, in the report of a mapping that was compared with it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from core.errors import LandslideError
from core.figures.image import image_aligned, reduced_shape
from core.raster.files import one_line
from core.report.parts import Column, Content, Facts, Items, Notice, Paragraph, Part, Picture, Pictures, Table
from core.report.pictures import picture
from core.report.places import places
from core.report.reviewed import OF_THE_MODEL, judgement_words
from core.report.subject import SHOWN_SIDE
from core.report.words import UNKNOWN, percent
from core.review.state import STATUSES
from core.tasks.mapping.change import Change, compare_findings
from core.tasks.mapping.figure import draw_before_and_after, draw_change
from core.tasks.mapping.findings import LARGEST, Findings, area_column
from core.tasks.mapping.report.subject import MappingSubject
from core.wording import agree, count

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from core.tasks.mapping.report.content import Earlier, MappingInput

ANCHOR, TITLE = "since", "Since the earlier image"
LISTED = 10
"""New landslides in the table, the largest first."""


def since_before(subject: MappingSubject) -> Part | None:
    """How many landslides are new, where, and what cannot be compared; nothing without a comparison."""
    earlier, findings = subject.content.earlier, subject.findings
    if earlier is None:
        return None
    if not isinstance(findings, Findings):
        text = (
            f"New landslides are listed for rasters of up to {LARGEST / 1e6:.0f} megapixels. The difference in "
            "probability has a report of its own."
        )
        return Part(ANCHOR, TITLE, (_mapped_before(earlier), Notice("Not listed", text, "note")))
    try:
        change = compare_findings(earlier.result, findings)
    except LandslideError as error:  # a file of the earlier mapping is gone: the rest of the report is not affected
        return Part(ANCHOR, TITLE, (_mapped_before(earlier), Notice("Not compared", str(error), "note")))
    content: list[Content] = [Paragraph(_headline(subject, change), lead=True), _mapped_before(earlier, COUNTED)]
    if len(change.unseen):
        number = len(change.unseen)
        content.append(Notice(
            f"{count(number, 'landslide')} ({_area(subject, change.unseen)}) cannot be compared",
            f"The earlier image has no data on most of {agree(number, 'its', 'their')} area. "
            f"{agree(number, 'It counts', 'They count')} neither as new nor as mapped before.",
        ))  # fmt: skip
    content += [_terms(), Pictures((_images(subject, change, earlier),))]
    if len(change.new):
        content.append(_table(subject, change))
    content.append(Pictures((_difference(subject, change),)))
    return Part(ANCHOR, TITLE, tuple(content))


def earlier_data(content: MappingInput) -> tuple[Facts, ...]:
    """What is known of the earlier image, for the part on data and licences; nothing without a comparison."""
    if content.earlier is None:
        return ()
    image = content.earlier.result.subject
    known = (("Source and licence", content.earlier.source),) if content.earlier.source else ()
    rows = (("Name", one_line(image.name) or UNKNOWN), *known, ("Content SHA-256", image.digest or UNKNOWN))
    return (Facts("Earlier image", rows),)


def _headline(subject: MappingSubject, change: Change) -> str:
    """How many of the mapped landslides are new, were mapped before, or cannot be compared; each once."""
    total, new, old, unseen = len(change.findings.polygons), len(change.new), change.old, len(change.unseen)
    if not total:
        return "No landslides are mapped, so none is new."
    if total == 1:
        said = "is new" if new else "was mapped in the earlier image, too" if old else "cannot be compared"
        return f"The one mapped landslide ({_area(subject, change.findings.polygons)}) {said}."
    area = f" ({_area(subject, change.new)})" if new else ""
    number = f"{new:,}" if new else "None"
    whole = f"{number}{area} of the {total:,} mapped landslides {agree(new or 1, 'is', 'are')} new"
    others = [f"{old:,} {agree(old, 'was', 'were')} mapped in the earlier image, too"] if old else []
    others += [f"{unseen:,} cannot be compared"] if unseen else []
    return "; ".join((whole, *others)) + "."


COUNTED = " Its pixels at or above the threshold of this report count as mapped before."


def _mapped_before(earlier: Earlier, counted: str = "") -> Paragraph:
    result = earlier.result
    how = f"It was mapped with the same model and settings (run {result.id[:8]})."
    return Paragraph(f"The earlier image is {one_line(result.subject.name) or 'unnamed'}. {how}{counted}")


def _area(subject: MappingSubject, polygons: GeoDataFrame) -> str:
    return subject.area(float(polygons[area_column(subject.result)].sum()))


def _images(subject: MappingSubject, change: Change, earlier: Earlier) -> Picture:
    grid, image = subject.result.grid, None
    with suppress(LandslideError):  # an image that cannot be read any more is left out, and said to be
        if earlier.scene is not None:
            image = image_aligned(earlier.scene, grid, reduced_shape(grid, SHOWN_SIDE))
    figure = draw_before_and_after(image, subject.panels.image, grid, change.new)
    alt = f"The earlier and the later image, with {count(len(change.new), 'new landslide')} outlined."
    return picture(figure, alt, "The earlier image and the image of this report, each with its own contrast. "
                   "Red-orange: outlines of the new landslides.")  # fmt: skip


def _difference(subject: MappingSubject, change: Change) -> Picture:
    rows, columns = reduced_shape(subject.result.grid, SHOWN_SIDE)
    height, width = change.difference.shape
    down = np.minimum(((np.arange(rows) + 0.5) * height / rows).astype(int), height - 1)
    across = np.minimum(((np.arange(columns) + 0.5) * width / columns).astype(int), width - 1)
    figure = draw_change(subject.result.grid, change.difference[np.ix_(down, across)])
    caption = (
        "Probability after minus before. Red: higher now. Blue: higher before. White: no difference. Grey: no data in "
        "one of the images."
    )
    return picture(figure, "Map of the difference in the probability of landslide.", caption)


def _table(subject: MappingSubject, change: Change) -> Table:
    listed = change.new.head(LISTED)
    where, columns = places(listed)
    said = judgement_words(subject.content)
    head = [
        Column("ID"), Column(f"Area, {subject.unit}", True), Column("Share with earlier data", True),
        Column("Share mapped before", True), *([Column("Review")] if said else []),
    ]  # fmt: skip
    rows = [
        (
            f"{row['id']}", f"{row[area_column(subject.result)]:,.0f}",
            percent(row["share_known"]), percent(row["share_before"]),
            *([said.get(str(row["id"]), STATUSES["unreviewed"])] if said else []), *place,
        )
        for row, place in zip(listed.drop(columns="geometry").to_dict("records"), where, strict=True)
    ]  # fmt: skip
    number = len(change.new)
    which = f"The {len(rows)} largest of {number:,} new landslides" if number > LISTED else "All new landslides"
    caption = f"{which}{OF_THE_MODEL if said else ''}, each with the coordinates of a point inside it"
    return Table(caption, (*head, *columns), tuple(rows))


def _terms() -> Items:
    return Items((
        "New: the earlier image has data on at least half of the landslide, and less than half of that was mapped in "
        "it.",
        "The difference is between two model results, not a measurement of movement. Other light, season, cloud, snow "
        "or sensor changes the probability even where nothing has moved.",
    ), "How to read it")  # fmt: skip
