"""A run as a report describes it, whatever its task: what several parts of a report share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import ModelError
from core.learning.spec import ModelSpec
from core.learning.store import find_model
from core.report.content import GridReport, ReportInput
from core.report.words import area
from core.runs.kinds import Joint, tasks
from core.wording import single_area

SHOWN_SIDE = 1400
"""Pixels of the longer side of a printed map."""


@dataclass(frozen=True)
class Subject:
    """A finished run with what is needed to report it.

    Attributes
    ----------
    content
        What was asked for.
    spec
        Description of the model, None when it is no longer here.
    """

    content: ReportInput
    spec: ModelSpec | None

    @property
    def georeferenced(self) -> bool:
        """Whether the result has a place on the globe."""
        return isinstance(self.content, GridReport) and self.content.result.grid.is_georeferenced

    @property
    def in_metres(self) -> bool:
        """Whether areas are in m²."""
        return isinstance(self.content, GridReport) and self.content.result.grid.in_metres

    @property
    def unit(self) -> str:
        """Unit of areas."""
        return "m²" if self.in_metres else "px"

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
    def validation(self) -> Mapping[str, float]:
        """Scores of the model on images set aside when it was made, empty without."""
        return {} if self.spec is None else self.spec.scores.get("validation", {})

    def area(self, value: float) -> str:
        """An area in words."""
        return area(value, georeferenced=self.in_metres)

    def single_area(self, value: float) -> str:
        """The area of one landslide or box in words, in the unit of the tables."""
        return single_area(value, georeferenced=self.in_metres)

    @property
    def checked_against(self) -> str:
        """What the scores compare with, in words."""
        review = self.recorded("truth").get("review")
        if not review:
            return "a reference inventory"
        return f"a {'' if review.get('complete') else 'partial '}review of a model's result"

    def recorded(self, key: str) -> dict[str, Any]:
        """One table of the provenance, empty when it is not there."""
        return dict(self.content.result.provenance.get(key) or {})


@dataclass(frozen=True)
class UsedModel:
    """A model that a run used.

    Attributes
    ----------
    name, weights
        Its name, and the SHA-256 of the weights that were used, empty when that is not recorded.
    spec
        Its description, None when it is no longer here.
    """

    name: str
    weights: str
    spec: ModelSpec | None

    @property
    def changed(self) -> bool:
        """Whether the model that is here now has other weights than the one that was used."""
        return self.spec is not None and bool(self.weights) and self.weights != self.spec.weights_sha256


def models_of(content: ReportInput) -> tuple[UsedModel, ...]:
    """The models that a run used: one, or those of the runs that it joined."""
    record, joint = content.result.provenance, joint_of(content)
    joined = [] if joint is None else [dict(one.get("model") or {}) for one in record.get(joint.record) or ()]
    told = joined or [{**(record.get("model") or {}), "name": content.result.model}]
    return tuple(_used(content.task, one) for one in told)


def joint_of(content: ReportInput) -> Joint | None:
    """How a run, or the one that it was scored from, joined the results of others; None where it did not."""
    task, record = tasks().get(content.task), content.result.provenance
    joints = () if task is None else (kind.joins for kind in task.kinds)
    return next((joint for joint in joints if joint is not None and joint.record in record), None)


def _used(task: str, told: Mapping[str, Any]) -> UsedModel:
    name = str(told.get("name") or "")
    try:
        spec = find_model(task, name).spec
    except ModelError:
        spec = None
    return UsedModel(name, str(told.get("weights_sha256") or ""), spec)


def spec_of(content: ReportInput) -> ModelSpec | None:
    """The description of a run's one model; None when it is no longer here, or there are several."""
    used = models_of(content)
    return used[0].spec if len(used) == 1 else None
