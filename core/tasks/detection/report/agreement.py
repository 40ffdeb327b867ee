"""How far a detection agrees with a reference inventory, each score in words that need no training."""

from __future__ import annotations

import math

from core.report.parts import Column, Content, Heading, Items, Paragraph, Part, Pictures, Table
from core.report.pictures import picture
from core.report.words import count, of_hundred, score
from core.tasks.detection.charts import confidence_chart, precision_recall_chart
from core.tasks.detection.figure import draw_missed, draw_outcome
from core.tasks.detection.findings import area_column
from core.tasks.detection.metrics import Curve, DetectionScores
from core.tasks.detection.report.subject import DetectionSubject


def agreement(subject: DetectionSubject) -> Part:
    """Scores with their meaning and caveats, curves, a map and the worst misses; or what no reference means."""
    scores, curve = subject.scores, subject.detections.curve
    content = _without(subject) if scores is None or curve is None else _with(subject, scores, curve)
    return Part("scores", "How far it agrees with a reference", content)


def _without(subject: DetectionSubject) -> tuple[Content, ...]:
    content: list[Content] = [
        Paragraph(
            "There was no reference inventory for this image. How many of the boxes are right, and how many landslides "
            "were missed, is therefore unknown. With an inventory of the same place, drawn by people, SlideLens can "
            "count both."
        )
    ]
    known = subject.validation
    if {"precision", "recall"} <= set(known):
        right, found = of_hundred(known["precision"]), of_hundred(known["recall"])
        content.append(
            Paragraph(
                f"On images set aside when the model was made, of 100 boxes {right} were right, and of 100 landslides "
                f"it found {found}. Those images are like the ones it was trained on; expect less elsewhere."
            )
        )
        rows = tuple((title, score(float(known[key])), words) for key, title, words in _general() if key in known)
        heads = (Column("Score"), Column("Validation images", True), Column("In words"))
        content.append(Table("Scores of the model, from its card", heads, rows))
    return tuple(content)


def _with(subject: DetectionSubject, scores: DetectionScores, curve: Curve) -> tuple[Content, ...]:
    intro = (
        f"The boxes were compared with those around each landslide of a reference inventory, at confidence "
        f"{scores.confidence:.2f}. A box is right when it and the reference's share at least half of the ground that "
        "they cover together (intersection over union 0.50); each landslide is found once."
    )
    outcome = picture(
        draw_outcome(subject.shown),
        f"Map of {subject.content.subject}: boxes that are in the reference, boxes that are not, and landslides of "
        "the reference without a box.",
        "What became of each box. Bluish green: found, and in the reference. Orange: found, but not in the reference. "
        "Sky blue, dashed: missed.",
    )
    content: list[Content] = [Paragraph(intro), _score_table(subject, scores), _counts(scores)]
    content += [Heading("Before you quote these scores"), Items(_caveats(subject))]
    content.append(Pictures((outcome,)))
    return (*content, *_charts(scores, curve))


def _charts(scores: DetectionScores, curve: Curve) -> tuple[Content, ...]:
    if not len(curve.confidence) or not curve.truth:
        return ()
    best = f"{curve.best_confidence:.2f}"
    charts = (
        picture(
            precision_recall_chart(curve, scores),
            f"Chart of precision against recall. At the confidence chosen, precision is {score(scores.precision)} and "
            f"recall {score(scores.recall)}.",
            "What each confidence would give: a lower one moves along the line to the right, to more landslides found "
            "and more false alarms. AP50 is about the area below the line.",
        ),
        picture(
            confidence_chart(curve, scores.confidence),
            f"Chart of F1, precision and recall against the confidence. F1 is highest at {best}.",
            f"The scores at every confidence; on this image F1 is highest at {best}. A confidence chosen by this must "
            "be checked on another image.",
        ),
    )
    return (Pictures(charts),)


