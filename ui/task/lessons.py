"""What a task teaches: a tour on its sample, whose steps know whether they are done, and exercises with a check."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ui import resources
from ui.messages import tr

if TYPE_CHECKING:
    from core.runs.records import Run


@dataclass(frozen=True)
class Step:
    """A step of a tour.

    Attributes
    ----------
    title, text
        What is done, and how.
    done
        Whether it was done, as far as the store or the visitor's session knows; None where neither can know.
    link, address
        Words of a link to the task's page, and its query parameters.
    """

    title: str
    text: str
    done: bool | None = None
    link: str = ""
    address: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What a check says of an answer.

    Attributes
    ----------
    right
        Whether it is right.
    words
        Why, with the numbers.
    """

    right: bool
    words: str


@dataclass(frozen=True)
class Exercise:
    """A question that is answered by trying.

    Attributes
    ----------
    name, title, text
        Key, heading, and what is to be found out.
    asks
        What the number is that is asked for.
    low, high, step
        Its range and the steps of its field.
    check
        ``(run, answer) -> Verdict``: looks at the visitor's run of the sample.
    choices
        ``run -> names`` where one of several is asked for instead of a number; the answer is its place among them.
    """

    name: str
    title: str
    text: str
    asks: str
    low: float
    high: float
    step: float
    check: Callable[[Run, float], Verdict]
    choices: Callable[[Run], Sequence[str]] | None = None


@dataclass(frozen=True)
class Lessons:
    """What a task teaches.

    Attributes
    ----------
    sample
        Name of its sample.
    tour
        ``(run | None) -> steps``: given the run on the sample that the visitor chose, None where there is none.
    exercises
        In their order.
    title
        Gives the name of the dataset that its runs are about; None where that is the sample's own.
    kind
        Kind of the runs that are looked at; any whose result the task's page shows when empty.
    """

    sample: str
    tour: Callable[[Run | None], Sequence[Step]]
    exercises: tuple[Exercise, ...] = ()
    title: Callable[[], str] | None = None
    kind: str = ""


FIVE = 5
"""Features that a tour asks to review."""


@dataclass(frozen=True)
class Progress:
    """What the store knows was done with a run.

    Attributes
    ----------
    reviewed
        Whether five of its features were reviewed.
    explained
        Whether an explanation of it is finished.
    reported
        Whether its report was written.
    """

    reviewed: bool
    explained: bool
    reported: bool


def progress_of(run: Run) -> Progress:
    """What was done with a run."""
    from core.review.log import read_log
    from core.runs.kinds import is_explanation

    store = resources.store()
    edits = [one for one in read_log(store, run.id) if one.edit.op not in ("begin", "undo", "redo")]
    touched = {name for one in edits for name in (*one.edit.ids, *one.edit.made)}
    explained = any(one.status == "done" and is_explanation(one) for one in store.children(run.id))
    return Progress(len(touched) >= FIVE, explained, run.artifact("report") is not None)


def runs_on_sample(task: str, lessons: Lessons) -> list[Run]:
    """Finished runs of a task on a whole sample: those of this browser session first, the newest first within both."""
    from core.catalog.samples import sample as find
    from core.runs.kinds import is_primary
    from core.runs.records import RunFilter

    title = find(lessons.sample).title if lessons.title is None else lessons.title()
    kinds = (lessons.kind,) if lessons.kind else ()
    wanted = RunFilter(task=task, statuses=("done",), kinds=kinds, text=title, limit=50)
    found = [run for run in resources.store().runs(wanted) if is_primary(run) and run.subject.name == title
             and not run.parameters.get("area")]  # fmt: skip
    return sorted(found, key=lambda run: not is_own(run))


def is_own(run: Run) -> bool:
    """Whether this browser session started a run."""
    return run.owner == resources.visitor()


CLOSE = 0.02
"""How far an answer may be from the best threshold."""

LEVELS = [number / 100 for number in range(101)]
"""Thresholds among which the best one is looked for."""


@dataclass(frozen=True)
class Counted:
    """What a result has at a threshold, counted against its reference.

    Attributes
    ----------
    false_alarms
        How many there are.
    recall
        Share of the reference that is found.
    """

    false_alarms: int
    recall: float


def halved(at: Callable[[float], Counted], own: float, answer: float, counted: str) -> Verdict:
    """Check the lowest threshold at which false alarms are at most half of those at the model's own.

    Parameters
    ----------
    at
        Counts at a threshold.
    own, answer
        The model's own threshold, and the one that was answered.
    counted
        What is counted, such as "false alarms", in the visitor's language.
    """
    first, asked = at(own), at(answer)
    half = first.false_alarms / 2
    best = next((one for one in LEVELS if at(one).false_alarms <= half), 1.0)
    said = tr(
        "{counted} at {own:.2f}: {number:,}, at {answer:.2f}: {number_2:,}; recall changes from {recall:.2f} to "
        "{recall_2:.2f}."
    ).format(
        counted=counted, own=own, number=first.false_alarms, answer=answer, number_2=asked.false_alarms,
        recall=first.recall, recall_2=asked.recall,
    )  # fmt: skip
    if asked.false_alarms <= half and answer - best <= CLOSE:
        return Verdict(True, tr("Yes. {said} Fewer false alarms mean more missed landslides.").format(said=said))
    if asked.false_alarms > half:
        return Verdict(False, tr("Not yet. {said} Still more than half.").format(said=said))
    return Verdict(False, tr("Not yet. {said} A lower threshold is enough.").format(said=said))
