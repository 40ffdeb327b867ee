"""Why a detector found one box: which places of the image spoke for it, and which against it.

What is explained is the detector's own evidence for the box, one number in units of the score's logit that can be
differentiated by every activation. Every family of detectors gives it through `core.learning.protocols.BoxEvidence`,
so nothing here knows one family from another.

References
----------
Selvaraju, R. R. et al. (2017). Grad-CAM. ICCV. doi:10.1109/ICCV.2017.74
Draelos, R. L., Carin, L. (2020). HiResCAM. arXiv:2011.08891
Zeiler, M. D., Fergus, R. (2014). Visualizing and understanding convolutional networks. ECCV.
doi:10.1007/978-3-319-10590-1_53 (occlusion)
Petsiuk, V. et al. (2021). Black-box explanation of object detectors via saliency maps. CVPR.
doi:10.1109/CVPR46437.2021.01129 (D-RISE)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import InputError, ModelError
from core.explain.cam import cells_at, scaled
from core.explain.drise import drise
from core.explain.faithfulness import Deletion
from core.explain.layers import LayerChoice, named_layers
from core.explain.target import box_score, check_box, undisturbed
from core.learning.protocols import BoxEvidence

OCCLUDED = 8
"""Occluding squares that stand side by side along the image; neighbours overlap by half."""


class Attribute(Protocol):
    """An explanation of the evidence for a box by places in the image."""

    def __call__(self, detector: BoxEvidence, inputs: Tensor, box: Tensor, layer: str) -> NDArray[np.float32]:
        """Attribution (height, width) in [−1, 1], the strongest place of either sign having magnitude 1."""
        ...


@dataclass(frozen=True)
class Method:
    """A way to ask.

    Attributes
    ----------
    name, title
        As in records and addresses, and for people.
    attribute
        What makes the map.
    layered
        Whether it asks at a layer. Those that do need gradients and are done in a blink; the others try the detector
        on hundreds of altered images.
    shows
        The beginning of a sentence that says what its colours mean.
    """

    name: str
    title: str
    attribute: Attribute
    layered: bool
    shows: str


def grad_cam(detector: BoxEvidence, inputs: Tensor, box: Tensor, layer: str) -> NDArray[np.float32]:
    """Grad-CAM of a box without the cut at zero: places below zero spoke against it.

    Channels are weighted by their mean gradient, so a place elsewhere that looks like what spoke for this box is
    bright too.

    Parameters
    ----------
    detector
        Evaluated and left in evaluation mode; hold the model's lock, for hooks are on it meanwhile.
    inputs
        Normalised image (1, bands, height, width), float32.
    box
        (4,) left, top, right, bottom in pixels of the image.
    layer
        One of `box_layers`.

    Returns
    -------
    Map (height, width) float32 in [−1, 1]; all zero when the box took nothing from the layer.

    Raises
    ------
    InputError
        When the image or box cannot be asked about or the detector has no such layer.
    ModelError
        When the layer keeps no places or values are not finite.
    """
    check_box(inputs, box)
    return scaled(cells_at(detector, box_score(detector, box), inputs, layer), inputs)


def hires_cam(detector: BoxEvidence, inputs: Tensor, box: Tensor, layer: str) -> NDArray[np.float32]:
    """HiResCAM of a box: each place weighted by its own gradient, so that only what this box took is shown.

    Parameters, result and errors are those of `grad_cam`.
    """
    check_box(inputs, box)
    return scaled(cells_at(detector, box_score(detector, box), inputs, layer, local=True), inputs)


def occlusion(detector: BoxEvidence, inputs: Tensor, box: Tensor, layer: str = "") -> NDArray[np.float32]:
    """How far the evidence falls when a square is replaced by the image's mean colour, for squares all over it.

    Needs no gradient and no layer. Parameters, result and errors are those of `grad_cam`; a place is given the mean
    of all squares that covered it.
    """
    from captum.attr import Occlusion

    del layer
    check_box(inputs, box)
    bands, height, width = inputs.shape[-3:]
    square = max(2, min(height, width) // OCCLUDED)
    with undisturbed(detector), torch.no_grad():
        fall = Occlusion(box_score(detector, box)).attribute(
            inputs, sliding_window_shapes=(bands, square, square), strides=(bands, square // 2, square // 2),
            baselines=inputs.mean(dim=(2, 3), keepdim=True).expand_as(inputs),
        )  # fmt: skip
    # The same for every band, because a square covers them all.
    return scaled(fall[0, 0].float().cpu().numpy(), inputs)


GRAD_CAM = Method(
    "grad-cam", "Grad-CAM", grad_cam, True,
    "Red places look like what raised the score of this box, blue ones like what lowered it",
)  # fmt: skip
HIRES_CAM = Method(
    "hires-cam", "HiResCAM", hires_cam, True,
    "Red places raised the score of this box where they are, blue ones lowered it",
)  # fmt: skip
OCCLUSION = Method(
    "occlusion", "Occlusion", occlusion, False,
    "Covering red places lowered the score of this box, covering blue ones raised it",
)  # fmt: skip
D_RISE = Method(
    "d-rise", "D-RISE", drise, False,
    "With red places visible a box like this one was found more surely than on average, with blue ones less",
)  # fmt: skip

METHODS = {method.name: method for method in (GRAD_CAM, HIRES_CAM, OCCLUSION, D_RISE)}


def method_of(name: str) -> Method:
    """A method by its name.

    Raises
    ------
    InputError
        When there is none of that name.
    """
    if name not in METHODS:
        raise InputError(f"There is no method {name!r}.", remedy=f"Choose one of {', '.join(METHODS)}.")
    return METHODS[name]


def box_layers(detector: BoxEvidence, inputs: Tensor) -> tuple[LayerChoice, ...]:
    """Layers at which a detector can be asked, from fine to coarse.

    Parameters
    ----------
    inputs
        An image of the detector's size (1, bands, height, width), of which only the shape matters.

    Raises
    ------
    ModelError
        When it names none whose output has places.
    """
    height, width = inputs.shape[-2:]
    box = torch.tensor([width / 4, height / 4, 3 * width / 4, 3 * height / 4])
    probe = torch.zeros_like(inputs)
    return named_layers(detector, detector.explained, lambda: detector.evidence(probe, box), (height, width))


def deepest_that_answers(
    detector: BoxEvidence, inputs: Tensor, box: Tensor, layers: Sequence[LayerChoice]
) -> LayerChoice:
    """The coarsest layer from which the evidence for a box took anything.

    Detectors look for boxes of different sizes at different layers: for a small box the coarsest may have had no say.

    Raises
    ------
    ModelError
        When none of the layers had a say.
    """
    check_box(inputs, box)
    score = box_score(detector, box)
    for layer in sorted(layers, key=lambda choice: -choice.downsampling):
        if cells_at(detector, score, inputs, layer.name, local=True).any():
            return layer
    raise ModelError("The evidence for this box depends on none of the detector's layers.")


def sentence(method: Method, layer: LayerChoice | None, deletion: Deletion | None = None) -> str:
    """Say in one sentence what the map shows and what it does not, and how faithful it proved.

    Parameters
    ----------
    layer
        The layer that was asked; None for a method that asks none.
    deletion
        The deletion test of the map, when it was made.
    """
    if layer is None:
        finest = "no detail finer than what was covered at a time"
        where = ""
    else:
        finest = "no detail finer than a cell"
        where = f", seen at {layer.title[:1].lower()}{layer.title[1:]}"
    text = (
        f"{method.shows}{where}; this shows what the detector reacted to, not why a slope failed nor whether it did, "
        f"and {finest}."
    )
    return f"{text} {deletion.words}" if deletion else text
