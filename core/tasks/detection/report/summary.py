"""The first parts of the report of a detection: how many were found, and what that does and does not mean."""

from __future__ import annotations

import numpy as np

from core.report.cautions import bridging, cautions, limits
from core.report.parts import Column, Content, Items, KeyFigure, KeyFigures, Notice, Paragraph, Part, Table
from core.report.reviewed import review_in_brief
from core.report.words import percent, score
from core.tasks.detection.findings import area_column
from core.tasks.detection.report.agreement import precision_words, recall_words
from core.tasks.detection.report.subject import STEP, DetectionSubject
from core.wording import agree, count

SAME = 0.006
"""Confidences that are nearer to each other are the same to two decimals."""


def summary(subject: DetectionSubject) -> Part:
    """The headline, the numbers to be seen at a glance, and every warning that changes how they are read."""
    content: list[Content] = [Paragraph(headline(subject), lead=True), Paragraph(_checked(subject))]
    content += review_in_brief(subject.content, subject.choice)
    content += cautions(subject)
    content.append(_key_figures(subject))
    if subject.detections.left_out:
        left_out = subject.detections.left_out
        were, them = agree(left_out, "was", "were"), agree(left_out, "it", "them")
        text = (
            f"There were too many candidates: the {left_out:,} of lowest confidence {were} left out. Process a smaller "
            f"part of the image to include {them}."
        )
        content.append(Notice("Some candidates were left out", text, "note"))
    return Part("summary", "Summary", tuple(content))


def headline(subject: DetectionSubject) -> str:
    """What was found, in one sentence."""
    place, searched = subject.result.place, subject.area(subject.searched_area)
    where = f"in {place} of {searched}, at confidence {subject.choice.confidence:.2f}"
    if not subject.count:
        return f"The detector finds no landslides {where}."
    boxes = count(subject.count, "possible landslide")
    return f"The detector finds {boxes} {where}."


def _checked(subject: DetectionSubject) -> str:
    """Whether the result could be checked, and what came of it, without a score's name."""
    if subject.scores is None:
        return (
            "No reference inventory was available: how many detections are correct and how many landslides were missed "
            "is not known."
        )
    return (
        f"The result was checked against {subject.checked_against}. {precision_words(subject.scores)} "
        f"{recall_words(subject.scores)}"
    )


def _key_figures(subject: DetectionSubject) -> KeyFigures:
    table, scores = subject.detections.table, subject.scores
    figures = [KeyFigure("Detections", f"{subject.count:,}", "possible landslides")]
    figures.append(KeyFigure("Density", rate(subject.per_area), (
        f"detections {subject.rate_unit} of the processed area"
    )))
    if subject.count:
        figures.append(KeyFigure("Highest confidence", f"{table['score'].iloc[0]:.2f}", (
            "ranks detections; not a calibrated probability"
        )))
        middle = float(np.median(table[area_column(subject.result)]))
        figures.append(KeyFigure("Median box area", subject.single_area(middle), "the landslide in a box is smaller"))
    figures.append(KeyFigure("Confidence threshold", f"{subject.choice.confidence:.2f}", _whose_confidence(subject)))
    if scores is not None:
        figures.append(KeyFigure("F1", score(scores.f1), "precision and recall combined; 1 is perfect"))
        figures.append(KeyFigure("AP50", score(scores.ap50), "over all confidences; 1 is perfect"))
    return KeyFigures(tuple(figures))


def rate(value: float) -> str:
    """A density with two digits that mean something.

    Examples
    --------
    >>> rate(0.0), rate(0.0342), rate(2.71), rate(43.2)
    ('0', '0.034', '2.7', '43')
    """
    if value == 0:
        return "0"
    digits = max(0, 1 - int(np.floor(np.log10(value))))
    return f"{value:,.{digits}f}"


