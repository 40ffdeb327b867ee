"""The first parts of the report of a mapping: what was found, and what that does and does not mean."""

from __future__ import annotations

from core.learning.metrics import COUNTED
from core.report.cautions import bridging, cautions, limits
from core.report.parts import Column, Content, Items, KeyFigure, KeyFigures, Notice, Paragraph, Part, Table
from core.report.reviewed import review_in_brief
from core.report.words import percent, score
from core.tasks.mapping.findings import Scores
from core.tasks.mapping.report.agreement import coverage_words, precision_words, recall_words
from core.tasks.mapping.report.subject import STEP, Extent, MappingSubject
from core.wording import count


def summary(subject: MappingSubject) -> Part:
    """The headline, the numbers to be seen at a glance, and every warning that changes how they are read."""
    content: list[Content] = [Paragraph(headline(subject), lead=True)]
    content.append(Paragraph(_checked(subject)))
    content += review_in_brief(subject.content, subject.choice)
    content += _warnings(subject)
    content.append(_key_figures(subject))
    if subject.findings is None:
        width, height = subject.result.grid.width, subject.result.grid.height
        text = (
            f"This image has {width * height / 1e6:,.0f} megapixels, too many to outline directly. The area "
            "includes all pixels at or above the threshold, single pixels too. Landslides were not counted and are not "
            "listed. Outline them on the page of the run, then update the report."
        )
        if subject.result.has_reference and len(subject.result.counts) < COUNTED[0]:
            text += " Pixels that the reference does not cover are not included."
        content.append(Notice("Landslides not outlined", text, "note"))
    return Part("summary", "Summary", tuple(content))


def headline(subject: MappingSubject) -> str:
    """What was found, in one sentence."""
    extent, threshold = subject.extent, f"at threshold {subject.choice.threshold:.2f}"
    if not extent.looked_at:
        return f"No part of {subject.result.place} has data, so nothing could be mapped."
    whole = f"the {subject.area(extent.looked_at)} {'of the drawn area' if subject.result.drawn else 'processed'}"
    if not extent.found:
        return f"The model maps no landslides in {whole}, {threshold}."
    share = f"{subject.area(extent.found)} or {percent(extent.share)} of {whole}"
    if extent.landslides is None:
        return f"The model maps {share} as landslide, {threshold}."
    together = "together " if extent.landslides > 1 else ""
    return f"The model maps {count(extent.landslides, 'landslide')}, {together}{share}, {threshold}."


def _checked(subject: MappingSubject) -> str:
    """Whether the result could be checked, and what came of it, without a score's name."""
    if subject.scores is None:
        return (
            "No reference inventory was available: how much of the result is correct and what was missed is not known."
        )
    model = subject.scores.model
    precise = precision_words(model, partial=subject.scores.is_partial)
    told = f"The result was checked against {subject.checked_against}. {precise} {recall_words(model)}"
    return f"{told} {coverage_words(subject.scores, subject.result.place)}".rstrip()


def _warnings(subject: MappingSubject) -> list[Content]:
    boxes = cautions(subject)
    better = None if subject.scores is None else index_did_better(subject.scores, subject.result.place)
    return boxes if better is None else [*boxes, better]


def index_did_better(scores: Scores, place: str) -> Notice | None:
    """What must be said where a formula agrees better with the reference than the model; None where it does not.

    Parameters
    ----------
    scores
        Of both at one threshold.
    place
        What they are about, such as "this image".
    """
    if scores.baseline is None or not scores.baseline.f1 > scores.model.f1:
        return None
    return Notice(
        "The colour index scored higher here",
        f"Against the reference inventory, the model has F1 {score(scores.model.f1)}. A colour index, a formula on "
        f"red, green and blue that requires no training, has F1 {score(scores.baseline.f1)}. For {place} and at "
        "this threshold, the model is not the better guide.",
    )


