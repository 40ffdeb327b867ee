"""What the page teaches: a tour from the first map to the report, and exercises on the threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui import resources
from ui.messages import tr, tr_noop
from ui.task.lessons import CLOSE, LEVELS, Counted, Exercise, Lessons, Step, Verdict, halved, progress_of
from ui.task.tried import tried_on

if TYPE_CHECKING:
    from core.learning.metrics import Confusion
    from core.runs.records import Run
    from core.tasks.mapping.result import MappingResult

SAMPLE = "valley-after"


def tour(run: Run | None) -> list[Step]:
    """Five steps, each with whether it was done."""
    address = {} if run is None else {"run": run.id}
    first = Step(
        tr_noop("Map the sample"),
        tr("Press *Map landslides*. The model gives each pixel a probability; this takes less than a minute."),
        run is not None, tr_noop("Open the sample"), {"sample": SAMPLE},
    )  # fmt: skip
    if run is None:
        return [first, *_later({}, None, None, None, None)]
    done = progress_of(run)
    moved = "threshold" in tried_on(run.id).moved
    return [first, *_later(address, moved, done.reviewed, done.explained, done.reported)]


def _later(
    address: dict[str, str], moved: bool | None, reviewed: bool | None, explained: bool | None, told: bool | None
) -> list[Step]:
    link = tr_noop("Open the map") if address else ""
    return [
        Step(tr_noop("Move the threshold"),
             tr("Watch count, area and scores above the map. ▲ marks the highest F1, which holds "
             "for this image only."), moved, link, address),
        Step(tr_noop("Review five landslides"),
             tr("Open the tab *Review*, enter your name, and review five: mark "
             "them as correct or false alarm, or edit them. Draw one that the model missed."),
             reviewed, link, address),
        Step(tr_noop("Explain a landslide"),
             tr("Select a landslide, open the tab *Why*, and press *Explain*. Read the result of the "
             "deletion test before you rely on the explanation."), explained, link, address),
        Step(tr_noop("Share the result"),
             tr("In the tab *Export*, write the report (web page and PDF) and copy the link. The "
             "tab *Review* prepares a reviewed inventory for a GIS."), told, link, address),
    ]  # fmt: skip


def _result(run: Run) -> MappingResult:
    from core.tasks.mapping.result import MappingResult

    return resources.store().result(run.id, MappingResult)


def _at(result: MappingResult, threshold: float) -> Confusion | None:
    from core.tasks.mapping.findings import score

    scores = score(result, threshold)
    return None if scores is None else scores.model


NO_REFERENCE = Verdict(False, "This run was not scored against a reference: map the sample with its own inventory.")


def halve_false_alarms(run: Run, answer: float) -> Verdict:
    """Check the lowest threshold at which false alarms are at most half of those at the model's own."""
    result = _result(run)
    if _at(result, answer) is None:
        return NO_REFERENCE

    def at(threshold: float) -> Counted:
        counts = _at(result, threshold)
        assert counts is not None  # noqa: S101  there is a reference
        return Counted(counts.false_positive, counts.recall)

    return halved(at, result.threshold, answer, tr("False-alarm pixels"))


def find_most(run: Run, answer: float) -> Verdict:
    """Check the highest threshold at which at least 95 % of the reference's pixels are mapped."""
    result = _result(run)
    asked = _at(result, answer)
    if asked is None:
        return NO_REFERENCE
    reached = (one for one in reversed(LEVELS[1:]) if (there := _at(result, one)) is not None and there.recall >= 0.95)
    best = next(reached, None)
    said = tr("At {answer:.2f} recall is {recall:.3f} and precision {precision:.3f}.").format(
        answer=answer, recall=asked.recall, precision=asked.precision
    )
    if best is None:
        return Verdict(False, tr("No threshold above 0 reaches recall 0.95 in this run. {said}").format(said=said))
    if asked.recall >= 0.95 and best - answer <= CLOSE:
        return Verdict(
            True,
            tr("Yes. {said} Such a map suits a first search whose results are checked one by one.").format(
                said=said
            ),
        )
    hint = "Recall is still below 0.95" if asked.recall < 0.95 else ("A higher threshold also reaches 0.95, with fewer "
             "false alarms")
    return Verdict(False, tr("Not yet. {said} {hint}.").format(said=said, hint=hint))


LESSONS = Lessons(
    SAMPLE,
    tour,
    (
        Exercise(
            "halve-false-alarms", tr_noop("Halve the false alarms"),
            tr_noop("Find the lowest threshold with at most half as many false-alarm pixels as at the model's own "
             "threshold. "
            "The tab *Scores* counts them."),
            tr_noop("Threshold"), 0.0, 1.0, 0.01, halve_false_alarms,
        ),
        Exercise(
            "find-most", tr_noop("Miss at most 5 %"),
            tr_noop("Find the highest threshold at which at least 95 % of the reference's pixels are mapped (recall "
             "0.95)."),
            tr_noop("Threshold"), 0.0, 1.0, 0.01, find_most,
        ),
    ),
)  # fmt: skip
