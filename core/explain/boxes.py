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

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.explain import methods
from core.explain.cam import cells_at, scaled
from core.explain.drise import drise
from core.explain.layers import LayerChoice, named_layers
from core.explain.methods import Method
from core.explain.occlusion import occlusion_of
from core.explain.target import box_score, check_box
from core.learning.protocols import BoxEvidence

BoxMethod = Method[BoxEvidence, Tensor]


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
    """How far the evidence falls when squares of the image are masked; see `occlusion_of`.

    Parameters, result and errors are those of `grad_cam`; the layer is not asked.
    """
    del layer
    check_box(inputs, box)
    return occlusion_of(detector, box_score(detector, box), inputs)


GRAD_CAM: BoxMethod = Method(
    methods.GRAD_CAM, grad_cam, True,
    "Red areas resemble what raised the score, blue areas what lowered it",
)  # fmt: skip
HIRES_CAM: BoxMethod = Method(
    methods.HIRES_CAM, hires_cam, True,
    "Red areas raised the score, blue areas lowered it",
)  # fmt: skip
OCCLUSION: BoxMethod = Method(
    methods.OCCLUSION, occlusion, False,
    "Masking red areas lowered the score, masking blue areas raised it",
)  # fmt: skip
D_RISE: BoxMethod = Method(
    methods.D_RISE, drise, False,
    "With red areas visible, a box like this scored above average; with blue areas visible, below",
)  # fmt: skip

METHODS = {method.name: method for method in (GRAD_CAM, HIRES_CAM, OCCLUSION, D_RISE)}


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
