"""What the page teaches: a tour from the first detections to the report, and exercises on the confidence threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ui import resources
from ui.messages import tr, tr_noop
from ui.task.lessons import CLOSE, LEVELS, Counted, Exercise, Lessons, Step, Verdict, halved, progress_of
from ui.task.tried import tried_on

if TYPE_CHECKING:
    from core.runs.records import Run

SAMPLE = "valley-after"


def tour(run: Run | None) -> list[Step]:
    """Five steps, each with whether it was done."""
    address = {} if run is None else {"run": run.id}
    done = None if run is None else progress_of(run)
    moved = None if run is None else "confidence" in tried_on(run.id).moved
    link = tr_noop("Open the detections") if address else ""
    reviewed, explained, reported = (
        (None, None, None) if done is None else (done.reviewed, done.explained, done.reported)
    )
    return [
        Step(tr_noop("Detect in the sample"),
             tr("Press *Detect landslides*. The model draws boxes, each with a confidence."),
             run is not None, tr_noop("Open the sample"), {"sample": SAMPLE}),
        Step(tr_noop("Move the confidence threshold"),
             tr("Watch the number of detections, precision and recall above the map. "
             "▲ marks the highest F1, which holds for this image only."), moved, link, address),
        Step(tr_noop("Review five detections"),
             tr("Open the tab *Review*, enter your name, and review five: mark "
             "them as correct or false alarm, or edit them. Draw one landslide that the model missed."),
             reviewed, link, address),
        Step(tr_noop("Explain a detection"),
             tr("Select a detection, open the tab *Why*, and press *Explain*. Read the result "
             "of the deletion test before you rely on the explanation."), explained, link, address),
        Step(tr_noop("Share the result"),
             tr("In the tab *Export*, write the report (web page and PDF) and copy the link."),
             reported, link, address),
    ]  # fmt: skip


@dataclass(frozen=True)
class Counts(Counted):
    """A detection counted against its reference at a confidence: also the correct detections, and the landslides."""

    correct: int
    landslides: int


@dataclass(frozen=True)
class Ranked:
    """The detections of a run from the highest confidence down, of which the reference says what they are."""

    own: float
    scores: tuple[float, ...]
    hits: tuple[bool, ...]
    landslides: int

    @classmethod
    def of(cls, run: Run) -> Ranked | None:
        """Those of a run; None where it was not counted against a reference with landslides."""
        from core.tasks.detection.findings import default_choice, find
        from core.tasks.detection.result import DetectionResult

        result = resources.store().result(run.id, DetectionResult)
        found = find(result, default_choice(result))
        if found.matches is None or not len(found.matches.truth_classes):
            return None
        scores, hits, _ = found.matches.ranked
        return cls(
            default_choice(result).confidence, tuple(map(float, scores)), tuple(map(bool, hits)),
            len(found.matches.truth_classes),
        )  # fmt: skip

    def at(self, confidence: float) -> Counts:
        """What is found from a confidence on."""
        # Confidences are stored in single precision: 0.7 is kept as 0.69999999.
        kept = [hit for score, hit in zip(self.scores, self.hits, strict=True) if score >= confidence - 1e-6]
        return Counts(len(kept) - sum(kept), sum(kept) / self.landslides, sum(kept), self.landslides)


NO_REFERENCE = Verdict(False, "This run has no scores: detect in the sample with its own inventory as reference.")


def halve_false_alarms(run: Run, answer: float) -> Verdict:
    """Check the lowest confidence at which false alarms are at most half of those at the model's own."""
    ranked = Ranked.of(run)
    if ranked is None:
        return NO_REFERENCE
    return halved(ranked.at, ranked.own, answer, tr("False alarms"))


def find_half(run: Run, answer: float) -> Verdict:
    """Check the highest confidence at which at least half of the reference's landslides are found."""
    ranked = Ranked.of(run)
    if ranked is None:
        return NO_REFERENCE
    asked = ranked.at(answer)
    best = next((one for one in reversed(LEVELS) if ranked.at(one).recall >= 0.5), None)
    said = tr(
        "At {answer:.2f} {correct:,} of {landslides:,} landslides are found (recall {recall:.2f}), "
        "with {false_alarms:,} false alarms."
    ).format(
        answer=answer,
        correct=asked.correct,
        landslides=asked.landslides,
        recall=asked.recall,
        false_alarms=asked.false_alarms,
    )
    if best is None:
        return Verdict(
            False,
            tr("This model finds fewer than half at every threshold. {said} Try another model.").format(said=said),
        )
    if asked.recall >= 0.5 and best - answer <= CLOSE:
        return Verdict(True, tr("Yes. {said} At a higher threshold more than half are missed.").format(said=said))
    hint = "Fewer than half" if asked.recall < 0.5 else "A higher threshold still finds half"
    return Verdict(False, tr("Not yet. {said} {hint}.").format(said=said, hint=hint))


LESSONS = Lessons(
    SAMPLE,
    tour,
    (
        Exercise(
            "halve-false-detections", tr_noop("Halve the false alarms"),
            tr_noop("Find the lowest confidence threshold at which there are at most half as many false alarms as "
             "at the "
            "model's own. The tab *Scores* counts them."),
            tr_noop("Confidence"), 0.0, 1.0, 0.01, halve_false_alarms,
        ),
        Exercise(
            "find-half", tr_noop("Find half of the landslides"),
            tr_noop("Find the highest confidence threshold at which at least half of the reference's landslides are "
             "found "
            "(recall 0.50)."),
            tr_noop("Confidence"), 0.0, 1.0, 0.01, find_half,
        ),
    ),
    kind="detection",
)  # fmt: skip
