"""What models scored on validation, on which data, and the order that follows: scores are compared on one data set."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.wording import count

if TYPE_CHECKING:
    from core.learning.spec import ModelSpec
    from core.learning.store import StoredModel

SCORES: Mapping[str, str] = {"ap50": "AP50", "f1": "F1"}
"""Score by which models are ordered, the first that a model has, and what it is called."""


@dataclass(frozen=True)
class Validation:
    """What a model scored on validation, and on what.

    Attributes
    ----------
    score, value
        Name of the score, such as ``"F1"``, and its value.
    images
        How many images it was scored on; 0 where that is not recorded.
    data_set
        Short name of the data set; empty where it is not recorded.
    """

    score: str
    value: float
    images: int
    data_set: str

    @property
    def text(self) -> str:
        """The score with its name."""
        return f"{self.score} {self.value:.2f}"

    @property
    def scored_on(self) -> str:
        """What it was scored on, in words."""
        images = count(self.images, "validation image") if self.images else "validation images"
        return f"{images} of {self.data_set}" if self.data_set else f"{images} of an unrecorded data set"


def validation_of(spec: ModelSpec) -> Validation | None:
    """What a model scored on validation; None where it was not scored yet."""
    scores = spec.scores.get("validation", {})
    name = next((name for name in SCORES if name in scores), None)
    if name is None:
        return None
    images = spec.training.get("images_validation") or scores.get("images") or 0
    return Validation(SCORES[name], float(scores[name]), int(images), data_set_of(spec))


def data_set_of(spec: ModelSpec) -> str:
    """Short name of the data set that a model was trained and validated on; empty where that is not recorded."""
    name = str(spec.training.get("data_set", ""))
    return name or re.split(r"[,:;(]", str(spec.training.get("data", "")))[0].strip()


def by_validation(models: Iterable[StoredModel]) -> list[StoredModel]:
    """Models by the data set that they were validated on, and within one data set the best first.

    Scores on different data say nothing of each other. The data set of most validation images comes first; models of
    which no data set is recorded come last, by name.
    """
    found = list(models)
    known = {model.spec.name: validation_of(model.spec) for model in found}
    sizes: dict[str, int] = {}
    for one in known.values():
        if one is not None and one.data_set:
            sizes[one.data_set] = max(sizes.get(one.data_set, 0), one.images)

    def place(model: StoredModel) -> tuple[bool, int, str, float, str]:
        one, data_set = known[model.spec.name], data_set_of(model.spec)
        skill = -math.inf if one is None or not data_set else one.value
        return (not data_set, -sizes.get(data_set, 0), data_set, -skill, model.spec.name)

    return sorted(found, key=place)
