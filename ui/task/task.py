"""How the browser shows a task: what its page is called and says, and which of its parts other pages show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.runs.kinds import Ref, Task, find_task, tasks
from core.runs.view import options_of
from ui.messages import tr_noop

if TYPE_CHECKING:
    from core.runs.records import Run, SceneRecord

Drawn = Mapping[str, Any] | None
"""GeoJSON outline of the part of a scene that is drawn on its map; None for all of it."""


@dataclass(frozen=True)
class Picture:
    """A picture of what a task gives.

    Attributes
    ----------
    path
        Image file that ships with the task, at most 150 kB; made by ``docs/make_pictures.py`` from a real result.
    text
        What is seen on it, for who does not see it.
    caption
        What stands below it, such as that the data are synthetic.
    """

    path: Path
    text: str
    caption: str = ""


@dataclass(frozen=True)
class Card:
    """A task on the first page.

    Attributes
    ----------
    text
        What it answers.
    button, address
        Words of the button that opens its page with a sample, and the query parameters that it leads to.
    other
        Words of the link to its page.
    begin
        What an empty list of runs says about beginning with it; empty where that is for another task.
    picture
        A result of it; None for a task without one.
    """

    text: str
    button: str
    address: Mapping[str, str]
    other: str = tr_noop("Use your own image or open data")
    begin: str = ""
    picture: Picture | None = None


@dataclass(frozen=True)
class Taken:
    """Data of other pages that a task can begin with.

    Attributes
    ----------
    role
        Role of the task that they become.
    of
        Roles that they have on the page that they come from.
    words
        Words of the link, as "Map this scene".
    key
        Key of the role in the page's address.
    beside
        Other keys of that address, whose values stay.
    many
        Whether they are added to what stands under the key, separated by commas.
    placed
        Whether it must be known where on Earth they lie.
    """

    role: str
    of: tuple[str, ...]
    words: str
    key: str
    beside: tuple[str, ...] = ()
    many: bool = False
    placed: bool = False


@dataclass(frozen=True)
class TaskPage:
    """A task as its page names it.

    Attributes
    ----------
    name
        Name of the task and of its page.
    title, question
        Heading of the page, and the line that says what the page answers.
    noun
        What a run of it makes, as in "the map without scores".
    button, asks
        Words of the button that starts a run, and what it then does, as in "*Map landslides* maps the whole scene".
    several
        Words of the button that starts a run on each image of a batch, with ``{images}`` for "12 images"; empty where
        the task is not done in batches.
    again
        Words of the tick that takes the drawn area of an earlier run again.
    card
        The task on the first page.
    samples
        What the samples that the page offers hold; see `core.catalog.samples.Sample`.
    script
        The page's script, as links name it; by default ``pages/<name>.py``.
    compare
        ``(first, second) -> None``: shows two runs over each other; None for a task without a map.
    keys
        Keys in the page's address, beside those of the task's view, of what only changes how a run is shown.
    lessons
        A `ui.task.lessons.Lessons`: what the guide teaches of it; None for nothing.
    reading
        A `ui.runs.reading.ReadingView`: how a run is read; None where the report's parts are shown as they are.
    takes
        Data of other tasks' pages that it can begin with.
    """

    name: str
    title: str
    question: str
    noun: str
    button: str
    asks: str
    again: str
    card: Card
    samples: tuple[str, ...] = ("image",)
    script: str = ""
    keys: tuple[str, ...] = ()
    several: str = ""
    compare: Ref | None = None
    reading: Ref | None = None
    lessons: Ref | None = None
    takes: tuple[Taken, ...] = ()

    @property
    def task(self) -> Task:
        """The task."""
        return find_task(self.name)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of runs whose result the page shows."""
        return tuple(kind.name for kind in self.task.kinds if kind.primary)

    @property
    def page(self) -> str:
        """The page's script, as links name it."""
        return self.script or f"../pages/{self.name}.py"

    def working(self, run: Run) -> str:
        """What a run of the task does while it is running."""
        kind = self.task.kind(run.kind)
        return kind.working if kind else "Working"

    def map_key(self, record: SceneRecord) -> str:
        """Key of the map of a scene on the task's page, with and without a run."""
        return f"{self.name}-map-{record.id}"


@lru_cache(maxsize=1)
def task_pages() -> Mapping[str, TaskPage]:
    """The pages of all tasks that have one, by the name of the task."""
    return {task.name: task.page.load() for task in tasks().values() if task.page is not None}


@lru_cache(maxsize=1)
def view_keys() -> frozenset[str]:
    """Keys of all pages' widgets that only post-process; their values stand in the address."""
    views = [task.view.load() for task in tasks().values() if task.view is not None]
    addresses = {option.address for view in views for option in options_of(view)}
    return frozenset(addresses | {key for page in task_pages().values() for key in page.keys})


def script_of(page: str) -> str:
    """The script of a page by its name, as links name it: that of a task, or one of the shared pages."""
    known = task_pages().get(page)
    return f"../pages/{page}.py" if known is None else known.page
