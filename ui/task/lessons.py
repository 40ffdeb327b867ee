"""What a task teaches: a tour on its sample, whose steps know whether they are done, and exercises with a check."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ui import resources

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
        Whether it was done, as far as the store knows; None where it cannot know.
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
    """

    name: str
    title: str
    text: str
    asks: str
    low: float
    high: float
    step: float
    check: Callable[[Run, float], Verdict]


@dataclass(frozen=True)
class Lessons:
    """What a task teaches.

    Attributes
    ----------
    sample
        Name of its sample.
    tour
        ``(run | None) -> steps``: given the newest finished run on the sample.
    exercises
        In their order.
    """

    sample: str
    tour: Callable[[Run | None], Sequence[Step]]
    exercises: tuple[Exercise, ...] = ()


def run_on_sample(task: str, sample: str) -> Run | None:
    """The newest finished run of a task on a sample, whoever began it; None without one."""
    from core.catalog.samples import sample as find
    from core.runs.kinds import is_primary
    from core.runs.records import RunFilter

    title = find(sample).title
    wanted = RunFilter(task=task, statuses=("done",), text=title, limit=50)
    found = (run for run in resources.store().runs(wanted) if is_primary(run) and run.subject.name == title)
    return next(found, None)