def _key_figures(subject: MappingSubject) -> KeyFigures:
    extent, findings = subject.extent, subject.findings
    figures = []
    if extent.landslides is not None:
        figures.append(KeyFigure("Mapped landslides", f"{extent.landslides:,}", "landslides that touch count as one"))
    part = "the drawn area, " if subject.result.drawn else ""
    whole = f"{percent(extent.share)} of {part}{subject.area(extent.looked_at)}"
    figures.append(KeyFigure("Mapped area", subject.area(extent.found), whole))
    if findings is not None and len(findings.polygons):
        largest = subject.single_area(float(findings.areas.max()))
        figures.append(KeyFigure("Largest landslide", largest, "may be several that touch"))
    figures.append(KeyFigure("Threshold", f"{subject.choice.threshold:.2f}", _whose_threshold(subject)))
    if subject.scores is not None:
        f1 = score(subject.scores.model.f1)
        figures.append(KeyFigure("F1", f1, "agreement with the reference; 1 is full agreement"))
    return KeyFigures(tuple(figures))


def _whose_threshold(subject: MappingSubject) -> str:
    own = subject.own_threshold
    if own is None:
        return "the model's own is not recorded"
    if abs(own - subject.choice.threshold) >= 0.006:
        return f"chosen; the model's own is {own:.2f}"
    return "the model's own" if own == round(own, 2) else f"the model's own, rounded from {own:.4g}"


def meaning(subject: MappingSubject) -> Part:
    """What the result does and does not mean, how it hangs on the threshold, and the model's known limits."""
    least = subject.choice.minimum_area if subject.findings is not None else 0.0
    patches = f", in patches of at least {subject.single_area(least)}," if least else ""
    means = (
        "A neural network gives each pixel of the image a number from 0 to 1, called probability: the higher it is, "
        "the more the place looks like the landslides the network was trained on.",
        f"Pixels at or above the threshold {subject.choice.threshold:.2f}{patches} are called landslides "
        "here. A lower threshold finds more landslides and raises more false alarms; a higher one does the opposite.",
    )
    does_not = (
        "The result is a hypothesis of a model. It replaces neither an inventory made by experts who know the area "
        "nor a field visit.",
        "Unmapped ground is not necessarily safe, and mapped ground is not necessarily a landslide.",
        "A single image does not show when the ground moved, whether it is still moving, or where the next landslide "
        "will occur.",
        "The probability ranks places. It is not a calibrated probability.",
    )
    content: list[Content] = [Items(means, "What the numbers mean"), Items(does_not, "What they do not mean")]
    content.append(_sensitivity(subject))
    content += limits(subject, _quiet_valley(subject))
    content += bridging(subject)
    return Part("meaning", "Interpretation and limits", tuple(content))


def _sensitivity(subject: MappingSubject) -> Table:
    chosen = subject.choice.threshold
    own = () if subject.own_threshold is None else (round(subject.own_threshold, 2),)  # as the page begins with it
    steps = sorted({round(chosen - STEP, 4), chosen, round(chosen + STEP, 4), *own})
    # Rows that are compared are made alike: a large raster is outlined at one threshold only.
    extent_at = subject.extent_at if subject.at_once else subject.counted_at
    rows = tuple(_row(subject, extent_at(step), step == chosen) for step in steps if 0 <= step <= 1)
    return Table(
        "Sensitivity to the threshold" + ("" if subject.at_once else ", all pixels at or above it"),
        (Column("Threshold"), Column("Landslides", True), Column("Area", True), Column("Share", True)),
        rows,
    )


def _row(subject: MappingSubject, extent: Extent, chosen: bool) -> tuple[str, ...]:
    landslides = "not counted" if extent.landslides is None else f"{extent.landslides:,}"
    own = subject.own_threshold is not None and extent.threshold == round(subject.own_threshold, 2)
    name = f"{extent.threshold:.2f}" + (" (the model's own)" if own else " (chosen)" if chosen else "")
    return name, landslides, subject.area(extent.found), percent(extent.share)


def _quiet_valley(subject: MappingSubject) -> tuple[str, ...]:
    """How much the model maps where there is nothing, when that was measured."""
    quiet = {} if subject.spec is None else subject.spec.scores.get("quiet_valley", {})
    alarm = quiet.get("false_alarm_m2_per_km2")
    if alarm is None or subject.spec is None:
        return ()
    false = ": all of it false alarms" if alarm else ""
    return (
        "In the synthetic sample image from before the event, which has no fresh landslides, this model mapped "
        f"{alarm:,.0f} m² per km², or {percent(alarm / 1e6)}, as landslide (all pixels at its threshold "
        f"{subject.spec.threshold:.2f}){false}. That image has the light and vegetation of late summer, the one after "
        "the event those of autumn. The share differs from image to image.",
    )
