"""The datasets of a run on an image by role, and the scene with what belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from core.raster.bands import with_roles
from core.runs.records import Input
from core.runs.scenes import with_companions
from core.tasks.imagery.roles import SCENE

if TYPE_CHECKING:
    from core.raster.scene import Scene
    from core.runs.records import DatasetRecord, Run, SceneRecord
    from core.runs.store import Store

PIXEL_SIZE = "pixel_size"
"""Name of the parameter that states the pixel size of an image without a coordinate system."""


def inputs_of(record: SceneRecord) -> tuple[Input, ...]:
    """The inputs of a run on a scene of the store, with the reference and the elevation that belong to it."""
    others = (_input(role, one) for role, one in sorted(record.companions.items(), reverse=True))
    return (Input(SCENE, record.id, record.scene.name, record.scene.digest), *others)


def _input(role: str, dataset: DatasetRecord) -> Input:
    # A file used in place may have been moved away; whoever opens it says so, and not every run does.
    return Input(role, dataset.id, dataset.name, dataset.digest if dataset.path.is_file() else "")


def scene_of(store: Store, run: Run) -> SceneRecord:
    """The scene that a run works on, with exactly the reference and the elevation that the run names.

    Runs of before inputs had roles name their scene alone, or a reference without saying which dataset it is. They are
    given what belongs to the scene now and was in the store when they were ordered.

    Raises
    ------
    InputError
        When the run has no scene, or one of its datasets can no longer be opened.
    """
    present = _present(store, run)
    alone = len(run.inputs) == 1
    kept = {
        role: one
        for role, one in present.companions.items()
        if (alone or any(named.role == role for named in run.inputs)) and one.created <= run.created
    }
    return with_companions(present, {**kept, **_named(store, run)})


def ordered_scene(store: Store, run: Run) -> SceneRecord:
    """The scene of a run that reads its pixels; see `scene_of`.

    Raises
    ------
    InputError
        When another image has taken its place since the run was ordered.
    """
    record = scene_of(store, run)
    if run.input(SCENE).digest:
        check_same_scene(run.input(SCENE).digest, record.scene)
    return record


def scene_today(store: Store, run: Run) -> SceneRecord:
    """The scene of a run as it is looked at: with what belongs to it now where the run names nothing in that role.

    Raises
    ------
    InputError
        When the run has no scene, or it can no longer be opened.
    """
    present = _present(store, run)
    return with_companions(present, {**present.companions, **_named(store, run)})


def with_pixel_size(record: SceneRecord, metres: float | None) -> SceneRecord:
    """A scene whose pixels have a size that somebody stated; as it is where nothing was stated.

    Raises
    ------
    InputError
        When it is no size that a pixel can have, or the scene has a coordinate system.
    """
    if metres is None:
        return record
    return replace(record, scene=replace(record.scene, grid=record.scene.grid.with_pixel_size(metres)))


def _present(store: Store, run: Run) -> SceneRecord:
    """The scene of a run as it is in the store, with the pixel size that was stated for the run."""
    return with_pixel_size(store.scene_record(_scene_id(run)), stated_pixel_size(store, run))


def stated_pixel_size(store: Store, run: Run) -> float | None:
    """The pixel size that was stated for a run, or for the one that it is derived from; None where none was."""
    while PIXEL_SIZE not in run.parameters and run.parents:
        run = store.run(run.parents[0])
    return run.parameters.get(PIXEL_SIZE)


def _scene_id(run: Run) -> str:
    identity = run.input(SCENE).dataset_id
    if not identity:
        raise InputError(f"The image of run {run.id[:8]} is not in this store.", remedy="Choose another run.")
    return identity


def _named(store: Store, run: Run) -> Mapping[str, DatasetRecord]:
    """The datasets of the store that a run names beside its scene, by role."""
    return {one.role: store.dataset(one.dataset_id) for one in run.inputs if one.role != SCENE and one.dataset_id}


def known_scene(store: Store, run: Run) -> SceneRecord | None:
    """The scene of a run; None when it is no longer there, or another file has taken its place.

    Its bands show what the run took them for, so that pictures of it have the colours that the model was given.
    """
    if not run.input(SCENE).dataset_id:
        return None
    try:
        record = scene_today(store, run)
    except InputError:
        return None
    if record.scene.digest != run.input(SCENE).digest:
        return None
    bands = bands_of(store, run)
    return record if bands is None else replace(record, scene=with_roles(record.scene, *bands))


def bands_of(store: Store, run: Run) -> tuple[tuple[str, ...], tuple[int, ...]] | None:
    """What a run, or the one that it is derived from, took the bands of its scene for: roles, and a band for each.

    None where that is not recorded.
    """
    for identity in (run.id, *run.parents[:1]):
        how = store.provenance(identity).get("bridge") or {}
        if how.get("roles") and how.get("bands"):
            return tuple(how["roles"]), tuple(how["bands"])
    return None


def add_file(store: Store, scene: Scene, reference: Path | None = None, dem: Path | None = None) -> SceneRecord:
    """Make a raster on disk, with inventory and elevation, a scene of the store; the files stay where they are."""
    return store.add_scene(
        scene.path, scene.name, reference=reference, dem=dem, origin="file on this computer",
        synthetic=scene.synthetic, licence=scene.licence, citation=scene.citation,
    )  # fmt: skip


def reference_of(record: SceneRecord) -> Path:
    """The inventory of a scene.

    Raises
    ------
    InputError
        When it has none.
    """
    if record.reference is None:
        raise InputError(f"{record.scene.name} has no reference inventory.", remedy="Add one to the image first.")
    return record.reference


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
        what = f"The file of {scene.name} is no longer the image of this run."
        raise InputError(what, "It has been replaced since the run.", "Run the model again.")
