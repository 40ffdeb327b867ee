"""What an explanation asks about: one number that a network gives for an image.

Of a segmentation it is the score of a region, not of a class. A binary segmentation network has one output channel
and no class to choose, so the usual target of classification (an index) has no meaning. The target here is the mean
logit over a region: a mapped polygon, or the neighbourhood of a pixel. Its gradient is that of Seg-Grad-CAM
(Vinogradova et al. 2020, doi:10.1609/aaai.v34i10.7244) up to the region's size, which later scaling removes. Of a
detector it is the evidence for one box, see `core.explain.boxes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import InputError, ModelError
from core.learning.protocols import BoxEvidence, ExplainedNetwork, SegmentationNetwork

Score = Callable[[Tensor], Tensor]
"""What is explained: images (batch, bands, height, width), normalised, to one number each (batch,)."""


def region_around(row: int, column: int, shape: tuple[int, int], radius: int = 2) -> NDArray[np.bool_]:
    """Square neighbourhood of a pixel, cut at the borders.

    Parameters
    ----------
    row, column
        The pixel, counted from zero.
    shape
        Height and width in pixels.
    radius
        Pixels to each side; 2 gives a square of 5 × 5.

    Raises
    ------
    InputError
        When the pixel lies outside.
    """
    height, width = shape
    if not (0 <= row < height and 0 <= column < width):
        raise InputError(
            f"The point at row {row}, column {column} lies outside the image of {height} × {width} pixels.",
            remedy="Choose a point on the image.",
        )
    region = np.zeros(shape, dtype=bool)
    region[max(0, row - radius) : row + radius + 1, max(0, column - radius) : column + radius + 1] = True
    return region


def check_question(inputs: Tensor, region: NDArray[np.bool_]) -> None:
    """Refuse what no explanation can answer.

    Parameters
    ----------
    inputs
        Must be finite float (1, bands, height, width).
    region
        Must be boolean (height, width) with at least one pixel.

    Raises
    ------
    InputError
        When either is not so.
    """
    check_image(inputs)
    if tuple(region.shape) != tuple(inputs.shape[-2:]):
        raise InputError(
            f"The area has {region.shape} pixels, the image {tuple(inputs.shape[-2:])}.",
            remedy="Give both on the same grid.",
        )
    if not region.any():
        raise InputError("The area to explain holds no pixel.", remedy="Choose a polygon or a point.")


def check_image(inputs: Tensor) -> None:
    """Refuse an image that no explanation can be of.

    Raises
    ------
    InputError
        When it is not one image (1, bands, height, width) of finite numbers.
    """
    if inputs.ndim != 4 or inputs.shape[0] != 1:
        shape = tuple(inputs.shape)
        raise InputError(f"An explanation takes one image (1, bands, height, width), not {shape}.")
    if not bool(torch.isfinite(inputs).all()):
        raise InputError(
            "The image to explain holds values that are not numbers.",
            "They would spread through the network and spoil the explanation.",
            "Fill nodata first, as inference does.",
        )


def region_score(network: SegmentationNetwork, region: NDArray[np.bool_]) -> Score:
    """Build the function that is explained: images (batch, bands, height, width) to mean logits (batch,).

    Raises
    ------
    ModelError
        From the function, when the network does not give one logit per pixel.
    """

    def score(images: Tensor) -> Tensor:
        logits = network(images)
        if logits.ndim != 4 or logits.shape[1] != 1 or logits.shape[-2:] != images.shape[-2:]:
            raise ModelError(
                f"The network returns {tuple(logits.shape)} for images {tuple(images.shape)}.",
                "Explanations need one logit for each pixel.",
            )
        mask = torch.from_numpy(region).to(logits.device)
        return logits[:, 0, mask].mean(dim=1)

    return score


def box_score(detector: BoxEvidence, box: Tensor) -> Score:
    """Build the function that is explained: images (batch, bands, height, width) to the evidence for a box (batch,).

    Raises
    ------
    ModelError
        From the function, when the detector does not give one finite number.
    """

    def score(images: Tensor) -> Tensor:
        each = [detector.evidence(image[None], box) for image in images]
        if any(value.numel() != 1 for value in each):
            raise ModelError("This detector provides no single score for a box, so it cannot be explained.")
        together = torch.stack([value.reshape(()) for value in each])
        if not bool(torch.isfinite(together).all()):
            raise ModelError("The detector's score for this box is not finite.")
        return together

    return score


def check_box(inputs: Tensor, box: Tensor) -> None:
    """Refuse what no explanation can answer.

    Raises
    ------
    InputError
        When the image is not one of finite numbers, or the box is empty or lies outside.
    """
    check_image(inputs)
    if box.shape != (4,) or not bool(torch.isfinite(box).all()):
        raise InputError("A box is four numbers: left, top, right, bottom.")
    left, top, right, bottom = (float(side) for side in box)
    height, width = inputs.shape[-2:]
    if right <= left or bottom <= top:
        raise InputError("The box to explain holds no pixel.", remedy="Choose a larger box.")
    if right <= 0 or bottom <= 0 or left >= width or top >= height:
        raise InputError(
            f"The box lies outside the image of {height} × {width} pixels.", remedy="Choose a box on the image."
        )


@contextmanager
def undisturbed(network: ExplainedNetwork) -> Iterator[None]:
    """Explain in evaluation mode and leave the network in it, without gradients, also after an error."""
    network.eval()
    try:
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        network.eval()
        network.zero_grad(set_to_none=True)