def _whose_confidence(subject: DetectionSubject) -> str:
    if "threshold" not in subject.recorded("model"):
        return "the model's own is not recorded"
    own = subject.result.confidence
    return "the model's own" if abs(own - subject.choice.confidence) < SAME else f"chosen; the model's own is {own:.2f}"


def meaning(subject: DetectionSubject) -> Part:
    """What the result does and does not mean, how it hangs on the confidence, and the model's known limits."""
    choice = subject.choice
    merged = (
        "the one of highest confidence was kept" if choice.merging == "nms"
        else "they were merged, weighted by confidence"
    )
    means = [
        _how_found(subject),
        f"Detections with a confidence of at least {choice.confidence:.2f} are called landslides here. A "
        "lower threshold finds more landslides and raises more false alarms; a higher one does the opposite.",
        f"Where boxes overlapped by more than {percent(choice.nms_iou)} (intersection over union), {merged}.",
    ]
    if choice.minimum_area:
        means.append(f"Boxes smaller than {subject.single_area(choice.minimum_area)} were left out.")
    does_not = (
        "The result is a hypothesis of a model. It replaces neither an inventory made by experts who know the area "
        "nor a field visit.",
        "Ground without a detection is not necessarily safe, and a detection is not necessarily a landslide.",
        "A box shows where to look. It is not an outline: the area of a box is not the area of the landslide in it.",
        "A single image does not show when the ground moved, whether it is still moving, or where the next landslide "
        "will occur.",
        "Confidence ranks detections. It is not a calibrated probability.",
    )
    content: list[Content] = [Items(tuple(means), "What the detections mean"), Items(does_not, "What they do not mean")]
    content.append(_sensitivity(subject))
    content += limits(subject)
    content += bridging(subject)
    return Part("meaning", "Interpretation and limits", tuple(content))


def _how_found(subject: DetectionSubject) -> str:
    if subject.content.kind == "fused":
        return (
            "Two neural networks processed the image and the terrain, and a decision tree combined their detections. "
            "Each detection has a number from 0 to 1, called confidence: the higher it is, the more of the similar "
            "detections in the tree's training data were landslides."
        )
    return (
        "The detector marked places with boxes, each with a number from 0 to 1, called confidence: its estimate of how "
        "well the box fits a landslide, learnt from the landslides it was trained on."
    )


def chosen(subject: DetectionSubject) -> tuple[tuple[str, str], ...]:
    """What was chosen after the run, for its record."""
    choice = subject.choice
    how = {"nms": "highest confidence kept (non-maximum suppression)", "fusion": "merged (weighted boxes fusion)"}
    return (
        ("Confidence threshold", f"{choice.confidence:.2f}"),
        ("Overlapping boxes", f"{how[choice.merging]}, above an intersection over union of {choice.nms_iou:.2f}"),
        ("Minimum box area", subject.single_area(choice.minimum_area) if choice.minimum_area else "any"),
    )


def _sensitivity(subject: DetectionSubject) -> Table:
    chosen = subject.choice.confidence
    steps = (round(chosen - STEP, 4), chosen, round(chosen + STEP, 4))
    least = max(subject.result.min_confidence, 0.0)
    heads = [Column("Confidence threshold"), Column("Detections", True), Column(subject.rate_unit.capitalize(), True)]
    heads += [Column("Precision", True), Column("Recall", True)] if subject.scores is not None else []
    rows = tuple(_row(subject, step, step == chosen) for step in steps if least <= step <= 1)
    return Table("Sensitivity to the confidence threshold", tuple(heads), rows)


def _row(subject: DetectionSubject, confidence: float, chosen: bool) -> tuple[str, ...]:
    number, point = subject.counted_at(confidence), subject.point_at(confidence)
    name = f"{confidence:.2f}" + (" (chosen)" if chosen else "")
    scored = () if point is None else (score(point.precision), score(point.recall))
    return name, f"{number:,}", rate(number / (subject.searched_area / 1e6)), *scored
