"""How far a mapping agrees with a reference inventory, each score in words that need no training."""

from __future__ import annotations

import math

from core.learning.metrics import Confusion
from core.report.parts import Column, Content, Heading, Items, Paragraph, Part, Pictures, Table
from core.report.pictures import picture
from core.report.words import of_hundred, percent, score
from core.tasks.mapping.charts import precision_recall_chart, threshold_chart
from core.tasks.mapping.figure import draw_agreement
from core.tasks.mapping.findings import Scores, pixel_area
from core.tasks.mapping.report.subject import MappingSubject


def agreement(subject: MappingSubject) -> Part:
    """Scores with their meaning and caveats, curves and a map; or what not having a reference means."""
    scores = subject.scores
    content = _without(subject) if scores is None else _with(subject, scores)
    return Part("scores", "Reference check", content)


def _without(subject: MappingSubject) -> tuple[Content, ...]:
    content: list[Content] = [
        Paragraph(
            f"No reference inventory was available for {subject.result.place}. It is therefore not known how much of "
            "the mapped area is correct and how many landslides were missed. With a manually drawn inventory of "
            "the same area, SlideLens can calculate both."
        )
    ]
    known = subject.validation
    if {"precision", "recall"} <= set(known):
        right, found = of_hundred(known["precision"]), of_hundred(known["recall"])
        content.append(
            Paragraph(
                f"On the validation images, {right} of every 100 mapped pixels were landslide, and {found} of every "
                "100 landslide pixels were mapped. Those images resemble the ones the model was trained on; expect "
                "lower scores elsewhere."
            )
        )
    return tuple(content)


def _with(subject: MappingSubject, scores: Scores) -> tuple[Content, ...]:
    threshold = subject.choice.threshold
    intro = f"The map was compared with a reference inventory, pixel by pixel, at threshold {threshold:.2f}."
    if scores.baseline is not None:
        intro += (
            " The colour index is a formula on red, green and blue that requires no training; a useful model should "
            "score higher."
        )
    peak = peak_words(scores, subject.result.place)
    if coverage := coverage_words(scores, subject.result.place):
        intro += f" {coverage}"
    charts = (
        picture(
            precision_recall_chart(scores, threshold),
            f"Chart of precision against recall. At the threshold, precision is {score(scores.model.precision)} and "
            f"recall {score(scores.model.recall)}.",
            "Precision and recall at every threshold. A lower threshold moves along the line to the right: more "
            "landslides are found, with more false alarms.",
        ),
        picture(
            threshold_chart(scores, threshold),
            f"Chart of F1, precision and recall against the threshold. {peak}",
            f"Scores at every threshold. {peak}",
        ),
    )
    outcome = picture(
        draw_agreement(subject.panels, subject.result.grid, threshold),
        f"Map of {subject.content.subject}: correct, false-alarm and missed areas.",
        "Agreement with the reference at the threshold, by pixel. Bluish green: correct. Orange: false alarm. Sky "
        "blue: missed.",
    )
    return (
        Paragraph(intro),
        _score_table(scores),
        _counts(subject, scores.model),
        Heading("Before you quote these scores"),
        Items(_caveats(subject, scores)),
        Pictures((outcome,)),
        Pictures(charts),
    )


def _score_table(scores: Scores) -> Table:
    beside = scores.baseline is not None
    head = [Column("Score"), Column("Model", True)]
    head += [Column("Colour index", True)] if beside else []
    rows = []
    for key, title, words in _meanings(scores.model, partial=scores.is_partial):
        baseline = [score(getattr(scores.baseline, key))] if beside else []
        rows.append((title, score(getattr(scores.model, key)), *baseline, words))
    return Table("Scores and their meaning", (*head, Column("Meaning (model)")), tuple(rows))


