"""Where a run on an image comes from: the scene, how it was brought to a model, and what users must be told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.learning.preprocessing import Preprocessing
from core.learning.spec import ModelSpec
from core.learning.store import StoredModel, sha256
from core.raster.quantity import Quantity
from core.raster.scene import Scene
from core.raster.validity import USUALLY


def scene_record(scene: Scene, model: StoredModel) -> dict[str, Any]:
    """A scene as it stands in the provenance of a run of a model."""
    stated = {**scene.grid.stated_size, "pixel_size_from": "entered by hand"} if scene.grid.stated_size else {}
    return {
        "name": scene.name,
        "file": scene.path.name,
        "digest": scene.digest,
        "synthetic": scene.synthetic,
        "licence": scene.licence,
        "citation": scene.citation,
        "seen_by_model": model.has_seen(scene.digest),
        **stated,
    }


def preprocessing_record(how: Preprocessing, spec: ModelSpec) -> dict[str, Any]:
    """How a scene was brought to a model, as it stands in the provenance of a run."""
    return {"roles": spec.bands, "bands": how.bands, "gain": how.gain, "offset": how.offset, "scale": how.scale}


def reference_record(path: Path | None) -> dict[str, Any] | None:
    """An inventory as it stands in the provenance of a run; None without one."""
    return None if path is None else {"name": path.name, "sha256": sha256(path)}


def elevation_notes(dem: Path | None) -> tuple[str, ...]:
    """How the elevations that belong to a scene are read: converted, or with what was not used."""
    if dem is None:
        return ()
    scene = Scene.open(dem)
    quantity = Quantity.of(scene, "elevation")
    left_out = quantity.left_out(scene)
    # What is no elevation is unknown, and is no value after all.
    known = [note for note in scene.notes if not (left_out and USUALLY in note)]
    return (*known, *filter(None, (quantity.note, left_out)))


def run_warnings(scene: Scene, model: StoredModel, how: Preprocessing) -> tuple[str, ...]:
    """Warnings about a scene and a model: seen in training, synthetic, and how the scene was preprocessed."""
    notes = [*how.notes, *scene.notes]
    if scene.grid.assumption:
        notes.insert(0, f"{scene.grid.assumption}.")
    if scene.synthetic:
        notes.insert(0, "This scene is synthetic: made by a script, not by a satellite.")
    if model.has_seen(scene.digest):
        notes.insert(0, "The model was trained or chosen on this very scene: its scores here say nothing about skill.")
    return tuple(notes)
