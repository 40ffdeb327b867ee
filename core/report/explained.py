"""A stored explanation as pictures: what was asked about, and what raised the score, over the image it is of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.figures.image import image_below
from core.report.attribution import attribution_of
from core.report.reasons import target_region
from core.runs.kinds import is_explanation
from core.runs.result import GridResult

if TYPE_CHECKING:
    from core.raster.scene import Scene
    from core.runs.store import Store

GREY = 160
"""Text in place of an image that no longer exists."""


@dataclass(frozen=True)
class ExplanationFigure:
    """An explanation on the pixels of its window.

    Attributes
    ----------
    image
        (height, width, 3) uint8: the scene, grey all over when it is gone.
    attribution
        (height, width) float32 in [0, 1], or in [−1, 1] when signed; 0 where the scene has no data.
    region
        (height, width) bool: what was asked about, empty when that is not recorded.
    signed
        Whether places that lowered the score are below zero; else they were cut off.
    """

    image: NDArray[np.uint8]
    attribution: NDArray[np.float32]
    region: NDArray[np.bool_]
    signed: bool


def explanation_figure(store: Store, identity: str, scene: Scene | None) -> ExplanationFigure:
    """Read a finished explanation for showing.

    Parameters
    ----------
    identity
        Id of the explanation.
    scene
        The scene that was explained; another one, or None, is not drawn.

    Raises
    ------
    InputError
        When the run is unknown, not done, or no explanation.
    StorageError
        When its raster is gone.
    """
    explanation = store.result(identity, GridResult)
    if not is_explanation(store.run(identity)) or not explanation.parents:
        raise InputError(f"Run {identity[:8]} is not an explanation; its kind is {explanation.kind}.")
    parent = store.result(explanation.parents[0], GridResult)
    shown = attribution_of(explanation)
    region = target_region(explanation.provenance.get("target"), shown.grid, parent)
    grid = shown.grid
    if scene is not None and scene.digest == explanation.subject.digest:
        image = image_below(scene, grid, grid.shape)[..., :3]
    else:
        image = np.full((*grid.shape, 3), GREY, dtype=np.uint8)
    nothing = np.zeros(grid.shape, dtype=bool)
    return ExplanationFigure(image, np.nan_to_num(shown.values), nothing if region is None else region, shown.signed)
