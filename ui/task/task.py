"""What one task's page is called and says; everything else of the page is shared or a part of the task's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.runs.records import SceneRecord

Drawn = Mapping[str, Any] | None
"""GeoJSON outline of the part of a scene that is drawn on its map; None for all of it."""


@dataclass(frozen=True)
class Task:
    """A task as its page names it.

    Attributes
    ----------
    name
        Name of the task, of its page and of its folders.
    title, question
        Heading of the page, and the line that says what the page answers.
    noun
        What a run of it makes, as in "the map without scores".
    button, asks
        Words of the button that starts a run, and what it then does, as in "*Map landslides* maps the whole scene".
    again
        Words of the tick that takes the drawn area of an earlier run again.
    working
        What a run under way does, by its kind.
    kinds
        Kinds of runs whose result the page shows.
    samples
        What the samples that the page offers hold; see `core.catalog.samples.Sample`.
    """

    name: str
    title: str
    question: str
    noun: str
    button: str
    asks: str
    again: str
    working: Mapping[str, str]
    kinds: tuple[str, ...]
    samples: tuple[str, ...] = ("image",)

    @property
    def page(self) -> str:
        """The page's script, as links name it."""
        return f"../pages/{self.name}.py"

    def map_key(self, record: SceneRecord) -> str:
        """Key of the map of a scene on the task's page, with and without a run."""
        return f"{self.name}-map-{record.id}"
