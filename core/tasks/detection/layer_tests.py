"""Which layer of a detector explains it best, measured on its tuning images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from core.explain.boxes import METHODS, box_layers
from core.explain.layer_tests import Place, measure_layers
from core.explain.target import box_score
from core.learning.inputs import input_step
from core.learning.loop import ProgressCallback, tell_nobody
from core.tasks.detection.data import divide
from core.tasks.detection.runtime import open_detector
from core.tasks.imagery.layer_tests import PLACES, keep, places_in

if TYPE_CHECKING:
    from torch import Tensor

    from core.learning.config import Data
    from core.learning.store import StoredModel

MOST_BOXES = 100
"""Boxes of an image that one is drawn from."""


def keep_layer_tests(
    model: StoredModel, data: Data, folder: Path, command: str, told: ProgressCallback = tell_nobody
) -> StoredModel:
    """Test the layers of a detector on the images that it was chosen on, and keep that in its folder and its card.

    Parameters
    ----------
    data
        The division that it was trained with.
    folder
        Folder that the description's images and labels lie in.
    command
        What measures, for the card.

    Raises
    ------
    InputError
        When images are missing, or the detector finds nothing on them.
    ModelError
        When the detector has no layer that can be asked.
    """
    from core.tasks.detection.card import rewrite

    spec, runtime = model.spec, open_detector(model)
    _, tuning = divide(data, folder, len(spec.bands), spec.ground_distance, spec.classes)
    detector = runtime.detector
    probe = torch.zeros((1, len(spec.bands), spec.tile, spec.tile), device=runtime.device)

    def boxes(inputs: Tensor) -> list[Tensor]:
        found = runtime.detect(inputs.numpy(), spec.threshold, MOST_BOXES)[0]
        return [torch.from_numpy(corners).to(runtime.device) for corners in found.corners]

    def places() -> Iterator[Place]:
        for inputs, box in places_in(spec, tuning.images, tuning.valid, input_step(spec), boxes):
            yield Place(inputs.to(runtime.device), box_score(detector, box))

    methods = [method for method in METHODS.values() if method.layered]
    with runtime.lock:
        layers = box_layers(detector, probe)
        tests = measure_layers(detector, places(), methods, layers, lambda done: told(done, PLACES))
    tested = keep(model, tests, data, command)
    rewrite(tested)
    return tested