def misses(subject: DetectionSubject) -> Part | None:
    """The largest landslides that were missed, on the image; nothing where none was, or none is known."""
    worst = subject.shown.worst
    if not worst:
        return None
    missed = subject.detections.missed
    areas = missed[area_column(subject.result)]
    largest = subject.area(float(areas.max()))
    which = "The only one missed" if len(missed) == 1 else f"The {len(worst)} largest of {len(missed):,} missed"
    shown = picture(
        draw_missed(subject.shown, subject.content.scene),
        f"The image around the {len(worst)} largest landslides of the reference that the detector missed.",
        f"{which}, with boxes of up to {largest}. Sky blue: missed. Blue, dashed: others of the reference. Vermillion: "
        "found. Numbered as in the reference, with the intersection over union of the box that comes nearest to it.",
    )
    return Part("misses", "The worst misses", (Pictures((shown,)),))


def _score_table(subject: DetectionSubject, scores: DetectionScores) -> Table:
    known = subject.validation
    head = [Column("Score"), Column("This image", True)]
    head += [Column("Validation images", True)] if known else []
    rows = []
    for key, title, words in _meanings(scores):
        card = [score(float(known[key])) if key in known else "not stated"] if known else []
        rows.append((title, score(getattr(scores, key)), *card, words))
    words = "Scores and what they mean"
    if known:
        words += "; beside them the model's scores on images set aside when it was made, from its card"
    return Table(words, (*head, Column("For this image, in words" if known else "In words")), tuple(rows))


def _meanings(scores: DetectionScores) -> tuple[tuple[str, str, str], ...]:
    """Name, title and meaning of each score, the ones easiest to grasp first."""
    own = {"precision": precision_words(scores), "recall": recall_words(scores)}
    return tuple((key, title, own.get(key, words)) for key, title, words in _general())


def _general() -> tuple[tuple[str, str, str], ...]:
    return (
        ("precision", "Precision", "Share of the boxes that are right."),
        ("recall", "Recall", "Share of the reference's landslides that are found."),
        ("f1", "F1", "Precision and recall in one number, nearer to the lower of them: 0 nothing agrees, 1 all does."),
        ("ap50", "AP50", "Mean precision over all recalls, whatever the confidence; right from an overlap of 0.5."),
        ("ap50_95", "AP50:95", "The same, the mean over overlaps from 0.50 to 0.95: how well the boxes fit as well."),
    )


def precision_words(scores: DetectionScores) -> str:
    """Precision in a sentence."""
    if math.isnan(scores.precision):
        return "Undefined: no box is found."
    return f"Of {count(scores.found, 'box', 'boxes')}, {_so_many(scores.hits)} a landslide of the reference."


def recall_words(scores: DetectionScores) -> str:
    """Recall in a sentence."""
    if math.isnan(scores.recall):
        return "Undefined: the reference has no landslide here."
    return f"Of {count(scores.truth, 'landslide')} in the reference, {_none(scores.hits)} found."


def _so_many(number: int) -> str:
    return "none is on" if not number else "1 is on" if number == 1 else f"{number:,} are each on"


def _none(number: int) -> str:
    return "none is" if not number else "1 is" if number == 1 else f"{number:,} are"


def _counts(scores: DetectionScores) -> Table:
    rows = (
        ("Found, in the reference (true)", f"{scores.hits:,}"),
        ("Found, not in the reference (false alarm)", f"{scores.found - scores.hits:,}"),
        ("Missed", f"{scores.truth - scores.hits:,}"),
    )
    return Table("Counts behind the scores", (Column("Outcome"), Column("Boxes", True)), rows)


def _caveats(subject: DetectionSubject) -> tuple[str, ...]:
    caveats = [
        "A box that finds a landslide but fits it badly counts as a false alarm and a miss at once.",
        "The reference is taken as the truth. Where it missed a landslide, or drew two as one, the model is blamed.",
        "The boxes of the reference are drawn around each of its polygons, or around pixels of its mask that touch.",
        "They hold for this image. Other ground, seasons and sensors give other scores.",
    ]
    if subject.scores is not None and subject.scores.truth:
        caveats.append(
            "They were counted where there are landslides. Where nothing slides every box is a false alarm, and how "
            "many there would be is not known from this."
        )
    if subject.seen:
        caveats.append("The model has seen this image: the scores say nothing about its skill.")
    if subject.synthetic:
        caveats.append("The image is synthetic: the scores test the tool, not the model's skill on real ground.")
    return tuple(caveats)
