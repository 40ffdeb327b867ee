"""What a run on one georeferenced image leaves, whatever its task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.runs.provenance import environment, now
from core.runs.records import Input
from core.runs.result import GridResult
from core.tasks.imagery.roles import SCENE, TRAINING_DISTANCE

if TYPE_CHECKING:
    from core.jobs.perform import Job
    from core.raster.grid import Grid

RECORDED = ("scene", "model")
"""Entries of the provenance that a derived run takes over from the run that it is derived from."""


@dataclass(frozen=True, kw_only=True)
class ImageResult(GridResult):
    """A run about an image: also what is derived from such a run, such as an explanation or a difference."""

    @property
    def scene(self) -> str:
        """Name of the scene."""
        return self.input(SCENE).name

    @property
    def scene_id(self) -> str:
        """Id of the scene in the store; empty when it is not in it."""
        return self.input(SCENE).dataset_id

    @property
    def scene_digest(self) -> str:
        """Content digest of the scene."""
        return self.input(SCENE).digest

    @property
    def drawn(self) -> bool:
        """Whether the run is about a drawn part of the scene only."""
        return bool((self.provenance.get("parameters") or {}).get("area"))

    @property
    def place(self) -> str:
        """What its numbers are about, in words that follow "of", "in" or "on"."""
        return place_of(drawn=self.drawn)

    @property
    def threshold(self) -> float:
        """The model's own probability or confidence from which something counts, when it made this run.

        To two decimals, as sliders and reports have it, so that all count from the same; 0.5 when it is not recorded.
        """
        return round(float(self.provenance.get("model", {}).get("threshold", 0.5)), 2)

    @property
    def training_distance(self) -> Mapping[str, Any]:
        """How the scene compares with the model's training images; see `core.tasks.imagery.training_distance.Compared`.

        Empty for runs of before this was measured.
        """
        return self.provenance.get(TRAINING_DISTANCE) or {}

    @property
    def unlike_training(self) -> dict[str, float]:
        """The share of the scene's tiles that are unlike the training images, by its name; none where not measured."""
        record = self.training_distance
        return {"unlike_training": float(record["share_beyond"])} if record.get("measured") else {}


def place_of(*, drawn: bool) -> str:
    """Words for what a run is about: a drawn part of its image, or all of it."""
    return "the drawn area" if drawn else "this image"


def image_inputs(name: str, digest: str = "", identity: str = "") -> tuple[Input, ...]:
    """The inputs of a run on a scene alone."""
    return (Input(SCENE, identity, name, digest),)


def derived(
    job: Job,
    parent: ImageResult,
    artifacts: Mapping[str, str],
    record: Mapping[str, Any],
    *,
    grid: Grid | None = None,
    notes: tuple[str, ...] = (),
    numbers: Mapping[str, float] | None = None,
    model: str = "",
) -> ImageResult:
    """The result of a run that is derived from another one and holds neither a map nor boxes of its own.

    Parameters
    ----------
    job
        The run that is being computed.
    parent
        The run whose scene, and unless `model` is given whose model, it is about.
    artifacts
        Its files by role, in the job's folder.
    record
        What its provenance says beside scene, model, versions, machine and time.
    grid
        Grid of its files, where it is not that of `parent`.
    numbers
        Numbers by which runs are compared.
    """
    known = {name: dict(parent.provenance[name]) for name in RECORDED if name in parent.provenance}
    return ImageResult(
        id=job.run.id,
        kind=job.run.kind,
        folder=job.folder,
        artifacts=artifacts,
        inputs=parent.inputs,
        model=model or parent.model,
        parents=job.run.parents,
        numbers=numbers or {},
        provenance={"finished": now(), **known, **record, **environment()},
        notes=notes,
        grid=grid or parent.grid,
    )
