"""Occlusion: mask the image square by square, and see how far the score falls.

References
----------
Zeiler, M. D., Fergus, R. (2014). Visualizing and understanding convolutional networks. ECCV.
doi:10.1007/978-3-319-10590-1_53
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.explain.cam import scaled
from core.explain.target import Score, undisturbed
from core.learning.protocols import ExplainedNetwork

ACROSS = 8
"""Squares that stand side by side along the image; neighbours overlap by half."""


def occlusion_of(network: ExplainedNetwork, score: Score, inputs: Tensor) -> NDArray[np.float32]:
    """How far a score falls when a square is replaced by the image's mean colour, for squares all over it.

    Needs no gradient and no layer. A place is given the mean of all squares that covered it.

    Parameters
    ----------
    network
        Evaluated and left in evaluation mode.
    score
        What is explained, computed by that network.
    inputs
        Normalised image (1, bands, height, width), float32.

    Returns
    -------
    Map (height, width) float32 in [−1, 1]; all zero when no square changed the score.
    """
    from captum.attr import Occlusion

    bands, height, width = inputs.shape[-3:]
    square = max(2, min(height, width) // ACROSS)
    with undisturbed(network), torch.no_grad():
        fall = Occlusion(score).attribute(
            inputs, sliding_window_shapes=(bands, square, square), strides=(bands, square // 2, square // 2),
            baselines=inputs.mean(dim=(2, 3), keepdim=True).expand_as(inputs),
        )  # fmt: skip
    # The same for every band, because a square covers them all.
    return scaled(fall[0, 0].float().cpu().numpy(), inputs)
