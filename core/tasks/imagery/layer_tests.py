"""Testing the layers of a model on its tuning images, keeping that in its folder, and saying it on its card."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.explain.layer_tests import SEED, LayerTests, layer_tests_in
from core.explain.methods import TITLES
from core.learning.segmentation import normalise
from core.learning.store import StoredModel
from core.wording import within

if TYPE_CHECKING:
    from core.learning.config import Data
    from core.learning.spec import ModelSpec

PLACES = 24
"""Places that layers are tested on, from as many images where there are so many."""

SPEC = "model.toml"

Found = Callable[[Tensor], list[Any]]
"""What a model finds in one normalised image (1, bands, height, width): what can be asked about."""


def places_in(
    spec: ModelSpec, images: NDArray[Any], valid: NDArray[np.bool_] | None, step: int, found: Found
) -> Iterator[tuple[Tensor, Any]]:
    """Images in random order, each with what is asked about: one find drawn at random, or more where images are few.

    Parameters
    ----------
    images
        (count, bands, height, width) in the values of the files.
    valid
        (count, height, width); None where all is.
    step
        What the sides of the network's input are multiples of.

    Yields
    ------
    Normalised image (1, bands, height, width), of the model's tile at most, and the find.
    """
    generator = np.random.default_rng(SEED)
    each, left = math.ceil(PLACES / max(1, len(images))), PLACES
    height, width = (min(side, spec.tile) // step * step for side in images.shape[-2:])
    row, column = ((whole - side) // 2 for whole, side in zip(images.shape[-2:], (height, width), strict=True))
    part = np.s_[..., row : row + height, column : column + width]
    for number in generator.permutation(len(images)):
        if not left:
            return
        inputs = normalise(torch.from_numpy(images[number][None].astype(np.float32)), spec)
        if valid is not None:
            # Without data the network is given the training mean, as `core.learning.inputs.read_window` does.
            inputs = torch.where(torch.from_numpy(valid[number]), inputs, 0)
        inputs = inputs[part].contiguous()
        finds = found(inputs)
        for which in generator.permutation(len(finds))[: min(each, left)]:
            left -= 1
            yield inputs, finds[which]


def keep(model: StoredModel, tests: LayerTests, data: Data, command: str) -> StoredModel:
    """Write the tests into a model's description.

    Parameters
    ----------
    data
        The division that the model was trained with.
    command
        What measured them.
    """
    told = replace(tests, data=f"{data.name or data.title}, tuning images", command=command)
    tested = StoredModel(replace(model.spec, explanation=told.to_spec()), model.folder)
    (model.folder / SPEC).write_text(tested.spec.to_toml(), encoding="utf-8")
    return tested


def card_words(spec: ModelSpec) -> list[str]:
    """A part of the card: how well each layer explains the model."""
    told = layer_tests_in(spec.explanation)
    heading = ["## Explanations", ""]
    if told is None:
        return [*heading, "The layers of this model have not been tested.", ""]
    best = told.best
    return [
        *heading,
        f"By default, explanations use {TITLES[best.method]} at {within(best.title)}: among all methods and "
        "layers, its maps passed the deletion test at the most places. Ties go to HiResCAM, which does not mark "
        "areas merely because they look similar, and then to the layer with the largest margin. At "
        f"{told.places} places that the model found ({told.data}), the {100 * told.share:.0f} % of the image marked "
        "highest was replaced by "
        f"the image's mean colour, and an equal number of pixels at {told.trials} random places (seed "
        f"{told.seed}). Margin: decrease in the score (logit) minus the decrease for random places, mean ± "
        "standard deviation over the places. Passed: places where the decrease was larger than for random places.", "",
        "| Method | Layer | Decrease | Decrease, random | Margin | Passed |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
        *[
            f"| {TITLES[one.method]} | {one.title} | {_signed(one.drop)} | {_signed(one.drop_random)} | "
            f"{_signed(one.margin)} ± {one.spread:.2f} | {one.held} of {told.places} |"
            for one in told.tests
        ], "",
        f"- Command: `{told.command}`", "",
    ]  # fmt: skip


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")
