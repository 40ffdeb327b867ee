"""Where a run of any task comes from: the file it is of, how that was brought to a model, and what users must hear."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.jobs.perform import perform
from core.learning.bridge import Bridge
from core.learning.store import StoredModel, sha256
from core.raster.progress import Cancel, Progress, ignore, never
from core.raster.scene import Scene
from core.runs.provenance import this_process
from core.runs.records import Order, SceneRecord

if TYPE_CHECKING:
    from core.runs.store import Store


def add_file(store: Store, scene: Scene, truth: Path | None = None, dem: Path | None = None) -> SceneRecord:
    """Make a raster on disk, with inventory and elevation, a scene of the store; the files stay where they are."""
    return store.add_scene(
        scene.path, scene.name, truth=truth, dem=dem, origin="a file of this machine", synthetic=scene.synthetic,
        licence=scene.licence, citation=scene.citation,
    )  # fmt: skip


def _nobody(identity: str) -> None:
    """Tell nobody which run has begun."""


def done_here(
    store: Store,
    order: Order,
    begun: Callable[[str], None] = _nobody,
    progress: Progress = ignore,
    cancel: Cancel = never,
) -> str:
    """Do what an order asks in this process, as the command line does, and return the run's id.

    Parameters
    ----------
    begun
        Told the id before the work begins.

    Raises
    ------
    LandslideError
        When the run is not possible or was cancelled; in the store it then stands as failed or cancelled.
    """
    identity = store.begin(order, server=this_process(), worker="command line")
    begun(identity)
    perform(store, identity, claimed=True, listen=progress, stop=cancel, raising=True)
    return identity


def told_scene(scene: Scene, model: StoredModel) -> dict[str, Any]:
    """A scene as it stands in the record of a run of a model."""
    return {
        "name": scene.name,
        "digest": scene.digest,
        "synthetic": scene.synthetic,
        "licence": scene.licence,
        "citation": scene.citation,
        "seen_by_model": model.has_seen(scene.digest),
    }


def told_bridge(how: Bridge) -> dict[str, Any]:
    """How a scene was brought to a model, as it stands in the record of a run."""
    return {"bands": how.bands, "gain": how.gain, "offset": how.offset, "scale": how.scale}


def told_truth(path: Path | None) -> dict[str, Any] | None:
    """An inventory as it stands in the record of a run; None without one."""
    return None if path is None else {"name": path.name, "sha256": sha256(path)}


def notes_on(scene: Scene, model: StoredModel, how: Bridge) -> tuple[str, ...]:
    """What users must hear of a scene and a model: whether the model has seen it, whether it is made up, the bridge."""
    notes = list(how.notes)
    if scene.synthetic:
        notes.insert(0, "This scene is synthetic: made by a script, not by a satellite.")
    if model.has_seen(scene.digest):
        notes.insert(0, "The model was trained or chosen on this very scene: its scores here say nothing about skill.")
    return tuple(notes)


def same_bands(asked: Scene, other: Scene, used: tuple[int, ...]) -> tuple[int, ...] | None:
    """Bands of another scene that have the names of those used of one; None where the names do not say."""
    names = {band.index: band.name for band in asked.bands}
    numbers = {band.name: band.index for band in other.bands if band.name}
    wanted = [names.get(number, "") for number in used]
    return tuple(numbers[name] for name in wanted) if all(name in numbers for name in wanted) else None
