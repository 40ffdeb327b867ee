"""How far a detection agrees with a reference inventory, each score in words that need no training."""

from __future__ import annotations

import math

from core.report.parts import Column, Content, Heading, Items, Paragraph, Part, Pictures, Table
from core.report.pictures import picture
from core.report.words import of_hundred, score
from core.tasks.detection.charts import confidence_chart, precision_recall_chart
from core.tasks.detection.figure import draw_missed, draw_outcome
from core.tasks.detection.findings import area_column
from core.tasks.detection.metrics import Curve, DetectionScores
from core.tasks.detection.report.subject import DetectionSubject
from core.wording import agree, count


def agreement(subject: DetectionSubject) -> Part:
    """Scores with their meaning and caveats, curves, a map and the worst misses; or what no reference means."""
    scores, curve = subject.scores, subject.detections.curve
    content = _without(subject) if scores is None or curve is None else _with(subject, scores, curve)
    return Part("scores", "Reference check", content)


def _without(subject: DetectionSubject) -> tuple[Content, ...]:
    content: list[Content] = [
        Paragraph(
            f"No reference inventory was available for {subject.result.place}. It is therefore not known how many "
            "detections are correct and how many landslides were missed. With a manually drawn inventory of "
            "the same area, SlideLens can calculate both."
        )
    ]
    known = subject.validation
    if {"precision", "recall"} <= set(known):
        right, found = of_hundred(known["precision"]), of_hundred(known["recall"])
        content.append(
            Paragraph(
                f"On the validation images, {right} of every 100 detections were correct, and {found} of every 100 "
                "landslides were found. Those images resemble the ones the model was trained on; expect lower scores "
                "elsewhere."
            )
        )
        rows = tuple((title, score(float(known[key])), words) for key, title, words in _general() if key in known)
        heads = (Column("Score"), Column("Validation images", True), Column("Meaning"))
        content.append(Table("Scores of the model (from its card)", heads, rows))
    return tuple(content)


def _with(subject: DetectionSubject, scores: DetectionScores, curve: Curve) -> tuple[Content, ...]:
    intro = (
        "The detections were compared with the boxes around the landslides of a reference inventory, at confidence "
        f"{scores.confidence:.2f}. A detection is correct if its box overlaps a reference box with an intersection "
        "over union (IoU) of at least 0.50; each landslide is matched once."
    )
    outcome = picture(
        draw_outcome(subject.shown),
        f"Map of {subject.content.subject}: correct detections, false alarms and missed landslides.",
        "Reference check by detection. Bluish green: correct. Orange: false alarm. Sky blue, dashed: missed.",
    )
    content: list[Content] = [Paragraph(intro), _score_table(subject, scores), _counts(scores)]
    content += [Heading("Before you quote these scores"), Items(_caveats(subject))]
    content.append(Pictures((outcome,)))
    return (*content, *_charts(scores, curve, subject.result.place))


