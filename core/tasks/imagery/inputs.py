"""The datasets of a run on an image by role, and the scene with what belongs to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from core.runs.kinds import Role
from core.runs.records import Input

if TYPE_CHECKING:
    from core.raster.scene import Scene
    from core.runs.records import Run, SceneRecord
    from core.runs.store import Store

SCENE = "scene"
ROLES = (
    Role(SCENE, ("raster",), "Scene"),
    Role("reference", ("vector", "raster"), "Reference inventory", optional=True),
    Role("dem", ("raster",), "Elevation", optional=True),
)
"""What a run on an image takes."""


def inputs_of(record: SceneRecord) -> tuple[Input, ...]:
    """The inputs of an order on a scene of the store."""
    return (Input(SCENE, record.id, record.scene.name, record.scene.digest),)


def scene_of(store: Store, run: Run) -> SceneRecord:
    """The scene that a run is about, with reference and elevation.

    Raises
    ------
    InputError
        When the run has no scene, or it can no longer be opened.
    """
    identity = run.input(SCENE).dataset_id
    if not identity:
        raise InputError(f"The run {run.id[:8]} has no scene of this store.", remedy="Choose another run.")
    return store.scene_record(identity)


def known_scene(store: Store, run: Run) -> SceneRecord | None:
    """The scene of a run; None when it is no longer there, or another file has taken its place."""
    if not run.input(SCENE).dataset_id:
        return None
    try:
        record = scene_of(store, run)
    except InputError:
        return None
    return record if record.scene.digest == run.input(SCENE).digest else None


def add_file(store: Store, scene: Scene, reference: Path | None = None, dem: Path | None = None) -> SceneRecord:
    """Make a raster on disk, with inventory and elevation, a scene of the store; the files stay where they are."""
    return store.add_scene(
        scene.path, scene.name, truth=reference, dem=dem, origin="a file of this machine", synthetic=scene.synthetic,
        licence=scene.licence, citation=scene.citation,
    )  # fmt: skip


def reference_of(record: SceneRecord) -> Path:
    """The inventory of a scene.

    Raises
    ------
    InputError
        When it has none.
    """
    if record.truth is None:
        raise InputError(f"{record.scene.name} has no reference inventory.", remedy="Attach one first.")
    return record.truth


def check_same_scene(digest: str, scene: Scene) -> None:
    """Refuse a scene that is not the one that a run is of.

    Parameters
    ----------
    digest
        Content digest of the scene of the run.

    Raises
    ------
    InputError
        When the content differs.
    """
    if scene.digest != digest:
        what = f"The image of {scene.name} is not the one that this run is of."
        raise InputError(what, "Its file was replaced since.", "Run the model again.")
