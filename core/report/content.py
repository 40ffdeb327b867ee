"""What a report is made from: a finished run and what belongs to it, without a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from core.raster.files import one_line
from core.runs.result import GridResult, RunResult

if TYPE_CHECKING:
    from core.raster.grid import Grid
    from core.raster.scene import Scene
    from core.report.parts import Part
    from core.review.found import Opened
    from core.runs.records import Run
    from core.runs.store import Store


@dataclass(frozen=True)
class ReportInput:
    """A run as it is reported, whatever its task.

    Attributes
    ----------
    task, kind
        Which parts the report has, such as ``"mapping"`` and ``"mapping"``.
    result
        The finished run.
    made
        When the report was made; with a time zone, else taken as UTC.
    scene
        What the run looked at; None when it is no longer there, and pictures do without it.
    origin
        Where the scene came from, in words.
    explanations
        Explanations whose parent is `result`, in the order to be shown.
    name, note, tags
        What users wrote on the run.
    licences
        By id of a dataset, where it comes from and its terms, in words.
    address
        Where the run can be opened, empty when unknown.
    review
        What people corrected in what the run found; None where nobody did.
    """

    noun: ClassVar[str] = "run"
    """What `result` is called."""

    task: str
    kind: str
    result: RunResult
    made: datetime
    scene: Scene | None = None
    origin: str = ""
    explanations: tuple[RunResult, ...] = ()
    name: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()
    licences: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    review: Opened | None = None

    def key(self) -> tuple[str, ...]:
        """What the parts of the report depend on beside the view: equal keys give equal parts."""
        image = "" if self.scene is None else self.scene.digest
        edits = "" if self.review is None else str(self.review.review.number)
        return self.result.id, self.name, image, edits, *(one.id for one in self.explanations)

    @property
    def invitation(self) -> str:
        """What stands before the address; one of a computer by itself leads nobody else there.

        Examples
        --------
        >>> from core.report.content import ReportInput
        >>> ReportInput("", "", None, None, address="http://localhost:8501/mapping?run=1").invitation
        'Open the run on the computer that SlideLens runs on'
        """
        try:
            here = urlsplit(self.address).hostname in ("localhost", "127.0.0.1", "::1")
        except ValueError:  # no address at all
            here = False
        return f"Open the {self.noun}" + (" on the computer that SlideLens runs on" if here else "")

    @property
    def subject(self) -> str:
        """Name of what the run is about, on one line."""
        known = self.result.subject.name or (self.scene.name if self.scene else "")
        return one_line(known) or "unnamed data"


@dataclass(frozen=True)
class GridReport(ReportInput):
    """A run whose result lies on a grid, as it is reported."""

    result: GridResult
    explanations: tuple[GridResult, ...] = ()

    @property
    def looked_at(self) -> Grid:
        """Grid of the part of the scene that the run looked at."""
        return self.result.grid


Builder = Callable[[Any], "Iterator[Part | None]"]
"""The parts of a report in their order, of the content of its own kind; None for a part that has nothing to say."""

Gather = Callable[["Store", "Run", Any], ReportInput]
"""Content of a report of a run at a view of its task; at what its page begins with when the view is None."""


@dataclass(frozen=True)
class ReportKind:
    """How runs of a kind are reported.

    Attributes
    ----------
    title
        How the title begins, before the name of what the run is about.
    gather, parts
        See `Gather` and `Builder`.
    others
        ``(store, run) -> ids`` of runs that the report also tells of though they have reports of their own.
    """

    title: str
    gather: Gather
    parts: Builder
    others: Callable[[Store, Run], tuple[str, ...]] = lambda store, run: ()
