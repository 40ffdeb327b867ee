"""The first parts of the report of a mapping: what was found, and what that does and does not mean."""

from __future__ import annotations

from core.report.cautions import bridging, cautions, limits
from core.report.parts import Column, Content, Items, KeyFigure, KeyFigures, Notice, Paragraph, Part, Table
from core.report.words import count, percent, score
from core.tasks.mapping.findings import Scores
from core.tasks.mapping.report.agreement import precision_words, recall_words
from core.tasks.mapping.report.subject import STEP, Extent, MappingSubject


def summary(subject: MappingSubject) -> Part:
    """The headline, the numbers to be seen at a glance, and every warning that changes how they are read."""
    content: list[Content] = [Paragraph(headline(subject), lead=True)]
    content.append(Paragraph(_checked(subject)))
    content += _warnings(subject)
    content.append(_key_figures(subject))
    if subject.findings is None:
        width, height = subject.result.grid.width, subject.result.grid.height
        text = (
            f"This raster has {width * height / 1e6:,.0f} megapixels, too many for outlines to be made at once. The "
            "area is that of all pixels at the threshold, single ones too; landslides were not counted and there is "
            "no table of them. Have the landslides outlined where the run is opened, and write the report again."
        )
        if subject.result.has_reference:
            text += " Pixels about which the reference says nothing are not in these numbers."
        content.append(Notice("No single landslides", text, "note"))
    return Part("summary", "Summary", tuple(content))


def headline(subject: MappingSubject) -> str:
    """What was found, in one sentence."""
    extent, threshold = subject.extent, f"at threshold {subject.choice.threshold:.2f}"
    if not extent.looked_at:
        return "No part of this image has data, so nothing could be mapped."
    whole = f"the {subject.area(extent.looked_at)} {'of the drawn area' if subject.drawn else 'that were looked at'}"
    if not extent.found:
        return f"The model maps no landslide in {whole}, {threshold}."
    share = f"{subject.area(extent.found)} or {percent(extent.share)} of {whole}"
    if extent.landslides is None:
        return f"The model maps as landslide {share}, {threshold}."
    together = "together " if extent.landslides > 1 else ""
    return f"The model maps {count(extent.landslides, 'landslide')}, {together}{share}, {threshold}."


def _checked(subject: MappingSubject) -> str:
    """Whether the result could be checked, and what came of it, without a score's name."""
    if subject.scores is None:
        return "There was no inventory to check it against: how much of it is right, and what was missed, is not known."
    model = subject.scores.model
    return f"It was checked against a reference inventory. {precision_words(model)} {recall_words(model)}"


def _warnings(subject: MappingSubject) -> list[Content]:
    boxes = cautions(subject)
    better = None if subject.scores is None else index_did_better(subject.scores)
    return boxes if better is None else [*boxes, better]


def index_did_better(scores: Scores) -> Notice | None:
    """What must be said where a formula agrees better with the reference than the model; None where it does not."""
    if scores.baseline is None or not scores.baseline.f1 > scores.model.f1:
        return None
    return Notice(
        "A plain colour index did better here",
        f"Against the reference inventory the model has an F1 of {score(scores.model.f1)}. A colour index, a "
        f"formula on three colours that needs no learning, has {score(scores.baseline.f1)}. On this image and "
        "at this threshold the model is not the better guide.",
    )


def _key_figures(subject: MappingSubject) -> KeyFigures:
    extent, findings = subject.extent, subject.findings
    figures = []
    if extent.landslides is not None:
        figures.append(KeyFigure("Landslides mapped", f"{extent.landslides:,}", "those that touch count as one"))
    part = "the drawn area, " if subject.drawn else ""
    whole = f"{percent(extent.share)} of {part}{subject.area(extent.looked_at)}"
    figures.append(KeyFigure("Area mapped", subject.area(extent.found), whole))
    if findings is not None and len(findings.polygons):
        figures.append(KeyFigure("Largest", subject.area(float(findings.areas.max())), "may be several that touch"))
    figures.append(KeyFigure("Threshold", f"{subject.choice.threshold:.2f}", _whose_threshold(subject)))
    if subject.scores is not None:
        f1 = score(subject.scores.model.f1)
        figures.append(KeyFigure("F1", f1, "agreement with the reference; 1 would be full"))
    return KeyFigures(tuple(figures))


def _whose_threshold(subject: MappingSubject) -> str:
    own = subject.own_threshold
    if own is None:
        return "the model's own is not recorded"
    return "the model's own" if abs(own - subject.choice.threshold) < 0.006 else f"chosen; the model's own is {own:.2f}"


def meaning(subject: MappingSubject) -> Part:
    """What the result does and does not mean, how it hangs on the threshold, and the model's known limits."""
    least = subject.choice.minimum_area
    patches = f", in patches of at least {subject.area(least)}," if least and subject.findings is not None else ""
    means = (
        "A neural network looked at the image and gave each pixel a number from 0 to 1, called probability here: the "
        "higher, the more the place looks like the landslides the network was trained on.",
        f"Pixels from the threshold {subject.choice.threshold:.2f} up{patches} are called landslides in this report. A "
        "lower threshold finds more landslides and more false alarms, a higher one fewer of both.",
    )
    does_not = (
        "It is a model's hypothesis. It replaces neither an inventory made by people who know the ground nor a visit.",
        "What is not mapped is not thereby safe, and what is mapped need not be a landslide.",
        "One image does not say when something moved, whether it still moves, or where the next landslide will be.",
        "The number from 0 to 1 ranks places. Do not read it as odds.",
    )
    content: list[Content] = [Items(means, "What the numbers mean"), Items(does_not, "What they do not mean")]
    content.append(_sensitivity(subject))
    content += limits(subject, _quiet_valley(subject))
    content += bridging(subject)
    return Part("meaning", "What this does and does not mean", tuple(content))


def _sensitivity(subject: MappingSubject) -> Table:
    chosen = subject.choice.threshold
    steps = (round(chosen - STEP, 4), chosen, round(chosen + STEP, 4))
    # Rows that are compared are made alike: a large raster is outlined at one threshold only.
    extent_at = subject.extent_at if subject.at_once else subject.counted_at
    rows = tuple(_row(subject, extent_at(step), step == chosen) for step in steps if 0 <= step <= 1)
    return Table(
        "How much depends on the threshold" + ("" if subject.at_once else ", in all pixels from it up"),
        (Column("Threshold"), Column("Landslides", True), Column("Area", True), Column("Share", True)),
        rows,
    )


def _row(subject: MappingSubject, extent: Extent, chosen: bool) -> tuple[str, ...]:
    landslides = "not counted" if extent.landslides is None else f"{extent.landslides:,}"
    name = f"{extent.threshold:.2f}" + (" (this report)" if chosen else "")
    return name, landslides, subject.area(extent.found), percent(extent.share)


def _quiet_valley(subject: MappingSubject) -> tuple[str, ...]:
    """How much the model maps where there is nothing, when that was measured."""
    quiet = {} if subject.spec is None else subject.spec.scores.get("quiet_valley", {})
    alarm = quiet.get("false_alarm_m2_per_km2")
    if alarm is None:
        return ()
    return (
        "On a synthetic valley in which nothing fresh is to be found this model still mapped "
        f"{alarm:,.0f} m² of each km², or {percent(alarm / 1e6)}, as landslide.",
    )
