"""A detection as a report sees it: everything computed once that several parts tell of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from rasterio.windows import Window

from core.report.subject import SHOWN_SIDE, Subject, spec_of
from core.tasks.detection.figure import BoxMap, box_map
from core.tasks.detection.findings import Detections, default_choice, find
from core.tasks.detection.metrics import DetectionScores, Point
from core.tasks.detection.report.content import DetectionInput
from core.tasks.detection.result import DetectionResult
from core.tasks.detection.searched import searched_area
from core.tasks.detection.view import Choice

STEP = 0.1
"""How far the confidence is moved, up and down, to show what depends on it."""


@dataclass(frozen=True)
class DetectionSubject(Subject):
    """A detection with what is needed to report it.

    Attributes
    ----------
    content, spec
        As of every `Subject`.
    detections
        Boxes at the choice of the whole report.
    part
        The searched part, in pixels of the run's grid.
    """

    content: DetectionInput
    detections: Detections
    part: Window

    @classmethod
    def of(cls, content: DetectionInput) -> DetectionSubject:
        """Read and compute what the parts need.

        Raises
        ------
        StorageError
            When a file of the run is gone.
        """
        result = content.result
        detections = find(result, content.choice or default_choice(result))
        return cls(content, spec_of(content), detections, content.searched)

    @property
    def result(self) -> DetectionResult:
        """The run."""
        return self.content.result

    @property
    def choice(self) -> Choice:
        """Confidence and how boxes are merged."""
        return self.detections.choice

    @property
    def count(self) -> int:
        """How many boxes there are."""
        return self.detections.count

    @property
    def scores(self) -> DetectionScores | None:
        """Scores against the reference, None without one."""
        return self.detections.scores

    @cached_property
    def shown(self) -> BoxMap:
        """What maps show."""
        return box_map(self.detections, self.content.scene, self.part, SHOWN_SIDE)

    @cached_property
    def searched_area(self) -> float:
        """Ground that has data and was searched: m², or pixels."""
        return searched_area(self.result)

    @property
    def per_area(self) -> float:
        """Boxes per km², per megapixel without a coordinate system; NaN where nothing was searched."""
        return self.count / (self.searched_area / 1e6) if self.searched_area else float("nan")

    @property
    def rate_unit(self) -> str:
        """What boxes are counted per."""
        return "per km²" if self.in_metres else "per megapixel"

    def counted_at(self, confidence: float) -> int:
        """How many boxes there are at another confidence, merged alike."""
        return int(np.count_nonzero(self.detections.everything.scores >= np.float32(confidence)))

    def point_at(self, confidence: float) -> Point | None:
        """What is right at another confidence, None without a reference."""
        curve = self.detections.curve
        return None if curve is None else curve.at(confidence)

