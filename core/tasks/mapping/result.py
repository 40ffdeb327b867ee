"""What a mapping run leaves: rasters on disk, counts of codes, and where all of it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from core.errors import StorageError
from core.learning.metrics import Confusion, threshold_code
from core.raster.grid import Grid

PROBABILITY = "probability"
UNCERTAINTY = "uncertainty"
TRUTH = "truth"
CHANGE = "change"
EXPLANATION = "cam"
LANDSLIDES = "landslides"

MAPPINGS = ("mapping", "scored")
"""Kinds of runs that hold a probability of landslide."""

Kind = Literal["mapping", "scored", "change", "explanation", "outlines"]


@dataclass(frozen=True)
class MappingResult:
    """One frozen mapping run.

    Attributes
    ----------
    id
        32 hexadecimal digits, random.
    folder
        Where `artifacts` lie; they are named relative to it, by digests once they are in the store.
    scene, scene_digest, scene_id
        Name, content digest and store id (empty by command line) of the scene that was mapped.
    model
        Name of the model.
    grid
        Grid of every raster artifact: the scene's own, or its drawn part.
    counts
        (2, 255) joint histogram of probability code and truth; row 1 is all zero when `has_truth` is False.
    baseline
        Joint counts of the colour-index baseline, (2, 255), codes of its index; None when it does not apply.
    artifacts
        File names by role: ``probability`` (COG uint8: code 0–254 is probability times 254, 255 nodata),
        ``uncertainty`` (same scaling), ``truth`` (0, 1, 255 unknown).
    provenance
        Inputs with digests, model and weights' digest, parameters, versions, machine, times, bridging.
    notes
        Sentences the user must see: bridging of values and resolution, limits of the model.
    kind, parents
        What the run is, and the ids of the runs it stands on: a ``"mapping"`` has none, a ``"scored"`` is a mapping
        counted against an inventory afterwards, a ``"change"`` compares two mappings, an ``"explanation"`` says why
        one found what it found, ``"outlines"`` are the landslides of a large one at a choice.
    """

    id: str
    folder: Path
    scene: str
    scene_digest: str
    model: str
    grid: Grid
    counts: NDArray[np.int64]
    artifacts: Mapping[str, str]
    has_truth: bool = False
    scene_id: str = ""
    baseline: NDArray[np.int64] | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    kind: Kind = "mapping"
    parents: tuple[str, ...] = ()

    def artifact(self, role: str) -> Path:
        """Path of an artifact.

        Raises
        ------
        StorageError
            When the run has none of that role or the file is gone.
        """
        name = self.artifacts.get(role)
        if name is None:
            raise StorageError(f"Run {self.id[:8]} has no {role} raster.")
        path = self.folder / name
        if not path.is_file():
            raise StorageError(
                f"The {role} raster of run {self.id[:8]} is no longer on disk.", remedy="Run the mapping again."
            )
        return path

    def metrics(self) -> dict[str, float]:
        """Numbers by which runs are compared: at the model's own threshold, before minimum area and hole filling.

        ``area_share`` is the share of valid pixels from the threshold on; with truth also ``f1``, ``iou``,
        ``precision`` and ``recall``, NaN where undefined. Empty for what is no mapping.
        """
        if self.kind not in MAPPINGS:
            return {}
        code, pixels = threshold_code(self.threshold), int(self.counts.sum())
        found = {"area_share": int(self.counts[:, code:].sum()) / pixels if pixels else float("nan")}
        if self.has_truth:
            confusion = Confusion.at(self.counts, self.threshold)
            found |= {name: float(getattr(confusion, name)) for name in ("f1", "iou", "precision", "recall")}
        return found

    @property
    def threshold(self) -> float:
        """The model's own threshold when it made this run; 0.5 when that is not recorded."""
        return float(self.provenance.get("model", {}).get("threshold", 0.5))

    def to_json(self) -> dict[str, Any]:
        """Grid, counts and what else is needed, with the rest that the store keeps, to have the result again."""
        return {
            "format": 2,
            "model": self.model,
            "grid": self.grid.to_json(),
            "counts": self.counts.tolist(),
            "has_truth": self.has_truth,
            "baseline": None if self.baseline is None else self.baseline.tolist(),
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
    ) -> MappingResult:
        """Make a result of what `to_json` gave and the store kept beside it.

        Raises
        ------
        StorageError
            When the content is not what `to_json` gives.
        """
        try:
            baseline = content["baseline"]
            return cls(
                id=id,
                folder=folder,
                scene=scene,
                scene_digest=content["scene_digest"],
                scene_id=scene_id,
                model=content["model"],
                grid=Grid.from_json(content["grid"]),
                counts=np.asarray(content["counts"], dtype=np.int64),
                has_truth=content["has_truth"],
                baseline=None if baseline is None else np.asarray(baseline, dtype=np.int64),
                artifacts=artifacts,
                provenance=provenance,
                notes=notes,
                kind=cast("Kind", kind),
                parents=parents,
            )
        except (ValueError, KeyError, TypeError) as error:
            raise StorageError(f"The run {id[:8]} cannot be read.", str(error)) from error
