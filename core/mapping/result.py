"""What a mapping run leaves: rasters on disk, counts of codes, and where all of it came from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS

from core.errors import StorageError
from core.raster.grid import Grid

MANIFEST = "run.json"
PROBABILITY = "probability"
UNCERTAINTY = "uncertainty"
TRUTH = "truth"
CHANGE = "change"
EXPLANATION = "cam"

Kind = Literal["mapping", "change", "explanation"]


def _grid_to_json(grid: Grid) -> dict[str, Any]:
    return {
        "width": grid.width,
        "height": grid.height,
        "transform": list(grid.transform)[:6],
        "crs": grid.crs.to_wkt() if grid.crs else None,
    }


def _grid_from_json(content: Mapping[str, Any]) -> Grid:
    crs = CRS.from_wkt(content["crs"]) if content["crs"] else None
    return Grid(content["width"], content["height"], Affine(*content["transform"]), crs)


@dataclass(frozen=True)
class MappingResult:
    """One frozen mapping run.

    Attributes
    ----------
    id
        32 hexadecimal digits, random.
    folder
        Where `artifacts` lie; they are named relative to it.
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
        What the run is, and the ids of the runs it stands on: a ``"mapping"`` has none, a ``"change"`` compares
        two mappings, an ``"explanation"`` says why one found what it found.
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

    def save(self) -> Path:
        """Write ``run.json`` into the folder, whole or not at all, and return its path."""
        from core.raster.write import atomic_path

        content = {
            "format": 1,
            "task": "mapping",
            "kind": self.kind,
            "parents": list(self.parents),
            "id": self.id,
            "scene": self.scene,
            "scene_digest": self.scene_digest,
            "scene_id": self.scene_id,
            "model": self.model,
            "grid": _grid_to_json(self.grid),
            "counts": self.counts.tolist(),
            "has_truth": self.has_truth,
            "baseline": None if self.baseline is None else self.baseline.tolist(),
            "artifacts": dict(self.artifacts),
            "provenance": dict(self.provenance),
            "notes": list(self.notes),
        }
        path = self.folder / MANIFEST
        with atomic_path(path) as aside:
            aside.write_text(json.dumps(content, indent=1), encoding="utf-8")
        return path

    @classmethod
    def load(cls, folder: Path) -> MappingResult:
        """Read a run's folder.

        Raises
        ------
        StorageError
            When ``run.json`` is missing or not what `save` writes.
        """
        try:
            content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            baseline = content["baseline"]
            return cls(
                id=content["id"],
                folder=folder,
                scene=content["scene"],
                scene_digest=content["scene_digest"],
                scene_id=content["scene_id"],
                model=content["model"],
                grid=_grid_from_json(content["grid"]),
                counts=np.asarray(content["counts"], dtype=np.int64),
                has_truth=content["has_truth"],
                baseline=None if baseline is None else np.asarray(baseline, dtype=np.int64),
                artifacts=content["artifacts"],
                provenance=content["provenance"],
                notes=tuple(content["notes"]),
                kind=content["kind"],
                parents=tuple(content["parents"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StorageError(f"The run in {folder.name} cannot be read.", str(error)) from error
