"""What a detection run leaves: candidate boxes on disk, numbers to compare by, and where all of it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from core.errors import StorageError
from core.raster.grid import Grid

if TYPE_CHECKING:
    from core.tasks.detection.boxes import Boxes

CANDIDATES = "candidates"
TRUTH = "truth"

DETECTIONS = ("detection", "scored", "fused")
"""Kinds of runs that hold boxes of landslides."""

Kind = Literal["detection", "scored", "fused", "explanation", "outline"]


@dataclass(frozen=True)
class DetectionResult:
    """One frozen run of the detection task.

    Attributes
    ----------
    id
        32 hexadecimal digits, random.
    folder
        Where `artifacts` lie; they are named relative to it, by digests once they are in the store.
    scene, scene_digest, scene_id
        Name, content digest and store id (empty by command line) of the scene that was searched.
    model
        Name of the model.
    grid
        Grid of the scene: boxes are in its pixels, also when only a drawn part was searched.
    artifacts
        File names by role: ``candidates`` (Parquet, see `core.tasks.detection.candidates`), ``truth`` (Parquet of the
        reference's boxes); of other kinds of runs whatever they made.
    classes
        Names of the classes that boxes are of, in the order of their indices.
    reach
        Pixels between two boxes cut at one window border up to which they may be parts of one landslide.
    numbers
        What `metrics` gives.
    provenance
        Inputs with digests, model and weights' digest, parameters, versions, machine, times, bridging.
    notes
        Sentences the user must see: bridging of values and resolution, limits of the model.
    kind, parents
        What the run is, and the ids of the runs it stands on: a ``"detection"`` has none, a ``"scored"`` is a detection
        compared with a reference afterwards, a ``"fused"`` joins two, an ``"explanation"`` says why one found a box,
        an ``"outline"`` is a mapping model's outline of a box.
    """

    id: str
    folder: Path
    scene: str
    scene_digest: str
    model: str
    grid: Grid
    artifacts: Mapping[str, str]
    scene_id: str = ""
    classes: tuple[str, ...] = ("landslide",)
    reach: float = 0.0
    numbers: Mapping[str, float] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    kind: Kind = "detection"
    parents: tuple[str, ...] = ()

    @property
    def has_truth(self) -> bool:
        """Whether the boxes of a reference are known."""
        return TRUTH in self.artifacts

    @property
    def confidence(self) -> float:
        """The model's own confidence when it made this run; 0.5 when that is not recorded."""
        return float(self.provenance.get("model", {}).get("threshold", 0.5))

    @property
    def nms_iou(self) -> float:
        """Overlap from which the model's makers took two boxes for one; 0.5 when that is not recorded."""
        return float(self.provenance.get("model", {}).get("nms_iou", 0.5))

    @property
    def floor(self) -> float:
        """Confidence below which no candidate was kept."""
        options = self.provenance.get("parameters", {}).get("options") or {}
        return float(options.get("floor", 0.0))

    def artifact(self, role: str) -> Path:
        """Path of an artifact.

        Raises
        ------
        StorageError
            When the run has none of that role or the file is gone.
        """
        name = self.artifacts.get(role)
        if name is None:
            raise StorageError(f"Run {self.id[:8]} has no {role} file.")
        path = self.folder / name
        if not path.is_file():
            raise StorageError(
                f"The {role} file of run {self.id[:8]} is no longer on disk.", remedy="Run the detection again."
            )
        return path

    def candidates(self) -> Boxes:
        """All candidate boxes in pixels of `grid`, as the windows gave them: not yet merged.

        Raises
        ------
        StorageError
            When the file is gone or damaged.
        """
        from core.tasks.detection.candidates import read_boxes

        return read_boxes(self.artifact(CANDIDATES))

    def truth(self) -> Boxes | None:
        """Boxes of the reference in pixels of `grid`; None without one.

        Raises
        ------
        StorageError
            When the file is gone or damaged.
        """
        from core.tasks.detection.candidates import read_boxes

        return read_boxes(self.artifact(TRUTH)) if self.has_truth else None

    def metrics(self) -> dict[str, float]:
        """Numbers by which runs are compared, at the choice that is shown first.

        ``boxes`` is how many there are; with a reference also ``ap50``, ``ap50_95``, ``f1``, ``precision`` and
        ``recall``, NaN where undefined. Empty for what holds no boxes.
        """
        return dict(self.numbers)

    def to_json(self) -> dict[str, Any]:
        """Grid, numbers and what else is needed, with the rest that the store keeps, to have the result again."""
        return {
            "format": 1,
            "model": self.model,
            "grid": self.grid.to_json(),
            "classes": list(self.classes),
            "reach": self.reach,
            "numbers": dict(self.numbers),
        }

    @classmethod
    def from_json(
        cls,
        content: Mapping[str, Any],
        *,
        id: str,
        folder: Path,
        artifacts: Mapping[str, str],
        scene: str,
        scene_id: str,
        kind: str,
        parents: tuple[str, ...],
        provenance: Mapping[str, Any],
        notes: tuple[str, ...],
    ) -> DetectionResult:
        """Make a result of what `to_json` gave and the store kept beside it.

        Raises
        ------
        StorageError
            When the content is not what `to_json` gives.
        """
        try:
            numbers = {name: float("nan") if value is None else value for name, value in content["numbers"].items()}
            return cls(
                id=id,
                folder=folder,
                scene=scene,
                scene_digest=content["scene_digest"],
                scene_id=scene_id,
                model=content["model"],
                grid=Grid.from_json(content["grid"]),
                artifacts=artifacts,
                classes=tuple(content["classes"]),
                reach=float(content["reach"]),
                numbers=numbers,
                provenance=provenance,
                notes=notes,
                kind=cast("Kind", kind),
                parents=parents,
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StorageError(f"The run {id[:8]} cannot be read.", str(error)) from error
