"""The first parts of the report of a detection: how many were found, and what that does and does not mean."""

from __future__ import annotations

import numpy as np

from core.report.cautions import bridging, cautions, limits
from core.report.parts import Column, Content, Items, KeyFigure, KeyFigures, Notice, Paragraph, Part, Table
from core.report.words import count, percent, score
from core.tasks.detection.findings import area_column
from core.tasks.detection.report.agreement import precision_words, recall_words
from core.tasks.detection.report.subject import STEP, DetectionSubject

SAME = 0.006
"""Confidences that are nearer to each other are the same to two decimals."""


def summary(subject: DetectionSubject) -> Part:
    """The headline, the numbers to be seen at a glance, and every warning that changes how they are read."""
    content: list[Content] = [Paragraph(headline(subject), lead=True), Paragraph(_checked(subject))]
    content += cautions(subject)
    content.append(_key_figures(subject))
    if subject.detections.left_out:
        text = (
            f"There were so many candidates that the {subject.detections.left_out:,} least sure were left out. Choose "
            "a smaller part of the image to count them as well."
        )
        content.append(Notice("Not all candidates were looked at", text, "note"))
    return Part("summary", "Summary", tuple(content))


def headline(subject: DetectionSubject) -> str:
    """What was found, in one sentence."""
    part = "part" if (subject.result.provenance.get("parameters") or {}).get("area") else "image"
    where = f"in this {part} of {subject.area(subject.searched_area)}, at confidence {subject.choice.confidence:.2f}"
    if not subject.count:
        return f"The detector finds no landslide {where}."
    boxes = count(subject.count, "box", "boxes")
    return f"The detector draws {boxes} around what it takes for landslides, {where}."


def _checked(subject: DetectionSubject) -> str:
    """Whether the result could be checked, and what came of it, without a score's name."""
    if subject.scores is None:
        return "There was no inventory to check it against: how many are right, and how many were missed, is not known."
    return (
        "It was checked against a reference inventory. "
        f"{precision_words(subject.scores)} {recall_words(subject.scores)}"
    )


def _key_figures(subject: DetectionSubject) -> KeyFigures:
    table, scores = subject.detections.table, subject.scores
    figures = [KeyFigure("Boxes", f"{subject.count:,}", "around what the detector takes for landslides")]
    figures.append(KeyFigure("Density", rate(subject.per_area), f"boxes {subject.rate_unit} of the part searched"))
    if subject.count:
        figures.append(KeyFigure("Surest", f"{table['score'].iloc[0]:.2f}", "confidence; ranks boxes, is no odds"))
        middle = float(np.median(table[area_column(subject.result)]))
        figures.append(KeyFigure("Middle size", subject.area(middle), "of the boxes; what lies in them is smaller"))
    figures.append(KeyFigure("Confidence threshold", f"{subject.choice.confidence:.2f}", _whose_confidence(subject)))
    if scores is not None:
        figures.append(KeyFigure("F1", score(scores.f1), "boxes right and found; 1 would be all"))
        figures.append(KeyFigure("AP50", score(scores.ap50), "over all confidences; 1 would be perfect"))
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
        "the surest was kept" if choice.merging == "nms" else "they were joined into one, the surer counting for more"
    )
    means = [
        _how_found(subject),
        f"Boxes from the confidence {choice.confidence:.2f} up are called landslides in this report. A lower one finds "
        "more landslides and more false alarms, a higher one fewer of both.",
        f"Where boxes overlapped by more than {percent(choice.nms_iou)} (intersection over union), {merged}.",
    ]
    if choice.minimum_area:
        means.append(f"Boxes smaller than {subject.area(choice.minimum_area)} were left out.")
    does_not = (
        "It is a model's hypothesis. It replaces neither an inventory made by people who know the ground nor a visit.",
        "Ground without a box is not thereby safe, and what is in a box need not be a landslide.",
        "A box says where to look. It is no outline: the area of a box is not the area of the landslide in it.",
        "One image does not say when something moved, whether it still moves, or where the next landslide will be.",
        "Confidence ranks boxes. Do not read it as odds.",
    )
    content: list[Content] = [Items(tuple(means), "What the boxes mean"), Items(does_not, "What they do not mean")]
    content.append(_sensitivity(subject))
    content += limits(subject)
    content += bridging(subject)
    return Part("meaning", "What this does and does not mean", tuple(content))


def _how_found(subject: DetectionSubject) -> str:
    if subject.content.kind == "fused":
        return (
            "Two neural networks searched, one the image and one the terrain, and a decision tree joined their boxes. "
            "Each box has a number from 0 to 1, called confidence here: the higher, the more boxes like it were "
            "landslides where the tree was trained."
        )
    return (
        "A neural network searched the image and drew boxes, each with a number from 0 to 1, called confidence here: "
        "the higher, the more what is in the box looks like the landslides the network was trained on."
    )


def chosen(subject: DetectionSubject) -> tuple[tuple[str, str], ...]:
    """What was chosen after the run, for its record."""
    choice = subject.choice
    how = {"nms": "the surest kept (non-maximum suppression)", "fusion": "joined (weighted boxes fusion)"}
    return (
        ("Confidence threshold", f"{choice.confidence:.2f}"),
        ("Boxes that overlap", f"{how[choice.merging]}, from an intersection over union of {choice.nms_iou:.2f}"),
        ("Smallest box", subject.area(choice.minimum_area) if choice.minimum_area else "any"),
    )


def _sensitivity(subject: DetectionSubject) -> Table:
    chosen = subject.choice.confidence
    steps = (round(chosen - STEP, 4), chosen, round(chosen + STEP, 4))
    least = max(subject.result.min_confidence, 0.0)
    heads = [Column("Confidence threshold"), Column("Boxes", True), Column(subject.rate_unit.capitalize(), True)]
    heads += [Column("Precision", True), Column("Recall", True)] if subject.scores is not None else []
    rows = tuple(_row(subject, step, step == chosen) for step in steps if least <= step <= 1)
    return Table("How much depends on the confidence", tuple(heads), rows)


def _row(subject: DetectionSubject, confidence: float, chosen: bool) -> tuple[str, ...]:
    number, point = subject.counted_at(confidence), subject.point_at(confidence)
    name = f"{confidence:.2f}" + (" (this report)" if chosen else "")
    scored = () if point is None else (score(point.precision), score(point.recall))
    return name, f"{number:,}", rate(number / (subject.searched_area / 1e6)), *scored
