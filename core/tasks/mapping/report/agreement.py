"""How far a mapping agrees with a reference inventory, each score in words that need no training."""

from __future__ import annotations

import math

from core.learning.metrics import Confusion
from core.report.parts import Column, Content, Heading, Items, Paragraph, Part, Pictures, Table
from core.report.pictures import picture
from core.report.words import area, of_hundred, percent, score
from core.tasks.mapping.charts import precision_recall_chart, threshold_chart
from core.tasks.mapping.figure import draw_agreement
from core.tasks.mapping.findings import Scores, pixel_area
from core.tasks.mapping.report.subject import MappingSubject


def agreement(subject: MappingSubject) -> Part:
    """Scores with their meaning and caveats, curves and a map; or what not having a reference means."""
    scores = subject.scores
    content = _without(subject) if scores is None else _with(subject, scores)
    return Part("scores", "How far it agrees with a reference", content)


def _without(subject: MappingSubject) -> tuple[Content, ...]:
    content: list[Content] = [
        Paragraph(
            "There was no reference inventory for this image. How many of the mapped landslides are right, and how "
            "many were missed, is therefore unknown. With an inventory of the same place, drawn by people, SlideLens "
            "can count both."
        )
    ]
    known = subject.validation
    if {"precision", "recall"} <= set(known):
        right, found = of_hundred(known["precision"]), of_hundred(known["recall"])
        content.append(
            Paragraph(
                f"On images set aside when the model was made, of 100 pixels mapped {right} were landslide, and of "
                f"100 landslide pixels it mapped {found}. Those images are like the ones it was trained on; expect "
                "less elsewhere."
            )
        )
    return tuple(content)


def _with(subject: MappingSubject, scores: Scores) -> tuple[Content, ...]:
    threshold = subject.choice.threshold
    intro = f"The map was compared with a reference inventory, pixel by pixel, at threshold {threshold:.2f}."
    if scores.baseline is not None:
        intro += (
            " The colour index beside the model is a plain formula on red, green and blue that needs no learning; a "
            "model earns its place by doing better."
        )
    best = f"{scores.curve.best_threshold:.2f}"
    charts = (
        picture(
            precision_recall_chart(scores, threshold),
            f"Chart of precision against recall. At the threshold, precision is {score(scores.model.precision)} and "
            f"recall {score(scores.model.recall)}.",
            "What each threshold would give: a lower one moves along the line to the right, to more landslides found "
            "and more false alarms.",
        ),
        picture(
            threshold_chart(scores, threshold),
            f"Chart of F1, precision and recall against the threshold. F1 is highest at {best}.",
            f"The scores at every threshold; on this image F1 is highest at {best}. A threshold chosen by this must be "
            "checked on another image.",
        ),
    )
    outcome = picture(
        draw_agreement(subject.panels, subject.result.grid, threshold),
        f"Map of {subject.content.subject}: where model and reference agree, where only the model has a landslide "
        "and where only the reference has one.",
        "Where the map agrees with the reference. Bluish green: found, and in the reference. Orange: found, but not in "
        "the reference. Sky blue: missed. Pixels at the threshold.",
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
    for key, title, words in _meanings(scores.model):
        baseline = [score(getattr(scores.baseline, key))] if beside else []
        rows.append((title, score(getattr(scores.model, key)), *baseline, words))
    return Table("Scores and what they mean", (*head, Column("For the model, in words")), tuple(rows))


def _meanings(model: Confusion) -> tuple[tuple[str, str, str], ...]:
    """Name, title and meaning of each score, the ones easiest to grasp first."""
    union = f"Of 100 pixels that model or reference call landslide, {of_hundred(model.iou)} are so for both."
    if math.isnan(model.iou):
        union = "Undefined: neither has a landslide."
    total = model.total
    nothing = (model.false_positive + model.true_negative) / total if total else math.nan
    overall = (
        "Undefined: nothing was compared."
        if not total
        else f"Of 100 pixels, {of_hundred(model.oa)} agree. This says little: mapping nothing at all would "
        f"have {of_hundred(nothing)}."
    )
    return (
        ("precision", "Precision", precision_words(model)),
        ("recall", "Recall", recall_words(model)),
        ("f1", "F1", "Precision and recall in one number, nearer to the lower of them: 0 nothing agrees, 1 all does."),
        ("iou", "IoU", union),
        ("miou", "Mean IoU", "The mean of that for landslide and for all the rest."),
        ("oa", "Overall accuracy", overall),
        ("kappa", "Kappa", "Agreement beyond what chance would give: 0 none, 1 full."),
    )


def precision_words(model: Confusion) -> str:
    """Precision in a sentence."""
    if math.isnan(model.precision):
        return "Undefined: nothing is mapped."
    return f"Of 100 mapped pixels, {of_hundred(model.precision)} are landslide in the reference."


def recall_words(model: Confusion) -> str:
    """Recall in a sentence."""
    if math.isnan(model.recall):
        return "Undefined: the reference has no landslide here."
    return f"Of 100 landslide pixels in the reference, {of_hundred(model.recall)} are mapped."


def _counts(subject: MappingSubject, model: Confusion) -> Table:
    size = pixel_area(subject.result)
    columns = [Column("Outcome"), Column("Pixels", True)]
    columns += [Column("Area", True)] if subject.in_metres else []
    outcomes = (
        ("Found, in the reference", model.true_positive),
        ("Found, not in the reference (false alarm)", model.false_positive),
        ("Missed", model.false_negative),
        ("True negatives", model.true_negative),
    )
    rows = tuple(
        (name, f"{number:,}", *([area(number * size)] if subject.in_metres else [])) for name, number in outcomes
    )
    return Table("Counts behind the scores", tuple(columns), rows)


def _caveats(subject: MappingSubject, scores: Scores) -> tuple[str, ...]:
    model = scores.model
    caveats = []
    if model.total:
        share = model.false_positive / model.total
        rate = f"{1e6 * share:,.0f} m² of each km²" if subject.in_metres else percent(share)
        caveats.append(f"False alarms: {rate} that was compared was mapped, but is not landslide in the reference.")
    caveats += [
        "Scores count pixels at the threshold, before small patches are dropped and holes filled. A few large "
        "landslides can outweigh many small ones.",
        "The reference is taken as the truth. Where it missed a landslide or drew one roughly, the model is blamed.",
        "They hold for this image. Other ground, seasons and sensors give other scores.",
    ]
    if subject.validation:
        caveats.append(
            "The model was trained where nearly every image holds a landslide; how many false alarms it gives on quiet "
            "ground is not known from its training."
        )
    if subject.seen:
        caveats.append("The model has seen this image: the scores say nothing about its skill.")
    if subject.synthetic:
        caveats.append("The image is synthetic: the scores test the tool, not the model's skill on real ground.")
    return tuple(caveats)
