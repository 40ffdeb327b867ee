"""A mapping as a report sees it: everything computed once that several parts tell of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from core.errors import ModelError
from core.learning.metrics import threshold_code
from core.learning.spec import ModelSpec
from core.learning.store import find_model
from core.mapping.findings import (
    LARGEST,
    Choice,
    Findings,
    Landslides,
    Scores,
    default_choice,
    find,
    pixel_area,
    score,
)
from core.mapping.panels import Panels, read_panels
from core.mapping.result import MappingResult
from core.runs.report.content import ReportInput
from core.runs.report.words import area, one_line

UNKNOWN_THRESHOLD = 0.5
STEP = 0.1
"""How far the threshold is moved, up and down, to show what depends on it."""

SHOWN_SIDE = 1400
"""Pixels of the longer side of a printed map."""


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
class Subject:
    """A mapping run with what is needed to report it.

    Attributes
    ----------
    content
        What was asked for.
    choice
        Threshold and areas of the whole report.
    findings
        Polygons; None for a raster too large to outline at once that nobody has had outlined.
    panels
        The run's rasters, reduced for pictures.
    spec
        Description of the model, None when it is no longer here.
    """

    content: ReportInput
    choice: Choice
    findings: Landslides | None
    panels: Panels
    spec: ModelSpec | None

    @classmethod
    def of(cls, content: ReportInput) -> Subject:
        """Read and compute what the parts need.

        Raises
        ------
        StorageError
            When a raster of the run is gone.
        """
        result = content.result
        spec = spec_of(result)
        choice = content.choice or default_choice(result, _own_threshold(result, spec) or UNKNOWN_THRESHOLD)
        fits = result.grid.width * result.grid.height <= LARGEST
        findings = find(result, choice, content.dem) if fits else content.outlined
        return cls(content, choice, findings, read_panels(result, content.scene, SHOWN_SIDE), spec)

    @property
    def result(self) -> MappingResult:
        """The run."""
        return self.content.result

    @property
    def georeferenced(self) -> bool:
        """Whether areas are in m²."""
        return self.result.grid.is_georeferenced

    @property
    def unit(self) -> str:
        """Unit of areas."""
        return "m²" if self.georeferenced else "px"

    @property
    def synthetic(self) -> bool:
        """Whether the image was made up."""
        scene = self.content.scene
        return bool(self.recorded("scene").get("synthetic")) or (scene is not None and scene.synthetic)

    @property
    def seen(self) -> bool:
        """Whether the model was fitted or chosen on this very image."""
        return bool(self.recorded("scene").get("seen_by_model"))

    @property
    def own_threshold(self) -> float | None:
        """The model's own threshold, None when neither the run nor the model tells."""
        return _own_threshold(self.result, self.spec)

    @property
    def at_once(self) -> bool:
        """Whether the raster is small enough to outline it at any threshold."""
        return isinstance(self.findings, Findings)

    @property
    def other_weights(self) -> bool:
        """Whether the model that is here now has other weights than the one that made the run."""
        used = self.recorded("model").get("weights_sha256")
        return self.spec is not None and bool(used) and used != self.spec.weights_sha256

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

    def area(self, value: float) -> str:
        """An area in words."""
        return area(value, georeferenced=self.georeferenced)

    def recorded(self, key: str) -> dict[str, Any]:
        """One table of the provenance, empty when it is not there."""
        return dict(self.result.provenance.get(key) or {})

    def counted_at(self, threshold: float) -> Extent:
        """From the run's histogram: pixels at the threshold, without least area and hole filling."""
        pixel = pixel_area(self.result)
        found = int(self.result.counts[:, threshold_code(threshold) :].sum())
        return Extent(threshold, None, found * pixel, int(self.result.counts.sum()) * pixel)


def spec_of(result: MappingResult) -> ModelSpec | None:
    """The description of a run's model, None when it is no longer here."""
    try:
        return find_model("mapping", result.model).spec
    except ModelError:
        return None


def scene_name(content: ReportInput) -> str:
    """Name of the image, on one line."""
    return one_line(content.result.scene or (content.scene.name if content.scene else "")) or "an image without a name"


def _own_threshold(result: MappingResult, spec: ModelSpec | None) -> float | None:
    recorded = (result.provenance.get("model") or {}).get("threshold")
    if recorded is not None:
        return float(recorded)
    return spec.threshold if spec is not None else None