def _charts(scores: DetectionScores, curve: Curve, place: str) -> tuple[Content, ...]:
    if not len(curve.confidence) or not curve.truth:
        return ()
    best = f"{curve.best_confidence:.2f}"
    charts = (
        picture(
            precision_recall_chart(curve, scores),
            f"Chart of precision against recall. At the selected confidence, precision is {score(scores.precision)} "
            f"and recall {score(scores.recall)}.",
            "Precision and recall at every confidence. A lower confidence moves along the line to the right: more "
            "landslides are found, with more false alarms. AP50 is approximately the area below the line.",
        ),
        picture(
            confidence_chart(curve, scores.confidence),
            f"Chart of F1, precision and recall against the confidence. F1 is highest at {best}.",
            f"Scores at every confidence. For {place}, F1 is highest at {best}. Check a confidence chosen this way on "
            "another image.",
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
    largest = subject.single_area(float(areas.max()))
    which = "The only missed landslide" if len(missed) == 1 else (
        f"The {len(worst)} largest of {len(missed):,} missed landslides"
    )
    largest_ones = count(len(worst), "largest reference landslide")
    shown = picture(
        draw_missed(subject.shown, subject.content.scene),
        f"The image around the {largest_ones} that the detector missed.",
        f"{which}, with boxes of up to {largest}. Sky blue: missed. Blue, dashed: other reference boxes. Red-orange: "
        "detections. Numbers are those of the reference; each is given with the intersection over union (IoU) of the "
        "best-matching detection.",
    )
    return Part("misses", "Largest missed landslides", (Pictures((shown,)),))


def _score_table(subject: DetectionSubject, scores: DetectionScores) -> Table:
    known = subject.validation
    head = [Column("Score"), Column(subject.result.place.capitalize(), True)]
    head += [Column("Validation images", True)] if known else []
    rows = []
    for key, title, words in _meanings(scores):
        card = [score(float(known[key])) if key in known else "not given"] if known else []
        rows.append((title, score(getattr(scores, key)), *card, words))
    words = "Scores and their meaning"
    if known:
        words += ", with the model's scores on validation images (from its card)"
    return Table(words, (*head, Column(f"Meaning ({subject.result.place})" if known else "Meaning")), tuple(rows))


def _meanings(scores: DetectionScores) -> tuple[tuple[str, str, str], ...]:
    """Name, title and meaning of each score, the ones easiest to grasp first."""
    own = {"precision": precision_words(scores), "recall": recall_words(scores)}
    return tuple((key, title, own.get(key, words)) for key, title, words in _general())


def _general() -> tuple[tuple[str, str, str], ...]:
    return (
        ("precision", "Precision", "Share of the detections that are correct."),
        ("recall", "Recall", "Share of the reference landslides that were found."),
        ("f1", "F1", (
            "Harmonic mean of precision and recall; closer to the lower of the two. 0: no agreement; 1: full agreement."
        )),
        ("ap50", "AP50", (
            "Mean precision over all recalls, independent of the confidence; correct from an overlap (IoU) of 0.50."
        )),
        ("ap50_95", "AP50:95", (
            "AP as a mean over overlaps (IoU) from 0.50 to 0.95: also measures how well the boxes fit."
        )),
    )


def precision_words(scores: DetectionScores) -> str:
    """Precision in a sentence."""
    if math.isnan(scores.precision):
        return "Undefined: there are no detections."
    return f"Of {count(scores.found, 'detection')}, {_so_many(scores.hits)} correct."


def recall_words(scores: DetectionScores) -> str:
    """Recall in a sentence."""
    if math.isnan(scores.recall):
        return "Undefined: the reference has no landslide here."
    return f"Of {count(scores.truth, 'landslide')} in the reference, {_so_many(scores.hits)} found."


def _so_many(number: int) -> str:
    return f"{number:,} {agree(number, 'is', 'are')}" if number else "none is"


def _counts(scores: DetectionScores) -> Table:
    rows = (
        ("Correct", f"{scores.hits:,}"),
        ("False alarm", f"{scores.found - scores.hits:,}"),
        ("Missed", f"{scores.truth - scores.hits:,}"),
    )
    return Table("Counts", (Column("Outcome"), Column("Number", True)), rows)


def _caveats(subject: DetectionSubject) -> tuple[str, ...]:
    caveats = [
        "A detection that overlaps a landslide but fits it poorly counts as both a false alarm and a missed landslide.",
        "The reference is assumed to be correct. Where it lacks a landslide, or outlines two as one, a correct "
        "detection is counted as an error.",
        "Reference boxes are drawn around each polygon of the inventory, or around connected pixels of its mask.",
        f"The scores apply to {subject.result.place}. Other terrain, seasons and sensors give other scores.",
    ]
    if subject.scores is not None and subject.scores.truth:
        caveats.append(
            "The scores were calculated where there are landslides. Where there are none, every detection is a false "
            "alarm; how many to expect there cannot be derived from these scores."
        )
    if subject.seen:
        caveats.append("The model was trained or selected on this image: the scores do not show its skill.")
    if subject.synthetic:
        caveats.append("The image is synthetic: the scores test the tool, not the model's skill on real terrain.")
    return tuple(caveats)
