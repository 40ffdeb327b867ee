"""What the report of a detection is made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from rasterio.windows import Window

from core.raster.area import area_of, window_of
from core.report.content import GridReport
from core.tasks.detection.result import DetectionResult
from core.tasks.detection.view import Choice
from core.tasks.imagery.report import shared_content

if TYPE_CHECKING:
    from core.raster.grid import Grid
    from core.runs.records import Run
    from core.runs.store import Store
    from core.tasks.detection.report.subject import DetectionSubject


@dataclass(frozen=True)
class DetectionInput(GridReport):
    """A detection as it is reported.

    Attributes
    ----------
    choice
        Confidence and how boxes are merged; the model's own when None.
    """

    result: DetectionResult
    choice: Choice | None = None

    def key(self) -> tuple[str, ...]:
        """See `ReportInput`."""
        return *super().key(), repr(self.choice)

    @cached_property
    def prepared(self) -> DetectionSubject:
        """Everything computed once that several parts tell of."""
        from core.tasks.detection.report.subject import DetectionSubject

        return DetectionSubject.of(self)

    @property
    def searched(self) -> Window:
        """The rectangle around what was searched, in pixels of the run's grid: all of it, or around a drawn part."""
        grid, drawn = self.result.grid, (self.result.provenance.get("parameters") or {}).get("area")
        return window_of(area_of(grid, drawn).region) if drawn else Window(0, 0, grid.width, grid.height)

    @property
    def looked_at(self) -> Grid:
        """Grid of that rectangle."""
        return self.result.grid.window(self.searched)


def gather(store: Store, run: Run, view: Choice | None) -> DetectionInput:
    """Content of the report of a detection."""
    _, shared = shared_content(store, run)
    return DetectionInput(**shared, result=store.result(run.id, DetectionResult), choice=view)
