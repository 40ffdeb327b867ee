"""Which layer of a mapping model explains it best, measured on its tuning images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from core.explain.layer_tests import Place, measure_layers
from core.explain.layers import available_layers
from core.explain.regions import METHODS
from core.explain.target import region_score
from core.learning.inputs import input_step
from core.learning.loop import ProgressCallback, tell_nobody
from core.learning.segmentation import network_of
from core.tasks.imagery.layer_tests import PLACES, keep, places_in
from core.tasks.mapping.train import divide

if TYPE_CHECKING:
    from torch import Tensor, nn

    from core.learning.config import Data
    from core.learning.store import StoredModel

LEAST_PIXELS = 10
"""Pixels of the smallest landslide that is asked about."""


def keep_layer_tests(
    model: StoredModel, data: Data, folder: Path, command: str, told: ProgressCallback = tell_nobody
) -> StoredModel:
    """Test the layers of a model on the images that it was chosen on, and keep that in its folder and its card.

    Parameters
    ----------
    data
        The division that it was trained with.
    folder
        Folder that the description's image folders lie in.
    command
        What measures, for the card.

    Raises
    ------
    InputError
        When images are missing, or the model finds nothing on them.
    ModelError
        When the network has no layer that can be asked.
    """
    from core.tasks.mapping.card import rewrite

    # As users bring them: what training reduced before, the network reduces now.
    images = divide(replace(data, reduce=1, tile=0), folder).tuning.images
    step = input_step(model.spec)
    network = model.load_network(network_of).to(memory_format=torch.channels_last)
    layers = available_layers(network, (4 * step, 6 * step))

    def regions(inputs: Tensor) -> list[NDArray[np.bool_]]:
        return _found(network, inputs, model.spec.threshold)

    def places() -> Iterator[Place]:
        for inputs, region in places_in(model.spec, images, None, step, regions):
            yield Place(inputs, region_score(network, region))

    methods = [method for method in METHODS.values() if method.layered]
    tests = measure_layers(network, places(), methods, layers, lambda done: told(done, PLACES))
    tested = keep(model, tests, data, command)
    rewrite(tested)
    return tested


def _found(network: nn.Module, inputs: Tensor, threshold: float) -> list[NDArray[np.bool_]]:
    """Each landslide that the network maps, as a mask (height, width) of its connected pixels."""
    from scipy import ndimage

    with torch.no_grad():
        mapped = network(inputs)[0, 0].sigmoid().numpy() >= threshold
    labels, count = ndimage.label(mapped, np.ones((3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    return [labels == number for number in range(1, count + 1) if sizes[number] >= LEAST_PIXELS]