def _meanings(model: Confusion, *, partial: bool) -> tuple[tuple[str, str, str], ...]:
    """Name, title and meaning of each score, the ones easiest to grasp first."""
    union = (
        f"Of 100 pixels that are landslide in the map or in the reference, {of_hundred(model.iou)} are landslide in "
        "both."
    )
    if math.isnan(model.iou):
        union = "Undefined: neither the map nor the reference has a landslide."
    total = model.total
    nothing = (model.false_positive + model.true_negative) / total if total else math.nan
    overall = (
        "Undefined: no pixels were compared."
        if not total
        else f"Of 100 pixels, {of_hundred(model.oa)} agree. A map without any landslide would reach "
             f"{of_hundred(nothing)}, so this score alone says little."
    )
    return (
        ("precision", "Precision", precision_words(model, partial=partial)),
        ("recall", "Recall", recall_words(model)),
        ("f1", "F1", (
            "Harmonic mean of precision and recall; closer to the lower of the two. 0: no agreement; 1: full agreement."
        )),
        ("iou", "IoU", union),
        ("miou", "Mean IoU (mIoU)", "Mean of the IoU of landslide and of all other pixels."),
        ("oa", "Overall accuracy (OA)", overall),
        ("kappa", "Kappa", "Agreement beyond chance. 0: none; 1: full."),
    )


def peak_words(scores: Scores, place: str) -> str:
    """At which threshold F1 is highest, or why there is none to be given.

    Parameters
    ----------
    place
        What was processed, such as "this image".
    """
    if math.isnan(scores.model.recall):
        return "F1 is undefined at every threshold: the reference has no landslide here."
    if scores.peak is None:
        return (
            "F1 is highest where every pixel counts as landslide, so no threshold can be chosen by it: either the "
            "model does not tell landslides from other ground here, or the reference knows too little ground without "
            "them."
        )
    return f"For {place}, F1 is highest at {scores.peak:.2f}. Check a threshold chosen this way on another image."


def coverage_words(scores: Scores, place: str) -> str:
    """How much of what was processed the reference covers, where that is not all of it; else empty.

    Parameters
    ----------
    place
        What was processed, such as "this image".
    """
    if not scores.is_partial or scores.covered is None:
        return ""
    return (
        f"The reference covers {percent(scores.covered)} of {place}; precision, recall and the other scores say "
        "nothing about the rest."
    )


def precision_words(model: Confusion, *, partial: bool = False) -> str:
    """Precision in a sentence.

    Parameters
    ----------
    partial
        Whether the reference covers only a part of what was mapped.
    """
    if math.isnan(model.precision):
        return "Undefined: no landslide was mapped."
    which = " that the reference covers" if partial else ""
    return f"Of 100 mapped pixels{which}, {of_hundred(model.precision)} are landslide in the reference."


def recall_words(model: Confusion) -> str:
    """Recall in a sentence."""
    if math.isnan(model.recall):
        return "Undefined: the reference has no landslide here."
    return f"Of 100 landslide pixels in the reference, {of_hundred(model.recall)} were mapped."


def _counts(subject: MappingSubject, model: Confusion) -> Table:
    size = pixel_area(subject.result)
    columns = [Column("Outcome"), Column("Pixels", True)]
    columns += [Column("Area, m²", True)] if subject.in_metres else []
    outcomes = (
        ("Correct", model.true_positive),
        ("False alarm", model.false_positive),
        ("Missed", model.false_negative),
        ("Correctly left out (true negatives)", model.true_negative),
    )
    rows = tuple(
        (name, f"{number:,}", *([f"{number * size:,.0f}"] if subject.in_metres else [])) for name, number in outcomes
    )
    return Table("Pixel counts at the threshold, before minimum area and hole filling", tuple(columns), rows)


def _caveats(subject: MappingSubject, scores: Scores) -> tuple[str, ...]:
    model = scores.model
    caveats = []
    if model.total:
        share = model.false_positive / model.total
        rate = f"{1e6 * share:,.0f} m² per km²" if subject.in_metres else percent(share)
        caveats.append(f"False alarms: {rate} of the compared area were mapped but are not landslide in the reference.")
    caveats += [
        "Scores count pixels at the threshold, before minimum area and hole filling. A few large landslides can "
        "outweigh many small ones.",
        "The reference is assumed to be correct. Where it lacks a landslide or outlines one roughly, correct mapping "
        "is counted as an error.",
        f"The scores apply to {subject.result.place}. Other terrain, seasons and sensors give other scores.",
    ]
    if subject.validation:
        caveats.append(
            "The model was trained on images that nearly all contain landslides; its false-alarm rate where there are "
            "none is not known from training."
        )
    if subject.seen:
        caveats.append("The model was trained or selected on this image: the scores do not show its skill.")
    if subject.synthetic:
        caveats.append("The image is synthetic: the scores test the tool, not the model's skill on real terrain.")
    return tuple(caveats)
