"""A mapping as a report sees it: everything computed once that several parts tell of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from core.learning.metrics import threshold_code
from core.learning.spec import ModelSpec
from core.report.subject import SHOWN_SIDE, Subject, spec_of
from core.tasks.mapping.findings import LARGEST, Findings, Landslides, Scores, default_choice, find, pixel_area, score
from core.tasks.mapping.overviews import Overviews, read_overviews
from core.tasks.mapping.report.content import MappingInput
from core.tasks.mapping.result import MappingResult
from core.tasks.mapping.view import Choice

UNKNOWN_THRESHOLD = 0.5
STEP = 0.1
"""How far the threshold is moved, up and down, to show what depends on it."""


@dataclass(frozen=True)
class Extent:
    """How much was found at a threshold; `landslides` is None where they are too many to be told apart."""

    threshold: float
    landslides: int | None
    found: float
    looked_at: float

    @property
    def share(self) -> float:
        """Area found over area looked at, NaN without any."""
        return self.found / self.looked_at if self.looked_at else float("nan")


@dataclass(frozen=True)
class MappingSubject(Subject):
    """A mapping run with what is needed to report it.

    Attributes
    ----------
    content, spec
        As of every `Subject`.
    choice
        Threshold and areas of the whole report.
    findings
        Polygons; None for a raster too large to outline at once that nobody has had outlined.
    panels
        The run's rasters, reduced for pictures.
    """

    content: MappingInput
    choice: Choice
    findings: Landslides | None
    panels: Overviews

    @classmethod
    def of(cls, content: MappingInput) -> MappingSubject:
        """Read and compute what the parts need.

        Raises
        ------
        StorageError
            When a raster of the run is gone.
        """
        result = content.result
        spec = spec_of(content)
        choice = content.choice or default_choice(result, _own_threshold(result, spec) or UNKNOWN_THRESHOLD)
        fits = result.grid.width * result.grid.height <= LARGEST
        findings = find(result, choice, content.dem) if fits else content.outlined
        return cls(content, spec, choice, findings, read_overviews(result, content.scene, SHOWN_SIDE))

    @property
    def result(self) -> MappingResult:
        """The run."""
        return self.content.result

    @property
    def own_threshold(self) -> float | None:
        """The model's own threshold, None when neither the run nor the model tells."""
        return _own_threshold(self.result, self.spec)

    @property
    def at_once(self) -> bool:
        """Whether the raster is small enough to outline it at any threshold."""
        return isinstance(self.findings, Findings)

    @cached_property
    def extent(self) -> Extent:
        """How much was found at the choice."""
        return self.extent_at(self.choice.threshold)

    @cached_property
    def scores(self) -> Scores | None:
        """Agreement with the reference, None without one."""
        return score(self.result, self.choice.threshold)

    def extent_at(self, threshold: float) -> Extent:
        """How much is found at a threshold, with the same least area and hole filling."""
        if self.findings is None:
            return self.counted_at(threshold)
        findings = self.findings
        if threshold != self.choice.threshold:
            if not self.at_once:
                return self.counted_at(threshold)
            findings = find(self.result, replace(self.choice, threshold=threshold))
        return Extent(threshold, findings.count, float(findings.areas.sum()), findings.scene_area)

    def counted_at(self, threshold: float) -> Extent:
        """From the run's histogram: pixels at the threshold, without least area and hole filling."""
        pixel = pixel_area(self.result)
        found = int(self.result.counts[:, threshold_code(threshold) :].sum())
        return Extent(threshold, None, found * pixel, int(self.result.counts.sum()) * pixel)


def _own_threshold(result: MappingResult, spec: ModelSpec | None) -> float | None:
    recorded = (result.provenance.get("model") or {}).get("threshold")
    if recorded is not None:
        return float(recorded)
    return spec.threshold if spec is not None else None
