"""What a detection run leaves: candidate boxes on disk, numbers to compare by, and where all of it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.tasks.imagery.result import ImageResult

if TYPE_CHECKING:
    from core.tasks.detection.boxes import Boxes

CANDIDATES = "candidates"
TRUTH = "truth"
KNOWN = "known"
SEARCHED = "searched"


@dataclass(frozen=True, kw_only=True)
class DetectionResult(ImageResult):
    """One frozen run that holds boxes of landslides.

    A ``"detection"`` has no parents, a ``"scored"`` is a detection compared with a reference afterwards, a ``"fused"``
    joins two.

    Attributes
    ----------
    grid
        Grid of the scene: boxes are in its pixels, also when only a drawn part was searched.
    artifacts
        File names by role: ``candidates`` (Parquet, see `core.tasks.detection.candidates`), ``truth`` (Parquet of the
        reference's boxes), ``known`` (GeoTIFF, 1 where the reference says whether there is a landslide; only where it
        does not say so everywhere), ``searched`` (GeoTIFF, 1 where the scene has data and was searched; only where that
        is not all of it), ``training_distance`` (coarse GeoTIFF, as of a mapping).
    classes
        Names of the classes that boxes are of, in the order of their indices.
    join_distance
        Pixels between two boxes cut at one window border up to which they may be parts of one landslide.
    numbers
        Numbers by which runs are compared, at the choice that is shown first: ``boxes`` is how many there are; with a
        reference also ``ap50``, ``ap50_95``, ``f1``, ``precision`` and ``recall``, NaN where undefined.
    provenance
        Inputs with digests, model and weights' digest, parameters, versions, machine, times, bridging.
    """

    classes: tuple[str, ...] = ("landslide",)
    join_distance: float = 0.0

    @property
    def has_reference(self) -> bool:
        """Whether the boxes of a reference are known."""
        return TRUTH in self.artifacts

    @property
    def confidence(self) -> float:
        """The model's own confidence when it made this run; 0.5 when that is not recorded."""
        return self.threshold

    @property
    def nms_iou(self) -> float:
        """Overlap from which the model's makers took two boxes for one; 0.5 when that is not recorded."""
        return float(self.provenance.get("model", {}).get("nms_iou", 0.5))

    @property
    def min_confidence(self) -> float:
        """Confidence below which no candidate was kept."""
        options = self.provenance.get("parameters", {}).get("options") or {}
        return float(options.get("floor", 0.0))

    def candidates(self) -> Boxes:
        """All candidate boxes in pixels of `grid`, as the windows gave them: not yet merged.

        Raises
        ------
        StorageError
            When the file is gone or damaged.
        """
        from core.tasks.detection.candidates import read_boxes

        return read_boxes(self.artifact(CANDIDATES))

    def reference(self) -> Boxes | None:
        """Boxes of the reference in pixels of `grid`; None without one.

        Raises
        ------
        StorageError
            When the file is gone or damaged.
        """
        from core.tasks.detection.candidates import read_boxes

        return read_boxes(self.artifact(TRUTH)) if self.has_reference else None

    def to_json(self) -> dict[str, Any]:
        """See `RunResult`."""
        return {**super().to_json(), "classes": list(self.classes), "reach": self.join_distance}

    @classmethod
    def _fields(cls, content: Mapping[str, Any]) -> dict[str, Any]:
        classes, join_distance = tuple(content["classes"]), float(content["reach"])
        return {**super()._fields(content), "classes": classes, "join_distance": join_distance}
